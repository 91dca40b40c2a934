/**
 * A right that is missing, to a script too (Redis before 7.2, and since), and a command that a server was told to hide (`rename-command`) or that a
 * service does without.
 */
const denied =
  /^(NOPERM|ERR The user executing the script can't|ERR ACL failure in script|ERR unknown (sub)?command)/i;

/** What an action comes to, or `undefined` where this user lacks the right, or the server the command. Throws what `redisFault` sorts. */
export async function allowed<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError" && denied.test(error.message)) return undefined;
    throw error;
  }
}

/** A field of what INFO answers; `undefined` where it has none of that name. */
export function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
}
