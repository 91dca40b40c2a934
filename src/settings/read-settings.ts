import { SettingsError } from "../model/errors.js";
import { showable } from "../model/showable.js";
import { type SettingDefinitions, type SettingName, settingEntries } from "./definitions.js";
import type { SettingDefinition } from "./setting-definition.js";
import type { SettingSources } from "./setting-sources.js";
import { kinds, type ValueKind } from "./value-kinds.js";
import { findHiddenVariables } from "./variable-families.js";

/** Where a value came from. */
export interface Origin {
  readonly from: "flag" | "variable" | "default";
  /** The flag or the variable; for a default, the one that could be set. */
  readonly name: string;
  /** Whether the variable is Odoo's. */
  readonly isOdoos?: boolean;
}

/** Every setting's value, checked; null if it was not set and has no default. */
export type Settings = {
  readonly [Name in SettingName]:
    | ValueOf<SettingDefinitions[Name]>
    | (SettingDefinitions[Name] extends { readonly default: string } ? never : null);
} & {
  /** For messages, and for the few values that depend on who gave them. */
  readonly originOf: (name: SettingName) => Origin;
  /** The texts that a setting was read from: one, or one for each item of a list; empty if unset. */
  readonly textsOf: (name: SettingName) => readonly string[];
};

type ValueOf<Definition> = Definition extends { readonly kind: ValueKind<infer Value> }
  ? Definition extends { readonly repeatable: true }
    ? readonly Value[]
    : Value
  : never;

/**
 * A flag wins over its variable, a variable over the default. An empty variable counts as unset.
 * @throws SettingsError naming the origin of every bad value, without showing a secret.
 */
export function readSettings(sources: SettingSources): Settings {
  const hidden = findHiddenVariables(sources);
  const problems: string[] = [];
  const origins = new Map<SettingName, Origin>();
  const texts = new Map<SettingName, readonly string[]>();
  const values = settingEntries.map(([name, definition]) => {
    const { raw, origin } = findRaw(name, definition, sources, hidden);
    origins.set(name, origin);
    texts.set(name, raw === null ? [] : [raw].flat().map((text) => (text === true ? "on" : text)));
    if (raw === null) return [name, null];
    const read = [raw].flat().map((text) => {
      const value = text === true ? true : definition.kind.read(text);
      if (value === undefined) problems.push(describeProblem(definition, String(text), origin));
      return definition.odooInverted && origin.isOdoos ? !value : value;
    });
    return [name, definition.repeatable ? read : read[0]];
  });
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
  const originOf = (name: SettingName) => origins.get(name);
  const textsOf = (name: SettingName) => texts.get(name) ?? [];
  // `Object.fromEntries` forgets that each value was read by its own setting's kind.
  return { ...Object.fromEntries(values), originOf, textsOf } as Settings;
}

interface Raw {
  /** Null if nothing was given and there is no default. */
  readonly raw: string | readonly string[] | true | null;
  readonly origin: Origin;
}

function findRaw(
  name: SettingName,
  definition: SettingDefinition,
  { typed, environment, byOdoo }: SettingSources,
  hidden: ReadonlySet<SettingName>,
): Raw {
  const { flag, default: fallback = null } = definition;
  const typedValue = typed[name];
  if (flag && typedValue !== undefined) return { raw: typedValue, origin: { from: "flag", name: flag } };
  const isOdoos = byOdoo.has(name);
  const variable = isOdoos ? definition.odooVariable : definition.variable;
  const text = variable && !hidden.has(name) && environment[variable];
  if (variable && text) return { raw: text, origin: { from: "variable", name: variable, isOdoos } };
  return { raw: fallback, origin: { from: "default", name: flag ?? variable ?? name } };
}

function describeProblem({ kind, secret }: SettingDefinition, text: string, { from, name }: Origin): string {
  if (kind === kinds.port && from === "variable" && /^(?:tcp|udp|sctp):\/\//.test(text)) {
    return describeServicePort(name);
  }
  const mayHoldCredential = secret || /@|:\/\//.test(text);
  const given = mayHoldCredential ? "the value given" : `"${showable(text)}"`;
  const reason = kind.reason?.(text);
  return `${name}: ${given} is not usable${reason ? `: ${reason}` : ""}; it takes ${kind.takes}`;
}

/** Kubernetes gives a Service's address under the name of a port setting. */
function describeServicePort(variable: string): string {
  const service = variable
    .replace(/_PORT$/, "")
    .toLowerCase()
    .replaceAll("_", "-");
  return (
    `${variable} is not a port: Kubernetes set it for a Service called ${service}. ` +
    "Set it to the port, rename the Service, or set enableServiceLinks to false in the pod"
  );
}
