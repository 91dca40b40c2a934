import { outputOfPython } from "./python-process.js";

/** What Python says of one session file. */
export type Judgement =
  | {
      readonly kind: "accepted";
      readonly json: string;
      readonly authenticated: boolean;
      /** `either` where it is a matter of taste. */
      readonly lossy: boolean | "either";
    }
  | { readonly kind: "refused"; readonly reasons: readonly string[] };

/** A session file with Python's judgement. */
export interface JudgedFile {
  readonly bytes: Buffer;
  readonly judgement: Judgement;
  /** Its number, by which the script makes it again, and what is to know of it. */
  readonly label: string;
}

/** What a script counted over all its files. */
export type Counts = Readonly<Record<string, number>>;

const lengthSize = 4;
const lossiness = [false, "either", true] as const;
const kinds = { accepted: 0, refused: 1, end: 2 } as const;

/**
 * The files that a script of `test/python` streams to its standard output
 * (`test/python/judged_frames.py` has the format), and its counts last.
 */
export async function* judgedFiles(
  script: string,
  scriptArguments: readonly string[],
): AsyncGenerator<JudgedFile, Counts> {
  let pending: Buffer[] = [];
  let held = 0;
  let wanted = lengthSize;
  let counts: Counts | undefined;
  for await (const part of outputOfPython(script, scriptArguments)) {
    pending.push(part);
    held += part.length;
    if (held < wanted) continue;
    let rest = Buffer.concat(pending);
    while (rest.length >= lengthSize && rest.length >= lengthSize + rest.readUInt32LE(0)) {
      const end = lengthSize + rest.readUInt32LE(0);
      const frame = rest.subarray(lengthSize, end);
      if (frame[0] === kinds.end) counts = countsOf(frame);
      else yield judgedFile(frame);
      rest = rest.subarray(end);
    }
    wanted = rest.length < lengthSize ? lengthSize : lengthSize + rest.readUInt32LE(0);
    pending = [rest];
    held = rest.length;
  }
  if (counts === undefined) throw new Error(`${script} ended without its counts`);
  return counts;
}

function judgedFile(frame: Buffer): JudgedFile {
  const { bytes, answer, label } = partsOf(frame);
  if (frame[0] === kinds.refused)
    return { bytes, judgement: { kind: "refused", reasons: answer.toString().split(" ") }, label };
  const judgement = {
    kind: "accepted",
    json: answer.toString("latin1"),
    authenticated: label[0] === "1",
    lossy: lossiness[Number(label[1])] ?? "either",
  } as const;
  return { bytes, judgement, label: label.slice(2) };
}

function countsOf(frame: Buffer): Counts {
  return JSON.parse(partsOf(frame).answer.toString());
}

function partsOf(frame: Buffer): { bytes: Buffer; answer: Buffer; label: string } {
  const bytesEnd = 1 + lengthSize + frame.readUInt32LE(1);
  const answerEnd = bytesEnd + lengthSize + frame.readUInt32LE(bytesEnd);
  return {
    bytes: frame.subarray(1 + lengthSize, bytesEnd),
    answer: frame.subarray(bytesEnd + lengthSize, answerEnd),
    label: frame.subarray(answerEnd).toString(),
  };
}
