"""Random session files, each with what Python makes of it, as a stream of frames (`judged_frames`).

    PYTHONHASHSEED=0 python3 random_sessions.py --seed 1 --count 2000 [--start 0]

Session number n of a seed is the same whatever the start and the count. The last frame counts every opcode that was written and
every feature that occurred (`test/support/sessions/session-features.ts` has their rows).
"""

import argparse
import io
import random
import sys
from collections import Counter, OrderedDict, defaultdict

from applet_json import SESSION_KEYS, judge_json_file, judge_value, refused
from json_texts import BAD_JSON, JsonTexts
from judged_frames import FrameWriter
from pickle_opcodes import pickle_opcodes
from random_values import JSON, PYTHON2, PYTHON3, RandomValues
from refused_values import RefusedValues
from session_picklers import CPickler, OldPickler, PurePickler


class SessionMaker(RandomValues, RefusedValues, JsonTexts):
    """One random session. `features` gathers what occurred in it."""

    def __init__(self, chance, style, protocol):
        self.chance, self.style, self.protocol = chance, style, protocol
        self.features = set()
        self.made = []
        self.has_refused = False

    def session(self):
        chance = self.chance
        value = {}
        share = chance.random()
        if share < 0.75:
            value["db"] = chance.choice([None, "shop", "tele"])
            value["uid"] = self.user()
            value["login"] = chance.choice([None, "someone@shop.example"])
            value["session_token"] = chance.choice([None, "0123456789abcdef" * 4])
            value["context"] = chance.choice([{}, {"lang": "de_CH", "tz": "Europe/Zurich", "uid": 2}])
            value["debug"] = chance.choice(["", False, "assets"])
        elif share < 0.97:
            value[chance.choice(SESSION_KEYS)] = None
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
        return self.chance.choice(
            [3600, "3600", 0, "", None, False, 3600.0, [], "soon", {"a": 1}, 9999999999, "9999999999"]
        )

    def put_somewhere(self, session, value):
        """The session with `value` somewhere in it."""
        for _ in range(self.chance.randrange(3)):
            value = self.chance.choice([[1, value], {"a": value}, {"a": [value], "b": 2}])
        if self.style != JSON and self.chance.random() < 0.2:
            value = self.chance.choice([(value, 1), OrderedDict(a=value), defaultdict(list, a=value)])
        session[self.chance.choice(["x", "saved_actions", "y"])] = value
        return session

    def pickled(self, session):
        if self.style == PYTHON2:
            stream = io.BytesIO()
            OldPickler(stream, self.protocol).dump(session)
            return stream.getvalue()
        stream = io.BytesIO()
        keep = [].append if self.protocol == 5 else None
        (PurePickler if self.pure else CPickler)(stream, self.protocol, buffer_callback=keep).dump(session)
        return stream.getvalue()


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
    # Protocols 0 and 1 name the class of such a value, and say nothing else of it.
    is_unknown = "refused: reconstructed" in maker.features and isinstance(session, dict)
    verdict = refused("unsupported-type") if is_unknown else judge_value(session)
    if "not-a-session" in verdict.reasons:
        maker.features.add("refused: not a session")
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
        return (
            data,
            refused("corrupt", *(("too-deep", "unsupported-type") if maker.has_refused else ())),
            maker.features,
        )
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
