import { isAbsolute } from "node:path";
import { SettingsError } from "../model/errors.js";
import type { RunOptions } from "../model/run-options.js";
import type { Shard } from "../model/shard.js";
import { showablePath } from "../model/showable.js";
import { refuseOtherConnection, resolveConnection, settingsOldAppletsMiss } from "./connection.js";
import { type SettingName, settingEntries } from "./definitions.js";
import type { Machine } from "./machine.js";
import { readSettings, type Settings } from "./read-settings.js";
import { resolveSessionDirectories } from "./session-directories.js";
import type { DirectoryCommand } from "./setting-definition.js";
import type { Environment, TypedFlags } from "./setting-sources.js";
import { showSettings } from "./show-settings.js";
import { warnOfUnknownVariables } from "./unknown-variables.js";
import { kinds } from "./value-kinds.js";
import { connectionSettings, isAnySet, settingsNamedByOdoo } from "./variable-families.js";

/**
 * What a command is to do, from flags, environment, `tele.conf` and defaults. Reads the files that
 * settings name and changes nothing.
 * @throws SettingsError naming every origin, without showing a secret.
 */
export function resolveRunOptions(command: DirectoryCommand, typed: TypedFlags, machine: Machine): RunOptions {
  const warningsEvenIfQuiet = warnOfUnknownVariables(machine.environment);
  try {
    return { ...resolveAll(command, typed, machine), warningsEvenIfQuiet };
  } catch (error) {
    if (!(error instanceof SettingsError) || warningsEvenIfQuiet.length === 0) throw error;
    // A misspelt variable is often the cause of what was refused.
    const warnings = warningsEvenIfQuiet.map((warning) => `warning: ${warning}`);
    throw new SettingsError([error.message, ...warnings].join("\n"));
  }
}

function resolveAll(
  command: DirectoryCommand,
  typed: TypedFlags,
  machine: Machine,
): Omit<RunOptions, "warningsEvenIfQuiet"> {
  const { environment } = machine;
  const byOdoo = settingsNamedByOdoo(environment);
  const sources = { command, typed, environment, byOdoo };
  const settings = readSettings(sources);
  if (settings.json && settings.report === "-") {
    throw new SettingsError("--json and --report - both print the report on stdout: give one of them");
  }
  refuseSameFile(settings);
  refuseRelativePaths(settings, machine);
  const warnings: string[] = [];
  const problems: string[] = [];
  const directories = collectProblem(problems, () => resolveSessionDirectories(settings, machine));
  const connection = collectProblem(problems, () => {
    const resolved = resolveConnection(settings, machine, warnings);
    const isTyped = connectionSettings.some((name) => typed[name] !== undefined);
    const odooGivesOne = isAnySet(connectionSettings, "odooVariable", environment);
    if (!isTyped && odooGivesOne && !byOdoo.has("url")) {
      const odoo = readSettings({ ...sources, byOdoo: new Set([...byOdoo, ...connectionSettings]) });
      refuseOtherConnection(resolved, resolveConnection(odoo, machine, []));
    }
    return resolved;
  });
  const shard = collectProblem(problems, () => resolveShard(settings));
  if (directories === undefined || connection === undefined || shard === undefined) {
    throw new SettingsError(problems.join("\n"));
  }
  const { names, comesFrom, origin } = directories;
  return {
    source: { names, comesFrom, ...pick(settings, "allowMissing", "sample"), shard },
    target: { redis: connection.target, prefix: settings.prefix || null, keyLayout: settings.keyLayout },
    conversion: pick(settings, "ttl", "expiration", "expirationAnonymous", "maxSessionSize"),
    conflicts: { policy: settings.onConflict, ...pick(settings, "again", "maxEnded") },
    files: pick(settings, "layout", "format", "server", "reverse"),
    removal: pick(settings, "purge", "inUse", "unverified", "yes", "waitReplicas", "alone"),
    run: {
      ...pick(settings, "dryRun", "skipCheck", "probe", "maxFailed", "lanes"),
      ...pick(settings, "retryForMs", "maxRate", "maxDurationMs"),
    },
    output: {
      ...pick(settings, "json", "report", "html", "metricsFile", "terminationLog", "logFormat"),
      ...pick(settings, "quiet", "verbose", "list", "showIds"),
      progress: !settings.noProgress,
      color: settings.noColor !== null ? "never" : isOn(settings.forceColor) ? "always" : "auto",
      continuousIntegration: isOn(settings.continuousIntegration),
    },
    missedByOldApplets: settingsOldAppletsMiss(settings, connection),
    shown: showSettings(settings, command, { names, origin }),
    warnings,
  };
}

/**
 * What the `TELE_SESSION_REDIS*` switches ask of `--stop-after-init`.
 * @throws SettingsError naming every switch that is neither on nor off.
 */
export function resolveStepSwitches(environment: Environment) {
  const byOdoo = settingsNamedByOdoo(environment);
  const settings = readSettings({ command: "stop-after-init", typed: {}, environment, byOdoo });
  const { redisSwitch: redis, copyExistingSwitch, purgeExistingSwitch } = settings;
  return { redis, copyExisting: redis && copyExistingSwitch, purgeExisting: redis && purgeExistingSwitch };
}

function pick<Name extends SettingName>(settings: Settings, ...names: readonly Name[]): Pick<Settings, Name> {
  // `Object.fromEntries` forgets which name has which type.
  return Object.fromEntries(names.map((name) => [name, settings[name]])) as Pick<Settings, Name>;
}

/** A variable of other programs: any text but 0 and false means on. */
function isOn(text: string | null): boolean {
  return text !== null && !["0", "false"].includes(text.toLowerCase());
}

/** What `resolve` gives, or undefined after adding the problem for which it refuses. */
function collectProblem<Part>(problems: string[], resolve: () => Part): Part | undefined {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

/** What one file would overwrite of another. */
function refuseSameFile({ report, html, metricsFile, terminationLog }: Settings): void {
  const files = [
    ["--report", report],
    ["--html", html],
    ["--metrics-file", metricsFile],
    ["--termination-log", terminationLog],
  ] as const;
  for (const [index, [flag, path]] of files.entries()) {
    if (path === "-" && index > 1) throw new SettingsError(`${flag}: - is no file; it takes the path of one`);
    const [other] = files.slice(0, index).find(([, one]) => path !== null && one === path) ?? [];
    if (other !== undefined) throw new SettingsError(`${other} and ${flag} name the same file`);
  }
}

/** A deployment may have removed the directory that this process was started in. */
function refuseRelativePaths(settings: Settings, { hasWorkingDirectory }: Machine): void {
  const problems = settingEntries.flatMap(([name, { kind }]) => {
    const paths = kind === kinds.path ? [settings[name]].flat() : [];
    return paths
      .filter((path) => typeof path === "string" && path !== "-" && !isAbsolute(path))
      .map(
        (path) =>
          `${settings.originOf(name).name}: "${showablePath(String(path))}" is relative, and the working ` +
          "directory no longer exists. Change to a directory that exists, or give an absolute path",
      );
  });
  if (problems.length > 0 && !hasWorkingDirectory()) throw new SettingsError(problems.join("\n"));
}

function resolveShard({ shard, shardCount, jobCompletionIndex: index }: Settings): Shard | null {
  if (shard && shardCount) throw new SettingsError("--shard and --shard-count cannot be used together");
  if (shardCount === null) return shard;
  if (index === null || index >= shardCount) {
    throw new SettingsError("--shard-count needs JOB_COMPLETION_INDEX, from 0 to one less than the count");
  }
  return { index, count: shardCount };
}
