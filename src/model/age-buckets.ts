export const hourMs = 3_600_000;

/** Where each age bucket of session files ends, in hours; the last has no end. */
export const ageBuckets: readonly number[] = [
  ...[1, 3, 6, 12, 24, 48, 72, 96, 120, 144, 168],
  ...[336, 720, Number.POSITIVE_INFINITY],
];

/** Which of `ageBuckets` an age in milliseconds is in. A file from the future counts as new. */
export function bucketOf(ageMs: number): number {
  let bucket = 0;
  while (ageMs >= (ageBuckets[bucket] ?? 0) * hourMs) bucket++;
  return bucket;
}
