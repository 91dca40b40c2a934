"""Python's own unpickler, held to the names that `tele-sessions` knows: the judge of any pickle.

It is `pickle.Unpickler`, the one in C, which servers use. `judge_file` never imports, calls or looks up anything that a pickle
names. It reads what CPython reads, so it is as lax as CPython: dates with an hour of 25, items for whatever takes them, and so on.
"""

import codecs
import copyreg
import io
import pickle
from collections import Counter, OrderedDict, defaultdict
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from applet_json import ByteText, FilledDict, FilledList, JunkText, Markup, judge_json_file, judge_value, refused
from foreign_classes import MULTI_DICTS, MinutesZone, MultiDictBase, NamedZone, UtcZone


class Refused(Exception):
    """A pickle asks for something that is not plain data."""


class Known:
    """What a known name makes of its arguments. No state can change it, nor what it calls."""

    __slots__ = ("make",)

    def __init__(self, make):
        self.make = make

    def __call__(self, *arguments):
        return self.make(*arguments)

    def __setstate__(self, state):
        raise Refused("BUILD of a name")


class _Unknown(type):
    """The type of what unknown names stand for: of use as a defaultdict's factory, and for what is made without arguments."""

    def __call__(cls, *arguments):
        raise Refused(cls.name)

    def __setstate__(cls, state):
        raise Refused(cls.name)


class _Unfilled:
    """An object of an unknown class, before it is known what is put into it. `note(kind)` is told."""

    __slots__ = ("name", "note")
    __hash__ = None

    def __setitem__(self, key, value):
        self.note(FilledDict)

    def extend(self, items):
        self.note(FilledList)

    def append(self, item):
        self.note(FilledList)

    def __setstate__(self, state):
        raise Refused(self.name)


class Fillings:
    """What the objects of unknown classes turn out to be, by the order in which they are made: known once the pickle was read."""

    def __init__(self, kinds=()):
        self.kinds = dict(kinds)
        self.made = 0

    def make(self, name, arguments):
        index, self.made = self.made, self.made + 1
        if arguments:
            raise Refused(name)
        kind = self.kinds.get(index)
        if kind is not None:
            return kind()
        made = object.__new__(_Unfilled)
        made.name, made.note = name, lambda kind: self.note(index, name, kind)
        return made

    def note(self, index, name, kind):
        if self.kinds.setdefault(index, kind) is not kind:
            raise Refused(name)

    def unknown_class(self, name):
        def new(cls, *arguments, **more):
            return self.make(name, arguments or more)

        return type.__call__(_Unknown, "Unknown", (), {"__new__": new, "name": name})


def _raw(state):
    """The bytes of a Python 2 byte string, anything else as it is."""
    return state.raw if isinstance(state, (ByteText, JunkText)) else state


def _datetime(*arguments):
    return datetime(*map(_raw, arguments))


def _date(*arguments):
    return date(*map(_raw, arguments))


def _bytes(*arguments):
    if any(isinstance(argument, int) for argument in arguments):
        raise Refused("bytes of a length")
    return bytes(*map(_raw, arguments))


def _bytearray(*arguments):
    if any(isinstance(argument, int) for argument in arguments):
        raise Refused("bytearray of a length")
    return bytearray(*map(_raw, arguments))


def _encode(text, encoding="utf-8"):
    if encoding not in ("latin1", "latin-1"):
        raise ValueError("_codecs.encode to another encoding")
    return text.encode("latin1")


def _argument_only(*arguments):
    raise Refused("a name that is only ever an argument")


PLAIN_DICT = Known(_argument_only)
TEXT = Known(_argument_only)
ZONE_INFO = Known(_argument_only)


def _reconstruct(kind, base, state):
    if kind is Markup and base is TEXT and isinstance(state, str):
        return Markup(state)
    if not (isinstance(kind, type) and issubclass(kind, MultiDictBase)) or base is not PLAIN_DICT:
        raise Refused("copyreg._reconstructor of anything but a multi-dict or a Markup")
    made = dict.__new__(kind, state)
    dict.__init__(made, state)
    return made


def _zone(key, from_cache):
    try:
        return ZoneInfo(key)
    except Exception:
        raise Refused("a zone that is not known")


ZONE = Known(_zone)


def _attribute(owner, name):
    if owner is not ZONE_INFO or name != "_unpickle":
        raise Refused("builtins.getattr")
    return ZONE


