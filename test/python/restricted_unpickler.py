"""Python's own unpickler, held to the names that `tele-sessions` knows: the judge of any pickle.

`judge_file` never imports, calls or looks up anything that a pickle names. It reads what CPython reads, so it is as lax as
CPython: dates with an hour of 25, APPEND on whatever has an `append`, and so on.
"""

import pickle
from collections import Counter, OrderedDict, defaultdict
from datetime import date, datetime, timedelta, timezone
from types import FunctionType

from applet_json import ByteJunk, ByteText, byte_string, judge_json_file, judge_value, refused
from foreign_classes import MULTI_DICTS, MinutesZone, MultiDictBase, NamedZone, UtcZone


class Refused(Exception):
    """A pickle asks for something that is not plain data."""


class UnknownName:
    """A name that stands for nothing: of use as a defaultdict's factory only."""

    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name

    def __call__(self, *arguments):
        raise Refused(self.name)


def _raw(state):
    """The bytes of a Python 2 byte string, anything else as it is."""
    return state.raw if isinstance(state, ByteText) else bytes(state) if isinstance(state, ByteJunk) else state


class _DateTime(datetime):
    def __new__(cls, *arguments):
        return datetime(*map(_raw, arguments))


class _Date(date):
    def __new__(cls, *arguments):
        return date(*map(_raw, arguments))


class _Bytes(bytes):
    def __new__(cls, *arguments):
        if any(isinstance(argument, int) for argument in arguments):
            raise Refused("bytes of a length")
        return bytes(*map(_raw, arguments))


class _ByteArray(bytearray):
    def __new__(cls, *arguments):
        if any(isinstance(argument, int) for argument in arguments):
            raise Refused("bytearray of a length")
        return bytearray(*map(_raw, arguments))


def _encode(text, encoding="utf-8"):
    if encoding not in ("latin1", "latin-1"):
        raise ValueError("_codecs.encode to another encoding")
    return text.encode("latin1")


class _PlainDict(UnknownName):
    """`builtins.dict`, which only `_reconstructor` may have as its base."""

    __slots__ = ()


PLAIN_DICT = _PlainDict("builtins.dict")


def _reconstruct(kind, base, state):
    if not (isinstance(kind, type) and issubclass(kind, MultiDictBase)) or base is not PLAIN_DICT:
        raise Refused("copyreg._reconstructor of anything but a multi-dict")
    made = dict.__new__(kind, state)
    dict.__init__(made, state)
    return made


def _fixed_offset(minutes):
    return UtcZone() if minutes == 0 else MinutesZone(minutes)


KNOWN = {
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "bytes"): _Bytes,
    ("builtins", "bytearray"): _ByteArray,
    ("builtins", "dict"): PLAIN_DICT,
    ("_codecs", "encode"): _encode,
    ("datetime", "datetime"): _DateTime,
    ("datetime", "date"): _Date,
    ("datetime", "timezone"): timezone,
    ("datetime", "timedelta"): timedelta,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
    ("collections", "Counter"): Counter,
    ("copyreg", "_reconstructor"): _reconstruct,
    ("copy_reg", "_reconstructor"): _reconstruct,
    ("pytz", "_UTC"): UtcZone,
    ("pytz", "_p"): NamedZone,
    ("pytz", "FixedOffset"): _fixed_offset,
    **MULTI_DICTS,
}
KNOWN.update({("__builtin__", name): value for (module, name), value in list(KNOWN.items()) if module == "builtins"})


class RestrictedUnpickler(pickle._Unpickler):
    """Reads known names as data and Python 2 byte strings as text."""

    dispatch = dict(pickle._Unpickler.dispatch)

    def find_class(self, module, name):
        return KNOWN.get((module, name)) or UnknownName(module + "." + name)

    def _decode_string(self, value):
        return byte_string(value)

    def persistent_load(self, identifier):
        raise Refused("persistent id")

    def get_extension(self, code):
        raise Refused("extension code")

    def load_stack_global(self):
        name = self.stack.pop()
        module = self.stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise pickle.UnpicklingError("STACK_GLOBAL requires str")
        self.append(self.find_class(str(module), str(name)))

    dispatch[pickle.STACK_GLOBAL[0]] = load_stack_global

    def load_newobj(self):
        self.refuse_unknown(self.stack[-2])
        pickle._Unpickler.load_newobj(self)

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_newobj_ex(self):
        self.refuse_unknown(self.stack[-3])
        pickle._Unpickler.load_newobj_ex(self)

    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex

    def refuse_unknown(self, name):
        if isinstance(name, UnknownName):
            raise Refused(name.name)

    def load_next_buffer(self):
        raise Refused("out-of-band buffer")

    dispatch[pickle.NEXT_BUFFER[0]] = load_next_buffer

    def load_bytearray8(self):
        length = int.from_bytes(self.read(8), "little")
        if length >= 1 << 32:
            raise pickle.UnpicklingError("more bytes than any file has")
        self.append(bytearray(self.read(length)))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8

    def load_build(self):
        if isinstance(self.stack[-2], (type, FunctionType)):
            raise Refused("BUILD of a class: it would change this judge")
        pickle._Unpickler.load_build(self)

    dispatch[pickle.BUILD[0]] = load_build


class _Reader:
    """The file as `pickle.load` wants it."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def read(self, length):
        start = self.at
        self.at = min(len(self.data), start + length) if length >= 0 else len(self.data)
        return self.data[start : self.at]

    def readline(self):
        start = self.at
        end = self.data.find(b"\n", start)
        self.at = len(self.data) if end < 0 else end + 1
        return self.data[start : self.at]


def judge_pickle_file(data):
    """The verdict on a session file that holds a pickle."""
    try:
        value = RestrictedUnpickler(_Reader(data)).load()
    except Refused:
        return refused("unsupported-type")
    except MemoryError:
        raise
    except Exception:
        return refused("corrupt")
    return judge_value(value)


def judge_file(data):
    """The verdict on any bytes. JSON is told by its first character: no pickle begins with a brace or a blank."""
    if data.lstrip(b" \t\r\n")[:1] == b"{":
        return judge_json_file(data)
    return judge_pickle_file(data)
