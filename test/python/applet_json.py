"""What the `session_redis` applet writes for a session, and which sessions `tele-sessions` refuses instead, and why.

`judge_value` is the whole judgement of a Python value; the JSON itself always comes from `json.dumps` with the applet's encoder.
"""

import json
import re
from datetime import date, datetime
from json.encoder import encode_basestring_ascii
from typing import FrozenSet, NamedTuple, Optional

LARGEST_VALUE = 16 * 1024 * 1024
DEEPEST = 500
TOO_MANY_DIGITS = 10**4300
SESSION_KEYS = ("db", "uid", "login", "session_token", "context", "debug")
TAGS = ("datetime_isoformat", "date_isoformat", "set")

NOTHING: FrozenSet[str] = frozenset()
UNSUPPORTED = frozenset({"unsupported-type"})
CIRCULAR = frozenset({"circular"})
TOO_DEEP = frozenset({"too-deep"})

# How sure it is that JSON does not hold a value as Python had it.
FAITHFUL, PERHAPS, LOSSY = 0, 1, 2


class Encoder(json.JSONEncoder):
    """The applet's encoder."""

    def default(self, value):
        if isinstance(value, datetime):
            return {"_type": "datetime_isoformat", "value": value.isoformat()}
        if isinstance(value, date):
            return {"_type": "date_isoformat", "value": value.isoformat()}
        if isinstance(value, set):
            return {"_type": "set", "value": list(value)}
        return json.JSONEncoder.default(self, value)


class ByteText(str):
    """A Python 2 byte string that reads as text; `raw` has its bytes."""

    raw: bytes


class ByteJunk(bytes):
    """A Python 2 byte string that is no text."""

    __slots__ = ()


def byte_string(raw):
    """What a Python 2 byte string becomes."""
    try:
        text = ByteText(raw.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        return ByteJunk(raw)
    text.raw = raw
    return text


class Verdict(NamedTuple):
    """The JSON of an accepted session, or (`json` None) every reason for which it may be refused."""

    json: Optional[bytes]
    reasons: FrozenSet[str] = NOTHING
    authenticated: bool = False
    lossiness: int = PERHAPS


def refused(*reasons):
    return Verdict(None, frozenset(reasons))


class _Measure(NamedTuple):
    size: int
    depth: int
    reasons: FrozenSet[str]
    lossiness: int


_REFUSED_SCALAR = _Measure(0, 0, UNSUPPORTED, PERHAPS)

_ISO_TEXT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,6})?)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


def _is_iso_text(text):
    """ISO 8601 as `isoformat` writes it, and the few other forms of it that `dateutil.parser.parse` reads the same way."""
    match = _ISO_TEXT.fullmatch(text)
    if match is None:
        return False
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return False
    return offset in (None, "Z") or int(offset[1:3]) < 24 and int(offset[4:6]) < 60


def _own_tag(value):
    """The `_type` of a dict, where it is one of the applet's."""
    tag = value.get("_type")
    return tag if isinstance(tag, str) and tag in TAGS else None


def _pairs_of(value):
    """A dict of any kind as JSON shows it."""
    return value if type(value) is dict else dict(value.items())


def _hashable_when_read(value):
    if isinstance(value, (list, tuple, set)):
        return False
    if isinstance(value, dict):
        return _own_tag(_pairs_of(value)) in ("datetime_isoformat", "date_isoformat")
    return True


def is_readable(tag, value):
    """Whether the applet's decoder gets a value out of `{"_type": tag, "value": value}`."""
    if tag == "set":
        if isinstance(value, dict):
            return _own_tag(_pairs_of(value)) in (None, "set")
        if isinstance(value, (list, tuple)):
            return all(map(_hashable_when_read, value))
        return isinstance(value, (str, set))
    return isinstance(value, str) and _is_iso_text(value)


