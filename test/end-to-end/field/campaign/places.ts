import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { listen } from "../../../support/servers/listen.js";
import { redisCommand } from "../../../support/servers/redis-command.js";
import { startRedis } from "../../../support/servers/redis-server.js";
import type { Field } from "./field.js";
import type { Situation } from "./situation.js";

/**
 * A server that is no Redis: it says `greeting` at once, and `answer` to whatever comes. Gives its
 * port.
 */
async function startStranger(field: Field, greeting: string, answer: string): Promise<void> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
    if (greeting !== "") socket.write(greeting);
    socket.on("data", () => {
      if (answer !== "") socket.end(answer);
    });
  });
  portOf.set(field, await listen(server));
  field.later(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
}

/** Ports that a situation's own servers listen on. */
const portOf = new WeakMap<Field, number>();
const strangerPort = (field: Field): string => String(portOf.get(field));

/** Moves the made sessions one folder down, and everything that is known of them. */
function moveInto(field: Field, folder: string): void {
  const target = join(field.directory, folder);
  renameSync(field.directory, `${field.directory}.moving`);
  mkdirSync(field.directory);
  renameSync(`${field.directory}.moving`, target);
  for (const session of field.sessions) session.path = session.path.replace(field.directory, target);
}

/** Wrong level, wrong port, wrong server. */
export const places: readonly Situation[] = [
  {
    name: "one level too high, the folder is called otherwise: it is named",
    prepare: (field) => moveInto(field, "tele-15-sessions"),
    run: () => ["copy", "--purge"],
    must: { exit: 2, says: [/no session file/, "tele-15-sessions"], keys: 0, files: 9 },
  },
  {
    name: "one level too deep: a scatter folder in place of the session directory",
    sessions: 0,
    prepare: (field) => {
      for (let index = 0; index < 5; index++) {
        const sid = `ab${String(index).repeat(38)}`;
        field.saveBytes(join(field.directory, "ab", sid), sid, '{"uid": 2, "db": "x"}');
      }
    },
    where: ["directory"],
    run: ({ directory }) => ["copy", "--session-dir", join(directory, "ab")],
    must: { exit: 2, says: [/no session file/], keys: 0, files: 5 },
  },
  {
    name: "a filestore, whose names look like scattered sessions: nothing is removed",
    sessions: 0,
    prepare: ({ directory }) => {
      for (let index = 0; index < 6; index++) {
        const folder = join(directory, `a${index}`);
        mkdirSync(folder);
        const content = index % 2 === 0 ? "\x89PNG\r\n\x1a\n" : '{"name": "an asset", "url": "/web"}';
        writeFileSync(join(folder, `a${index}`.repeat(20)), content, "latin1");
      }
    },
    run: () => ["copy", "--purge"],
    must: {
      exit: 1,
      counts: { failed: 6, purged: 0 },
      reasons: [
        "not-a-session",
        "not-a-session",
        "not-a-session",
        "unsupported-type",
        "unsupported-type",
        "unsupported-type",
      ],
      keys: 0,
      files: 6,
    },
  },
  {
    name: "no directory was named and the default is not there: it says where the name came from",
    where: ["directory"],
    run: () => ["copy"],
    must: {
      exit: 2,
      says: ["--session-dir", "TELE_SESSION_DIR", "--config"],
      hides: ["--allow-missing"],
      keys: 0,
    },
  },
  {
    name: "a fresh volume with lost+found: nothing to do, and a line that says so",
    sessions: 0,
    prepare: ({ directory }) => mkdirSync(join(directory, "lost+found")),
    run: () => ["copy"],
    must: { exit: 0, says: [/no session|nothing/i], keys: 0 },
  },
  {
    name: "a glob without a match",
    where: ["directory"],
    run: ({ top }) => ["copy", "--session-dir", join(top, "*", "sesions")],
    must: { exit: 2, says: ["sesions"], keys: 0, files: 9 },
  },
  {
    name: "one of a glob's directories has other names only: a warning that --quiet does not hide",
    where: ["directory"],
    prepare: ({ top }) => {
      mkdirSync(join(top, "old-sessions"));
      writeFileSync(join(top, "old-sessions", "README"), "moved");
    },
    run: ({ top }) => ["copy", "--quiet", "--session-dir", join(top, "*sessions")],
    must: { exit: 0, says: ["old-sessions"], keys: 9 },
  },
  {
    name: "two directories named, one of them not there",
    where: ["directory"],
    run: ({ top, directory }) => ["copy", "--session-dir", directory, "--session-dir", join(top, "gone")],
    must: { exit: 2, says: ["gone"], keys: 0, files: 9 },
  },
  {
    name: "a file in place of the session directory",
    where: ["directory"],
    run: ({ top }) => ["copy", "--session-dir", join(top, "tele.conf")],
    prepare: ({ top }) => writeFileSync(join(top, "tele.conf"), "[options]\n"),
    must: { exit: [2, 3], says: ["tele.conf", "directory"], keys: 0, files: 9 },
  },
  {
    name: "the session directory is a symlink to the current release",
    where: ["directory"],
    prepare: ({ top, directory }) => symlinkSync(directory, join(top, "current")),
    run: ({ top }) => ["copy", "--session-dir", join(top, "current")],
    must: { exit: 0, keys: 9, files: 9 },
  },
  {
    name: "a symlink to a volume that is not mounted",
    fault: true,
    where: ["directory"],
    prepare: ({ top }) => symlinkSync(join(top, "volume"), join(top, "current")),
    run: ({ top }) => ["copy", "--session-dir", join(top, "current")],
    must: { exit: 2, says: ["current"], keys: 0, files: 9 },
  },
  {
    name: "nothing listens at the port",
    fault: true,
    where: ["redis"],
    run: () => ["copy", "--port", "1"],
    must: { exit: 3, says: [/refused/i], files: 9 },
  },
  {
    name: "a web server at the port",
    fault: true,
    where: ["redis"],
    prepare: (field) => startStranger(field, "", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    run: (field) => ["copy", "--port", strangerPort(field)],
    must: { exit: [3, 5], says: [/not (a )?Redis|no Redis|something else|other than Redis/i], files: 9 },
  },
  {
    name: "an SSH server at the port: it speaks first",
    fault: true,
    where: ["redis"],
    prepare: (field) => startStranger(field, "SSH-2.0-OpenSSH_9.2\r\n", ""),
    run: (field) => ["copy", "--port", strangerPort(field)],
    must: { exit: [3, 5], says: [/not (a )?Redis|no Redis|something else|other than Redis/i], files: 9 },
  },
  {
    name: "a server that takes connections and never answers",
    fault: true,
    slow: true,
    where: ["redis"],
    prepare: (field) => startStranger(field, "", ""),
    run: (field) => ["copy", "--port", strangerPort(field)],
    must: { exit: 3, says: [/answer|says nothing/i], files: 9 },
  },
  {
    name: "a host that no name server knows",
    fault: true,
    run: () => ["copy", "--host", "redis-1.invalid"],
    must: { exit: 3, says: ["redis-1.invalid"], keys: 0, files: 9 },
  },
  {
    name: "a replica: its master is named",
    slow: true,
    prepare: async (field) => {
      const replica = await startRedis({ args: ["--replicaof", "127.0.0.1", String(field.redis.port)] });
      field.later(() => replica.stop());
      portOf.set(field, replica.port);
      while (!/master_link_status:up/.test(String(await redisCommand(replica, "INFO", "replication")))) await sleep(50);
    },
    where: ["redis"],
    run: (field) => ["copy", "--port", strangerPort(field)],
    must: { exit: 5, says: ["replica", "127.0.0.1"], keys: 0, files: 9 },
  },
  {
    name: "a Cluster node without slots",
    fault: true,
    redis: ["--cluster-enabled", "yes"],
    run: () => ["copy"],
    must: { exit: [3, 5], says: [/cluster/i], files: 9 },
  },
  {
    name: "a database that Redis does not have",
    run: () => ["copy", "--db", "99"],
    must: { exit: [2, 5], says: ["99"], keys: 0, files: 9 },
  },
  {
    name: "the right server, the other database: a second copy leaves the first one alone",
    prepare: async (field) => {
      await field.before(["copy"]);
      field.db = 5;
    },
    run: () => ["copy", "--db", "5"],
    must: { exit: 0, counts: { copied: 9 }, keys: 9 },
  },
  {
    name: "TLS to a plain port",
    slow: true,
    run: () => ["copy", "--tls"],
    must: { exit: [3, 5], says: [/TLS/], keys: 0, files: 9 },
  },
  {
    name: "a Unix socket that is not there",
    fault: true,
    where: ["redis"],
    run: ({ top }) => ["copy", "--url", `unix://${join(top, "redis.sock")}`],
    must: { exit: 3, says: ["redis.sock"], files: 9 },
  },
  {
    name: "a mistyped prefix: the server's keys have another one",
    prepare: async (field) => {
      for (let index = 0; index < 9; index++) {
        await field.ask("SET", `session::shop:${String(index).repeat(40)}`, '{"uid": 2, "db": "x"}', "PX", 600_123);
      }
      field.keyPrefix = "session:shp:";
    },
    run: () => ["copy", "--quiet", "--prefix", "shp"],
    must: { exit: 0, says: ["--key-layout"], keys: 18 },
  },
  {
    name: "the session directory is moved away while the copy runs",
    fault: true,
    sessions: 30,
    run: () => ["copy", "--max-rate", "20"],
    meanwhile: async (field) => {
      await field.untilKeys(3);
      renameSync(field.directory, `${field.directory}.old`);
      for (const session of field.sessions) {
        session.path = session.path.replace(field.directory, `${field.directory}.old`);
      }
    },
    must: { exit: [0, 3] },
  },
];
