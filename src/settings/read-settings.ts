import * as z from "zod";
import { SettingsError } from "../model/errors.js";
import type { Allowance, Shard } from "../model/run-options.js";
import { showable } from "../model/showable.js";
import {
  defaultOf,
  type SettingDefinitions,
  type SettingName,
  settingDefinitions,
  settingEntries,
} from "./definitions.js";
import { parseRedisUrl } from "./redis-url.js";
import type { SettingDefinition, ValueKind } from "./setting-definition.js";

/** The process's environment, or a test's. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The flags of one command line: text, a list of texts where a flag is repeatable, or true for a switch. */
export type TypedFlags = { readonly [Name in SettingName]?: string | readonly string[] | true };

/** Where a value came from; `name` is the flag or the variable. */
export interface SettingOrigin {
  readonly from: "flag" | "variable" | "default";
  readonly name: string;
  /** Whether the variable is Odoo's. */
  readonly odoo?: true;
}

export interface Setting<Value> {
  readonly value: Value;
  readonly origin: SettingOrigin;
}

/** Every setting's value, checked. One that has no default and was not set is undefined. */
export type Settings = {
  readonly [Name in SettingName]:
    | Setting<ValueOf<SettingDefinitions[Name]>>
    | (SettingDefinitions[Name] extends { readonly default: string } ? never : undefined);
};

type ValueOf<Definition extends SettingDefinition> = Definition extends { readonly repeatable: true }
  ? readonly z.output<Kinds[Definition["kind"]]["schema"]>[]
  : z.output<Kinds[Definition["kind"]]["schema"]>;

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

type Kinds = typeof kinds;

const control = /\p{Cc}/u;
const largestSessionSize = 512 * 1024 * 1024;

function kind<Value>(takes: string, schema: z.ZodType<Value, string>) {
  return { takes, schema };
}

function wholeNumber(minimum: number, maximum: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum);
}

function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return kind(words.join(", "), z.enum(words));
}

/** Makes a kind's schema of a function that gives undefined for what it does not take. */
function readBy<Value>(read: (text: string) => Value | undefined): z.ZodType<Value, string> {
  return z.string().transform((text, context) => {
    const value = read(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: "" });
    return z.NEVER;
  });
}