class _Measurer:
    """Sizes, depths and faults of a value, each shared part looked at once: no expansion is ever built."""

    def __init__(self):
        self.known = {}
        self.open = set()

    def measure(self, value, level):
        kind = type(value)
        if kind is str or kind is ByteText:
            return _Measure(len(encode_basestring_ascii(value)), 0, NOTHING, FAITHFUL)
        if value is None or kind is bool:
            return _Measure(4, 0, NOTHING, FAITHFUL)
        if isinstance(value, int):
            if abs(value) >= TOO_MANY_DIGITS:
                return _REFUSED_SCALAR
            return _Measure(len(repr(value)), 0, NOTHING, FAITHFUL)
        if kind is float:
            return _Measure(len(repr(value)), 0, NOTHING, FAITHFUL)
        if isinstance(value, (datetime, date)):
            return self._measure_date(value)
        if isinstance(value, (dict, list, tuple, set)):
            known = self.known.get(id(value))
            if known is not None:
                return known
            if id(value) in self.open:
                return _Measure(0, 0, CIRCULAR, PERHAPS)
            if level > DEEPEST + 1:
                return _Measure(0, 0, TOO_DEEP, PERHAPS)
            self.open.add(id(value))
            measure = self._measure_container(value, level)
            self.open.discard(id(value))
            if "circular" not in measure.reasons and "too-deep" not in measure.reasons:
                self.known[id(value)] = measure
            return measure
        return _REFUSED_SCALAR

    def _measure_date(self, value):
        try:
            text = value.isoformat()
            offset = value.utcoffset() if isinstance(value, datetime) else None
        except Exception:
            return _REFUSED_SCALAR
        if isinstance(value, datetime) and value.tzinfo is not None and offset is None:
            return _REFUSED_SCALAR
        if offset is not None and (offset.seconds % 60 or offset.microseconds):
            return _REFUSED_SCALAR
        doubt = PERHAPS if isinstance(value, datetime) and (value.tzinfo or value.fold) else FAITHFUL
        tag = "datetime_isoformat" if isinstance(value, datetime) else "date_isoformat"
        return _Measure(len(tag) + len(text) + len('{"_type": "", "value": ""}'), 0, NOTHING, doubt)

    def _measure_container(self, value, level):
        if isinstance(value, dict):
            return self._measure_dict(value, level)
        is_set = isinstance(value, set)
        size, depth, reasons = 2 + max(0, 2 * (len(value) - 1)), 0, NOTHING
        lossiness = LOSSY if isinstance(value, tuple) else FAITHFUL
        if is_set:
            size += len('{"_type": "set", "value": }')
        for item in value:
            part = self.measure(item, level + 1)
            size += part.size
            depth = max(depth, part.depth)
            reasons |= part.reasons
            lossiness = max(lossiness, part.lossiness)
            if is_set and isinstance(item, (tuple, frozenset)):
                reasons |= UNSUPPORTED
        return _Measure(size, depth + 1, reasons, lossiness)

    def _measure_dict(self, value, level):
        try:
            pairs = list(value.items())
        except Exception:
            return _REFUSED_SCALAR
        size, depth, reasons, lossiness = 2 + max(0, 2 * (len(pairs) - 1)), 0, NOTHING, FAITHFUL
        named = {}
        if type(value) is not dict:
            lossiness = LOSSY if hasattr(value, "lists") else PERHAPS
        for key, item in pairs:
            if isinstance(key, str):
                size += len(encode_basestring_ascii(key))
                named[key] = item
            elif key is None or isinstance(key, (int, float)):
                lossiness = LOSSY
                if isinstance(key, int) and abs(key) >= TOO_MANY_DIGITS:
                    reasons |= UNSUPPORTED
                else:
                    size += 2 + len(json.dumps(key))
            else:
                reasons |= UNSUPPORTED
            part = self.measure(item, level + 1)
            size += 2 + part.size
            depth = max(depth, part.depth)
            reasons |= part.reasons
            lossiness = max(lossiness, part.lossiness)
        tag = _own_tag(named)
        if tag is not None:
            lossiness = LOSSY
            if "value" not in named or not is_readable(tag, named["value"]):
                reasons |= UNSUPPORTED
        return _Measure(size, depth + 1, reasons, lossiness)


def judge_value(value, largest=LARGEST_VALUE):
    """The verdict on what a session file decodes to."""
    if not isinstance(value, dict):
        return refused("corrupt")
    measure = _Measurer().measure(value, 1)
    reasons = measure.reasons
    if not any(key in _pairs_of(value) for key in SESSION_KEYS):
        reasons |= frozenset({"not-a-session"})
    if measure.depth > DEEPEST:
        reasons |= TOO_DEEP
    if measure.size > largest:
        reasons |= frozenset({"too-large"})
    if reasons:
        return Verdict(None, reasons)
    return Verdict(
        json.dumps(value, cls=Encoder).encode(), NOTHING, bool(_pairs_of(value).get("uid")), measure.lossiness
    )


class IntegerTooLong(Exception):
    """An integer's text beyond 4,300 digits."""


def _bounded_integer(text):
    if len(text) - text.startswith("-") > 4300:
        raise IntegerTooLong
    return int(text)


def judge_json_file(data):
    """The verdict on a session file that holds JSON."""
    try:
        value = json.loads(data.decode("utf-8"), parse_int=_bounded_integer)
    except IntegerTooLong:
        return refused("unsupported-type")
    except RecursionError:
        return refused("too-deep")
    except ValueError:
        return refused("corrupt")
    return judge_value(value)
