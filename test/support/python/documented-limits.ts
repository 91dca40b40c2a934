/**
 * Where this decoder is stricter than Python on purpose. No pickler writes such a file, so no
 * server has one; a damaged or hostile file may be one. `details` matches the reason and detail of
 * the refusal.
 */
export const documentedLimits: readonly { readonly limit: string; readonly details: RegExp }[] = [
  {
    limit: "A known name is called only with arguments that a pickler gives it.",
    details: /^corrupt: [\w.]+ with arguments that no pickler writes$|^corrupt: a call without a tuple of arguments$/,
  },
  {
    limit:
      "A pickler's way to make an object is NEWOBJ for a multi-dict, a Markup and an unknown class; " +
      "only a multi-dict and an OrderedDict are given a state.",
    details: /^corrupt: \w+ made in a way that no pickler uses$|^corrupt: a state that no pickler writes$/,
  },
  {
    limit: "Items are put only into what a pickler puts them into: a list, a dict, a set.",
    details: /^corrupt: items for something that is not a (list|dict|set)$/,
  },
  {
    limit: "Dates and times are in range in every field; Python looks at the month alone.",
    details: /^corrupt: a date(-time)? out of range$/,
  },
  {
    limit:
      "Frames neither overlap nor end within a value; Python's unpickler in Python says so too, the one in C does not.",
    details: /^corrupt: (a frame that ends within a value|a frame within a frame)$/,
  },
  {
    limit: "The session is a plain dict, not a multi-dict, nor an object of an unknown class.",
    details: /^corrupt: the session is not a dict$/,
  },
  {
    limit:
      "An unknown name is a defaultdict's factory, the class of an object that is filled, or a failure, " +
      "even if the session does not hold it.",
    details: /^unsupported-type: (?:[^ ]*\.[^ ]*$|names [^ ]*\.[^ ]*: no server writes that)/,
  },
  {
    limit: "Out-of-band buffers are refused, even an opcode for them that changes nothing.",
    details: /^unsupported-type: an out-of-band buffer \(READONLY_BUFFER\)$/,
  },
  {
    limit: "A dict that names itself a date is readable if its value is ISO 8601 as isoformat writes it.",
    details: /^unsupported-type: a dict with the tag \w+ but no readable value$/,
  },
  {
    limit: "What no session can hold is refused as soon as it is read, even if the session does not keep it.",
    details: new RegExp(
      "^unsupported-type: (a time zone by name alone|an integer of more than 4300 digits)$|" +
        "^corrupt: (a time zone offset of a day or more|a duration out of range|a name that is not text)$|" +
        "^too-deep: more than 500 levels$",
    ),
  },
  {
    limit:
      "A file is no larger, and holds no more opcodes, containers and copies, than a session of that " +
      "size can need: a million containers, for one.",
    details:
      /^too-large: (too many copies|too many opcodes|too many values|more than \d+ containers|a file of \d+ bytes)$/,
  },
  {
    limit: "A memo number is at most 16,777,216: Python makes a table of that length.",
    details: /^corrupt: a memo number that is too large$/,
  },
  {
    limit: "A time zone is one that Node knows by the same name; its offsets are those of Node's time zone data.",
    details: /^unsupported-type: a time zone that Node does not know$/,
  },
  {
    limit: "A multi-dict's values are lists.",
    details: /^unsupported-type: a multi-dict with a value that is not a list$/,
  },
];
