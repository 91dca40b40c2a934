/** Whether a sid is in a sample of this percentage. Every run picks the same sids. */
export function isInSample(sid: string, percent: number): boolean {
  let hash = 0x811c9dc5;
  // FNV-1a with a final mix, so that similar sids get different hashes.
  for (let index = 0; index < sid.length; index++) hash = Math.imul(hash ^ sid.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < percent / 100;
}
