import { appendFileSync } from "node:fs";
import { assertNothingSecret } from "./secrets.js";

/** Names a file that every search adds its bytes to, for the figure at the end of a test run. */
export const searchedVariable = "TELE_SESSIONS_SEARCHED";

/** Looks through all that a run of the binary printed. Throws where something secret is in it. */
export function searchOutput(text: string, args: readonly string[]): void {
  const file = process.env[searchedVariable];
  if (file !== undefined) appendFileSync(file, `${Buffer.byteLength(text)}\n`);
  assertNothingSecret(text, { idsAreShown: args.includes("--show-ids") });
}
