/** What each command is for, and what goes on without it: shown when Redis denies or hides it. */
const needs: Readonly<Record<string, string>> = {
  AUTH: "It logs in",
  SELECT: "It chooses the database; only --db 0 does without it",
  SET: "It writes the sessions, and nothing can be copied without it",
  GET: "It reads what Redis holds, which is compared with the files",
  PEXPIRETIME:
    "It reads when a key expires, and no key can be judged without it (Redis 7.0 and later have it)",
  EXISTS: "It looks whether a key is there, and nothing can be removed or tried without it",
  EVAL: "It changes a key only if nobody else did meanwhile, and no key can be replaced without it",
  DEL: "It takes back the key of a session that ended",
  SCAN: "It finds out which key layout the server reads: name it with --key-layout documented or --key-layout applet to do without",
  WAIT: "--wait-replicas needs it; the run can go on without that flag",
  INFO: "It tells role, memory and restarts",
  TIME: "It tells how far the clocks differ",
  CLIENT: "It shows other runs on this Redis",
  "CLIENT LIST": "It shows other runs on this Redis",
  "CLIENT SETNAME": "It shows this run to others on this Redis",
  CONFIG: "It tells whether Redis saves to a disk",
  "CONFIG GET": "It tells whether Redis saves to a disk",
};

/** A script is one command with others inside; Redis does not always say which of them it means. */
export const scriptCommands = "EVAL, or a command of its script (GET, SET, PEXPIRETIME, DEL)";

/** A sentence about a command that is missing, or nothing. */
export function needOf(command: string): string {
  const need = needs[command === scriptCommands ? "EVAL" : command];
  return need === undefined ? "" : `. ${need}`;
}
