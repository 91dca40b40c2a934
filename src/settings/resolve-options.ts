import { isAbsolute } from "node:path";
import { SettingsError } from "../model/errors.js";
import type { OutputSettings, RunOptions, Shard } from "../model/run-options.js";
import { showablePath } from "../model/showable.js";
import {
  findHiddenVariables,
  refuseOtherConnection,
  resolveConnection,
  warnOfWhatOldAppletsMiss,
} from "./connection.js";
import { type SettingName, settingEntries } from "./definitions.js";
import type { FileSystemReader } from "./file-system-reader.js";
import { notBuiltYet } from "./not-built.js";
import { type Environment, readSettings, type Settings, type TypedFlags } from "./read-settings.js";
import { refuseUnbuilt } from "./refuse-unbuilt.js";
import { resolveSessionDirectories } from "./session-directories.js";
import type { Command, ConnectedCommand } from "./setting-definition.js";
import { warnOfUnknownVariables } from "./unknown-variables.js";
import { connectionSettings, isAnySet, settingsNamedByOdoo } from "./variable-families.js";

/** What the `TELE_SESSION_REDIS*` switches ask of `--stop-after-init`. */
export interface StepSwitches {
  readonly redis: boolean;
  readonly copyExisting: boolean;
  readonly purgeExisting: boolean;
}

/**
 * What a command needs, of what was typed, the environment, `tele.conf` and the defaults. Reads the files that settings name and
 * touches nothing. Throws `SettingsError`, which names each origin and shows no secret.
 */
export function resolveRunOptions(
  command: ConnectedCommand,
  typed: TypedFlags,
  environment: Environment,
  files: FileSystemReader,
): RunOptions {
  const lastingWarnings = warnOfUnknownVariables(environment);
  try {
    return { ...resolveAll(command, typed, environment, files), lastingWarnings };
  } catch (error) {
    if (!(error instanceof SettingsError) || lastingWarnings.length === 0) throw error;
    // A misspelt variable is often the cause of what was refused.
    throw new SettingsError(
      [error.message, ...lastingWarnings.map((warning) => `warning: ${warning}`)].join("\n"),
    );
  }
}

function resolveAll(
  command: ConnectedCommand,
  typed: TypedFlags,
  environment: Environment,
  files: FileSystemReader,
): Omit<RunOptions, "lastingWarnings"> {
  const byOdoo = settingsNamedByOdoo(environment);
  const read = (families: ReadonlySet<SettingName>) =>
    readSettings(
      typed,
      environment,
      new Set([...findHiddenVariables(typed, environment, families), ...variablesOfOthers(command)]),
      families,
    );
  const settings = read(byOdoo);
  refuseUnbuilt(settings);
  refuseContradictions(settings);
  refuseRelativePaths(settings, files);
  const warnings: string[] = [];
  const problems: string[] = [];
  const directories = collectProblem(problems, () => resolveSessionDirectories(settings, environment, files));
  const connection = collectProblem(problems, () => {
    const resolved = resolveConnection(settings, files, warnings);
    const isTyped = connectionSettings.some((name) => typed[name] !== undefined);
    const odooGivesOne = isAnySet(connectionSettings, "odooVariable", environment);
    if (!isTyped && odooGivesOne && !byOdoo.has("url")) {
      const odoo = read(new Set([...byOdoo, ...connectionSettings]));
      refuseOtherConnection(resolved, resolveConnection(odoo, files, []));
    }
    return resolved;
  });
  const shard = collectProblem(problems, () => resolveShard(settings));
  if (directories === undefined || connection === undefined || shard === undefined) {
    throw new SettingsError(problems.join("\n"));
  }
  if (command === "copy") warnings.push(...warnOfWhatOldAppletsMiss(settings, connection));
  if (connection.topology !== "single") throw new SettingsError(`a ${connection.topology} ${notBuiltYet}`);
  return {
    source: {
      ...directories,
      allowMissing: settings.allowMissing.value,
      shard,
      sample: settings.sample?.value ?? null,
    },
    target: {
      redis: connection.target,
      prefix: settings.prefix?.value || null,
      keyLayout: settings.keyLayout.value,
    },
    conversion: {
      ttl: settings.ttl.value,
      expiration: settings.expiration.value,
      expirationAnonymous: settings.expirationAnonymous.value,
      maxSessionSize: settings.maxSessionSize.value,
    },
    conflicts: {
      policy: settings.onConflict.value,
      again: settings.again.value,
      maxEnded: settings.maxEnded.value,
    },
    removal: {
      purge: settings.purge.value,
      inUse: settings.inUse.value,
      unverified: settings.unverified.value,
      yes: settings.yes.value,
      waitReplicas: settings.waitReplicas.value,
      alone: settings.alone.value,
    },
    run: {
      dryRun: settings.dryRun.value,
      skipCheck: settings.skipCheck.value,
      maxFailed: settings.maxFailed.value,
      retryForMs: settings.retryFor.value,
      maxRate: settings.maxRate?.value ?? null,
      maxDurationMs: settings.maxDuration?.value ?? null,
      lanes: settings.lanes?.value ?? null,
    },
    output: resolveOutput(settings),
    warnings,
  };
}

