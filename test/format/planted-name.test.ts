import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlanted } from "../../src/format/pickle/is-planted.js";
import { plantedNameIn } from "../../src/format/pickle/planted-name.js";
import { convertBytes } from "../support/python/compare-with-python.js";

describe("a name that no server writes", () => {
  const rows: readonly (readonly [module: string, name: string, isPlanted: boolean])[] = [
    ["posix", "system", true],
    ["os", "system", true],
    ["nt", "system", true],
    ["builtins", "eval", true],
    ["__builtin__", "execfile", true],
    ["builtins", "__import__", true],
    ["subprocess", "Popen", true],
    ["collections", "namedtuple", true],
    ["importlib", "import_module", true],
    ["commands", "getoutput", true],
    ["ctypes", "CDLL", true],
    ["__main__", "Foo", true],
    ["_posixsubprocess", "fork_exec", true],
    ["pip._internal", "main", true],
    ["odoo.tools.safe_eval", "safe_eval", true],
    ["werkzeug.utils", "import_string", true],
    ["odoo.tools", "subprocess.Popen", true],
    ["datetime", "datetime.now", true],
    ["decimal", "Decimal", false],
    ["uuid", "UUID", false],
    ["collections", "OrderedDict", false],
    ["collections", "deque", false],
    ["datetime", "timedelta", false],
    ["datetime", "time", false],
    ["builtins", "complex", false],
    ["builtins", "getattr", false],
    ["builtins", "ValueError", false],
    ["exceptions", "UserError", false],
    ["copyreg", "__newobj__", false],
    ["ipaddress", "IPv4Address", false],
    ["odoo.addons.website_sale.models.cart", "Cart", false],
    ["odoo.addons.website_sale.models.cart", "Cart.Line", false],
    ["odoo.tools.misc", "frozendict", false],
    ["odoo.tools.func", "lazy", false],
    ["psycopg2._range", "DateRange", false],
    ["lxml.etree", "_ElementUnicodeResult", false],
    ["dateutil.relativedelta", "relativedelta", false],
    ["pytz", "_p", false],
    ["numpy", "dtype", false],
    ["werkzeug.datastructures", "FileStorage", false],
  ];
  for (const [module, name, expected] of rows)
    it(`${module} ${name}: ${expected ? "planted" : "ordinary"}`, () => {
      assert.equal(isPlanted({ module, name }), expected);
    });
});

const latin1 = (text: string) => Buffer.from(text, "latin1");
const decimal = "cdecimal\nDecimal\n(S'1.5'\ntR";
const system = "cposix\nsystem\n(S'id'\ntR";
const proto4 = "\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93";
const advice = "no server writes that; somebody may have planted it. It did not run here, but it would in the server";

describe("a file that fails because of a planted name, or beside one", () => {
  const rows: readonly (readonly [name: string, pickle: string, reason: string, detail: string])[] = [
    ["protocol 0", `${system}.`, "unsupported-type", `names posix.system: ${advice}`],
    ["INST", "(S'id'\niposix\nsystem\n.", "unsupported-type", `names posix.system: ${advice}`],
    ["protocol 4", `${proto4}\x8c\x02id\x85R.`, "unsupported-type", `names posix.system: ${advice}`],
    [
      "protocol 4, texts from the memo",
      "\x80\x04\x8c\x05posix\x940\x8c\x06system\x940h\x00h\x01\x93\x8c\x02id\x85R.",
      "unsupported-type",
      `names posix.system: ${advice}`,
    ],
    [
      "protocol 4, with a text that is dropped in between",
      "\x80\x04\x8c\x05posix\x8c\x06system\x8c\x01x0\x93\x8c\x02id\x85R.",
      "unsupported-type",
      `names posix.system: ${advice}`,
    ],
    ["after a decimal", `(dS'a'\n${decimal}sS'b'\n${system}s.`, "unsupported-type", `names posix.system: ${advice}`],
    [
      "after damage that Python accepts",
      `c__builtin__\nset\n()tR0${system}.`,
      "corrupt",
      `set with arguments that no pickler writes at byte 21; names posix.system: ${advice}`,
    ],
    [
      "a function of an addon as a factory, in a damaged file",
      "(dS'a'\nccollections\ndefaultdict\n(codoo.addons.x\nmake\ntRs",
      "corrupt",
      "truncated at byte 56",
    ],
    [
      "a function of Python as a factory, in a damaged file",
      "(dS'a'\nccollections\ndefaultdict\n(cposix\nsystem\ntRs",
      "corrupt",
      `truncated at byte 50; names posix.system: ${advice}`,
    ],
    ["a decimal alone", `(dS'uid'\nI1\nsS'a'\n${decimal}s.`, "unsupported-type", "decimal.Decimal"],
    [
      "the words as texts",
      `(dS'uid'\nI1\nsS'posix'\nS'system'\nsS'a'\n${decimal}s.`,
      "unsupported-type",
      "decimal.Decimal",
    ],
  ];
  for (const [name, pickle, reason, detail] of rows)
    it(name, () => {
      const conversion = convertBytes(latin1(pickle));
      assert(conversion.kind === "failed");
      const isSuspicious = detail.includes("planted");
      assert.deepEqual(
        { reason: conversion.reason, detail: conversion.detail, suspicious: conversion.suspicious },
        { reason, detail, suspicious: isSuspicious ? true : undefined },
      );
    });

  it("names behind a million opcodes are not looked for, so a hostile file takes little time", () => {
    const padding = (count: number) => latin1(`${"N0".repeat(count / 2)}${system}.`);
    assert.deepEqual(plantedNameIn(padding(1000)), { module: "posix", name: "system" });
    assert.equal(plantedNameIn(padding(1_000_000)), undefined);
  });
});
