import { setTimeout as sleep } from "node:timers/promises";

/** Waits for a state. Rejects, naming it, where it does not come about within 20 s. */
export async function waitUntil(state: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) throw new Error(`It did not come to this: ${state}.`);
    await sleep(5);
  }
}