/** The three switches, which no other command reads. Throws `SettingsError`. */
export function resolveStepSwitches(environment: Environment): StepSwitches {
  const byOdoo = settingsNamedByOdoo(environment);
  const settings = readSettings({}, environment, variablesOfOthers("stop-after-init"), byOdoo);
  const { redisSwitch, copyExistingSwitch, purgeExistingSwitch } = settings;
  const redis = redisSwitch.value;
  return {
    redis,
    copyExisting: redis && copyExistingSwitch.value,
    purgeExisting: redis && purgeExistingSwitch.value,
  };
}

function variablesOfOthers(command: Command): ReadonlySet<SettingName> {
  const others = settingEntries.filter(([, definition]) => !definition.commands.includes(command));
  return new Set(others.map(([name]) => name));
}

/** Runs one part of the work so that the other parts' problems are found too. */
function collectProblem<Result>(problems: string[], resolve: () => Result): Result | undefined {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

function refuseContradictions({ json, report }: Settings): void {
  if (json.value && report?.value === "-") {
    throw new SettingsError("--json and --report - both print the report on stdout: give one of them");
  }
}

/** A deployment may have removed the directory that this process was started in. */
function refuseRelativePaths(settings: Settings, files: FileSystemReader): void {
  const relative = settingEntries.flatMap(([name, { kind }]) => {
    const setting = settings[name];
    if (kind !== "path" || setting === undefined) return [];
    const paths = [setting.value].flat().filter((path) => typeof path === "string");
    return paths.filter((path) => path !== "-" && !isAbsolute(path)).map((path) => ({ setting, path }));
  });
  if (relative.length === 0 || files.hasWorkingDirectory()) return;
  const problems = relative.map(
    ({ setting, path }) =>
      `${setting.origin.name}: "${showablePath(path)}" is relative, and the working directory no longer exists. Change to a directory that exists, or give an absolute path`,
  );
  throw new SettingsError(problems.join("\n"));
}

function resolveShard({ shard, shardCount, jobCompletionIndex }: Settings): Shard | null {
  if (shard && shardCount) throw new SettingsError("--shard and --shard-count exclude each other");
  if (!shardCount) return shard?.value ?? null;
  if (!jobCompletionIndex || jobCompletionIndex.value >= shardCount.value) {
    throw new SettingsError("--shard-count needs JOB_COMPLETION_INDEX, from 0 on and below it");
  }
  return { index: jobCompletionIndex.value, count: shardCount.value };
}

function resolveOutput(settings: Settings): OutputSettings {
  const isOn = (text: string | undefined) =>
    text !== undefined && !["0", "false"].includes(text.toLowerCase());
  return {
    json: settings.json.value,
    report: settings.report?.value ?? null,
    quiet: settings.quiet.value,
    verbose: settings.verbose.value,
    progress: !settings.noProgress.value,
    showIds: settings.showIds.value,
    color: settings.noColor ? "never" : isOn(settings.forceColor?.value) ? "always" : "auto",
    continuousIntegration: isOn(settings.continuousIntegration?.value),
  };
}
