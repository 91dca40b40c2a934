import { isIPv6 } from "node:net";
import type { HostAndPort } from "../model/redis-target.js";
import type { Allowance } from "../model/run-options.js";
import { type ServerName, servers } from "../model/session-file.js";
import { parseShard } from "../model/shard.js";
import { parseRedisUrl, type RedisUrl } from "./redis-url.js";

/** How a value is read from the text of a flag or a variable. */
export interface ValueKind<Value> {
  /** What it takes, in words: for the docs and for errors. */
  readonly takes: string;
  /** The words that it takes, if it takes no others. */
  readonly choices?: readonly string[];
  /** Undefined if the text is no such value. */
  readonly read: (text: string) => Value | undefined;
  /** Why `read` refuses the text, if `takes` does not say it. Quotes nothing of the text. */
  readonly reason?: (text: string) => string | undefined;
}

const maxSessionSize = 512 * 1024 * 1024;
const onWords = ["1", "true", "yes", "y", "t", "on"];
const offWords = ["0", "false", "no", "n", "f", "off"];

export const kinds = {
  switch: kind(`${onWords.join(" ")}, or ${offWords.join(" ")}`, readSwitch),
  text: kind("text without control characters", (text) => (/\p{Cc}/u.test(text) ? undefined : text)),
  anyText: kind("any text", (text) => text),
  path: kind("a path", (text) => (text === "" || text.includes("\0") ? undefined : text)),
  url: { takes: "a redis:, rediss: or unix: URL", read: readUrl, reason: whyNotUrl },
  host: kind("a host name or an IP address", readHost),
  hostAndPort: kind("a host and a port, as in sentinel-1:26379", readHostAndPort),
  port: kind("a port, 1 to 65535", wholeNumber(1, 65535)),
  database: kind("a database number, 0 or more", wholeNumber(0, 2 ** 31 - 1)),
  lifetime: kind("a number of seconds above 0, of at most 10 digits", readLifetime),
  size: kind("a size from 1 byte to 512 MiB, as in 65536, 64KiB or 16MiB", readSize),
  durationMs: kind("a time, as in 90, 90s, 5m, 2h or 1h30m", readDurationMs),
  count: kind("a whole number, 0 or more", wholeNumber(0)),
  positiveCount: kind("a whole number, 1 or more", wholeNumber(1)),
  percentage: kind("a percentage above 0%, as in 5%", (text) => readPercent(text) || undefined),
  allowance: kind("a number of sessions or a percentage, as in 10 or 1%", readAllowance),
  shard: kind("i/n, with i from 1 to n", parseShard),
  keyLayout: oneOf("documented", "applet", "auto"),
  logFormat: oneOf("text", "json"),
  ttl: oneOf("full", "remaining"),
  conflictPolicy: oneOf("newest", "keep", "overwrite"),
  layout: oneOf("flat", "scattered"),
  format: oneOf("pickle", "json"),
  server: oneOf(...(Object.keys(servers) as ServerName[])),
};

function kind<Value>(takes: string, read: ValueKind<Value>["read"]): ValueKind<Value> {
  return { takes, read };
}

function oneOf<Word extends string>(...words: readonly Word[]): ValueKind<Word> {
  return { takes: words.join(", "), choices: words, read: (text) => words.find((word) => word === text) };
}

function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  return (text: string): number | undefined => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= minimum && value <= maximum ? value : undefined;
  };
}

function readSwitch(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (onWords.includes(word)) return true;
  return offWords.includes(word) ? false : undefined;
}

function readUrl(text: string): RedisUrl | undefined {
  const url = parseRedisUrl(text);
  return "problem" in url ? undefined : url;
}

function whyNotUrl(text: string): string | undefined {
  const url = parseRedisUrl(text);
  return "problem" in url ? url.problem : undefined;
}

/** An IPv6 address may stand in brackets; it comes back without them. */
function readHost(text: string): string | undefined {
  if (/^[^\s\p{Cc}:/?#@[\]\\]+$/u.test(text)) return text;
  const bare = /^\[(.*)\]$/s.exec(text)?.[1] ?? text;
  const [, address = ""] = /^([0-9A-Fa-f:.]+)(?:%[A-Za-z0-9._-]+)?$/.exec(bare) ?? [];
  return isIPv6(address) ? bare : undefined;
}

function readHostAndPort(text: string): HostAndPort | undefined {
  const [, hostText = "", portText = ""] = /^(.*):([0-9]{1,5})$/s.exec(text) ?? [];
  const lacksBrackets = hostText.includes(":") && !hostText.startsWith("[");
  const host = lacksBrackets ? undefined : readHost(hostText);
  const port = kinds.port.read(portText);
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** Seconds. */
function readLifetime(text: string): number | undefined {
  return text.length <= 10 ? kinds.positiveCount.read(text) : undefined;
}

/** Bytes. */
function readSize(text: string): number | undefined {
  const [, digits, unit = ""] = /^([0-9]{1,15}) ?(?:([KMG])(?:iB?)?|B)?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const bytes = Number(digits) * 1024 ** " KMG".indexOf(unit.toUpperCase() || " ");
  return bytes >= 1 && bytes <= maxSessionSize ? bytes : undefined;
}

function readDurationMs(text: string): number | undefined {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1000;
  const parts = /^(?=[0-9])(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?$/.exec(text);
  if (parts === null) return undefined;
  const [, hours = "0", minutes = "0", seconds = "0"] = parts;
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
}

function readPercent(text: string): number | undefined {
  const percent = /^([0-9]{1,3}(?:\.[0-9]{1,6})?)%$/.exec(text)?.[1];
  return percent !== undefined && Number(percent) <= 100 ? Number(percent) : undefined;
}

function readAllowance(text: string): Allowance | undefined {
  const count = kinds.count.read(text);
  if (count !== undefined) return { count };
  const percent = readPercent(text);
  return percent === undefined ? undefined : { percent };
}
