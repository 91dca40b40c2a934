"""JSON with all the liberties that its grammar allows, and texts that it does not allow."""

import json
import struct

NUMBER_TEXTS = """-0 -0.0 0 1 -1 0.0 1.0 1e5 1E5 1E+5 1e-5 1.50 0.1 1E400 -1e999 1e-400 5e-324 2e-324 1e15 1e16 1e17 1e22 1e23 123456789.125
    9007199254740993 9007199254740993.0 0.0001 0.00001 1.7976931348623157e308 1.7976931348623159e308 100000000000000000000 2.5e-1
    NaN Infinity -Infinity 1e0 10E-1 4.35 0.30000000000000004 18446744073709551616 -9223372036854775808 1e2147483648 1e-99999999999""".split()
BAD_JSON = [
    b"{'a': 1}",
    b'{"a": 1,}',
    b'{"a": 01}',
    b'{"a": +1}',
    b'{"a": .5}',
    b'{"a": 1.}',
    b'{"a": nan}',
    b'{"a": True}',
    b'{"a": "\t"}',
    b'\xef\xbb\xbf{"a": 1}',
    b'{"a": "\xff"}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": "\xc0\x80"}',
    b'{"a": "\xf4\x90\x80\x80"}',
    b'{"a": 1} x',
    b'{"a": 1}{}',
    b"[]",
    b"[1, 2]",
    b'"text"',
    b"12",
    b"null",
    b'{"a": "\\x41"}',
    b'{"a": "\\u12"}',
    b'{"a": "\\u+123"}',
    b'{"a": 1e}',
    b'{"a"}',
    b'{"a": }',
    b"{1: 2}",
    b'{"a": 1 "b": 2}',
    b'{"a": [1, 2}',
    b'{"a": [1 2]}',
    b'{"a": [,]}',
    b'{"a": "',
    b'{"a": "b',
    b'{"a": "b\\',
    b"{",
    b"{}x",
    b'{"a": /**/1}',
    b'{"a": -}',
    b'{"a": -Inf}',
    b'{"a": Infinit}',
    b'{"a": 1e+}',
    b'{"a": 0x10}',
    b'{"a": 1_0}',
    b'\x00{"a": 1}',
    b'{"a": 1}\x00',
    b'{"a": 1}\x0b',
    b'\x0c{"a": 1}',
    b'{"a": \xc2\xa01}',
    b'{"a": "\x00"}',
    b'{"a": "\x1f"}',
    b'{"a": "\\',
    b'{"a": "\\u',
    b'{"a": --1}',
    b'{"a": 1.e5}',
]


class JsonTexts:
    """Writes values as some JSON text. Wants `chance`, `features`, `has_refused` and `value(level)`."""

    def json_blank(self):
        return self.chance.choice(["", "", "", " ", "\n", "\t", "\r\n  "])

    def json_text(self, text):
        out = ['"']
        for character in text:
            code = ord(character)
            must = character in '"\\' or code < 0x20 or 0xD800 <= code < 0xE000
            if not must and self.chance.random() < 0.9:
                out.append(character)
                continue
            short = {
                '"': '\\"',
                "\\": "\\\\",
                "/": "\\/",
                "\b": "\\b",
                "\f": "\\f",
                "\n": "\\n",
                "\r": "\\r",
                "\t": "\\t",
            }.get(character)
            if short and self.chance.random() < 0.7:
                out.append(short)
                continue
            units = character.encode("utf-16-be", "surrogatepass")
            for unit in struct.unpack(f">{len(units) // 2}H", units):
                out.append(f"\\u{unit:04x}" if self.chance.random() < 0.7 else f"\\u{unit:04X}")
        return "".join(out) + '"'

    def json_number(self):
        self.features.add("JSON: number texts")
        return self.chance.choice(NUMBER_TEXTS)

    def json_of(self, value):
        """Some JSON text for a value, with the liberties that JSON allows: blanks, escapes, numbers' texts, repeated keys."""
        blank = self.json_blank
        if isinstance(value, str):
            return self.json_text(value)
        if value is None or value is True or value is False:
            return {None: "null", True: "true", False: "false"}[value]
        if isinstance(value, (int, float)):
            if self.chance.random() < 0.4:
                return self.json_number()
            return (
                repr(value)
                if isinstance(value, int) and abs(value) < 10**4000
                else long_decimal(value)
                if isinstance(value, int)
                else json.dumps(value)
            )
        if isinstance(value, (list, tuple)):
            return "[" + blank() + (blank() + "," + blank()).join(map(self.json_of, value)) + blank() + "]"
        pairs = [
            (
                self.json_text(key if isinstance(key, str) else str(key)),
                json.dumps(item) if key == "expiration" else self.json_of(item),
            )
            for key, item in value.items()
        ]
        if pairs and self.chance.random() < 0.1 and not {"_type", "expiration"} & value.keys() and not self.has_refused:
            self.features.add("JSON: repeated keys")
            pairs.append((self.chance.choice(pairs)[0], self.json_of(self.value(5))))
        return (
            "{"
            + blank()
            + (blank() + "," + blank()).join(key + blank() + ":" + blank() + item for key, item in pairs)
            + blank()
            + "}"
        )

    def json_file(self, session):
        kind = self.chance.choice(["dump", "dump", "dump unescaped", "dump indented", "free", "free", "free"])
        self.features.add("JSON: " + kind)
        if kind == "free" or any_long_integer(session):
            text = self.json_blank() + self.json_of(session) + self.json_blank()
        else:
            text = json.dumps(
                session, **{"dump": {}, "dump unescaped": {"ensure_ascii": False}, "dump indented": {"indent": 2}}[kind]
            )
        return text.encode("utf-8", "replace")


def long_decimal(value):
    """Decimal text of an integer of any length, whatever limit this Python sets."""
    sign, value, parts = "-" if value < 0 else "", abs(value), []
    while value >= 10**1000:
        value, rest = divmod(value, 10**1000)
        parts.append(f"{rest:01000d}")
    return sign + str(value) + "".join(reversed(parts))


def any_long_integer(value):
    """Whether an integer is in it that this Python may refuse to write."""
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
        elif isinstance(part, int) and abs(part) >= 10**4300:
            return True
    return False
