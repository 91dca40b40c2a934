import { floatRepr } from "../float-repr.js";
import { writeAscii } from "../json-bytes.js";
import { parseFloatText } from "../python-int.js";
import type { PythonJson } from "../python-json.js";
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
  readonly convertPickle: (length: number) => number;
  readonly isPlainJson: (length: number) => number;
  readonly sourceAt: WebAssembly.Global;
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
const maxSourceLength = 8 * 1024;

/**
 * The fast path: most sessions are short pickles of plain values, or JSON just as Python writes it.
 * WebAssembly (`assembly/`) converts them in a fraction of the time that the machine takes: the
 * readers (`unpickle.ts`, `json.ts`) and the writer of Python's JSON. It must never judge a file
 * itself. Whatever it does not know, or what looks damaged, it leaves to the machine; property tests
 * compare the two byte for byte (`test/format/plain-pickles-agree.test.ts`, `plain-json.test.ts`).
 */
export class PlainSessions {
  readonly #memory: Buffer;
  readonly #exports: PlainExports;
  readonly #facts: Int32Array;
  readonly #sourceAt: number;
  readonly #jsonAt: number;

  /** `undefined` if this process cannot have WebAssembly: the machine converts plain sessions too. */
  static open(): PlainSessions | undefined {
    // V8 can do without: `node --jitless`.
    if (typeof WebAssembly === "undefined") return undefined;
    try {
      return new PlainSessions(new WebAssembly.Memory({ initial: pages, maximum: pages }));
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
      floats: {
        readFloat: (start: number, end: number) => parseFloatText(bytes.toString("latin1", start, end)) ?? Number.NaN,
        writeFloat: (value: number, at: number) => writeAscii(bytes, floatRepr(value), at),
      },
    });
    this.#memory = bytes;
    this.#exports = exports as unknown as PlainExports;
    const { sourceAt, jsonAt, factsAt } = this.#exports;
    this.#facts = new Int32Array(memory.buffer, factsAt.value, factCount);
    this.#sourceAt = sourceAt.value;
    this.#jsonAt = jsonAt.value;
  }

  /**
   * Converts a pickle to the JSON that Python's `json.dumps` writes. Returns `undefined` if the
   * machine must judge it, or if the JSON takes more than `maxLength` bytes.
   */
  convertPickle(pickle: Uint8Array, maxLength: number, tellsDatabase = false): PlainSession | undefined {
    if (pickle.length > maxSourceLength) return undefined;
    this.#memory.set(pickle, this.#sourceAt);
    const length = this.#exports.convertPickle(pickle.length);
    if (length === 0 || length > maxLength) return undefined;
    const text = this.#memory.toString("latin1", this.#jsonAt, this.#jsonAt + length);
    return this.#session(text, tellsDatabase ? this.#database() : undefined);
  }

  /** As `convertPickle`, of JSON. If Python writes it as it is, it stays as it is. */
  convertJson(json: Buffer, maxLength: number, tellsDatabase = false): PlainSession | undefined {
    if (json.length > Math.min(maxSourceLength, maxLength)) return undefined;
    this.#memory.set(json, this.#sourceAt);
    if (this.#exports.isPlainJson(json.length) === 0) return undefined;
    const database = tellsDatabase ? this.#database() : undefined;
    return this.#session(json.toString("latin1"), database && JSON.parse(`"${database}"`));
  }

  #session(text: string, database: string | undefined): PlainSession {
    return {
      text,
      lossy: this.#fact(fact.lossy) !== 0,
      authenticated: this.#fact(fact.authenticated) !== 0,
      keys: this.#fact(fact.keys),
      database,
    };
  }

  #database(): string | undefined {
    const start = this.#fact(fact.databaseStart);
    if (start === 0) return undefined;
    const encoding = this.#fact(fact.databaseIsLatin1) === 0 ? "utf8" : "latin1";
    const end = this.#fact(fact.databaseEnd);
    return this.#memory.toString(encoding, this.#sourceAt + start, this.#sourceAt + end);
  }

  #fact(place: number): number {
    return this.#facts[place] ?? 0;
  }
}
