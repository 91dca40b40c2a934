import { isDenied } from "../redis-fault.js";

/** Returns `undefined` if this user lacks the permission, or the server the command. */
export async function allowed<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}

/** A field of a reply to INFO; `undefined` if it has no field of that name. */
export function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
}
