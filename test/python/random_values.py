"""Random values that a session may hold: every kind of formats.md, sections 2 and 3."""

import collections
import struct
import sys
from bisect import bisect
from collections import Counter, OrderedDict, defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import accumulate
from zoneinfo import ZoneInfo

from applet_json import Markup, byte_string
from foreign_classes import MULTI_DICTS, UTC_ZONE, FixedOffset, MinutesZone, NamedZone
from python2_pickler import Long
from session_picklers import RepeatedKeys
from strange_objects import StrangeDict, StrangeList, a_factory

PYTHON3, PYTHON2, JSON = "pickle of Python 3", "pickle of Python 2", "JSON"


class Weighted:
    """A choice among names with weights."""

    def __init__(self, **weights):
        self.names = list(weights)
        self.sums = list(accumulate(weights.values()))

    def pick(self, chance):
        return self.names[bisect(self.sums, chance.random() * self.sums[-1])]


WORDS = "odoo tele shop sale order partner 42 10 2 admin en_US Europe/Zurich https://shop.example/a?b=c name value id lang tz".split()
PLAIN_KEYS = (
    "db uid login context debug geoip city region_code country latitude pages order_id params 7 12 2019 -1 0".split()
)
TRAP_KEYS = [
    "__proto__",
    "constructor",
    "toString",
    "length",
    "hasOwnProperty",
    "",
    "value",
    "_type ",
    "10",
    "9",
    "4294967295",
]
ISO_TEXTS = [
    "2020-05-04T12:30:05.500000+05:30",
    "2019-09-03T00:00:00",
    "0001-01-01T00:00:00",
    "9999-12-31T23:59:59.999999-11:00",
]
DATE_TEXTS = ["2019-09-03", "2020-02-29", "0001-01-01", "9999-12-31"]
UNREADABLE_TEXTS = [
    "",
    "yesterday",
    "2020-02-30",
    "2020-13-01",
    "T12:00",
    "2020-05-04T25:00:00",
    "2020-05-04T12:30:05+01:00:30",
    "2020-05-04x12:30:05",
]


