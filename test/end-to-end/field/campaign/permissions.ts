import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Field } from "./field.js";
import type { Situation } from "./situation.js";

const nobody = 65_534;
const asNobody = ["setpriv", "--reuid", String(nobody), "--regid", String(nobody), "--clear-groups"];
const environment = () => ({ HOME: "/" });

/** Lets anyone come to the session directory, and read there. */
function open(field: Field): void {
  for (let path = field.top; path !== tmpdir() && path !== "/"; path = dirname(path)) chmodSync(path, 0o711);
  chmodSync(field.directory, 0o755);
}

/** The session directory and what is in it belong to the account that the run has. */
function give(field: Field): void {
  open(field);
  execFileSync("chown", ["-R", `${nobody}:${nobody}`, field.directory]);
}

/** Moves the first sessions into a scatter folder. */
function scatter(field: Field, count: number): string {
  const folder = join(field.directory, "ab");
  mkdirSync(folder);
  for (const [index, session] of field.sessions.slice(0, count).entries()) {
    const sid = `ab${session.sid.slice(2)}`;
    const path = join(folder, sid);
    renameSync(session.path, path);
    field.sessions[index] = { ...session, sid, path };
  }
  return folder;
}

function mountReadOnly(field: Field): void {
  execFileSync("mount", ["--bind", field.directory, field.directory]);
  field.later(() => execFileSync("umount", ["-l", field.directory]));
  execFileSync("mount", ["-o", "remount,ro,bind", field.directory]);
}

function mark(field: Field, flag: "i" | "a", path: string): void {
  execFileSync("chattr", [`+${flag}`, path]);
  field.later(() => execFileSync("chattr", [`-${flag}`, path]));
}

