/** How often a batch may lose the connection before it is sent in parts. */
export const maxLosses = 2;
/** How often a single item may lose the connection before it is given up. */
const maxLossesOfOne = 3;

/** Sends items until that succeeds; `undefined` if it lost `maxLost` connections. */
type Send<Item, Result> = (items: readonly Item[], maxLost: number) => Promise<readonly Result[] | undefined>;

/**
 * Sends items that lose the connection in ever smaller parts, to find the one that Redis never
 * accepts; `giveUp` returns its result. Returns one result per item, in order.
 */
export async function sendInParts<Item, Result>(
  items: readonly Item[],
  send: Send<Item, Result>,
  giveUp: (item: Item) => Result,
): Promise<readonly Result[]> {
  const [item] = items;
  const isAlone = items.length === 1;
  const results = await send(items, isAlone ? maxLossesOfOne : maxLosses);
  if (results !== undefined || item === undefined) return results ?? [];
  if (isAlone) return [giveUp(item)];
  const half = Math.ceil(items.length / 2);
  const first = await sendInParts(items.slice(0, half), send, giveUp);
  return [...first, ...(await sendInParts(items.slice(half), send, giveUp))];
}
