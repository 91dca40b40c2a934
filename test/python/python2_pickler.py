"""Writes pickles as Python 2's `cPickle` does, from Python 3: protocols 0 to 2, byte strings, long integers, its reductions.

Text of type `ByteText`, and `ByteJunk`, are Python 2's `str`; other text is its `unicode`. `Long` is its `long`.
"""

import pickle
import struct
from collections import Counter, OrderedDict
from datetime import date, datetime

from applet_json import ByteJunk, ByteText


class Long(int):
    """A Python 2 `long`."""


class ClassicInstance:
    """An instance of a Python 2 class that does not inherit from `object`: it pickles with INST or OBJ."""

    def __init__(self, module, name, state):
        self.module, self.name, self.state = module, name, state


def repr_of_byte_string(raw):
    """What `repr` of a Python 2 `str` shows."""
    return repr(bytes(raw))[1:].encode("ascii")


class Python2Pickler(pickle._Pickler):
    """`Python2Pickler(file, protocol).dump(value)`, protocol 0, 1 or 2."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_raw(self, raw, value):
        if self.bin:
            if len(raw) < 256:
                self.write(pickle.SHORT_BINSTRING + bytes([len(raw)]) + raw)
            else:
                self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        else:
            self.write(pickle.STRING + repr_of_byte_string(raw) + b"\n")
        self.memoize(value)

    def save_byte_text(self, value):
        self.save_raw(value.raw, value)

    dispatch[ByteText] = save_byte_text

    def save_byte_junk(self, value):
        self.save_raw(bytes(value), value)

    dispatch[ByteJunk] = save_byte_junk

    def save_unicode(self, value):
        if self.bin:
            raw = value.encode("utf-8", "surrogatepass")
            self.write(pickle.BINUNICODE + struct.pack("<I", len(raw)) + raw)
        else:
            raw = value.replace("\\", "\\u005c").replace("\n", "\\u000a").encode("raw-unicode-escape")
            self.write(pickle.UNICODE + raw + b"\n")
        self.memoize(value)

    dispatch[str] = save_unicode

    def save_int(self, value):
        if self.bin and -0x80000000 <= value <= 0x7FFFFFFF:
            if 0 <= value <= 0xFF:
                self.write(pickle.BININT1 + bytes([value]))
            elif 0 <= value <= 0xFFFF:
                self.write(pickle.BININT2 + struct.pack("<H", value))
            else:
                self.write(pickle.BININT + struct.pack("<i", value))
        elif -(2**63) <= value < 2**63:
            self.write(pickle.INT + repr(int(value)).encode("ascii") + b"\n")
        else:
            self.save_long_integer(value)

    dispatch[int] = save_int

    def save_long_integer(self, value):
        if self.proto >= 2:
            raw = pickle.encode_long(value)
            if len(raw) < 256:
                self.write(pickle.LONG1 + bytes([len(raw)]) + raw)
            else:
                self.write(pickle.LONG4 + struct.pack("<i", len(raw)) + raw)
        else:
            self.write(pickle.LONG + repr(int(value)).encode("ascii") + b"L\n")

    dispatch[Long] = save_long_integer

    def save_set(self, value):
        self.save_reduce(set, (list(value),), obj=value)

    dispatch[set] = save_set

    def save_frozenset(self, value):
        self.save_reduce(frozenset, (list(value),), obj=value)

    dispatch[frozenset] = save_frozenset

    def save_ordered_dict(self, value):
        items = [[key, item] for key, item in value.items()]
        self.save_reduce(OrderedDict, (items,), vars(value) or None, obj=value)

    dispatch[OrderedDict] = save_ordered_dict

    def save_counter(self, value):
        self.save_reduce(Counter, (dict(value),), obj=value)

    dispatch[Counter] = save_counter

    def save_datetime(self, value):
        state = ByteJunk(value.replace(tzinfo=None, fold=0).__reduce__()[1][0])
        arguments = (state,) if value.tzinfo is None else (state, value.tzinfo)
        self.save_reduce(datetime, arguments, obj=value)

    dispatch[datetime] = save_datetime

    def save_date(self, value):
        self.save_reduce(date, (ByteJunk(value.__reduce__()[1][0]),), obj=value)

    dispatch[date] = save_date

    def save_classic_instance(self, value):
        self.write(pickle.MARK)
        if self.bin:
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode("ascii"))
            self.write(pickle.OBJ)
        else:
            self.write(pickle.INST + f"{value.module}\n{value.name}\n".encode("ascii"))
        self.memoize(value)
        self.save(value.state)
        self.write(pickle.BUILD)

    dispatch[ClassicInstance] = save_classic_instance
