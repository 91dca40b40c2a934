"""Random values for which a session must be refused."""

import pickle
from collections import OrderedDict, defaultdict
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from applet_json import ByteJunk
from foreign_classes import MULTI_DICT_NAMES, MULTI_DICTS, UTC_ZONE, MinutesZone, NamedZone
from python2_pickler import ClassicInstance
from random_values import JSON, PYTHON2, PYTHON3, UNREADABLE_TEXTS, Weighted
from strange_objects import (
    Elsewhere,
    Extended1,
    Extended2,
    Extended4,
    StrangeDict,
    StrangeList,
    Stranger,
    StrangerWithArguments,
    a_factory,
)


class RefusedValues:
    """Wants what `RandomValues` has."""

    REFUSED = Weighted(
        bytes=2,
        bytearray=3,
        decimal=1,
        complex=1,
        frozenset=1,
        time=1,
        timedelta=1,
        stranger=2,
        empty_stranger=1,
        stranger_with_state=1,
        reconstructed=2,
        stranger_with_arguments=2,
        strange_name=1,
        known_name=1,
        zone=1,
        offset_seconds=2,
        pytz_name_alone=1,
        set_of_tuple=1,
        set_of_frozenset=1,
        set_of_bytes=1,
        unreadable_tag=4,
        key=2,
        empty_multi_value=1,
        big_integer=0.4,
        circular_list=1,
        circular_dict=1,
        circular_tuple=2,
        circular_ordered=1,
        circular_default=1,
        circular_multi=1,
        too_deep=1,
        too_large=0.45,
        byte_junk=2,
        classic=5,
        persistent=2,
        extension=4,
        buffer=7,
        set_key=1,
    )
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
        return None if self.style == PYTHON2 else self.chance.choice([b"", b"abc\xff\x00", b"x" * 300, b"y" * 300])

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

    def refused_empty_stranger(self):
        """Nothing tells whether it is a dict or a list."""
        return self.chance.choice([StrangeDict, StrangeList])() if self.protocol >= 2 else None

    def refused_stranger_with_state(self):
        made = self.chance.choice([StrangeDict(a=1), StrangeList([1])])
        made.state = 5
        return made

    def refused_reconstructed(self):
        return self.chance.choice([StrangeDict(a=1), StrangeList([1])]) if self.protocol < 2 else None

    def refused_stranger_with_arguments(self):
        return StrangerWithArguments(width=3) if self.style == PYTHON3 else None

    def refused_strange_name(self):
        return self.chance.choice([Stranger, a_factory, print])

    def refused_known_name(self):
        return self.chance.choice([set, datetime, OrderedDict, dict])

    def refused_zone(self):
        return self.chance.choice(
            [UTC_ZONE, MinutesZone(60)] + ([timezone.utc, ZoneInfo("UTC")] if self.style == PYTHON3 else [])
        )

    def refused_offset_seconds(self):
        if self.style == PYTHON2:
            return datetime(2020, 5, 4, tzinfo=self.pytz_state(2045))
        offset = self.chance.choice(
            [timedelta(seconds=3601), timedelta(microseconds=1), -timedelta(minutes=1, seconds=1)]
        )
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
            return self.tagged(
                tag, self.chance.choice([5, None, 1.5, True, [[1]], [{}], [1, [2]], [{"_type": "set", "value": []}]])
            )
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
        made = self.chance.choice(list(MULTI_DICTS.values())[:: len(MULTI_DICT_NAMES)])()
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
        return (
            ByteJunk(self.chance.choice([b"\xff", b"\x80abc", b"\xc3", b"\xe9t\xe9", b"\xc0\x80"]))
            if self.style == PYTHON2
            else None
        )

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
