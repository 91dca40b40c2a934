export const hourMs = 3_600_000;

/** Where each age bucket of session files ends, in hours; the last has no end. */
export const ageBuckets: readonly number[] = [
  ...[1, 3, 6, 12, 24, 48, 72, 96, 120, 144, 168],
  ...[336, 720, Number.POSITIVE_INFINITY],
];

/** The place of a number among ascending limits that it is below. */
export function placeBelow(limits: readonly number[], number: number): number {
  return limits.findIndex((limit) => number < limit);
}

/** A count of 0 for each name. */
export function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

export function increase<Key>(counts: Map<Key, number>, key: Key, count = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
