import { type Check, passed } from "../../model/check.js";
import { countOf } from "../../model/number-text.js";
import { showable } from "../../model/showable.js";
import { askPermissions, askUserName, type Permission } from "../../redis/server/permissions.js";
import { surveyServers } from "../../redis/survey-keys.js";
import { onEach } from "../../redis/topology/redis-servers.js";
import type { Run } from "../run-context.js";
import type { Judged } from "./judged.js";

const sessionKeys = "session:*";
const ownKeys = "tele-sessions:*";
const ownKey = "tele-sessions:witness";

/** A command that a run uses. */
interface Need {
  /** As an ACL rule names it. */
  readonly command: string;
  /** As it is sent to ask for the permission. */
  readonly words: readonly string[];
  /** What the permission is asked on; absent for a command without keys. */
  readonly keys?: typeof sessionKeys | typeof ownKeys;
  readonly isHarmless: boolean;
  /** Whether the run cannot do without. `replacing`: not if it has to change a key that exists. */
  readonly isRequired: boolean | "replacing";
}

type Missing = Need & { readonly state: Permission };

/** Checks every permission at once, and names the line that grants what is missing. */
export async function checkPermissions(run: Run, judged: Judged): Promise<Check> {
  const { redis, files } = run;
  const usual = needsOf(`${files.conversion.keyPrefix}${"0".repeat(40)}`, run, judged);
  const answers = await askPermissions(redis.servers, usual);
  const lacksPexpiretime = usual.some(
    ({ command }, index) => command === "pexpiretime" && answers.all[index] === "absent",
  );
  const needs = lacksPexpiretime ? needsOfScripts(usual) : usual;
  const { all, scripts } = lacksPexpiretime ? await askPermissions(redis.servers, needs) : answers;
  const missing = withKeys(
    needs.flatMap((need, index): Missing[] => {
      const state = stateOf(need, all[index] ?? "unknown", scripts);
      return state === "allowed" || state === "unknown" ? [] : [{ ...need, state }];
    }),
  );
  if (missing.length === 0) {
    const commands = new Set(needs.map(({ command }) => command));
    return passed("permissions", `all ${countOf(commands.size, "command")} on ${sessionKeys} and ${ownKeys}`);
  }
  const replaces = missing.some(({ isRequired }) => isRequired === "replacing") && (await mayReplace(run, judged));
  const required = missing.filter(({ isRequired }) => (isRequired === "replacing" ? replaces : isRequired));
  const user = run.options.target.redis.username ?? (await onEach(redis.servers, askUserName))[0] ?? "default";
  const found = describeMissing(required.length > 0 ? required : missing);
  const remedy = remedyFor(missing, showable(user));
  if (required.length > 0) return { name: "permissions", verdict: "fail", found, remedy, exitCode: 5 };
  return { name: "permissions", verdict: "warn", found, remedy };
}

/** What replaces PEXPIRETIME, and the PXAT that a server without it may lack too. */
function needsOfScripts(usual: readonly Need[]): readonly Need[] {
  const required = new Set(["time", "pexpireat"]);
  return usual.map((need) => {
    if (need.command === "pexpiretime") {
      return { ...need, command: "pttl", words: ["pttl", ...need.words.slice(1)] };
    }
    const isScript = need.command === "eval" && need.keys === sessionKeys;
    return isScript || required.has(need.command) ? { ...need, isRequired: true } : need;
  });
}

/** Only a script can show whether scripts are allowed; one with a key shows it for the key. */
function stateOf({ command }: Need, answer: Permission, scripts: boolean): Permission {
  if (command !== "eval") return answer;
  if (!scripts) return "denied";
  return answer === "denied" ? "key" : answer;
}

/** If keys are denied, every command on them is, whatever else it may lack. */
function withKeys(missing: readonly Missing[]): readonly Missing[] {
  const denied = new Set(missing.flatMap(({ keys, state }) => (state === "key" ? [keys] : [])));
  return missing.map((one) =>
    one.keys !== undefined && denied.has(one.keys) && one.state === "denied" ? { ...one, state: "key" } : one,
  );
}

/** Whether the copy meets keys that it may have to replace, or whose lifetime it renews. */
async function mayReplace({ redis, files, options }: Run, { command }: Judged): Promise<boolean> {
  if (command !== "copy" || options.conflicts.policy === "keep") return false;
  const { keyPrefix, clockLeadMs } = files.conversion;
  const seen = await surveyServers(redis.servers, keyPrefix, clockLeadMs);
  return seen !== undefined && seen.own.length > 0;
}

