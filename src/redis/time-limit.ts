/**
 * Settles as the action does. After so many milliseconds it calls `giveUp`, which ends what the
 * action waits for, and rejects with `ETIMEDOUT`.
 */
export async function withinTime<T>(
  milliseconds: number,
  giveUp: () => void,
  action: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const watchdog = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      giveUp();
      reject(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" }));
    }, milliseconds);
  });
  try {
    return await Promise.race([action(), watchdog]);
  } finally {
    clearTimeout(timer);
  }
}
