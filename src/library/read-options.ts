import { SettingsError } from "../model/errors.js";
import type { RunOptions } from "../model/run-options.js";
import { showable } from "../model/showable.js";
import { type outputSettings, type SettingName, settingEntries, type stepSettings } from "../settings/definitions.js";
import { thisMachine } from "../settings/machine.js";
import { resolveRunOptions } from "../settings/resolve-options.js";
import type { ConnectedCommand, SettingDefinition } from "../settings/setting-definition.js";
import { kinds } from "../settings/value-kinds.js";
import type { CopyOptions, ExportOptions, PurgeOptions, VerifyOptions } from "./options.js";

/** What the functions take, together. */
export type AnyOptions = CopyOptions & PurgeOptions & VerifyOptions & ExportOptions;

/** Options that are no settings. */
type OwnOption = "environment" | "signal" | "onWarning" | "onProgress" | "onOutcome";
/** Settings of the command line's screens and files, of `check`, and of variables alone. */
type SettingWithoutOption =
  | Exclude<keyof typeof outputSettings, "showIds">
  | ("probe" | keyof typeof stepSettings)
  | ("formerConfig" | "jobCompletionIndex" | "sentinelHost" | "sentinelPort")
  | ("sentinelUsername" | "sentinelPassword" | "sentinelTls");

type OptionOf<Setting extends string> = Setting extends `${infer Name}Ms` ? Name : Setting;
type Within<Names extends Others, Others> = Names;
type Option = Exclude<keyof AnyOptions, OwnOption>;
type Expected = OptionOf<Exclude<SettingName, SettingWithoutOption>>;
/** Does not compile unless each of these settings has an option, and each option a setting. */
type CheckedOption = Within<Option, Expected> & Within<Expected, Option>;

const settingOf: ReadonlyMap<string, readonly [SettingName, SettingDefinition]> = new Map(
  settingEntries
    .filter(([name, { flag, group }]) => flag && (group !== "Output" || name === "showIds"))
    .map(([name, definition]) => [name.replace(/Ms$/, ""), [name, definition]]),
);
const passwordVariable = "TELE_SESSION_REDIS_PASSWORD";

/**
 * What a run is to do. Options are read as the command line reads its flags.
 * @throws SettingsError naming every option that is wrong.
 */
export function readOptions(command: ConnectedCommand, options: AnyOptions): RunOptions {
  const { environment = {}, signal: _, onWarning: _w, onProgress: _p, onOutcome: _o, ...settings } = options;
  const { password, ...flags } = settings satisfies Partial<Record<CheckedOption, unknown>>;
  const problems: string[] = [];
  const typed = Object.entries(flags).flatMap(([option, value]: [string, unknown]) => {
    if (value === undefined) return [];
    const setting = settingOf.get(option);
    if (setting === undefined) {
      problems.push(`${showable(option)} is no option`);
      return [];
    }
    const [name, definition] = setting;
    if (!definition.commands.includes(command)) problems.push(`${option} means nothing to ${command}`);
    const text = textOf(value, definition);
    if (text === undefined) problems.push(`${option}: the value given is not usable; it takes ${takes(definition)}`);
    return [[name, text]];
  });
  if (password !== undefined && typeof password !== "string") problems.push("password takes text");
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
  const variables = password === undefined ? environment : { ...environment, [passwordVariable]: password };
  const machine = { ...thisMachine, environment: variables };
  const resolved = resolveRunOptions(command, Object.fromEntries(typed), machine);
  const { removal, run } = resolved;
  if (removal.unverified && !removal.yes && !run.dryRun) {
    throw new SettingsError("unverified removes session files without asking Redis: confirm it with yes");
  }
  return resolved;
}

/** A value as a command line would give it; undefined if no value of the setting looks like this. */
function textOf(value: unknown, { kind, repeatable }: SettingDefinition): string | string[] | true | undefined {
  if (Array.isArray(value)) {
    return repeatable && value.length > 0 && value.every((item) => typeof item === "string") ? value : undefined;
  }
  if (kind === kinds.switch) return value === true ? true : value === false ? "off" : undefined;
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? (repeatable ? [value] : value) : undefined;
}

function takes({ kind, repeatable }: SettingDefinition): string {
  if (kind === kinds.switch) return "true or false";
  return repeatable ? `${kind.takes}, or a list of these` : kind.takes;
}