def _fixed_offset(minutes):
    return UtcZone() if minutes == 0 else MinutesZone(minutes)


KNOWN = {
    ("builtins", "set"): Known(set),
    ("builtins", "frozenset"): Known(frozenset),
    ("builtins", "bytes"): Known(_bytes),
    ("builtins", "bytearray"): Known(_bytearray),
    ("builtins", "dict"): PLAIN_DICT,
    ("builtins", "str"): TEXT,
    ("builtins", "getattr"): Known(_attribute),
    ("markupsafe", "Markup"): Markup,
    ("zoneinfo", "ZoneInfo"): ZONE_INFO,
    ("zoneinfo", "ZoneInfo._unpickle"): ZONE,
    ("_codecs", "encode"): Known(_encode),
    ("datetime", "datetime"): Known(_datetime),
    ("datetime", "date"): Known(_date),
    ("datetime", "timezone"): Known(timezone),
    ("datetime", "timedelta"): Known(timedelta),
    ("collections", "OrderedDict"): Known(OrderedDict),
    ("collections", "defaultdict"): Known(defaultdict),
    ("collections", "Counter"): Known(Counter),
    ("copyreg", "_reconstructor"): Known(_reconstruct),
    ("copy_reg", "_reconstructor"): Known(_reconstruct),
    ("pytz", "_UTC"): Known(UtcZone),
    ("pytz", "_p"): Known(NamedZone),
    ("pytz", "FixedOffset"): Known(_fixed_offset),
    **MULTI_DICTS,
}
KNOWN.update({("__builtin__", name): value for (module, name), value in list(KNOWN.items()) if module == "builtins"})
KNOWN["__builtin__", "unicode"] = TEXT


# Extension codes are registered here only so that the tests' picklers write them: no name in them is known.
EXTENSIONS = set(copyreg._inverted_registry.values())
BYTE_STRINGS = "tele-sessions-byte-strings"


def _read_byte_string(raw, errors="strict"):
    """What becomes of a Python 2 byte string."""
    raw = bytes(raw)
    try:
        text = raw.decode("utf-8", "surrogatepass")
        # Only exact text is a name.
        made = text if raw.isascii() else ByteText(text)
    except UnicodeDecodeError:
        made = JunkText(raw.decode("utf-8", "surrogateescape"))
    if not raw.isascii():
        made.raw = raw
    return made, len(raw)


def _find_codec(name):
    if name.replace("_", "-") == BYTE_STRINGS:
        return codecs.CodecInfo(encode=None, decode=_read_byte_string, name=BYTE_STRINGS)
    return None


codecs.register(_find_codec)


def _no_buffers():
    raise Refused("out-of-band buffer")
    yield


class RestrictedUnpickler(pickle.Unpickler):
    """Reads known names as data and Python 2 byte strings as text."""

    def __init__(self, data, fillings):
        # Buffered, as the file that a server opens.
        file = io.BufferedReader(io.BytesIO(data))
        super().__init__(file, encoding=BYTE_STRINGS, buffers=_no_buffers())
        self.fillings = fillings

    def find_class(self, module, name):
        if (module, name) in EXTENSIONS:
            raise Refused("extension code")
        return KNOWN.get((module, name)) or self.fillings.unknown_class(module + "." + name)

    def persistent_load(self, identifier):
        raise Refused("persistent id")


def _unpickle(data):
    """The value, with objects of unknown classes as what was put into them: that is known only after a first reading."""
    fillings = Fillings()
    value = RestrictedUnpickler(data, fillings).load()
    return RestrictedUnpickler(data, Fillings(fillings.kinds)).load() if fillings.kinds else value


def judge_pickle_file(data):
    """The verdict on a session file that holds a pickle."""
    try:
        value = _unpickle(data)
    except Refused:
        return refused("unsupported-type")
    except MemoryError:
        # A length or a memo number that no file needs: Python makes room for it first.
        return refused("corrupt", "too-large")
    except Exception:
        return refused("corrupt")
    return judge_value(value)


def judge_file(data):
    """The verdict on any bytes. JSON is told by its first character: no pickle begins with a brace or a blank."""
    if data.lstrip(b" \t\r\n")[:1] == b"{":
        return judge_json_file(data)
    return judge_pickle_file(data)
