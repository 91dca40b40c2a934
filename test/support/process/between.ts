/** The flags of a run between a session directory and a Redis on this machine. */
export function between(directory: string, { port }: { readonly port: number }): string[] {
  return ["--session-dir", directory, "--port", String(port)];
}