class RandomValues:
    """Makes values for one session. `features` gathers what occurred, `made` the containers that may be referred to again."""

    # Scalars

    TEXTS = Weighted(
        word=14,
        empty=1,
        quoted=2,
        control=2,
        latin=2,
        bmp=2,
        beyond_bmp=2,
        lone_high=1,
        lone_low=1,
        split_pair=1,
        delete=1,
        long=1,
        escape_like=1,
        noncharacter=1,
        line_ends=1,
    )

    def text(self):
        kind = self.TEXTS.pick(self.chance)
        self.features.add("text: " + kind)
        value = getattr(self, "text_" + kind)()
        return self.byte_text(value) if self.style == PYTHON2 and self.chance.random() < 0.6 else value

    def markup(self):
        self.features.add("Markup")
        return Markup(self.text())

    def byte_text(self, value):
        raw = value.encode("utf-8", "surrogatepass")
        kind = (
            "ASCII"
            if raw.isascii()
            else "UTF-8 with surrogates"
            if any("\ud800" <= c <= "\udfff" for c in value)
            else "UTF-8"
        )
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
        return self.some_words(self.chance.choice(['"', "\\", "/", "'", "\\\\", '\\"', "'\"", '"it\'s"']))

    def text_control(self):
        return self.some_words(chr(self.chance.choice([0, 1, 8, 9, 10, 12, 13, 26, 27, 31])))

    def text_latin(self):
        return self.some_words(chr(self.chance.randrange(0x80, 0x100)) + "ü")

    def text_bmp(self):
        return self.some_words(
            chr(self.chance.choice([self.chance.randrange(0x100, 0xD800), 0x2028, 0xE000, 0xFEFF, 0x20AC]))
        )

    def text_beyond_bmp(self):
        return self.some_words(
            chr(self.chance.choice([self.chance.randrange(0x10000, 0x110000), 0x1F600, 0x10000, 0x10FFFF]))
        )

    def text_lone_high(self):
        return self.some_words(chr(self.chance.randrange(0xD800, 0xDC00)))

    def text_lone_low(self):
        return self.some_words(chr(self.chance.randrange(0xDC00, 0xE000)))

    def text_split_pair(self):
        return "".join(
            self.chance.choice(
                ["\ud83d\ude00", "a\ud83d\ude00", "\ude00\ud83d", "\ud83d\ud83d\ude00", "\ud83d\ude00\U0001f600"]
            )
        )

    def text_delete(self):
        return self.some_words("\x7f")

    def text_long(self):
        return self.some_words("x") * self.chance.choice([60, 130, 300, 700])

    def text_escape_like(self):
        return self.some_words(
            [self.chance.choice(["\\u0041", "\\\\u0041", "\\U0001F600", "\\x41", "\\n", "\\", "\\u", "\\ud83d"])]
        )

    def text_noncharacter(self):
        return self.some_words(self.chance.choice(["\ufffe", "\uffff", "\ufffd", "\U0001fffe"]))

    def text_line_ends(self):
        return self.chance.choice(["a\nb", "\r\n", "\n", "a\r", "a\x1ab", "\x00", "a\x85b\u2029"])

    INTS = Weighted(
        small=20, byte_edges=3, word_edges=3, double_edges=3, random_bits=3, hundreds_of_digits=0.3, most_digits=0.05
    )

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
        return self.chance.getrandbits(8 * self.chance.choice([100, 254, 255, 256, 257, 400])) * self.chance.choice(
            [1, -1]
        )

    def int_most_digits(self):
        value = 10 ** self.chance.choice([4299, 4300]) - self.chance.choice([1, 2, 1 + self.chance.getrandbits(40)])
        return value * self.chance.choice([1, -1])

    FLOATS = Weighted(
        common=6,
        integral=3,
        bits=4,
        subnormal=1,
        large_edge=2,
        small_edge=2,
        negative_zero=1,
        nan=1,
        infinity=1,
        extreme=1,
    )

    def floating(self):
        kind = self.FLOATS.pick(self.chance)
        self.features.add("float: " + kind)
        return getattr(self, "float_" + kind)()

    def float_common(self):
        return self.chance.choice(
            [1.5, 0.1, 47.3769, 8.5417, 1565000000.123456, 1 / 3, -2.5, self.chance.uniform(-1000, 1000)]
        )

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
        return self.nearby(
            self.chance.choice([1e15, 1e16, 1e17, 123456789012345678.0, 9007199254740992.0, 1e21, 1e22, 1e23])
        )

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
        return date(
            self.chance.choice([1, 1970, 1999, 2019, 2020, 9999]),
            self.chance.randrange(1, 13),
            self.chance.randrange(1, 29),
        )

    ZONES = Weighted(naive=5, utc=2, offset=2, named=1, pytz_utc=1, pytz_p=2, pytz_fixed=1, zoneinfo=2)
    ZONE_NAMES = "UTC Europe/Zurich Asia/Kolkata America/St_Johns Australia/Lord_Howe Africa/Casablanca America/New_York Pacific/Chatham".split()
    # Local times that come twice or never in one of these zones.
    TRANSITIONS = [
        (2024, 3, 31, 2, 30),
        (2024, 10, 27, 2, 30),
        (2024, 3, 10, 2, 30),
        (2024, 11, 3, 1, 30),
        (2024, 4, 7, 1, 45),
        (2024, 10, 6, 2, 15),
        (2024, 10, 27, 3, 0),
        (2019, 3, 31, 1, 59),
    ]

    def moment(self):
        kind = self.ZONES.pick(self.chance)
        if self.style == PYTHON2 and kind in ("utc", "offset", "named", "zoneinfo"):
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
            "zoneinfo": lambda: ZoneInfo(self.chance.choice(self.ZONE_NAMES)),
        }[kind]()
        if kind == "zoneinfo" and self.chance.random() < 0.5:
            self.features.add("date-time: in a transition")
            fold = int(self.protocol >= 4 and self.chance.random() < 0.5)
            return datetime(*self.chance.choice(self.TRANSITIONS), tzinfo=zone, fold=fold)
        day = self.day()
        fold = int(self.style == PYTHON3 and self.protocol >= 4 and self.chance.random() < 0.2)
        if fold:
            self.features.add("date-time: fold")
        microsecond = self.chance.choice([0, 0, 1, 500000, 999999, self.chance.randrange(1000000)])
        return datetime(
            day.year,
            day.month,
            day.day,
            self.chance.randrange(24),
            self.chance.randrange(60),
            self.chance.randrange(60),
            microsecond,
            zone,
            fold=fold,
        )

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
        groups = [
            (1, "1"),
            (True, "true"),
            (None, "null"),
            (1.5, "1.5"),
            (float("nan"), "NaN"),
            (10**16 * 1.0, "1e+16"),
            (-5, "-5"),
            ("\ud83d\ude00", "\U0001f600"),
            (False, "false"),
            (float("inf"), "Infinity"),
        ]
        keys = [key for group in self.chance.sample(groups, self.chance.randrange(1, 4)) for key in group]
        self.chance.shuffle(keys)
        return {key: self.value(level + 1) for key in keys}

    def as_repeated_dict(self, level):
        """Keys that are equal in Python: the first one's place and text, the last one's value."""
        if self.style != PYTHON2 and not self.pure:
            return self.as_dict(level)
        self.features.add("dict: equal keys")
        keys = self.chance.choice(
            [
                [1, True, 1.0],
                [0, False, 0.0, -0.0],
                ["a", "a"],
                [2**53, 2.0**53],
                [10**22, 1e22],
                [None, None],
                [float("nan"), float("nan")],
                [float("inf"), float("inf")],
                [2**53 + 1, 2.0**53],
                [7, 7.0],
            ]
        )[:]
        if self.style == PYTHON2 and keys[0] == 1:
            keys.append(Long(1))
        keys += [self.key() for _ in range(self.chance.randrange(3))]
        self.chance.shuffle(keys)
        return RepeatedKeys([(key, self.value(level + 1)) for key in keys])

    def as_ordered_dict(self, level):
        self.features.add("OrderedDict of Python 2" if self.style == PYTHON2 else "OrderedDict")
        made = OrderedDict(self.pairs(level))
        if self.chance.random() < 0.3:
            self.features.add("OrderedDict with attributes")
            made.note = self.chance.choice([1, self.text(), [self.text()], None])
        return made

    def as_stranger(self, level):
        """An object of an unknown class that is a dict or a list."""
        if self.protocol < 2:
            return self.as_list(level)
        if self.chance.random() < 0.5:
            self.features.add("unknown class: dict")
            return StrangeDict([(self.key(), self.value(level + 1)), *self.pairs(level)])
        self.features.add("unknown class: list")
        return StrangeList([self.value(level + 1), *self.as_list(level)])

    def as_defaultdict(self, level):
        factory = self.chance.choice(
            [None, list, dict, int, set, a_factory, Decimal, collections.OrderedDict, datetime, bytes]
        )
        self.features.add("defaultdict: " + ("no factory" if factory is None else "a factory"))
        return defaultdict(factory, self.pairs(level))

    def as_counter(self, level):
        self.features.add("Counter")
        return Counter({self.key(): self.value(level + 1) for _ in range(self.size())})

    def as_multi_dict(self, level):
        (module, name), kind = self.chance.choice(list(MULTI_DICTS.items()))
        self.features.add(f"{name} of {module}")
        pairs = self.pairs(level)
        pairs += [
            (key, self.chance.choice([(self.text(), self.text()), self.text()]))
            for key, _ in pairs
            if key == key and self.chance.random() < 0.4
        ]
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
        return set(
            self.chance.choice(
                [[1, 2, 3], ["\ud83d\ude00", "\U0001f600"], [base, base.replace(tzinfo=east), base.date()]]
            )
        )

    def as_tag(self, level):
        """A dict of the session's own that looks like what the applet's encoder writes, and can be read back."""
        self.features.add("own _type: readable")
        tag, value = self.chance.choice(
            [
                ("datetime_isoformat", self.chance.choice(ISO_TEXTS)),
                ("date_isoformat", self.chance.choice(DATE_TEXTS)),
                ("date_isoformat", "2020-05-04T12:30:05+01:00"),
                ("datetime_isoformat", "2020-05-04"),
                ("datetime_isoformat", "2020-05-04 12:30:05Z"),
                ("set", []),
                ("set", [1, "a", 2.5, None]),
                ("set", "abc"),
                ("set", {"a": 1}),
                ("set", [{"_type": "date_isoformat", "value": "2019-09-03"}]),
            ]
        )
        return self.tagged(tag, value)

    def tagged(self, tag, value):
        pairs = [("_type", tag), ("value", value)]
        if self.chance.random() < 0.3:
            pairs.append((self.chance.choice(["more", 5]) if self.style != JSON else "more", 1))
        self.chance.shuffle(pairs)
        return dict(pairs)

    def as_other_tag(self, level):
        self.features.add("own _type: none of the three")
        return {
            "_type": self.chance.choice(["other", "", 5, None, ["set"], "Set", "set "]),
            "value": self.value(level + 1),
        }

    def as_shared(self, level):
        """Something that stands elsewhere in the session already: the same object."""
        if not self.made:
            return self.as_list(level)
        self.features.add("shared reference")
        return self.chance.choice(self.made)

    VALUES = Weighted(
        text=24,
        integer=14,
        floating=10,
        constant=10,
        day=2,
        moment=4,
        as_list=6,
        as_tuple=4,
        as_dict=8,
        as_colliding_dict=1,
        as_repeated_dict=1,
        as_ordered_dict=2,
        as_defaultdict=2,
        as_counter=1,
        as_multi_dict=4,
        as_set=3,
        as_equal_set=0.5,
        as_tag=1,
        as_other_tag=0.5,
        as_shared=2,
        as_stranger=3,
        markup=2,
    )
    JSON_VALUES = Weighted(
        text=24, integer=10, floating=10, constant=10, as_list=8, as_dict=10, as_tag=1, as_other_tag=0.5
    )

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
