import type { Command } from "../../settings/setting-definition.js";

/** What help says about a command. */
interface CommandText {
  /** `[options]` by default. */
  readonly usage?: string;
  readonly description: string;
  /** Command lines without the program's name. */
  readonly examples: readonly string[];
}

const where = "--session-dir /var/lib/tele/sessions";

/** By command, in the order in which a person uses them. */
export const commandTexts: Readonly<Record<Exclude<Command, "stop-after-init">, CommandText>> = {
  inspect: {
    description:
      "Shows what is in the session directory, and the Redis memory it needs. Asks no Redis, and changes nothing.",
    examples: [`inspect ${where}`, `inspect ${where} --sample 5%`],
  },
  check: {
    description: "Says whether a copy can succeed, and what to fix. Changes nothing.",
    examples: [`check ${where} --host redis-1`, `check ${where} --host redis-1 --purge`],
  },
  copy: {
    description:
      "Copies every session into Redis. It only reads the files; with --purge it then removes those that Redis is " +
      "proven to hold.",
    examples: [
      `copy ${where} --host redis-1 -n`,
      "copy --host redis-1 --report copy.json",
      "copy --config /etc/tele.conf --url rediss://redis-1:6380/0",
    ],
  },
  verify: {
    description:
      "Compares every session file with Redis: present, equal, right lifetime; with --reverse, every key in Redis " +
      "with its session file. Changes nothing.",
    examples: [`verify ${where} --host redis-1`, `verify ${where} --host redis-1 --sample 5%`],
  },
  purge: {
    description:
      "Removes the files of sessions that Redis is proven to hold, and no others. Asks on a terminal before it begins.",
    examples: [`purge ${where} --host redis-1 -n`, `purge ${where} --host redis-1`],
  },
  export: {
    description:
      "Writes the sessions in Redis back to session files, so that a server can go on without session_redis. It only " +
      "reads Redis, and never replaces a newer file.",
    examples: [`export ${where} --host redis-1 -n`, `export ${where} --host redis-1 --server 16.0`],
  },
  report: {
    usage: "[options] <file...>",
    description: "Turns report files into one HTML page.",
    examples: ["report copy.json verify.json --html migration.html"],
  },
};
