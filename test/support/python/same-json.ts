/**
 * Whether two JSON texts as Python writes them are the same, byte for byte, except for the order of
 * the items of sets.
 */
export function isSameJson(one: string, other: string): boolean {
  if (one === other) return true;
  return one.length === other.length && withSetsSorted(one) === withSetsSorted(other);
}

const setStart = '{"_type": "set", "value": [';

/**
 * The same text with the items of each `{"_type": "set", "value": [...]}` in order of their text;
 * everything else stays as it is.
 */
function withSetsSorted(text: string): string {
  const reader = { text, at: 0 };
  const sorted = nextValue(reader);
  return sorted + text.slice(reader.at);
}

interface Reader {
  readonly text: string;
  at: number;
}

function nextValue(reader: Reader): string {
  const { text } = reader;
  if (text.startsWith(setStart, reader.at)) {
    const start = reader.at;
    reader.at += setStart.length - 1;
    const items = nextItems(reader, "]");
    if (text[reader.at] === "}") {
      reader.at += 1;
      return `${setStart}${items.sort().join(", ")}]}`;
    }
    reader.at = start;
  }
  const first = text[reader.at];
  if (first === "[") return `[${nextItems(reader, "]").join(", ")}]`;
  if (first === "{") return `{${nextItems(reader, "}").join(", ")}}`;
  return nextScalar(reader);
}

/** The items between brackets; an item of a dict is its key and value together. */
function nextItems(reader: Reader, close: string): string[] {
  const items: string[] = [];
  reader.at += 1;
  while (reader.at < reader.text.length && reader.text[reader.at] !== close) {
    if (reader.text.startsWith(", ", reader.at)) reader.at += 2;
    let item = nextValue(reader);
    if (reader.text.startsWith(": ", reader.at)) {
      reader.at += 2;
      item += `: ${nextValue(reader)}`;
    }
    items.push(item);
  }
  reader.at += 1;
  return items;
}

const scalar = /"(?:[^"\\]|\\.)*"|[^",:\]}]+/y;

function nextScalar(reader: Reader): string {
  scalar.lastIndex = reader.at;
  const [found] = scalar.exec(reader.text) ?? [reader.text.slice(reader.at)];
  reader.at += found.length;
  return found;
}
