import type { RedisTarget } from "../../model/redis-target.js";

/** What the settings may have to do with a failed connection, with `. ` before it; may be empty. */
export function failureHint({ hints = {} }: RedisTarget, error: unknown): string {
  const hint = isReply(error) ? (repliesTo(error, "auth") ? hints.login : undefined) : hints.connection;
  return hint === undefined ? "" : `. ${hint}`;
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** Whether this error is the reply to that command. */
function repliesTo(error: Error, name: string): boolean {
  const command: unknown = "command" in error ? error.command : undefined;
  const answered =
    typeof command === "object" && command !== null && "name" in command ? command.name : undefined;
  return typeof answered === "string" && answered.toLowerCase() === name;
}
