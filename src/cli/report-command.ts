import type { TypedFlags } from "../settings/read-settings.js";

/** Runs `report`. Returns the exit code. */
export async function reportCommand(
  _files: readonly string[],
  _typed: TypedFlags,
  _version: string,
): Promise<number> {
  throw new Error("report comes with the next commit");
}
