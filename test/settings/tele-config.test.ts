import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { parseTeleConfig } from "../../src/settings/tele-config.js";
import { python } from "../support/project.js";

const texts: readonly (readonly [name: string, text: string])[] = [
  ["plain", "[options]\ndata_dir = /srv/tele\n"],
  ["colon", "[options]\ndata_dir: /srv/tele\n"],
  ["the first delimiter counts", "[options]\na = b : c = d\nx : y = z\n"],
  ["no blanks", "[options]\ndata_dir=/srv/tele"],
  ["keys in any case", "[options]\nData_DIR = /srv/Tele\n"],
  ["sections keep their case", "[Options]\ndata_dir = /a\n"],
  ["blanks in keys and values", "[options]\nmy  key  =  a  b  \n"],
  ["comments", "# one\n; two\n[options]\n# three\n  ; four\ndata_dir = /a # not a comment\nx = y ; neither\n"],
  ["no interpolation", "[options]\ndata_dir = /srv/%(name)s/100%\n"],
  ["continued", "[options]\ndata_dir = /srv\n  /tele\n\tmore\nx = 1\n"],
  ["continued over comments and blank lines", "[options]\na = 1\n\n  2\n# c\n  3\n\n\nb = 2\n\n"],
  ["continued by what looks like a section", "[options]\na = 1\n  [other]\n  b = 2\n"],
  ["indented section", "[options]\n  a = 1\n  b = 2\n    c = 3\nd = 4\n"],
  ["a value that begins on the next line", "[options]\naddons_path =\n    /a,\n    /b\n"],
  ["empty value", "[options]\ndata_dir =\nb =   \n"],
  ["text after a section", "[options] ; comment\na = 1\n"],
  ["brackets in a section", "[a]b]\nx = 1\n[options]\na = [x]\n"],
  ["several sections", "[a]\nx = 1\n[options]\nx = 2\n[b]\nx = 3\n"],
  ["defaults", "[DEFAULT]\ndata_dir = /d\na = 1\n[options]\na = 2\n"],
  ["defaults twice", "[DEFAULT]\na = 1\n[options]\nb = 2\n[DEFAULT]\nc = 3\n"],
  ["defaults twice with one key", "[DEFAULT]\na = 1\n[DEFAULT]\na = 3\n[options]\n"],
  ["defaults alone", "[DEFAULT]\ndata_dir = /d\n"],
  ["no section", "data_dir = /a\n"],
  ["text before a section", "hello\n[options]\n"],
  ["empty", ""],
  ["blank", "\n \n\t\n"],
  ["no options section", "[other]\na = 1\n"],
  ["empty section", "[options]\n"],
  ["empty brackets", "[]\na = 1\n"],
  ["a key twice", "[options]\na = 1\nA = 2\n"],
  ["a section twice", "[options]\na = 1\n[options]\nb = 2\n"],
  ["a line without a delimiter", "[options]\na = 1\nhello\nb = 2\n"],
  ["a line without a key", "[options]\n= 1\n"],
  ["carriage returns", "[options]\r\ndata_dir = /a\r\nb = 1\r\n"],
  ["old Macintosh line ends", "[options]\rdata_dir = /a\rb = 1"],
  ["byte order mark", "\ufeff[options]\ndata_dir = /a\n"],
  ["no-break space", "[options]\ndata_dir =\u00a0/a\u00a0\n\u00a0b = 2\n"],
  ["a line separator within", "[options]\ndata_dir = /a\u2028b\u0085\n"],
  ["separators of ASCII", "[options]\ndata_dir = \x1c/a\x1f\n"],
  ["a zero-width mark at the end", "[options]\ndata_dir = /a\ufeff\n"],
  ["letters beyond ASCII", "[options]\nÄ = Ö\ndata_dir = /srv/Zürich\n"],
  ["vertical tab and form feed", "[options]\n\x0ba = 1\x0c\nb\x0c= 2\n"],
  ["quotes stay", "[options]\ndata_dir = '/a'\nb = \"c\"\n"],
  ["an Odoo file", "[options]\n; This is the password\nadmin_passwd = $pbkdf2$x=y\ndb_host = False\ndata_dir = ~/d\n"],
];

// Python reads the files as the server does: from disk, in text mode.
const judge = `
import configparser, json, sys, tempfile
results = []
for text in json.load(sys.stdin):
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode("utf-8"))
        file.flush()
        parser = configparser.RawConfigParser()
        try:
            parser.read([file.name], encoding="utf-8")
            results.append(dict(parser.items("options")))
        except configparser.NoSectionError:
            results.append(None)
        except configparser.Error:
            results.append("refused")
json.dump(results, sys.stdout)
`;

function judgeByPython(given: readonly string[]): readonly unknown[] {
  const run = spawnSync(python, ["-c", judge], { input: JSON.stringify(given), encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(run.stdout);
}

function read(text: string): unknown {
  const options = parseTeleConfig(text);
  if (options === null) return null;
  return "problem" in options ? "refused" : Object.fromEntries(options);
}

/**
 * Small texts made of what the rules are about, the same in every run. No line has a second `]`:
 * Python up to 3.9 ends a section's name at the first one, and later versions at the last.
 */
function randomTexts(count: number): readonly string[] {
  const words = ["[options]", "[b]", "[DEFAULT]", "a", "A", "data_dir", "x"];
  const pieces = [...words, "=", ":", " ", "  ", "\t", "\n", "\n", "#", ";", "\r\n"];
  let state = 12345;
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const make = () => {
    const start = next(4) === 0 ? "" : "[options]\n";
    return start + Array.from({ length: next(24) }, () => pieces[next(pieces.length)]).join("");
  };
  return Array.from({ length: count }, make).filter((text) => !/\][^\r\n]*\]/.test(text));
}

describe("tele.conf is read as Python's RawConfigParser reads it", () => {
  const expected = judgeByPython(texts.map(([, text]) => text));
  for (const [index, [name, text]] of texts.entries()) {
    it(name, () => assert.deepEqual(read(text), expected[index]));
  }

  it("thousands of random texts", () => {
    const random = randomTexts(6000);
    const judged = judgeByPython(random);
    const accepted = judged.filter((result) => result !== null && result !== "refused");
    assert.ok(accepted.length > 500, `only ${accepted.length} were accepted`);
    for (const [index, text] of random.entries()) {
      assert.deepEqual(read(text), judged[index], JSON.stringify(text));
    }
  });

  it("a refusal names the line and shows nothing of it", () => {
    assert.deepEqual(parseTeleConfig("[options]\nhunter2\n"), {
      problem: "line 2 is neither a [section] nor a key with = or :",
    });
  });
});
