import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import { provideTool } from "../../../support/programs/provide-tools.js";
import type { Field, ServerSession } from "./field.js";
import type { Situation } from "./situation.js";

const python = await provideTool("python");

/**
 * Saves what Python pickles: an expression, after statements. The value that a copy writes is what
 * `json.dumps` makes of it, if `value` says so.
 */
function savePickle(field: Field, number: number, expression: string, before = "", protocol = 4): ServerSession {
  const script = [
    "import base64, collections, datetime, decimal, json, pickle, sys, time",
    before,
    `session = ${expression}`,
    `print(base64.b64encode(pickle.dumps(session, ${protocol})).decode())`,
  ].join("\n");
  const bytes = Buffer.from(
    execFileSync(python, ["-B", "-c", script], { encoding: "utf8", maxBuffer: 2 ** 26 }),
    "base64",
  );
  const sid = sidOf(number);
  return field.saveBytes(join(field.directory, `werkzeug_${sid}.sess`), sid, bytes);
}

const sidOf = (number: number): string => `f${number}`.padEnd(40, "0");
const fileOf = (field: Field, number: number): string => join(field.directory, `werkzeug_${sidOf(number)}.sess`);
const own = "'db': 'x', 'uid': 2, 'login': 'NotToBeShown', 'session_token': 'NotToBeShown', 'context': {}, 'debug': ''";
const common =
  '"db": "x", "uid": 2, "login": "NotToBeShown", "session_token": "NotToBeShown", "context": {}, "debug": ""';

