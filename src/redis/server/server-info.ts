import { isDenied } from "../redis-fault.js";

/** What an action comes to, or `undefined` if this user lacks the right, or the server the command. Throws what `redisFault` sorts. */
export async function allowed<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}

/** A field of what INFO answers; `undefined` where it has none of that name. */
export function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
}
