/**
 * Why a key layout was chosen: a setting `named` it, or server-saved keys were `found` under one
 * layout only, under `both`, or under `none`.
 */
export const keyLayoutEvidences = ["named", "found", "both", "none"] as const;
export type KeyLayoutEvidence = (typeof keyLayoutEvidences)[number];

/** Where the server saves its sessions; `unknown` if neither the files nor Redis show it. */
export const serverPlaces = ["files", "redis", "unknown"] as const;
export type ServerWorks = (typeof serverPlaces)[number];
