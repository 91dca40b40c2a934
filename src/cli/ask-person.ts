import { createInterface } from "node:readline/promises";

/** Where a person can be asked. */
export interface Asked {
  readonly stdin: NodeJS.ReadStream;
  readonly terminal: NodeJS.WriteStream;
}

export function canAsk({ stdin, terminal }: Asked): boolean {
  return stdin.isTTY === true && terminal.isTTY === true;
}

/** Returns the typed line, or "" if the input ends or the run is stopped first. */
export async function askPerson(question: string, { stdin, terminal }: Asked, stop: AbortSignal): Promise<string> {
  if (stop.aborted) return "";
  // Not in raw mode, so Ctrl-C still arrives as a signal.
  const asking = createInterface({ input: stdin, output: terminal, terminal: false, signal: stop });
  const closed = new Promise<string>((resolve) => asking.once("close", () => resolve("")));
  try {
    return (await Promise.race([asking.question(question), closed])).trim();
  } finally {
    asking.close();
  }
}
