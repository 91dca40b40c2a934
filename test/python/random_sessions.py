"""Random session files, each with what Python makes of it, as a stream of frames (`judged_frames`).

    python3 random_sessions.py --seed 1 --count 2000 [--start 0]

Session number n of a seed is the same whatever the start and the count. The last frame counts every opcode that was written and
every feature (a row of `features`) that occurred.
"""

import argparse
import collections
import copyreg
import io
import json
import pickle
import random
import struct
import sys
import types
from bisect import bisect
from collections import Counter, OrderedDict, defaultdict
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from applet_json import ByteJunk, byte_string, judge_json_file, judge_value, refused
from foreign_classes import MULTI_DICTS, FixedOffset, MinutesZone, NamedZone, UTC_ZONE
from judged_frames import FrameWriter
from pickle_opcodes import pickle_opcodes
from python2_pickler import ClassicInstance, Long, Python2Pickler

PYTHON3, PYTHON2, JSON = "pickle of Python 3", "pickle of Python 2", "JSON"


class Stranger:
    """An object of a class nobody knows."""

    def __init__(self, state=None):
        self.state = state


class StrangerWithArguments:
    """An object whose class takes keyword arguments when it is made: NEWOBJ_EX."""

    def __new__(cls, *, width):
        return object.__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"width": 3}


class Extended1(Stranger):
    """Known by a one-byte extension code."""


class Extended2(Stranger):
    """Known by a two-byte extension code."""


class Extended4(Stranger):
    """Known by a four-byte extension code."""


class Elsewhere:
    """An object that a pickler writes as a persistent id."""

    def __init__(self, identifier):
        self.identifier = identifier


def a_factory():
    """A function, as a defaultdict's factory."""


strangers = types.ModuleType("strange.module")
for code, thing in (
    (None, Stranger),
    (None, StrangerWithArguments),
    (200, Extended1),
    (4711, Extended2),
    (70000, Extended4),
    (None, a_factory),
):
    thing.__module__, thing.__qualname__ = "strange.module", thing.__name__
    setattr(strangers, thing.__name__, thing)
    if code is not None:
        copyreg.add_extension("strange.module", thing.__name__, code)
sys.modules["strange"] = types.ModuleType("strange")
sys.modules["strange.module"] = strangers


class RepeatedKeys(dict):
    """A dict whose pickle sets equal keys more than once. `pairs` is what is written."""

    def __init__(self, pairs):
        dict.__init__(self, pairs)
        self.pairs = pairs


def _save_repeated_keys(pickler, value):
    pickler.write(pickle.EMPTY_DICT if pickler.bin else pickle.MARK + pickle.DICT)
    pickler.memoize(value)
    pickler._batch_setitems(value.pairs)


def _persistent_id(pickler, value):
    return value.identifier if isinstance(value, Elsewhere) else None


class PurePickler(pickle._Pickler):
    """CPython's pickler in Python."""

    dispatch = dict(pickle._Pickler.dispatch)
    dispatch[RepeatedKeys] = _save_repeated_keys
    persistent_id = _persistent_id


class CPickler(pickle.Pickler):
    """CPython's pickler in C."""

    persistent_id = _persistent_id


class OldPickler(Python2Pickler):
    """Python 2's pickler."""

    dispatch = dict(Python2Pickler.dispatch)
    dispatch[RepeatedKeys] = _save_repeated_keys
    persistent_id = _persistent_id


class Weighted:
    """A choice among names with weights."""

    def __init__(self, **weights):
        self.names = list(weights)
        self.sums = list(accumulate(weights.values()))

    def pick(self, chance):
        return self.names[bisect(self.sums, chance.random() * self.sums[-1])]


WORDS = "odoo tele shop sale order partner 42 10 2 admin en_US Europe/Zurich https://shop.example/a?b=c name value id lang tz".split()
PLAIN_KEYS = "db uid login context debug geoip city region_code country latitude pages order_id params 7 12 2019 -1 0".split()
TRAP_KEYS = ["__proto__", "constructor", "toString", "length", "hasOwnProperty", "", "value", "_type ", "10", "9", "4294967295"]
ISO_TEXTS = ["2020-05-04T12:30:05.500000+05:30", "2019-09-03T00:00:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999-11:00"]
DATE_TEXTS = ["2019-09-03", "2020-02-29", "0001-01-01", "9999-12-31"]
UNREADABLE_TEXTS = ["", "yesterday", "2020-02-30", "2020-13-01", "T12:00", "2020-05-04T25:00:00"]
NUMBER_TEXTS = """-0 -0.0 0 1 -1 0.0 1.0 1e5 1E5 1E+5 1e-5 1.50 0.1 1E400 -1e999 1e-400 5e-324 2e-324 1e15 1e16 1e17 1e22 1e23 123456789.125
    9007199254740993 9007199254740993.0 0.0001 0.00001 1.7976931348623157e308 1.7976931348623159e308 100000000000000000000 2.5e-1
    NaN Infinity -Infinity 1e0 10E-1 4.35 0.30000000000000004 18446744073709551616 -9223372036854775808 1e2147483648 1e-99999999999""".split()
