import { hashName } from "../model/shard.js";

/** Whether a sid is in a sample of this percentage. Every run picks the same sids. */
export function isInSample(sid: string, percent: number): boolean {
  return hashName(sid) / 2 ** 32 < percent / 100;
}
