import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveRunOptions } from "../../src/settings/resolve-options.js";
import type { Environment, TypedFlags } from "../../src/settings/setting-sources.js";
import { type MachineFiles, memoryFiles } from "../support/memory-files.js";

const home = { HOME: "/home/tele" };
const nothing = memoryFiles({});

function config(text: string): MachineFiles {
  return memoryFiles({ "/tele.conf": text });
}

function directories(typed: TypedFlags, environment: Environment, files: MachineFiles): readonly string[] {
  return resolveRunOptions("copy", typed, { ...files, environment }).source.names;
}

describe("session directories: where the server keeps them (spec.md section 3)", () => {
  const named: TypedFlags = { config: "/tele.conf" };
  const rows: readonly (readonly [
    name: string,
    typed: TypedFlags,
    environment: Environment,
    files: MachineFiles,
    directory: string,
  ])[] = [
    ["~/.local/share/Tele", {}, home, nothing, "/home/tele/.local/share/Tele/sessions"],
    ["$XDG_DATA_HOME/Tele", {}, { ...home, XDG_DATA_HOME: "/xdg" }, nothing, "/xdg/Tele/sessions"],
    [
      "no home directory there",
      {},
      { ...home, XDG_DATA_HOME: "/xdg" },
      memoryFiles({}, { homeExists: false }),
      "/var/lib/tele/sessions",
    ],
    ["no home at all", {}, {}, memoryFiles({}, { accountHome: null }), "/var/lib/tele/sessions"],
    ["the account's home", {}, {}, nothing, "/home/tele/.local/share/Tele/sessions"],
    ["data_dir", named, home, config("[options]\ndata_dir = /srv/tele\n"), "/srv/tele/sessions"],
    [
      "data_dir with a slash at its end",
      named,
      home,
      config("[options]\ndata_dir = /srv/tele/\n"),
      "/srv/tele/sessions",
    ],
    ["data_dir from home", named, home, config("[options]\ndata_dir = ~/data\n"), "/home/tele/data/sessions"],
    ["data_dir that is home", named, home, config("[options]\ndata_dir = ~\n"), "/home/tele/sessions"],
    [
      "data_dir with variables",
      named,
      { ...home, A: "/a", B_1: "b" },
      config(`[options]\ndata_dir = $A/\${B_1}/$NONE\n`),
      "/a/b/$NONE/sessions",
    ],
    [
      "data_dir with home in a variable",
      named,
      { ...home, A: "~" },
      config("[options]\ndata_dir = $A/d\n"),
      "/home/tele/d/sessions",
    ],
    ["no data_dir", named, home, config("[options]\nx = 1\n"), "/home/tele/.local/share/Tele/sessions"],
    ["no [options]", named, home, config("[other]\ndata_dir = /x\n"), "/home/tele/.local/share/Tele/sessions"],
    ["~/.telerc", {}, home, memoryFiles({ "/home/tele/.telerc": "[options]\ndata_dir = /rc\n" }), "/rc/sessions"],
    [
      "TELE_RC over TELECMS_SERVER over ~/.telerc",
      {},
      { ...home, TELE_RC: "/tele.conf", TELECMS_SERVER: "/none" },
      config("[options]\ndata_dir = /first\n"),
      "/first/sessions",
    ],
    [
      "--session-dir over --config",
      { ...named, sessionDir: ["/typed"] },
      home,
      config("[options]\ndata_dir = /x\n"),
      "/typed",
    ],
    [
      "TELE_SESSION_DIR over a TELE_RC that is missing",
      {},
      { ...home, TELE_SESSION_DIR: "/v", TELE_RC: "/none" },
      nothing,
      "/v",
    ],
  ];
  for (const [name, typed, environment, files, directory] of rows) {
    it(name, () => assert.deepEqual(directories(typed, environment, files), [directory]));
  }

  const refused: readonly (readonly [
    name: string,
    typed: TypedFlags,
    environment: Environment,
    files: MachineFiles,
    message: RegExp,
  ])[] = [
    [
      "--config is missing",
      named,
      home,
      nothing,
      /--config: the file "\/tele.conf" cannot be read: no such file .*ENOENT/,
    ],
    ["--config is missing beside --session-dir", { ...named, sessionDir: ["/a"] }, home, nothing, /--config: .*ENOENT/],
    [
      "TELE_RC is missing",
      {},
      { ...home, TELE_RC: "/no" },
      nothing,
      /TELE_RC: the file "\/no" cannot be read: no such file .*ENOENT/,
    ],
    ["TELECMS_SERVER is missing", {}, { ...home, TELECMS_SERVER: "/no" }, nothing, /TELECMS_SERVER: .*ENOENT/],
    ["not a tele.conf", named, home, config("[options]\nhunter2\n"), /--config: .*is not a tele.conf: line 2/],
    ["an empty data_dir", named, home, config("[options]\ndata_dir =\n"), /leaves data_dir empty/],
    ["another account's home", named, home, config("[options]\ndata_dir = ~odoo/d\n"), /give --session-dir/],
  ];
  for (const [name, typed, environment, files, message] of refused) {
    it(`refused: ${name}`, () => assert.throws(() => directories(typed, environment, files), message));
  }
});
