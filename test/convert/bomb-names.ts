/** Bytes that are made to be expensive, of any size. */
export const bombs: readonly (readonly [name: string, make: (size: number) => Buffer])[] = [
  ["a text of JSON without an end", (size) => filled(size, '{"db": "', "x")],
  ["a text of JSON, whole", (size) => Buffer.concat([filled(size, '{"db": "', "x"), Buffer.from('"}')])],
  ["a text of JSON of escapes", (size) => filled(size, '{"db": "', "\\n")],
  ["a number of JSON", (size) => filled(size, '{"db": ', "1")],
  ["a fraction of JSON", (size) => filled(size, '{"db": 1.', "1")],
  ["white space", (size) => filled(size, "{", " ")],
  ["lists of JSON", (size) => filled(size, "{", "[")],
  ["a list of JSON", (size) => filled(size, '{"db": [', "0,")],
  [
    "a Python 2 literal of escapes",
    (size) => Buffer.concat([filled(size, "(S'db'\nS'", "\\x41"), Buffer.from("'\nd.")]),
  ],
  [
    "a Python 2 literal of backslashes",
    (size) => Buffer.concat([filled(size, "(S'db'\nS'", "\\\\"), Buffer.from("'\nd.")]),
  ],
  ["a line of raw-unicode escapes", (size) => Buffer.concat([filled(size, "(Vdb\nV", "\\u0041"), Buffer.from("\nd.")])],
  ["a line of backslashes", (size) => Buffer.concat([filled(size, "(Vdb\nV", "\\\\"), Buffer.from("\nd.")])],
  ["a line that does not end", (size) => filled(size, "(Vdb\nV", "a")],
  ["an int's line", (size) => filled(size, "I", "1")],
  ["a float's line", (size) => filled(size, "F", "1")],
  ["marks", (size) => filled(size, "", "(")],
  ["empty lists", (size) => filled(size, "", "]")],
  ["copies of the top", (size) => filled(size, "}", "2")],
  ["tuples in tuples", (size) => filled(size, ")", "\x85")],
  ["memoized lists", (size) => filled(size, "", "]\x94")],
];

function filled(size: number, head: string, piece: string): Buffer {
  return Buffer.concat([Buffer.from(head, "latin1"), Buffer.alloc(size - head.length, piece, "latin1")]);
}

export const bombNames = bombs.map(([name]) => name);