BAD_JSON = [
    b"{'a': 1}", b'{"a": 1,}', b'{"a": 01}', b'{"a": +1}', b'{"a": .5}', b'{"a": 1.}', b'{"a": nan}', b'{"a": True}', b'{"a": "\t"}',
    b'\xef\xbb\xbf{"a": 1}', b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}', b'{"a": "\xc0\x80"}', b'{"a": "\xf4\x90\x80\x80"}', b'{"a": 1} x',
    b'{"a": 1}{}', b"[]", b"[1, 2]", b'"text"', b"12", b"null", b'{"a": "\\x41"}', b'{"a": "\\u12"}', b'{"a": "\\u+123"}', b'{"a": 1e}', b'{"a"}',
    b'{"a": }', b'{1: 2}', b'{"a": 1 "b": 2}', b'{"a": [1, 2}', b'{"a": [1 2]}', b'{"a": [,]}', b'{"a": "', b'{"a": "b', b'{"a": "b\\', b"{", b"{}x",
    b'{"a": /**/1}', b'{"a": -}', b'{"a": -Inf}', b'{"a": Infinit}', b'{"a": 1e+}', b'{"a": 0x10}', b'{"a": 1_0}', b'\x00{"a": 1}', b'{"a": 1}\x00',
    b'{"a": 1}\x0b', b'\x0c{"a": 1}', b'{"a": \xc2\xa01}', b'{"a": "\x00"}', b'{"a": "\x1f"}', b'{"a": "\\', b'{"a": "\\u', b'{"a": --1}', b'{"a": 1.e5}',
]


