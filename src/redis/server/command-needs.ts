/** What each command is for, and what works without it: shown if Redis denies or hides it. */
const needs: Readonly<Record<string, string>> = {
  AUTH: "It logs in",
  SELECT: "It chooses the database; only --db 0 works without it",
  SET: "It writes the sessions, and nothing can be copied without it",
  GET: "It reads the values in Redis, which are compared with the files",
  PEXPIRETIME: "It reads when a key expires, and no key can be judged without it",
  PTTL: "It reads when a key expires, where Redis lacks PEXPIRETIME",
  EXISTS: "It checks whether a key exists, and nothing can be removed or tried without it",
  EVAL:
    "It changes a key only if no one else has changed it, and no key can be replaced without it; where " +
    "Redis lacks PEXPIRETIME or PXAT, no key can be read or written without it",
  DEL: "It deletes the key of a session that ended",
  SCAN:
    "It finds out which key layout the server reads, and is not needed with --key-layout documented " +
    "or --key-layout applet",
  WAIT: "--wait-replicas needs it; the run can go on without that flag",
  INFO: "It reports role, memory and restarts",
  TIME: "It shows how far the clocks differ",
  CLIENT: "It shows other runs on this Redis",
  "CLIENT ID": "It tells a run without a name which connection is its own",
  "CLIENT LIST": "It shows other runs on this Redis",
  "CLIENT SETNAME": "It shows this run to others on this Redis",
  CONFIG: "It tells whether Redis saves to disk",
  "CLUSTER SLOTS": "It shows which master holds which sessions, and a Cluster cannot be used without it",
  ASKING: "It reaches sessions that are on their way from one master to another",
  "CONFIG GET": "It tells whether Redis saves to disk",
};

/** A script is one command that calls others; Redis does not always say which of them it denies. */
export const scriptCommands = "EVAL, or a command of its script (GET, SET, PEXPIRETIME or PTTL, PEXPIREAT, DEL)";

/** A sentence about a missing command, with `. ` before it; empty if none is known. */
export function needOf(command: string): string {
  const need = needs[command === scriptCommands ? "EVAL" : command];
  return need === undefined ? "" : `. ${need}`;
}
