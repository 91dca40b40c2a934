/**
 * The variables that a command under test sees by default: how to find programs and what language
 * to speak. Nothing of TELE_*, REDIS* or XDG_*, no wish for colour, no CI; HOME is the directory
 * given.
 */
export function cleanEnvironment(home: string): Record<string, string> {
  const environment: Record<string, string> = { HOME: home };
  for (const name of ["PATH", "LANG", "LC_ALL", "TMPDIR", "TZ"]) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}
