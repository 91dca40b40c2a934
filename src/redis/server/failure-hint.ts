import type { RedisTarget } from "../../model/redis-target.js";
import { commandOf, isReply } from "../redis-fault.js";

/** What the settings may have to do with a failed connection, with `. ` before it; may be empty. */
export function failureHint({ hints = {} }: RedisTarget, error: unknown): string {
  const loginHint = isReply(error) && commandOf(error) === "AUTH" ? hints.login : undefined;
  const hint = isReply(error) ? loginHint : hints.connection;
  return hint === undefined ? "" : `. ${hint}`;
}