/** Mounts, owners and permissions. */
export const permissions: readonly Situation[] = [
  {
    name: "a read-only mount, purge: nothing is removed, and that is the reason",
    fault: true,
    root: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      mountReadOnly(field);
    },
    run: () => ["purge"],
    must: { exit: 4, says: [/read-only/], counts: { denied: 9, kept: 0, failed: 0 }, keys: 9, files: 9 },
  },
  {
    name: "a read-only mount, dry run of the purge: it promises nothing",
    slow: true,
    fault: true,
    root: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      mountReadOnly(field);
    },
    run: () => ["purge", "--dry-run"],
    must: { exit: 4, says: [/read-only/], counts: { denied: 9, removed: 0 }, files: 9 },
  },
  {
    name: "a read-only mount, copy: it only reads",
    root: true,
    prepare: mountReadOnly,
    run: () => ["copy"],
    must: { exit: 0, counts: { copied: 9 }, keys: 9, files: 9 },
  },
  {
    name: "a read-only mount, copy with purge: copied, and the reason why nothing was removed",
    fault: true,
    root: true,
    prepare: mountReadOnly,
    run: () => ["copy", "--purge"],
    must: { exit: 4, says: [/read-only/], counts: { copied: 9, purged: 0 }, keys: 9, files: 9 },
  },
  {
    name: "an immutable directory, purge",
    fault: true,
    root: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      mark(field, "i", field.directory);
    },
    run: () => ["purge"],
    must: { exit: 4, counts: { denied: 9, removed: 0, kept: 0 }, keys: 9, files: 9 },
  },
  {
    name: "an immutable file, purge: the others go",
    fault: true,
    root: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      mark(field, "i", field.session(0).path);
    },
    run: () => ["purge"],
    must: { exit: 4, counts: { denied: 1, removed: 8 }, keys: 9, files: 1 },
  },
  {
    name: "a sticky directory of root's, purge by another uid",
    fault: true,
    root: true,
    prepare: async (field) => {
      open(field);
      chmodSync(field.directory, 0o1777);
      await field.before(["copy"]);
    },
    environment,
    under: asNobody,
    run: () => ["purge"],
    must: { exit: 4, says: [String(nobody)], counts: { denied: 9, removed: 0 }, keys: 9, files: 9 },
  },
  {
    name: "one scatter folder belongs to another uid, purge: the others go",
    fault: true,
    root: true,
    prepare: async (field) => {
      const folder = scatter(field, 3);
      give(field);
      chownSync(folder, 0, 0);
      chmodSync(folder, 0o755);
      await field.before(["copy"]);
    },
    environment,
    under: asNobody,
    run: () => ["purge"],
    must: { exit: 4, says: [String(nobody)], counts: { denied: 3, removed: 6 }, keys: 9, files: 3 },
  },
  {
    name: "files that the run may not read: they fail with both uids, the others are copied",
    fault: true,
    root: true,
    prepare: (field) => {
      give(field);
      for (const { path } of field.sessions.slice(0, 2)) {
        chownSync(path, 0, 0);
        chmodSync(path, 0o600);
      }
    },
    environment,
    under: asNobody,
    run: () => ["copy", "--purge"],
    must: {
      exit: 1,
      says: [String(nobody)],
      counts: { copied: 7, failed: 2 },
      reasons: ["unreadable", "unreadable"],
      keys: 7,
    },
  },
  {
    name: "a directory that the run may enter but not list",
    fault: true,
    root: true,
    prepare: (field) => {
      open(field);
      chmodSync(field.directory, 0o711);
    },
    environment,
    under: asNobody,
    run: () => ["copy"],
    must: { exit: 3, says: [String(nobody)], keys: 0, files: 9 },
  },
  {
    name: "a scatter folder that the run may not list: not exit 0",
    fault: true,
    root: true,
    prepare: (field) => {
      const folder = scatter(field, 3);
      open(field);
      chmodSync(folder, 0o700);
    },
    environment,
    under: asNobody,
    run: () => ["copy", "--purge"],
    must: { exit: [1, 3], says: ["ab"], keys: 6, files: 9 },
  },
  {
    name: "a chown of everything between copy and purge",
    slow: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      execFileSync("chown", ["-R", `${nobody}:${nobody}`, field.directory]);
    },
    root: true,
    run: () => ["purge"],
    must: { exit: 0, counts: { removed: 9 }, keys: 9, files: 0 },
  },
  {
    name: "a report in a directory that may not be written: found before the start",
    root: true,
    prepare: open,
    environment,
    under: asNobody,
    run: ({ top }) => ["copy", "--report", join(top, "report.json")],
    must: { exit: 2, says: ["report.json"], keys: 0, files: 9 },
  },
  {
    name: "a password file that the run may not read",
    root: true,
    prepare: (field) => {
      open(field);
      writeFileSync(join(field.top, "secret"), "NotToBeShown", { mode: 0o600 });
    },
    environment,
    under: asNobody,
    run: ({ top }) => ["copy", "--password-file", join(top, "secret")],
    must: { exit: 2, says: ["--password-file", "secret"], keys: 0, files: 9 },
  },
  {
    name: "a configuration file that the run may not read",
    root: true,
    where: ["directory"],
    prepare: (field) => {
      open(field);
      writeFileSync(join(field.top, "tele.conf"), `[options]\ndata_dir = ${field.top}\n`, { mode: 0o600 });
    },
    environment,
    under: asNobody,
    run: ({ top }) => ["copy", "--config", join(top, "tele.conf")],
    must: { exit: 2, says: ["--config", "tele.conf"], keys: 0, files: 9 },
  },
  {
    name: "the directory becomes immutable while the purge runs",
    fault: true,
    root: true,
    sessions: 40,
    prepare: async (field) => {
      await field.before(["copy"]);
    },
    run: () => ["purge", "--max-rate", "10"],
    meanwhile: async (field) => {
      // At 10 a second it proves for four seconds before it removes.
      while (!String(await field.ask("CLIENT", "LIST")).includes("tele-sessions:removing")) await sleep(20);
      const asked = async () =>
        Number(/cmdstat_get:calls=(\d+)/.exec(String(await field.ask("INFO", "commandstats")))?.[1]);
      while (!((await asked()) > 4)) await sleep(20);
      mark(field, "i", field.directory);
    },
    must: { exit: [3, 4], keys: 40 },
  },
  {
    name: "hard links: a purge removes the session's name only",
    slow: true,
    prepare: async (field) => {
      await field.before(["copy"]);
      execFileSync("ln", [field.session(0).path, join(field.top, basename(field.session(0).path))]);
    },
    run: () => ["purge"],
    must: { exit: 0, counts: { removed: 9 }, keys: 9, files: 0 },
    afterwards: (field) => statSync(join(field.top, basename(field.session(0).path))),
  },
];
