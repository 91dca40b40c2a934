import { floatRepr } from "../../float-repr.js";
import { writeAscii } from "../../json-bytes.js";
import { parseFloatText } from "../../python-int.js";
import type { PythonJson } from "../../python-json.js";
import { plainModule } from "./plain-module.js";

/** A session as JSON, and what else its key depends on. */
export interface PlainSession extends PythonJson {
  /** Whether `bool(session.uid)` is `True`. */
  readonly authenticated: boolean;
  /** How many of the session keys it holds, counted up to two. */
  readonly keys: number;
  /** Undefined if it names none, or if nobody asked. */
  readonly database: string | undefined;
}

/** What `assembly/convert-plain.ts` exports. */
interface PlainExports {
  readonly convertPlain: (length: number) => number;
  readonly pickleAt: WebAssembly.Global;
  readonly jsonAt: WebAssembly.Global;
  readonly factsAt: WebAssembly.Global;
}

/** Places of the facts that follow a conversion; see `Facts` in `assembly/convert-plain.ts`. */
const fact = {
  lossy: 0,
  authenticated: 1,
  keys: 2,
  databaseStart: 3,
  databaseEnd: 4,
  databaseIsLatin1: 5,
} as const;
const factCount = Object.keys(fact).length;
/** Of 64 KiB: what `assembly/memory-layout.ts` lays out. */
export const pages = 6;
/** Bytes: as in `assembly/memory-layout.ts`. */
const maxPickleLength = 8 * 1024;

/**
 * The fast path: most sessions are short pickles of plain values, and WebAssembly (`assembly/`)
 * converts them in a fraction of the time that the pickle machine (`unpickle.ts`) and its JSON
 * writer take. It must never judge a file itself. Whatever it does not know, or what looks damaged,
 * it leaves to the machine; a property test compares the two byte for byte
 * (`test/format/plain-pickles.test.ts`).
 */
export class PlainPickles {
  readonly #memory: Buffer;
  readonly #exports: PlainExports;
  readonly #facts: Int32Array;
  readonly #pickleAt: number;
  readonly #jsonAt: number;

  /** `undefined` if this process cannot have WebAssembly: the machine converts plain pickles too. */
  static open(): PlainPickles | undefined {
    // V8 can do without: `node --jitless`.
    if (typeof WebAssembly === "undefined") return undefined;
    try {
      return new PlainPickles(new WebAssembly.Memory({ initial: pages, maximum: pages }));
    } catch (error) {
      // V8 reserves 10 GB of addresses for any memory, which `ulimit -v` may forbid.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** `memory`: `pages`, with anything in it. */
  constructor(memory: WebAssembly.Memory) {
    const bytes = Buffer.from(memory.buffer);
    const module = new WebAssembly.Module(Buffer.from(plainModule, "base64"));
    const { exports } = new WebAssembly.Instance(module, {
      env: { memory },
      "read-pickle": {
        readFloat: (start: number, end: number) => parseFloatText(bytes.toString("latin1", start, end)) ?? Number.NaN,
      },
      "write-json": {
        writeFloat: (value: number, at: number) => writeAscii(bytes, floatRepr(value), at),
      },
    });
    this.#memory = bytes;
    this.#exports = exports as unknown as PlainExports;
    const { pickleAt, jsonAt, factsAt } = this.#exports;
    this.#facts = new Int32Array(memory.buffer, factsAt.value, factCount);
    this.#pickleAt = pickleAt.value;
    this.#jsonAt = jsonAt.value;
  }

  /**
   * Converts a pickle to the JSON that Python's `json.dumps` writes. Returns `undefined` if the
   * pickle machine must judge it, or if the JSON takes more than `maxLength` bytes.
   */
  convert(pickle: Uint8Array, maxLength: number, tellsDatabase = false): PlainSession | undefined {
    if (pickle.length > maxPickleLength) return undefined;
    this.#memory.set(pickle, this.#pickleAt);
    const length = this.#exports.convertPlain(pickle.length);
    if (length === 0 || length > maxLength) return undefined;
    return {
      text: this.#memory.toString("latin1", this.#jsonAt, this.#jsonAt + length),
      lossy: this.#fact(fact.lossy) !== 0,
      authenticated: this.#fact(fact.authenticated) !== 0,
      keys: this.#fact(fact.keys),
      database: tellsDatabase ? this.#database() : undefined,
    };
  }

  #database(): string | undefined {
    const start = this.#fact(fact.databaseStart);
    if (start === 0) return undefined;
    const encoding = this.#fact(fact.databaseIsLatin1) === 0 ? "utf8" : "latin1";
    const end = this.#fact(fact.databaseEnd);
    return this.#memory.toString(encoding, this.#pickleAt + start, this.#pickleAt + end);
  }

  #fact(place: number): number {
    return this.#facts[place] ?? 0;
  }
}
