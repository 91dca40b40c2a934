/** What an action comes to, or `undefined` where this user lacks the right. Throws what `redisFault` sorts. */
export async function allowed<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError" && error.message.startsWith("NOPERM"))
      return undefined;
    throw error;
  }
}

/** A field of what INFO answers; `undefined` where it has none of that name. */
export function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
}
