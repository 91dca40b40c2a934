/** Whether a sid belongs to a sample of so many percent: always the same ones, for the same share. */
export function isInSample(sid: string, percent: number): boolean {
  let hash = 0x811c9dc5;
  // FNV-1a, and a last stirring: sids that are alike must not fall together.
  for (let index = 0; index < sid.length; index++) hash = Math.imul(hash ^ sid.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < percent / 100;
}
