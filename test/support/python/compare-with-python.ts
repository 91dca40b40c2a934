import { type Conversion, convertSession } from "../../../src/convert/convert-session.js";
import type { JudgedFile } from "./judged-files.js";
import { isSameJson } from "./same-json.js";

const openedAtMs = Date.UTC(2026, 0, 2);
/** Before the file was opened, so that even a session that lives for a second has an entry. */
const nowMs = openedAtMs - 60_000;
const settings = {
  clockLeadMs: 0,
  keyPrefix: "session:",
  ttl: "full",
  expiration: 604_800,
  expirationAnonymous: 10_800,
  maxSessionSize: 16 * 1024 * 1024,
} as const;

/**
 * Converts the bytes of a session file as any run does, at an instant that is always the same; only
 * a negative `expiration` is expired.
 */
export function convertBytes(bytes: Buffer, { tellsDatabase = false } = {}): Conversion {
  const read = { bytes, mtimeMs: openedAtMs, openedAtMs };
  return convertSession(read, "00aa".repeat(10), { ...settings, tellsDatabase }, nowMs);
}

/** How our conversion of a file and Python's judgement of it stand to each other. */
export type Comparison =
  | { readonly kind: "same entry" | "expired" | "refused by both" }
  | { readonly kind: "refused only here"; readonly detail: string }
  | {
      readonly kind: "accepted only here" | "other bytes" | "other reason" | "other facts";
      readonly explanation: string;
    };

export function compareWithPython({ judgement }: JudgedFile, conversion: Conversion): Comparison {
  if (conversion.kind === "failed") {
    const { reason, detail } = conversion;
    if (judgement.kind === "accepted") return { kind: "refused only here", detail: `${reason}: ${detail}` };
    if (judgement.reasons.includes(reason)) return { kind: "refused by both" };
    const explanation = `${judgement.reasons.join(" or ")} expected, got ${reason}: ${detail}`;
    return { kind: "other reason", explanation };
  }
  const ours = conversion.kind === "entry" ? conversion.entry.value : "expired";
  if (judgement.kind === "refused")
    return {
      kind: "accepted only here",
      explanation: `${judgement.reasons.join(" or ")} expected, got ${ours}`,
    };
  if (conversion.kind === "entry" && !isSameJson(ours, judgement.json))
    return { kind: "other bytes", explanation: `expected ${judgement.json}\ngot      ${ours}` };
  const { authenticated, lossy } = conversion.facts;
  const expectsLossy = judgement.lossy === "either" ? lossy : judgement.lossy;
  if (authenticated !== judgement.authenticated || lossy !== expectsLossy) {
    const expected = `authenticated ${judgement.authenticated}, lossy ${judgement.lossy}`;
    return {
      kind: "other facts",
      explanation: `${expected} expected, got ${authenticated}, ${lossy}: ${ours}`,
    };
  }
  return { kind: conversion.kind === "entry" ? "same entry" : "expired" };
}
