import type { Redis } from "ioredis";
import { isReply } from "../redis-fault.js";

/** Who logs in; nobody if both are absent. */
export interface Login {
  readonly username?: string;
  readonly password?: string;
}

/** Logs in. Returns whether the server wanted a login, if there is one; lets other errors through. */
export async function logIn(client: Redis, { username, password }: Login): Promise<"done" | "not wanted"> {
  if (password === undefined && username === undefined) return "done";
  try {
    await client.call("AUTH", ...(username === undefined ? [] : [username]), password ?? "");
    return "done";
  } catch (error) {
    if (isReply(error) && /without any password configured|no password is set/.test(error.message)) {
      return "not wanted";
    }
    throw error;
  }
}