class SessionMaker:
    """One random session. `features` gathers what occurred in it."""

    def __init__(self, chance, style, protocol):
        self.chance, self.style, self.protocol = chance, style, protocol
        self.features = set()
        self.made = []
        self.has_refused = False

    # Scalars

    TEXTS = Weighted(word=14, empty=1, quoted=2, control=2, latin=2, bmp=2, beyond_bmp=2, lone_high=1, lone_low=1, split_pair=1,
                     delete=1, long=1, escape_like=1, noncharacter=1, line_ends=1)  # fmt: skip

    def text(self):
        kind = self.TEXTS.pick(self.chance)
        self.features.add("text: " + kind)
        value = getattr(self, "text_" + kind)()
        return self.byte_text(value) if self.style == PYTHON2 and self.chance.random() < 0.6 else value

    def byte_text(self, value):
        raw = value.encode("utf-8", "surrogatepass")
        kind = "ASCII" if raw.isascii() else "UTF-8 with surrogates" if any("\ud800" <= c <= "\udfff" for c in value) else "UTF-8"
        self.features.add("Python 2 byte string: " + kind)
        return byte_string(raw)

    def some_words(self, extra=""):
        pieces = [self.chance.choice(WORDS) for _ in range(self.chance.randrange(3))] + list(extra)
        self.chance.shuffle(pieces)
        return " ".join(pieces)

    def text_word(self):
        return self.chance.choice(WORDS) if self.chance.random() < 0.6 else self.some_words()

    def text_empty(self):
        return ""

    def text_quoted(self):
        return self.some_words(self.chance.choice(['"', "\\", "/", "'", "\\\\", '\\"', "'\"", "\"it's\""]))

    def text_control(self):
        return self.some_words(chr(self.chance.choice([0, 1, 8, 9, 10, 12, 13, 26, 27, 31])))

    def text_latin(self):
        return self.some_words(chr(self.chance.randrange(0x80, 0x100)) + "ü")

    def text_bmp(self):
        return self.some_words(chr(self.chance.choice([self.chance.randrange(0x100, 0xD800), 0x2028, 0xE000, 0xFEFF, 0x20AC])))

    def text_beyond_bmp(self):
        return self.some_words(chr(self.chance.choice([self.chance.randrange(0x10000, 0x110000), 0x1F600, 0x10000, 0x10FFFF])))

    def text_lone_high(self):
        return self.some_words(chr(self.chance.randrange(0xD800, 0xDC00)))

    def text_lone_low(self):
        return self.some_words(chr(self.chance.randrange(0xDC00, 0xE000)))

    def text_split_pair(self):
        return "".join(self.chance.choice(["\ud83d\ude00", "a\ud83d\ude00", "\ude00\ud83d", "\ud83d\ud83d\ude00", "\ud83d\ude00\U0001f600"]))

    def text_delete(self):
        return self.some_words("\x7f")

    def text_long(self):
        return self.some_words("x") * self.chance.choice([60, 130, 300, 700])

    def text_escape_like(self):
        return self.some_words([self.chance.choice(["\\u0041", "\\\\u0041", "\\U0001F600", "\\x41", "\\n", "\\", "\\u", "\\ud83d"])])

    def text_noncharacter(self):
        return self.some_words(self.chance.choice(["\ufffe", "\uffff", "\ufffd", "\U0001fffe"]))

    def text_line_ends(self):
        return self.chance.choice(["a\nb", "\r\n", "\n", "a\r", "a\x1ab", "\x00", "a\x85b\u2029"])

    INTS = Weighted(small=20, byte_edges=3, word_edges=3, double_edges=3, random_bits=3, hundreds_of_digits=0.3, most_digits=0.05)

    def integer(self):
        kind = self.INTS.pick(self.chance)
        self.features.add("int: " + kind)
        value = getattr(self, "int_" + kind)()
        if self.style == PYTHON2 and self.chance.random() < 0.3:
            self.features.add("int: Python 2 long")
            return Long(value)
        return value

    def int_small(self):
        return self.chance.randrange(-20, 300)

    def near(self, exponents):
        value = (1 << self.chance.choice(exponents)) + self.chance.randrange(-2, 3)
        return -value if self.chance.random() < 0.5 else value

    def int_byte_edges(self):
        return self.near([7, 8, 15, 16])

    def int_word_edges(self):
        return self.near([30, 31, 32])

    def int_double_edges(self):
        return self.near([52, 53, 54, 62, 63, 64, 65])

    def int_random_bits(self):
        return self.chance.getrandbits(self.chance.randrange(1, 200)) * self.chance.choice([1, -1])

    def int_hundreds_of_digits(self):
        return self.chance.getrandbits(8 * self.chance.choice([100, 254, 255, 256, 257, 400])) * self.chance.choice([1, -1])

    def int_most_digits(self):
        value = 10 ** self.chance.choice([4299, 4300]) - self.chance.choice([1, 2, 1 + self.chance.getrandbits(40)])
        return value * self.chance.choice([1, -1])

    FLOATS = Weighted(common=6, integral=3, bits=4, subnormal=1, large_edge=2, small_edge=2, negative_zero=1, nan=1, infinity=1, extreme=1)

    def floating(self):
        kind = self.FLOATS.pick(self.chance)
        self.features.add("float: " + kind)
        return getattr(self, "float_" + kind)()

    def float_common(self):
        return self.chance.choice([1.5, 0.1, 47.3769, 8.5417, 1565000000.123456, 1 / 3, -2.5, self.chance.uniform(-1000, 1000)])

    def float_integral(self):
        return float(self.chance.choice([0, 1, -1, 100, 10**15, 10**16, 10**22, self.chance.getrandbits(60)]))

    def float_bits(self):
        return struct.unpack("<d", self.chance.getrandbits(64).to_bytes(8, "little"))[0]

    def float_subnormal(self):
        return struct.unpack("<d", self.chance.getrandbits(self.chance.randrange(1, 52)).to_bytes(8, "little"))[0]

    def nearby(self, value):
        bits = struct.unpack("<q", struct.pack("<d", value))[0] + self.chance.randrange(-2, 3)
        return struct.unpack("<d", struct.pack("<q", bits))[0] * self.chance.choice([1, -1])

    def float_large_edge(self):
        return self.nearby(self.chance.choice([1e15, 1e16, 1e17, 123456789012345678.0, 9007199254740992.0, 1e21, 1e22, 1e23]))

    def float_small_edge(self):
        return self.nearby(self.chance.choice([1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 0.00012345]))

    def float_negative_zero(self):
        return -0.0

    def float_nan(self):
        return self.chance.choice([float("nan"), -float("nan")])

    def float_infinity(self):
        return self.chance.choice([float("inf"), -float("inf")])

    def float_extreme(self):
        return self.chance.choice([sys.float_info.max, sys.float_info.min, 5e-324, -5e-324, 1e308, 1e-308, 1e100])

    def constant(self):
        return self.chance.choice([None, True, False])

    # Dates

    def day(self):
        self.features.add("date")
        return date(self.chance.choice([1, 1970, 1999, 2019, 2020, 9999]), self.chance.randrange(1, 13), self.chance.randrange(1, 29))

    ZONES = Weighted(naive=5, utc=2, offset=2, named=1, pytz_utc=1, pytz_p=2, pytz_fixed=1)

    def moment(self):
        kind = self.ZONES.pick(self.chance)
        if self.style == PYTHON2 and kind in ("utc", "offset", "named"):
            kind = "naive"
        self.features.add("date-time: " + kind)
        if self.style == PYTHON2:
            self.features.add("date-time: state is a Python 2 string")
        minutes = self.chance.choice([0, 330, -210, 60, 845, -720, 1439, -1439, 1])
        zone = {
            "naive": lambda: None,
            "utc": lambda: timezone.utc,
            "offset": lambda: timezone(timedelta(minutes=minutes)),
            "named": lambda: timezone(timedelta(minutes=minutes), self.chance.choice(["CET", "", "ü", "UTC"])),
            "pytz_utc": lambda: UTC_ZONE,
            "pytz_p": lambda: self.pytz_state(minutes * 60),
            "pytz_fixed": lambda: FixedOffset(minutes),
        }[kind]()
        day = self.day()
        fold = int(self.style == PYTHON3 and self.protocol >= 4 and self.chance.random() < 0.2)
        if fold:
            self.features.add("date-time: fold")
        microsecond = self.chance.choice([0, 0, 1, 500000, 999999, self.chance.randrange(1000000)])
        return datetime(day.year, day.month, day.day, self.chance.randrange(24), self.chance.randrange(60), self.chance.randrange(60),
                        microsecond, zone, fold=fold)  # fmt: skip

    def pytz_state(self, seconds):
        zone, name = self.chance.choice(["Europe/Zurich", "Asia/Kolkata"]), self.chance.choice(["CEST", "LMT", "IST"])
        if self.style == PYTHON2:
            zone, name = self.byte_text(zone), self.byte_text(name)
        return NamedZone(zone, seconds, self.chance.choice([0, 3600]), name)

    # Containers

    KEYS = Weighted(plain=30, text=6, trap=4, integer=3, floating=1, constant=1, nan=0.3)

    def key(self):
        kind = self.KEYS.pick(self.chance)
        if kind == "plain":
            value = self.chance.choice(PLAIN_KEYS)
            return self.byte_text(value) if self.style == PYTHON2 and self.chance.random() < 0.8 else value
        self.features.add("key: " + kind)
        if kind == "trap":
            return self.chance.choice(TRAP_KEYS)
        if kind == "nan":
            return float("nan")
        value = getattr(self, kind)()
        if kind == "floating" and value != value:
            self.features.add("key: nan")
        return value

    def size(self):
        return self.chance.choice([0, 1, 1, 2, 2, 3, 4, 6])

    def as_list(self, level):
        self.features.add("list")
        return [self.value(level + 1) for _ in range(self.size())]

    def as_tuple(self, level):
        self.features.add("tuple")
        return tuple(self.value(level + 1) for _ in range(self.size()))

    def pairs(self, level):
        return [(self.key(), self.value(level + 1)) for _ in range(self.size())]

    def as_dict(self, level):
        self.features.add("dict")
        return dict(self.pairs(level))

    def as_colliding_dict(self, level):
        self.features.add("dict: keys that become equal text")
        groups = [(1, "1"), (True, "true"), (None, "null"), (1.5, "1.5"), (float("nan"), "NaN"), (10**16 * 1.0, "1e+16"), (-5, "-5"),
                  ("\ud83d\ude00", "\U0001f600"), (False, "false"), (float("inf"), "Infinity")]  # fmt: skip
        keys = [key for group in self.chance.sample(groups, self.chance.randrange(1, 4)) for key in group]
        self.chance.shuffle(keys)
        return {key: self.value(level + 1) for key in keys}

    def as_repeated_dict(self, level):
        """Keys that are equal in Python: the first one's place and text, the last one's value."""
        if self.style != PYTHON2 and not self.pure:
            return self.as_dict(level)
        self.features.add("dict: equal keys")
        keys = self.chance.choice([[1, True, 1.0], [0, False, 0.0, -0.0], ["a", "a"], [2**53, 2.0**53], [10**22, 1e22], [None, None],
                                   [float("nan"), float("nan")], [float("inf"), float("inf")], [2**53 + 1, 2.0**53], [7, 7.0]])[:]  # fmt: skip
        if self.style == PYTHON2 and keys[0] == 1:
            keys.append(Long(1))
        keys += [self.key() for _ in range(self.chance.randrange(3))]
        self.chance.shuffle(keys)
        return RepeatedKeys([(key, self.value(level + 1)) for key in keys])

    def as_ordered_dict(self, level):
        self.features.add("OrderedDict of Python 2" if self.style == PYTHON2 else "OrderedDict")
        return OrderedDict(self.pairs(level))

    def as_defaultdict(self, level):
        factory = self.chance.choice([None, list, dict, int, set, a_factory, Decimal, collections.OrderedDict, datetime, bytes])
        self.features.add("defaultdict: " + ("no factory" if factory is None else "a factory"))
        return defaultdict(factory, self.pairs(level))

    def as_counter(self, level):
        self.features.add("Counter")
        return Counter({self.key(): self.value(level + 1) for _ in range(self.size())})

    def as_multi_dict(self, level):
        (module, name), kind = self.chance.choice(list(MULTI_DICTS.items()))
        self.features.add(f"{name} of {module}")
        pairs = self.pairs(level)
        pairs += [(key, self.chance.choice([(self.text(), self.text()), self.text()])) for key, _ in pairs if key == key and self.chance.random() < 0.4]
        return kind(pairs)

    def as_set(self, level):
        self.features.add("set")
        return {self.set_item() for _ in range(self.size())}

    def set_item(self):
        kind = self.chance.choice(["text", "text", "integer", "floating", "constant", "day", "moment"])
        if kind in ("day", "moment"):
            self.features.add("set of dates")
        return getattr(self, kind)()

    def as_equal_set(self, level):
        """A set that is made of items some of which are equal."""
        self.features.add("set: equal items")
        base = datetime(2020, 5, 4, 12, 30)
        east = timezone(timedelta(hours=2)) if self.style == PYTHON3 else MinutesZone(120)
        return set(self.chance.choice([[1, 2, 3], ["\ud83d\ude00", "\U0001f600"], [base, base.replace(tzinfo=east), base.date()]]))

    def as_tag(self, level):
        """A dict of the session's own that looks like what the applet's encoder writes, and can be read back."""
        self.features.add("own _type: readable")
        tag, value = self.chance.choice([
            ("datetime_isoformat", self.chance.choice(ISO_TEXTS)),
            ("date_isoformat", self.chance.choice(DATE_TEXTS)),
            ("set", []),
            ("set", [1, "a", 2.5, None]),
            ("set", "abc"),
            ("set", {"a": 1}),
            ("set", [{"_type": "date_isoformat", "value": "2019-09-03"}]),
        ])  # fmt: skip
        return self.tagged(tag, value)

    def tagged(self, tag, value):
        pairs = [("_type", tag), ("value", value)]
        if self.chance.random() < 0.3:
            pairs.append((self.chance.choice(["more", 5]) if self.style != JSON else "more", 1))
        self.chance.shuffle(pairs)
        return dict(pairs)

    def as_other_tag(self, level):
        self.features.add("own _type: none of the three")
        return {"_type": self.chance.choice(["other", "", 5, None, ["set"], "Set", "set "]), "value": self.value(level + 1)}

    def as_shared(self, level):
        """Something that stands elsewhere in the session already: the same object."""
        if not self.made:
            return self.as_list(level)
        self.features.add("shared reference")
        return self.chance.choice(self.made)

    VALUES = Weighted(text=24, integer=14, floating=10, constant=10, day=2, moment=4, as_list=6, as_tuple=4, as_dict=8, as_colliding_dict=1,
                      as_repeated_dict=1, as_ordered_dict=2, as_defaultdict=2, as_counter=1, as_multi_dict=4, as_set=3, as_equal_set=0.5, as_tag=1,
                      as_other_tag=0.5, as_shared=2)  # fmt: skip
    JSON_VALUES = Weighted(text=24, integer=10, floating=10, constant=10, as_list=8, as_dict=10, as_tag=1, as_other_tag=0.5)

    def value(self, level):
        kind = (self.JSON_VALUES if self.style == JSON else self.VALUES).pick(self.chance)
        if not kind.startswith("as_"):
            return getattr(self, kind)()
        if level > 5:
            return self.text()
        made = getattr(self, kind)(level)
        if not isinstance(made, tuple):
            self.made.append(made)
        return made

    # What is refused

    REFUSED = Weighted(bytes=2, bytearray=3, decimal=1, complex=1, frozenset=1, time=1, timedelta=1, stranger=2, stranger_with_arguments=2,
                       strange_name=1, known_name=1, zone=1, offset_seconds=2, pytz_name_alone=1, set_of_tuple=1, set_of_frozenset=1,
                       set_of_bytes=1, unreadable_tag=4, key=2, empty_multi_value=1, big_integer=0.4, circular_list=1, circular_dict=1,
                       circular_tuple=1, circular_ordered=1, circular_default=1, circular_multi=1, too_deep=1, too_large=0.3, byte_junk=2,
                       classic=5, persistent=2, extension=4, buffer=7, set_key=1)  # fmt: skip
    JSON_REFUSED = Weighted(unreadable_tag=4, big_integer=0.3, too_deep=1)

    def refused_value(self, kind=None):
        """A value that must be refused; None where this style and protocol have no such value."""
        kind = kind or (self.JSON_REFUSED if self.style == JSON else self.REFUSED).pick(self.chance)
        value = getattr(self, "refused_" + kind)()
        if value is not None:
            self.has_refused = True
            self.features.add("refused: " + kind)
        return value

    def refused_bytes(self):
        return None if self.style == PYTHON2 else self.chance.choice([b"", b"abc", b"\xff\x00", b"x" * 300])

    def refused_bytearray(self):
        return None if self.style == PYTHON2 else bytearray(self.chance.choice([b"", b"abc", b"\xff\x00", b"x" * 300]))

    def refused_decimal(self):
        return Decimal("1.50")

    def refused_complex(self):
        return complex(1, -2)

    def refused_frozenset(self):
        return frozenset(self.chance.choice([[], [1, 2], ["a"]]))

    def refused_time(self):
        return None if self.style == PYTHON2 else time(12, 30)

    def refused_timedelta(self):
        return timedelta(days=1, seconds=5)

    def refused_stranger(self):
        return None if self.style == PYTHON2 else self.chance.choice([Stranger(5), Stranger(), Fraction(1, 3)])

    def refused_stranger_with_arguments(self):
        return StrangerWithArguments(width=3) if self.style == PYTHON3 else None

    def refused_strange_name(self):
        return self.chance.choice([Stranger, a_factory, print])

    def refused_known_name(self):
        return self.chance.choice([set, datetime, OrderedDict, dict])

    def refused_zone(self):
        return self.chance.choice([UTC_ZONE, MinutesZone(60)] + ([timezone.utc] if self.style == PYTHON3 else []))

    def refused_offset_seconds(self):
        if self.style == PYTHON2:
            return datetime(2020, 5, 4, tzinfo=self.pytz_state(2045))
        offset = self.chance.choice([timedelta(seconds=3601), timedelta(microseconds=1), -timedelta(minutes=1, seconds=1)])
        return datetime(2020, 5, 4, tzinfo=self.chance.choice([timezone(offset), self.pytz_state(-59)]))

    def refused_pytz_name_alone(self):
        return datetime(2020, 5, 4, tzinfo=NamedZone("Asia/Kolkata"))

    def refused_set_of_tuple(self):
        return self.chance.choice([{()}, {1, (2,)}, {("a", "b")}])

    def refused_set_of_frozenset(self):
        return {frozenset([1])}

    def refused_set_of_bytes(self):
        return {ByteJunk(b"\xff")} if self.style == PYTHON2 else {b"a", 1}

    def refused_set_key(self):
        return {self.chance.choice([(1, 2), (), frozenset([1])]): 1}

    def refused_unreadable_tag(self):
        tag = self.chance.choice(["datetime_isoformat", "date_isoformat", "set"])
        if self.chance.random() < 0.2:
            return {"_type": tag}
        if tag == "set":
            return self.tagged(tag, self.chance.choice([5, None, 1.5, True, [[1]], [{}], [1, [2]], [{"_type": "set", "value": []}]]))
        return self.tagged(tag, self.chance.choice(UNREADABLE_TEXTS + [None, 5, [], {}]))

    def refused_key(self):
        if self.style == PYTHON2:
            return {self.chance.choice([ByteJunk(b"\xff\xfe"), date(2020, 5, 4)]): 1}
        return {self.chance.choice([b"a", date(2020, 5, 4), datetime(2020, 5, 4), Decimal(1), complex(0, 1)]): 1}

    def refused_empty_multi_value(self):
        made = MULTI_DICTS[("werkzeug.datastructures", "MultiDict")]()
        made.setlist("a", [])
        made.add("b", 1)
        return made if self.protocol < 2 else None

    def refused_big_integer(self):
        if self.style == JSON or self.protocol >= 2:
            return 10**4300 + self.chance.choice([0, 1, 10**4301])
        return None

    def refused_circular_list(self):
        made = [1]
        made.append(self.chance.choice([made, {"a": made}, [made], (made,)]))
        return made

    def refused_circular_dict(self):
        made = {"a": 1}
        made["b"] = self.chance.choice([made, [made], {"c": [made]}])
        return made

    def refused_circular_tuple(self):
        inner = []
        made = self.chance.choice([(inner,), (1, inner), (1, 2, inner), (1, 2, 3, inner)])
        inner.append(made)
        return made

    def refused_circular_ordered(self):
        if self.style == PYTHON2:
            return None
        made = OrderedDict(a=1)
        made["b"] = [made]
        return made

    def refused_circular_default(self):
        made = defaultdict(list)
        made["b"] = {"a": made}
        return made

    def refused_circular_multi(self):
        if self.protocol < 2:
            return None
        made = self.chance.choice(list(MULTI_DICTS.values())[::4])()
        made.add("a", [made])
        return made

    def refused_too_deep(self):
        return self.nested(self.chance.randrange(520, 600))

    def nested(self, levels):
        made = self.text()
        for _ in range(levels):
            made = [made] if self.chance.random() < 0.7 else {"a": made}
        return made

    def refused_too_large(self):
        if self.chance.random() < 0.5:
            part = "x" * 60000
            return [[part] * 20] * 20
        made = [1]
        for _ in range(40):
            made = [made, made]
        return made

    def refused_byte_junk(self):
        return ByteJunk(self.chance.choice([b"\xff", b"\x80abc", b"\xc3", b"\xe9t\xe9", b"\xc0\x80"])) if self.style == PYTHON2 else None

    def refused_classic(self):
        return ClassicInstance("strange.module", "Old", {"a": 1}) if self.style == PYTHON2 else None

    def refused_persistent(self):
        return Elsewhere("an-id")

    def refused_extension(self):
        if self.protocol < 2:
            return None
        return self.chance.choice([Extended1, Extended2, Extended4])

    def refused_buffer(self):
        if self.protocol != 5:
            return None
        return pickle.PickleBuffer(self.chance.choice([b"read only", bytearray(b"writable")]))

    # Whole sessions

    def session(self):
        chance = self.chance
        value = {}
        if chance.random() < 0.8:
            value["db"] = chance.choice([None, "shop", "tele"])
            value["uid"] = self.user()
            value["login"] = chance.choice([None, "someone@shop.example"])
            value["session_token"] = chance.choice([None, "0123456789abcdef" * 4])
            value["context"] = chance.choice([{}, {"lang": "de_CH", "tz": "Europe/Zurich", "uid": 2}])
            value["debug"] = chance.choice(["", False, "assets"])
        if chance.random() < 0.1:
            value["expiration"] = self.expiration()
        for _ in range(chance.choice([0, 1, 2, 3, 5, 8])):
            value[self.top_key()] = self.value(2)
        if chance.random() < 0.008:
            self.features.add("many parts")
            value["many"] = [[self.text()] for _ in range(300)]
            value["again"] = value["many"][-3:] + value["many"][:3]
        if chance.random() < 0.008:
            self.features.add("deep, and allowed")
            value["deep"] = self.nested(chance.choice([100, 400, 480]))
        return value

    def top_key(self):
        key = self.key()
        return "other" if key in ("expiration", "uid", "_type") else key

    def user(self):
        self.features.add("authenticated")
        return self.chance.choice([2, 1, True, "2", 1.0, [0], 10**20]) if self.chance.random() < 0.5 else self.no_user()

    def no_user(self):
        self.features.discard("authenticated")
        self.features.add("anonymous")
        return self.chance.choice([None, None, None, 0, False, "", 0.0, [], {}])

    def expiration(self):
        self.features.add("own expiration")
        return self.chance.choice([3600, "3600", 0, "", None, False, 3600.0, [], "soon", {"a": 1}, 9999999999, "9999999999"])

    def put_somewhere(self, session, value):
        """The session with `value` somewhere in it."""
        for _ in range(self.chance.randrange(3)):
            value = self.chance.choice([lambda: [1, value], lambda: {"a": value}, lambda: {"a": [value], "b": 2}])()
        if self.style != JSON and self.chance.random() < 0.2:
            value = self.chance.choice([lambda: (value, 1), lambda: OrderedDict(a=value), lambda: defaultdict(list, a=value)])()
        session[self.chance.choice(["x", "saved_actions", "y"])] = value
        return session

    # Pickles

    def pickled(self, session):
        if self.style == PYTHON2:
            stream = io.BytesIO()
            OldPickler(stream, self.protocol).dump(session)
            return stream.getvalue()
        stream = io.BytesIO()
        keep = [].append if self.protocol == 5 else None
        (PurePickler if self.pure else CPickler)(stream, self.protocol, buffer_callback=keep).dump(session)
        return stream.getvalue()

    # JSON

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
            short = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
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
            return repr(value) if isinstance(value, int) and abs(value) < 10**4000 else long_decimal(value) if isinstance(value, int) else json.dumps(value)
        if isinstance(value, (list, tuple)):
            return "[" + blank() + (blank() + "," + blank()).join(map(self.json_of, value)) + blank() + "]"
        pairs = [(self.json_text(key if isinstance(key, str) else str(key)), self.json_of(item)) for key, item in value.items()]
        if pairs and self.chance.random() < 0.1 and "_type" not in value and not self.has_refused:
            self.features.add("JSON: repeated keys")
            pairs.append((self.chance.choice(pairs)[0], self.json_of(self.value(5))))
        return "{" + blank() + (blank() + "," + blank()).join(key + blank() + ":" + blank() + item for key, item in pairs) + blank() + "}"

    def json_file(self, session):
        kind = self.chance.choice(["dump", "dump", "dump unescaped", "dump indented", "free", "free", "free"])
        self.features.add("JSON: " + kind)
        if kind == "free" or any_long_integer(session):
            text = self.json_blank() + self.json_of(session) + self.json_blank()
        else:
            text = json.dumps(session, **{"dump": {}, "dump unescaped": {"ensure_ascii": False}, "dump indented": {"indent": 2}}[kind])
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
    if isinstance(value, dict):
        return any(map(any_long_integer, value.values()))
    if isinstance(value, list):
        return any(map(any_long_integer, value))
    return isinstance(value, int) and abs(value) >= 10**4300