function needsOf(session: string, { options, redis }: Run, { command, purges }: Judged): readonly Need[] {
  const isCopy = command === "copy";
  const need = (name: string, args: readonly string[], isRequired: Need["isRequired"], isHarmless: boolean): Need => {
    const keys = args.includes(session) ? sessionKeys : args.includes(ownKey) ? ownKeys : undefined;
    const words = [...name.split("|"), ...args];
    return { command: name, words, isHarmless, isRequired, ...(keys === undefined ? {} : { keys }) };
  };
  const reads = (name: string, args: readonly string[], isRequired: Need["isRequired"]) =>
    need(name, args, isRequired, true);
  const writes = (name: string, args: readonly string[], isRequired: Need["isRequired"]) =>
    need(name, args, isRequired, false);
  const read = ["get", "pexpiretime", "exists"].map((name) => reads(name, [session], true));
  const onCluster =
    options.target.redis.isCluster === true ? [reads("cluster|slots", [], true), writes("asking", [], true)] : [];
  if (command === "export") {
    return [...read, ...onCluster, reads("scan", ["0"], true), reads("info", [], false), reads("time", [], false)];
  }
  return [
    ...read,
    writes("eval", ["return 1", "1", session], purges ? true : "replacing"),
    writes("eval", ["return 1", "1", ownKey], purges),
    reads("get", [ownKey], purges),
    writes("set", [ownKey, "x"], purges),
    reads("client|list", [], false),
    writes("client|setname", ["x"], false),
    // Without a name, a connection is known by its id.
    ...(redis.isNamed ? [] : [reads("client|id", [], false)]),
    ...(isCopy
      ? [
          writes("set", [session, "x"], true),
          writes("pexpireat", [session, "1"], "replacing"),
          writes("del", [session], false),
        ]
      : []),
    reads("strlen", [session], false),
    reads("scan", ["0"], false),
    reads("info", [], false),
    ...onCluster,
    reads("time", [], false),
    ...(purges ? [reads("config|get", ["save"], false)] : []),
    ...(purges && options.removal.waitReplicas > 0 ? [writes("wait", ["0", "1"], true)] : []),
  ];
}

/** `Redis does not allow this user the commands GET and SET on the keys session:*`. */
function describeMissing(missing: readonly Missing[]): string {
  const who = missing.every(({ state }) => state === "absent")
    ? "Redis lacks or hides"
    : "Redis does not allow this user";
  const denied = new Set(missing.flatMap(({ keys, state }) => (state === "key" && keys ? [keys] : [])));
  const others = missing.filter(({ keys }) => keys === undefined || !denied.has(keys));
  const named = [...new Set(others.map(({ command }) => nameOf(command)))];
  const parts = [
    ...(denied.size > 0 ? [`the keys ${[...denied].join(" and ")}`] : []),
    ...(named.length > 0 ? [`the command${named.length > 1 ? "s" : ""} ${listOf(named)}`] : []),
  ];
  const keys = new Set(others.flatMap((need) => need.keys ?? []));
  const on = keys.size === 0 || denied.size > 0 ? "" : ` on the keys ${[...keys].join(" and ")}`;
  return `${who} ${parts.join(", and ")}${on}`;
}

function nameOf(command: string): string {
  return command.replace("|", " ").toUpperCase();
}

function listOf(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${last}` : last;
}

/** The ACL line that grants all that is missing. An absent command cannot be granted. */
function remedyFor(missing: readonly Missing[], user: string): string {
  const absent = [...new Set(missing.filter(({ state }) => state === "absent").map(({ command }) => command))];
  const hides = `See rename-command in the configuration of Redis, which hides ${listOf(absent.map(nameOf))}`;
  const denied = missing.filter(({ state }) => state === "denied" || state === "key");
  if (denied.length === 0) return hides;
  const commands = denied.flatMap(({ command, state }) =>
    command === "eval" && state === "key" ? [] : [`+${command}`],
  );
  const keys = denied.flatMap((need) => (need.state === "key" && need.keys ? [`~${need.keys}`] : []));
  const rules = [...new Set([...commands, ...keys])].join(" ");
  const grant = `Allow it in Redis: ACL SETUSER ${user} ${rules}`;
  return absent.length === 0 ? grant : `${grant}. ${hides}`;
}