/** Odd names and contents. */
export const contents: readonly Situation[] = [
  {
    name: "dicts that are no sessions: they fail, and a purge leaves them",
    prepare: (field) => {
      savePickle(field, 1, "{'cart': [1, 2]}");
      savePickle(field, 2, "{}");
    },
    run: () => ["copy", "--purge"],
    must: {
      exit: 1,
      counts: { copied: 9, failed: 2, purged: 9 },
      reasons: ["not-a-session", "not-a-session"],
      keys: 9,
      files: 2,
    },
  },
  {
    name: "names in Latin-1 beside the sessions",
    prepare: ({ directory }) => {
      const name = Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.from([0xe9]), Buffer.from(".sess")]);
      writeFileSync(name, "x");
    },
    run: () => ["copy", "--purge"],
    must: { exit: 0, counts: { copied: 9, purged: 9 }, keys: 9, files: 1 },
  },
  {
    name: "control characters in names",
    prepare: ({ directory }) => {
      writeFileSync(join(directory, `werkzeug_\x1b[2J${"a".repeat(36)}.sess`), "x");
      writeFileSync(join(directory, "line\nend"), "x");
    },
    run: () => ["copy", "--purge"],
    must: { exit: 0, counts: { copied: 9, purged: 9 }, keys: 9, files: 2 },
  },
  {
    name: "files of 0 bytes, as a full disk leaves them",
    fault: true,
    prepare: (field) => {
      for (const number of [1, 2]) field.write(fileOf(field, number), "");
    },
    run: () => ["copy", "--purge"],
    must: { exit: 0, counts: { copied: 9, purged: 9 }, keys: 9, files: 2 },
  },
  {
    name: "uploads, and temporary files of both kinds",
    prepare: ({ directory }) => {
      for (const name of ["tmpab1_.__wz_sess", "tmpab1_.__tx_sess__", `werkzeug_${sidOf(1)}_${"0".repeat(32)}.file`]) {
        writeFileSync(join(directory, name), "x");
      }
    },
    run: () => ["copy", "--purge"],
    must: { exit: 0, counts: { copied: 9, purged: 9 }, keys: 9, files: 3 },
  },
  {
    name: "a symlink, a FIFO, a socket and a directory with a session's name",
    prepare: async (field) => {
      writeFileSync(join(field.top, "elsewhere"), `{${common}}`);
      symlinkSync(join(field.top, "elsewhere"), fileOf(field, 1));
      execFileSync("mkfifo", [fileOf(field, 2)]);
      mkdirSync(fileOf(field, 4));
      const server = createServer();
      const socket = join(field.top, "s");
      await new Promise<void>((resolve) => server.listen(socket, resolve));
      renameSync(socket, fileOf(field, 3));
      field.later(() => server.close());
    },
    run: () => ["copy", "--purge"],
    must: { exit: 0, counts: { copied: 9, purged: 9 }, keys: 9, files: 0 },
    afterwards: (field) => {
      assert.ok(lstatSync(fileOf(field, 1)).isSymbolicLink());
      assert.ok(existsSync(join(field.top, "elsewhere")));
    },
  },
  {
    name: "a session above the size limit fails alone",
    prepare: (field) => void savePickle(field, 1, `{${own}, 'preview': 'x' * 17_000_000}`),
    run: () => ["copy"],
    must: { exit: 1, counts: { copied: 9, failed: 1 }, reasons: ["too-large"], keys: 9 },
  },
  {
    name: "a session above the size limit, with a larger limit",
    slow: true,
    prepare: (field) => void savePickle(field, 1, `{${own}, 'preview': 'x' * 17_000_000}`),
    run: () => ["copy", "--max-session-size", "33554432"],
    must: { exit: 0, counts: { copied: 10 }, keys: 10 },
  },
  {
    name: "a planted pickle: it is named and does not run",
    prepare: (field) => {
      const touch = `touch ${join(field.top, "planted")}`;
      field.saveBytes(fileOf(field, 1), sidOf(1), `cposix\nsystem\n(S'${touch}'\ntR.`);
    },
    run: () => ["copy"],
    must: { exit: 1, says: ["posix.system"], counts: { copied: 9, failed: 1 }, keys: 9 },
    afterwards: (field) => assert.ok(!existsSync(join(field.top, "planted")), "the pickle ran"),
  },
  {
    name: "a file with only one of the six keys is copied, and never removed",
    prepare: (field) => void savePickle(field, 1, "{'context': {'lang': 'de_CH'}}"),
    run: () => ["copy", "--purge"],
    must: { exit: 4, counts: { copied: 10, purged: 9 }, keys: 10, files: 1 },
  },
  {
    name: "a rotated session past its deletion_time is over",
    prepare: (field) => {
      savePickle(field, 1, `{${own}, 'deletion_time': time.time() - 60, 'next_sid': 'x'}`).over = true;
    },
    run: () => ["copy"],
    must: { exit: 0, counts: { copied: 9, expired: 1 }, keys: 9 },
  },
  {
    name: "a rotated session lives until its deletion_time at most",
    prepare: (field) => void savePickle(field, 1, `{${own}, 'deletion_time': time.time() + 100}`),
    run: () => ["copy"],
    must: { exit: 0, counts: { copied: 10 }, keys: 10 },
    afterwards: async (field) => {
      const ttl = Number(await field.ask("PTTL", field.keyOf(9)));
      assert.ok(ttl > 60_000 && ttl <= 100_000, `it has ${ttl} ms left`);
    },
  },
  {
    name: "odd expirations: a text of digits, a negative one, and one that is no number",
    prepare: (field) => {
      savePickle(field, 1, `{${own}, 'expiration': '3600'}`);
      savePickle(field, 2, `{${own}, 'expiration': -5}`).over = true;
      savePickle(field, 3, `{${own}, 'expiration': 'soon'}`);
    },
    run: () => ["copy"],
    must: { exit: 0, says: ["expiration"], counts: { copied: 11, expired: 1 }, keys: 11 },
    afterwards: async (field) => {
      const text = Number(await field.ask("TTL", field.keyOf(9)));
      const other = Number(await field.ask("TTL", field.keyOf(11)));
      assert.ok(text > 3000 && text <= 3600 && other > 600_000, `${text} s and ${other} s`);
    },
  },
  {
    name: "subclasses of dict and list, defaultdict, Counter, OrderedDict with an attribute",
    prepare: (field) => {
      const classes = [
        "import types",
        "module = types.ModuleType('addon'); sys.modules['addon'] = module",
        "exec('class Frozen(dict): pass\\nclass Items(list): pass', module.__dict__)",
      ].join("\n");
      savePickle(field, 1, `{${own}, 'd': module.Frozen(a=1), 'l': module.Items([1, 2])}`, classes, 2);
      savePickle(field, 2, `{${own}, 'd': collections.defaultdict(list, a=[1]), 'c': collections.Counter('aab')}`);
      savePickle(field, 3, `{${own}, 'o': ordered}`, "ordered = collections.OrderedDict(a=1); ordered.note = 'x'");
    },
    run: () => ["copy"],
    must: { exit: 0, counts: { copied: 12, failed: 0 }, keys: 12 },
    afterwards: async (field) => {
      for (const [index, part] of [
        [9, '"d": {"a": 1}, "l": [1, 2]}'],
        [10, '"d": {"a": [1]}, "c": {"a": 2, "b": 1}}'],
        [11, '"o": {"a": 1}}'],
      ] as const) {
        assert.ok(String(await field.ask("GET", field.keyOf(index))).endsWith(part), part);
      }
    },
  },
  {
    name: "a cycle and a session too deep fail, within --max-failed: exit 0",
    prepare: (field) => {
      savePickle(field, 1, `{${own}, 'r': ring}`, "ring = []; ring.append(ring)");
      field.saveBytes(
        fileOf(field, 2),
        sidOf(2),
        Buffer.concat([
          Buffer.from("\x80\x04}(\x8c\x03uidK\x02\x8c\x01d", "latin1"),
          Buffer.from(`${"]".repeat(600)}${"a".repeat(599)}u.`),
        ]),
      );
    },
    run: () => ["copy", "--max-failed", "2"],
    must: {
      exit: 0,
      counts: { copied: 9, failed: 2 },
      reasons: ["circular", "too-deep"],
      keys: 9,
      files: 11,
    },
  },
  {
    name: "a Decimal, a frozenset and bytes: each fails, by name",
    prepare: (field) => {
      savePickle(field, 1, `{${own}, 'v': decimal.Decimal('1.5')}`);
      savePickle(field, 2, `{${own}, 'v': frozenset([1])}`);
      savePickle(field, 3, `{${own}, 'v': b'x'}`);
    },
    run: () => ["copy"],
    must: {
      exit: 1,
      says: ["Decimal"],
      counts: { copied: 9, failed: 3 },
      reasons: ["unsupported-type", "unsupported-type", "unsupported-type"],
      keys: 9,
    },
  },
  {
    name: "a file that was cut off",
    fault: true,
    prepare: (field) => {
      field.saveBytes(fileOf(field, 1), sidOf(1), `{${common}`);
    },
    run: () => ["copy", "--purge"],
    must: { exit: 1, counts: { copied: 9, failed: 1, purged: 9 }, reasons: ["corrupt"], keys: 9, files: 1 },
  },
  {
    name: "one sid in both layouts: the later file is the session",
    prepare: (field) => {
      const sid = sidOf(1);
      const value = `{${common}, "v": "later"}`;
      field.write(fileOf(field, 1), `{${common}, "v": "earlier"}`, 3_600_000);
      field.saveBytes(join(field.directory, sid.slice(0, 2), sid), sid, value, value);
    },
    run: () => ["copy", "--purge"],
    must: { exit: 0, counts: { copied: 10, superseded: 1 }, keys: 10, files: 0 },
  },
  {
    name: "a logout while the copy runs: the key is taken back",
    fault: true,
    sessions: 30,
    run: () => ["copy", "--max-rate", "20"],
    meanwhile: async (field) => {
      await field.untilKeys(3);
      for (const session of field.sessions.splice(0, 30)) {
        if (Buffer.isBuffer(await field.ask("GET", `session:${session.sid}`))) {
          rmSync(session.path);
          session.over = true;
          field.sessions.push(session);
          break;
        }
        field.sessions.push(session);
      }
    },
    must: { exit: 0, keys: 29, files: 29 },
  },
  {
    name: "a session is saved again while the copy runs: the later value is in Redis",
    fault: true,
    sessions: 30,
    run: () => ["copy", "--max-rate", "20"],
    meanwhile: async (field) => {
      await field.untilKeys(3);
      const value = `{${common}, "v": "saved meanwhile"}`;
      for (const session of field.sessions) {
        session.values.add(value);
        field.write(session.path, value, 0);
      }
    },
    must: { exit: 0, keys: 30, files: 30 },
    afterwards: async (field) => {
      for (const { sid } of field.sessions) {
        assert.match(String(await field.ask("GET", `session:${sid}`)), /saved meanwhile/);
      }
    },
  },
  {
    name: "what a killed purge set aside is put back and copied",
    fault: true,
    prepare: (field) => {
      for (const session of field.sessions.slice(0, 3)) {
        const aside = `.tele-sessions-99999-0123456789abcdef-${basename(session.path)}`;
        renameSync(session.path, join(dirname(session.path), aside));
      }
    },
    run: () => ["copy"],
    must: { exit: 0, counts: { copied: 9 }, keys: 9, files: 9 },
    afterwards: (field) => assert.ok(field.sessions.every(({ path }) => existsSync(path))),
  },
];
