import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SetUp } from "./set-up.js";

const nobody = 65_534;

/** Set-ups in which the session directory is not what the run needs. */
export const setUpsOfFiles: readonly SetUp[] = [
  {
    name: "a session directory that may not be written",
    check: "removable",
    found: /^uid 65534 is not permitted to remove files from .*, which belongs to uid 0 \(EACCES\)$/,
    remedy: /^Run the purge as uid 0$/,
    exit: 4,
    purges: true,
    full: true,
    make: async (ground) => {
      await ground.startRedis();
      ground.environment["HOME"] = "/";
      ground.uid = nobody;
    },
    mend: (ground, remedy) => {
      ground.uid = Number(/as uid (\d+)/.exec(remedy)?.[1]);
    },
  },
  {
    name: "a missing session directory",
    check: "readable",
    found: /^the session directory .*\/srv\/session does not exist$/,
    remedy: /^Check the path and the mount/,
    exit: 2,
    make: async (ground) => {
      await ground.startRedis();
      ground.flags.set("--session-dir", ground.directory.slice(0, -1));
    },
    mend: (ground) => ground.flags.set("--session-dir", ground.directory),
  },
  {
    name: "the directory above the session directory",
    check: "readable",
    found: /^no session file in .*\/srv, but 2 other names, among them a directory sessions$/,
    remedy: /^Did you mean .*\/srv\/sessions\?$/,
    exit: 2,
    make: async (ground) => {
      await ground.startRedis();
      const above = dirname(ground.directory);
      writeFileSync(join(above, "README"), "x");
      ground.flags.set("--session-dir", above);
    },
    mend: (ground, remedy) => {
      ground.flags.set("--session-dir", /Did you mean (.*)\?/.exec(remedy)?.[1] ?? "");
    },
  },
];
