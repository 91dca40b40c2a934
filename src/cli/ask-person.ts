import { createInterface } from "node:readline/promises";

/** Where a person is asked. */
export interface Asked {
  readonly stdin: NodeJS.ReadStream;
  readonly terminal: NodeJS.WriteStream;
}

/** Whether a person can be asked at all. */
export function canAsk({ stdin, terminal }: Asked): boolean {
  return stdin.isTTY === true && terminal.isTTY === true;
}

/** What is typed, up to its line end; empty if the input ends or the run is to stop before. */
export async function askPerson(
  question: string,
  { stdin, terminal }: Asked,
  stop: AbortSignal,
): Promise<string> {
  if (stop.aborted) return "";
  // The terminal stays as it is: Ctrl-C comes as the signal that it always is.
  const asking = createInterface({ input: stdin, output: terminal, terminal: false });
  const closed = new Promise<string>((resolve) => asking.once("close", () => resolve("")));
  const close = () => asking.close();
  stop.addEventListener("abort", close);
  try {
    return (await Promise.race([asking.question(question), closed])).trim();
  } finally {
    stop.removeEventListener("abort", close);
    close();
  }
}
