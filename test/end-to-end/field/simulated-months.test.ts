import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCommand } from "../../support/process/command.js";
import { makeShiftedClock } from "../../support/process/shifted-clock.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { type Applet, startSimulatedServer } from "../support/live/simulated-server.js";
import { redisOf } from "../support/redis-of-test.js";

/** The long version has more days, and every row. */
const days = Number(process.env["TELE_SESSIONS_MONTHS"] ?? 9);
const isLong = process.env["TELE_SESSIONS_MONTHS"] !== undefined;
const switchDay = isLong ? 10 : 5;
const returnDay = switchDay + 4;
const secondSwitchDay = returnDay + 2;

/**
 * From when on the pre-deploy step also purges. A purge before the switch would take the files that
 * the server works on.
 */
type Purges = "never" | "at the switch" | "the day after the switch";

const rows: readonly {
  readonly name: string;
  readonly applet: Applet;
  readonly purges: Purges;
  /** The server works on files again for two days. */
  readonly returns?: boolean;
  readonly isShort?: boolean;
}[] = [
  {
    name: "sliding, copy only",
    applet: { files: "flat", lifetime: "sliding" },
    purges: "never",
  },
  {
    name: "sliding, purged at the switch",
    applet: { files: "flat", lifetime: "sliding" },
    purges: "at the switch",
  },
  {
    name: "sliding, purged the day after",
    applet: { files: "flat", lifetime: "sliding" },
    purges: "the day after the switch",
    isShort: true,
  },
  {
    name: "sliding, back on files for two days",
    applet: { files: "flat", lifetime: "sliding" },
    purges: "never",
    returns: true,
  },
  {
    name: "three hours, copy only",
    applet: { files: "scattered", lifetime: "three hours" },
    purges: "never",
  },
  {
    name: "three hours, purged at the switch",
    applet: { files: "scattered", lifetime: "three hours" },
    purges: "at the switch",
  },
  {
    name: "three hours, purged the day after",
    applet: { files: "scattered", lifetime: "three hours" },
    purges: "the day after the switch",
  },
  {
    name: "non-renewing, copy only",
    applet: { files: "flat", lifetime: "non-renewing" },
    purges: "never",
  },
  {
    name: "non-renewing, purged at the switch",
    applet: { files: "flat", lifetime: "non-renewing" },
    purges: "at the switch",
  },
  {
    name: "rotation, copy only",
    applet: { files: "scattered", lifetime: "sliding", rotates: true },
    purges: "never",
  },
  {
    name: "rotation, purged at the switch",
    applet: { files: "scattered", lifetime: "sliding", rotates: true },
    purges: "at the switch",
    isShort: true,
  },
  {
    name: "rotation, three hours, purged the day after",
    applet: { files: "scattered", lifetime: "three hours", rotates: true },
    purges: "the day after the switch",
  },
];

/**
 * Every third run comes after hours without a request, when nothing tells that the server works on
 * files.
 */
function quietSeconds(day: number, isSwitch: boolean): number {
  return day % 3 === 0 && !isSwitch ? 5 * 3600 : 600;
}

/** What a run must find out from files and keys alone. */
function placeToFind(applet: Applet, onFiles: boolean, quiet: number): "files" | "redis" | "unknown" {
  const isQuiet = quiet > 4 * 3600;
  if (onFiles) return isQuiet ? "unknown" : "files";
  return isQuiet && applet.lifetime === "three hours" ? "unknown" : "redis";
}

describe(`the pre-deploy step on ${days} simulated days (spec.md section 4, Marks, Logouts between copies, Purge)`, {
  concurrency: 2,
}, () => {
  for (const { name, applet, purges, returns = false, isShort = false } of rows) {
    if (!isLong && !isShort) continue;
    test(`${name}: exit 0 every day, nobody is logged out, and nobody who logged out is let in`, async (t) => {
      const clock = await makeShiftedClock();
      const redis = await redisOf(t, { program: clock.redis });
      const directory = join(makeTemporaryDirectory(), "sessions");
      mkdirSync(directory);
      const server = await startSimulatedServer(t, clock, {
        directory,
        redisPort: redis.port,
        seed: 1,
        applet,
      });

      const problems: string[] = [];
      let onFiles = true;
      let hadReturned = false;
      let judged = 0;
      for (let day = 1; day <= days; day += 1) {
        const isSwitch = day === switchDay || (returns && day === secondSwitchDay);
        const quiet = quietSeconds(day, isSwitch);
        problems.push(...(await server.ask(`day ${quiet}`)).problems);

        const purgesToday =
          (purges === "at the switch" && day >= switchDay) ||
          (purges === "the day after the switch" && day > switchDay);
        // What the warning about conflicts in doubt advises after a return to files.
        const advised = hadReturned && onFiles ? ["--on-conflict", "overwrite"] : [];
        const { exitCode, stdout, stderr } = await runCommand(["--stop-after-init", "--json", ...advised], {
          environment: {
            ...clock.environment,
            TELE_SESSION_REDIS: "1",
            TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "1",
            TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: purgesToday ? "1" : "0",
            TELE_SESSION_REDIS_PORT: String(redis.port),
            TELE_SESSION_DIR: directory,
            // Rotation alone replaces more sids a day than the default allows to retract.
            ...(applet.rotates ? { TELE_SESSION_REDIS_MAX_ENDED: "100%" } : {}),
          },
        });
        if (exitCode !== 0) problems.push(`day ${day}, exit ${exitCode}: ${stderr}`);
        const { serverWorks } = JSON.parse(stdout).target;
        const place = placeToFind(applet, onFiles, quiet);
        // After a return to files, keys that the applet left still say Redis.
        if (serverWorks !== place && !hadReturned) problems.push(`day ${day}: works on ${serverWorks}, not ${place}`);

        if (isSwitch) {
          problems.push(...(await server.ask("redis")).problems);
          onFiles = false;
        }
        const answer = await server.ask("judge");
        problems.push(...answer.problems);
        judged = answer.judged;
        if (problems.length > 0) {
          const marks = await redisCommand(redis, "KEYS", "tele-sessions:mark:*");
          const key = Array.isArray(marks) ? String(marks[0]) : "";
          problems.push(`day ${day}, mark: ${String(await redisCommand(redis, "GET", key))}`, stdout);
          break;
        }
        if (returns && day === returnDay) {
          await server.ask("files");
          onFiles = true;
          hadReturned = true;
        }
      }
      t.diagnostic(`${judged} sessions judged`);
      assert.deepEqual(problems.slice(0, 12), [], `${problems.length} problems`);
      assert.ok(judged > 50 * days);
    });
  }
});
