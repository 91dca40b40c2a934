/** File times may lag behind the clock by this much, on file systems with coarse ones. */
export const coarseTimeMs = 2000;
