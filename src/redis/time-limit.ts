import type { Redis } from "ioredis";

/**
 * Does what waits for a client. After so many milliseconds it disconnects the client and rejects
 * with `ETIMEDOUT`.
 */
export async function withinTime<T>(
  milliseconds: number,
  client: Redis,
  action: () => Promise<T>,
): Promise<T> {
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
