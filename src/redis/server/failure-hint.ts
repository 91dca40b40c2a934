import type { RedisTarget } from "../../model/redis-target.js";

/** What the settings tell about a failed connection, as a sentence with a blank before it; empty if nothing. */
export function failureHint({ hints = {} }: RedisTarget, error: unknown): string {
  const hint = isReply(error) ? (repliesTo(error, "auth") ? hints.login : undefined) : hints.connection;
  return hint === undefined ? "" : `. ${hint}`;
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** Whether the client says that this command was answered so. */
function repliesTo(error: Error, name: string): boolean {
  const command: unknown = "command" in error ? error.command : undefined;
  const answered =
    typeof command === "object" && command !== null && "name" in command ? command.name : undefined;
  return typeof answered === "string" && answered.toLowerCase() === name;
}
