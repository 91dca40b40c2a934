import type { Redis } from "ioredis";

/**
 * Runs an action that uses a client. If it takes longer than this, disconnects the client and
 * rejects with `ETIMEDOUT`.
 */
export async function withinTime<T>(milliseconds: number, client: Redis, action: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const watchdog = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      client.disconnect();
      reject(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" }));
    }, milliseconds);
  });
  try {
    return await Promise.race([action(), watchdog]);
  } finally {
    clearTimeout(timer);
  }
}