# The first sessions of every seed: each refused kind in each protocol, so that a short run has them all.
ROLL_CALL = [
    (style, protocol, kind)
    for style, protocols in ((PYTHON3, 6), (PYTHON2, 3))
    for kind in SessionMaker.REFUSED.names
    for protocol in range(protocols)
]

NOT_A_DICT = [[], [1, 2], None, 5, "text", (1,), {1, 2}, 1.5, True]


def make_session(seed, index):
    """Session file `index` of `seed`: its bytes, the verdict, its features."""
    chance = random.Random(seed * 1_000_000_007 + index)
    style = chance.choices([PYTHON3, PYTHON2, JSON], [60, 22, 18])[0]
    protocol = chance.randrange(6 if style == PYTHON3 else 3)
    kind = None
    if index < len(ROLL_CALL):
        style, protocol, kind = ROLL_CALL[index]
    maker = SessionMaker(chance, style, protocol)
    maker.pure = chance.random() < 0.5
    session = maker.session()
    if style == JSON:
        maker.features.add("JSON")
        return make_json(chance, maker, session)
    pickler = "Python 2" if style == PYTHON2 else "pure" if maker.pure else "C"
    maker.features.add(f"protocol {protocol}, {pickler} pickler")
    if kind or chance.random() < 0.15:
        value = maker.refused_value(kind)
        if value is not None:
            session = maker.put_somewhere(session, value)
    if chance.random() < 0.005:
        maker.features.add("refused: not a dict")
        session = chance.choice(NOT_A_DICT)
    data = maker.pickled(session)
    verdict = judge_value(session)
    if chance.random() < 0.02:
        maker.features.add("trailing bytes")
        data += chance.choice([b"\x00", b"rubbish", b"\n", data])
    if chance.random() < 0.02:
        maker.features.add("refused: truncated")
        data, verdict = data[: chance.randrange(1, data.index(b".") + 1)], refused("corrupt", "unsupported-type")
    return data, verdict, maker.features


def make_json(chance, maker, session):
    if chance.random() < 0.08:
        value = maker.refused_value()
        session = maker.put_somewhere(session, value)
    if chance.random() < 0.03:
        maker.features.add("refused: bad JSON")
        data = chance.choice(BAD_JSON)
        return data, judge_json_file(data), maker.features
    data = maker.json_file(session)
    if chance.random() < 0.02:
        maker.features.add("refused: truncated JSON")
        data = data[: chance.randrange(1, len(data.rstrip()))]
        return data, refused("corrupt", *(("too-deep", "unsupported-type") if maker.has_refused else ())), maker.features
    return data, judge_json_file(data), maker.features


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--start", type=int, default=0)
    arguments.add_argument("--count", type=int, default=2000)
    options = arguments.parse_args()
    sys.setrecursionlimit(20000)
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(4300)
    frames = FrameWriter()
    counts = Counter()
    for index in range(options.start, options.start + options.count):
        data, verdict, features = make_session(options.seed, index)
        counts.update(features)
        if "JSON" not in features and "refused: truncated" not in features:
            counts.update({"opcode " + name for name, _, _, _ in pickle_opcodes(data)})
        frames.write_judged(data, verdict, str(index))
    frames.end(counts)


if __name__ == "__main__":
    main()
