import { convertSession } from "../../src/convert/convert-session.js";
import { bombs } from "./bomb-names.js";

// Converts the named bytes, as many as the file of a 16 MiB session may have; prints the result.
const make = bombs.find(([name]) => name === process.argv[2])?.[1];
if (make === undefined) throw new Error(`no bomb is called ${process.argv[2]}`);
const nowMs = Date.now();
const read = { bytes: make(60 * 1024 * 1024), mtimeMs: nowMs, openedAtMs: nowMs };
const settings = {
  keyPrefix: "session:",
  clockLeadMs: 0,
  ttl: "full",
  expiration: 604_800,
  expirationAnonymous: 10_800,
  maxSessionSize: 16 * 1024 * 1024,
} as const;
const conversion = convertSession(read, "aa", settings, nowMs);
const took = Math.round(Date.now() - nowMs);
console.log(
  conversion.kind,
  conversion.kind === "failed" ? conversion.reason : "",
  `${took} ms, ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`,
);
