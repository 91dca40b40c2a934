"""Reads exported session files with Python's own loaders, and compares them with what the applet reads from Redis.

Standard input holds frames: the value in Redis, then its files as pickle 2, pickle 4 and JSON, each part after its length in four
bytes (little-endian). The answer is one JSON object: how many sessions, how often each kind of value came, and what differed.
"""

import json
import pickle
import re
import struct
import sys
from collections import Counter
from datetime import date, datetime, timedelta, timezone

import foreign_classes

ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
SHOWN = 10
counts = Counter()


def instant_of(text):
    """What `dateutil.parser.parse` makes of a text that `isoformat` wrote."""
    year, month, day, hour, minute, second, fraction, zone = ISO.fullmatch(text).groups()
    parts = [int(part or 0) for part in (year, month, day, hour, minute, second)]
    offset = None
    if zone == "Z":
        offset = timezone.utc
    elif zone:
        size = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        offset = timezone(-size if zone[0] == "-" else size)
    return datetime(*parts, int((fraction or "").ljust(6, "0")), tzinfo=offset)


def untagged(found):
    """The applet's `object_hook`."""
    kind = found.get("_type")
    if kind == "datetime_isoformat":
        return instant_of(found["value"])
    if kind == "date_isoformat":
        return instant_of(found["value"]).date()
    return set(found["value"]) if kind == "set" else found


def shape(value):
    """Equal for two values that are equal, have equal types and, but for sets, the same order."""
    kind = type(value)
    counts[kind.__name__] += 1
    if kind is dict:
        return ("dict", [(key, shape(item)) for key, item in value.items()])
    if kind is list:
        return ("list", [shape(item) for item in value])
    if kind is set:
        return ("set", sorted((repr(shape(item)) for item in value)))
    if kind is float:
        return ("float", struct.pack(">d", value))
    if kind is datetime:
        return ("datetime", value.replace(tzinfo=None), value.utcoffset())
    if kind in (str, int, bool, date, type(None)):
        return (kind.__name__, value)
    raise TypeError(kind.__name__)


def differences(redis, pickle2, pickle4, text):
    expected = shape(json.loads(redis, object_hook=untagged))
    for name, found, protocol in (("pickle 2", pickle2, 2), ("pickle 4", pickle4, 4)):
        if found[:2] != bytes([0x80, protocol]):
            yield name + ": another protocol"
        if shape(pickle.loads(found)) != expected:
            yield name
    if shape(json.loads(text.decode("utf-8"))) != shape(json.loads(redis)):
        yield "JSON"
    if json.dumps(json.loads(redis)).encode() != text:
        yield "JSON: not as the server writes it"


def frames(stream):
    while True:
        parts = []
        for _ in range(4):
            head = stream.read(4)
            if not head:
                return
            parts.append(stream.read(struct.unpack("<I", head)[0]))
        yield parts


def main():
    sys.setrecursionlimit(20_000)
    foreign_classes.install()
    sessions, wrong = 0, []
    for redis, *files in frames(sys.stdin.buffer):
        sessions += 1
        try:
            found = list(differences(redis, *files))
        except Exception as error:
            found = [repr(error)]
        wrong += [f"{name}: {redis.decode()[:2000]}" for name in found if len(wrong) < SHOWN]
    json.dump({"sessions": sessions, "wrong": wrong, "counts": counts}, sys.stdout)


main()