/** How each kind of value is read, and what it takes in words. The one schema behind every flag and variable. */
const kinds = {
  switch: kind(
    "1 true yes y t on, or 0 false no n f off",
    z.stringbool({
      truthy: ["1", "true", "yes", "y", "t", "on"],
      falsy: ["0", "false", "no", "n", "f", "off"],
      case: "insensitive",
    }),
  ),
  text: kind(
    "text without control characters",
    z.string().refine((text) => !control.test(text)),
  ),
  anyText: kind("any text", z.string()),
  path: kind(
    "a path",
    z.string().refine((text) => text !== "" && !text.includes("\0")),
  ),
  url: kind(
    "a redis:, rediss: or unix: URL",
    z.string().transform((text, context) => {
      const url = parseRedisUrl(text);
      if (!("problem" in url)) return url;
      context.addIssue({ code: "custom", message: url.problem });
      return z.NEVER;
    }),
  ),
  host: kind("a host name or an IP address", readBy(readHost)),
  hostAndPort: kind("a host and a port, as in sentinel-1:26379", readBy(readHostAndPort)),
  port: kind("a port, 1 to 65535", wholeNumber(1, 65535)),
  database: kind("a database number, 0 or more", wholeNumber(0, 2 ** 31 - 1)),
  lifetime: kind(
    "a number of seconds above 0, of at most 10 digits",
    z
      .string()
      .regex(/^[0-9]{1,10}$/)
      .transform(Number)
      .refine((value) => value > 0),
  ),
  size: kind("a size from 1 byte to 512 MiB, as in 65536, 64KiB or 16MiB", readBy(readSize)),
  duration: kind("a time, as in 90, 90s, 5m, 2h or 1h30m", readBy(readDurationMs)),
  count: kind("a whole number, 0 or more", wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  positiveCount: kind("a whole number, 1 or more", wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  percentage: kind("a percentage above 0%, as in 5%", readBy(readShare)),
  allowance: kind("a number of sessions or a percentage, as in 10 or 1%", readBy(readAllowance)),
  shard: kind("i/n, with i from 1 to n", readBy(readShard)),
  keyLayout: oneOf(["documented", "applet", "auto"]),
  ttl: oneOf(["full", "remaining"]),
  conflictPolicy: oneOf(["newest", "keep", "overwrite"]),
} as const satisfies Record<ValueKind, { takes: string; schema: z.ZodType<unknown, string> }>;

/**
 * Every setting: flag over variable over default, an empty variable counting as unset. `ignored` names the settings whose
 * variables are not looked at, `byOdoo` those that Odoo's variables give. Throws one `SettingsError` that names every bad value's origin and shows no secret.
 */
export function readSettings(
  typed: TypedFlags,
  environment: Environment,
  ignored: ReadonlySet<SettingName>,
  byOdoo: ReadonlySet<SettingName>,
): Settings {
  const problems: string[] = [];
  const settings = settingEntries.map(([name, definition]) => {
    const given = findGiven(name, definition, typed, ignored.has(name) ? {} : environment, byOdoo.has(name));
    if (given === undefined) return [name, undefined] as const;
    const values = [given.raw].flat().map((raw) => {
      const { value, problem } = readValue(definition, raw, given.origin);
      if (problem !== undefined) problems.push(problem);
      return value;
    });
    return [name, { value: isList(definition) ? values : values[0], origin: given.origin }] as const;
  });
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
  // Each value came out of its own kind's schema, and a default is always given: that is what the type says.
  return Object.fromEntries(settings) as unknown as Settings;
}

/** What a setting takes, in words: for help, tables and errors. */
export function describeTaken(name: SettingName): string {
  const definition: SettingDefinition = settingDefinitions[name];
  return kinds[definition.kind].takes;
}

interface Given {
  readonly raw: string | readonly string[] | true;
  readonly origin: SettingOrigin;
}

function findGiven(
  name: SettingName,
  definition: SettingDefinition,
  typed: TypedFlags,
  environment: Environment,
  isOdoo: boolean,
): Given | undefined {
  const { flag } = definition;
  const variable = isOdoo ? definition.odooVariable : definition.variable;
  const typedValue = typed[name];
  if (flag !== undefined && typedValue !== undefined) {
    return { raw: typedValue, origin: { from: "flag", name: flag } };
  }
  const variableValue = variable === undefined ? undefined : environment[variable];
  if (variable !== undefined && variableValue) {
    return {
      raw: variableValue,
      origin: { from: "variable", name: variable, ...(isOdoo ? { odoo: true } : {}) },
    };
  }
  const fallback = defaultOf(name);
  return fallback === undefined
    ? undefined
    : { raw: fallback, origin: { from: "default", name: flag ?? variable ?? name } };
}

function isList(definition: SettingDefinition): boolean {
  return definition.repeatable === true;
}

function readValue(
  definition: SettingDefinition,
  raw: string | true,
  origin: SettingOrigin,
): { value?: unknown; problem?: string } {
  if (raw === true) return { value: true };
  const { schema, takes } = kinds[definition.kind];
  const result = schema.safeParse(raw);
  if (result.success) {
    return { value: definition.odooInverted && origin.odoo ? !result.data : result.data };
  }
  if (definition.kind === "port" && origin.from === "variable" && /^(?:tcp|udp|sctp):\/\//.test(raw)) {
    return { problem: describeServicePort(origin.name) };
  }
  const reason = result.error.issues[0]?.code === "custom" ? result.error.issues[0].message : "";
  const given = definition.secret ? "the value given" : showGiven(raw);
  return { problem: `${origin.name}: ${given} is not usable${reason && `: ${reason}`}; it takes ${takes}` };
}

/** Kubernetes gives a Service's address under the name of a port setting. */
function describeServicePort(variable: string): string {
  const service = variable
    .replace(/_PORT$/, "")
    .toLowerCase()
    .replaceAll("_", "-");
  return `${variable} is no port: Kubernetes set it for a Service called ${service}. Set it to the port, rename the Service, or set enableServiceLinks to false in the pod`;
}

/** The text that was given, unless it looks as if a credential stood in it. */
function showGiven(raw: string): string {
  return /[@]|:\/\//.test(raw) ? "the value given" : `"${showable(raw)}"`;
}

function readHost(text: string): string | undefined {
  const bare = /^\[(.*)\]$/s.exec(text)?.[1] ?? text;
  const isAddress = z.ipv6().safeParse(bare.replace(/%[A-Za-z0-9._-]+$/, "")).success;
  if (isAddress) return bare;
  return bare === text && /^[^\s\p{Cc}:/?#@[\]\\]+$/u.test(text) ? text : undefined;
}

function readHostAndPort(text: string): HostAndPort | undefined {
  const [, hostText = "", portText = ""] = /^(.*):([0-9]{1,5})$/s.exec(text) ?? [];
  const bracketed = hostText.includes(":") && !hostText.startsWith("[");
  const host = bracketed ? undefined : readHost(hostText);
  const port = Number(portText);
  return host !== undefined && port >= 1 && port <= 65535 ? { host, port } : undefined;
}

function readSize(text: string): number | undefined {
  const [, digits, unit = ""] = /^([0-9]{1,15}) ?(?:([KMG])(?:iB?)?|B)?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const bytes = Number(digits) * 1024 ** " KMG".indexOf(unit.toUpperCase() || " ");
  return bytes >= 1 && bytes <= largestSessionSize ? bytes : undefined;
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

function readShare(text: string): number | undefined {
  const percent = readPercent(text);
  return percent === 0 ? undefined : percent;
}

function readAllowance(text: string): Allowance | undefined {
  if (/^[0-9]{1,15}$/.test(text)) return { count: Number(text) };
  const percent = readPercent(text);
  return percent === undefined ? undefined : { percent };
}

function readShard(text: string): Shard | undefined {
  const [, part, count] = /^([0-9]{1,9})\/([0-9]{1,9})$/.exec(text) ?? [];
  const shard = { index: Number(part) - 1, count: Number(count) };
  return shard.index >= 0 && shard.index < shard.count ? shard : undefined;
}
