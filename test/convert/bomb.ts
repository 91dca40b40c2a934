import { convertSession } from "../../src/convert/convert-session.js";
import { bombs } from "./bomb-names.js";

// Converts the named bytes, as many MiB as the second argument says; a session may have a little over a
// quarter of that, as with the largest allowed. Prints the result.
const [, , name, size] = process.argv;
const bytes = Number(size) * 1024 * 1024;
const make = bombs.find(([named]) => named === name)?.[1];
if (make === undefined) throw new Error(`no bomb is called ${name}`);
const nowMs = Date.now();
const read = { bytes: make(bytes), mtimeMs: nowMs, openedAtMs: nowMs };
const settings = {
  keyPrefix: "session:",
  clockLeadMs: 0,
  ttl: "full",
  expiration: 604_800,
  expirationAnonymous: 10_800,
  maxSessionSize: Math.ceil(bytes / 3.75),
} as const;
const conversion = convertSession(read, "aa", settings, nowMs);
const took = Math.round(Date.now() - nowMs);
console.log(
  conversion.kind,
  conversion.kind === "failed" ? conversion.reason : "",
  `${took} ms, ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`,
);
