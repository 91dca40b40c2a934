"""Mutated session files, each with Python's judgement, as a stream of frames (`judged_frames`).

    PYTHONHASHSEED=0 python3 fuzz_judge.py --seed 1 --count 20000 [--start 0]

Mutated file number n of a seed is the same whatever the start and the count, as long as the fixtures are the same. The last frame
counts each kind of mutation, and how many of its files Python accepts.
"""

import argparse
import faulthandler
import random
import re
import resource
import signal
import struct
import sys
from collections import Counter
from pathlib import Path

from applet_json import refused
from judged_frames import FrameWriter
from pickle_opcodes import pickle_opcodes
from random_sessions import make_session
from restricted_unpickler import judge_file

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures"
BLOCK = 400
LARGEST_ORIGINAL = 3000
JUDGE_SECONDS = 5
BLOCK_SECONDS = 120
JUDGE_MEMORY = 2 << 30

TEXT_OPCODES = {
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
    "UNICODE",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "BINBYTES",
    "SHORT_BINBYTES",
    "BINBYTES8",
    "BYTEARRAY8",
    "text",
}
NUMBER_OPCODES = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "number"}
LITERAL_OPCODES = {"NONE", "NEWTRUE", "NEWFALSE", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "EMPTY_SET", "literal"}
ATOMS = TEXT_OPCODES | NUMBER_OPCODES | LITERAL_OPCODES
JSON_TOKEN = re.compile(
    rb'(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?[0-9][0-9.eE+-]*)|(?P<literal>[A-Za-z]+)|(?P<mark>.)', re.DOTALL
)
JSON_PIECES = [
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"0",
    b"-",
    b".",
    b"e",
    b"\\u",
    b"\\ud83d",
    b"NaN",
    b"1E400",
    b'"a"',
    b"\x00",
    b"\x7f",
    b"\xff",
    b"null",
    b'{"_type": "set", "value": [2, 1]}',
    b'"_type"',
    b'"value"',
    b" ",
    b"\n",
    b"\xed\xa0\x80",
    b"\xc3\xa9",
]
OPCODE_BYTES = bytes(
    sorted(
        pickle_opcode
        for pickle_opcode in set(
            b"(.012FGIJKLMNPQRSTUVXabcdeghijlopqrstu}])\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8bBC"
            b"\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98"
        )
    )
)
PICKLE_PIECES = [
    b"\x8c\x05_type",
    b"\x8c\x03set",
    b"\x8c\x05value",
    b"cbuiltins\nset\n",
    b"ccollections\nOrderedDict\n",
    b"U\x01\xff",
    b"U\x02\xc3\xa9",
    b"X\x01\x00\x00\x00a",
    b"I01\n",
    b"I00\n",
    b"I010\n",
    b"I-0\n",
    b"F1e5\n",
    b"F nan\n",
    b"I+1\n",
    b"I 1\n",
    b"I1\x00\n",
    b"I\x00\n",
    b"I0x1f\n",
    b"I1_0\n",
    b"I\n",
    b"F1_0.5\n",
    b"F1.5\x00x\n",
    b"F1e400\n",
    b"L1\x00L\n",
    b"L0b1L\n",
    b"LL\n",
    b"p7\x00\n",
    b"p+1\n",
    b"g 0\n",
    b"g0_1\n",
    b"cmarkupsafe\nMarkup\nX\x01\x00\x00\x00a\x85\x81",
    b"cstrange.module\nThing\n)\x81X\x01\x00\x00\x00aNs",
    b"cstrange.module\nThing\n)\x81Na",
    b"cstrange.module\nThing\n)\x81",
    b"ccollections\nOrderedDict\n)R}b",
    b"cbuiltins\ngetattr\nczoneinfo\nZoneInfo\nX\x09\x00\x00\x00_unpickle\x86R(X\x03\x00\x00\x00UTCI1\ntR",
    b"L5L\n",
    b"L5\n",
    b"S'a'\n",
    b'S"a"\n',
    b"S'\\x41\\n'\n",
    b"V\\u0041\\\\u0042\n",
    b"V\\ud83d\\ude00\n",
    b"\x8a\x00",
    b"\x8a\x02\x00\x80",
    b"0",
    b"2",
    b"h\x00",
    b"q\x00",
    b"\x94",
    b"K\x01\x88",
    b"cstrange.module\nThing\n",
    b"\x80\x04",
    b"(",
    b")",
    b"}",
    b"]",
    b"N",
    b"a",
    b"s",
    b"R",
    b"b",
    b"t",
    b"\x85",
]


class Original:
    """A file to mutate, and its opcodes or tokens: (name, start, start of the content, end)."""

    def __init__(self, data):
        self.data = data
        self.is_json = data.lstrip(b" \t\r\n")[:1] == b"{"
        self.parts = json_tokens(data) if self.is_json else pickle_opcodes(data)
        self.texts = [part for part in self.parts if part[0] in TEXT_OPCODES and part[3] > part[2]]
        self.numbers = [part for part in self.parts if part[0] in NUMBER_OPCODES and part[3] > part[2]]
        self.atoms = [part for part in self.parts if part[0] in ATOMS]
        self.framed = (
            len(self.parts) > 2 and self.parts[1][0] == "FRAME" and sum(part[0] == "FRAME" for part in self.parts) == 1
        )


def json_tokens(data):
    tokens = []
    for match in JSON_TOKEN.finditer(data):
        name = match.lastgroup
        inset = 1 if name == "text" else 0
        tokens.append((name, match.start(), match.start() + inset, match.end()))
    return tokens


def replaced(data, start, end, piece):
    return data[:start] + piece + data[end:]


def change_text(chance, data, original, others):
    if not original.texts:
        return data
    _, _, content, end = chance.choice(original.texts)
    at = chance.randrange(content, end)
    byte = chance.choice(b"abcXYZ019 _-") if chance.random() < 0.8 else chance.randrange(256)
    return replaced(data, at, at + 1, bytes([byte]))


def change_number(chance, data, original, others):
    if not original.numbers:
        return change_text(chance, data, original, others)
    name, _, content, end = chance.choice(original.numbers)
    at = chance.randrange(content, end)
    if name in ("INT", "LONG", "FLOAT", "number"):
        at = min(at, max(content, end - 2))
        return replaced(
            data, at, at + 1, bytes([chance.choice(b"0123456789" if chance.random() < 0.8 else b"-+.eELx_ n")])
        )
    return replaced(data, at, at + 1, bytes([chance.randrange(256)]))


def swap_atom(chance, data, original, others):
    """One value for another, of this file or of another one."""
    source = original if chance.random() < 0.5 else chance.choice(others)
    if not original.atoms or not source.atoms or source.is_json != original.is_json:
        return change_text(chance, data, original, others)
    _, start, _, end = chance.choice(original.atoms)
    _, from_start, _, from_end = chance.choice(source.atoms)
    return replaced(data, start, end, source.data[from_start:from_end])


def flip_bit(chance, data, original, others):
    at = chance.randrange(len(data))
    return replaced(data, at, at + 1, bytes([data[at] ^ 1 << chance.randrange(8)]))


def change_byte(chance, data, original, others):
    at = chance.randrange(len(data))
    return replaced(data, at, at + 1, bytes([chance.randrange(256)]))


def change_opcode(chance, data, original, others):
    if not original.parts or original.is_json:
        return change_byte(chance, data, original, others)
    start = chance.choice(original.parts)[1]
    return replaced(data, start, start + 1, bytes([chance.choice(OPCODE_BYTES)]))


def insert_piece(chance, data, original, others):
    at = (
        chance.choice(original.parts)[1]
        if original.parts and chance.random() < 0.8
        else chance.randrange(len(data) + 1)
    )
    return replaced(data, at, at, chance.choice(JSON_PIECES if original.is_json else PICKLE_PIECES))


def insert_part(chance, data, original, others):
    source = original if chance.random() < 0.5 else chance.choice(others)
    if not original.parts or not source.parts:
        return flip_bit(chance, data, original, others)
    at = chance.choice(original.parts)[1]
    _, start, _, end = chance.choice(source.parts)
    return replaced(data, at, at, source.data[start:end])


def delete_part(chance, data, original, others):
    if not original.parts:
        return flip_bit(chance, data, original, others)
    _, start, _, end = chance.choice(original.parts)
    return replaced(data, start, end, b"")


def duplicate_part(chance, data, original, others):
    if not original.parts:
        return flip_bit(chance, data, original, others)
    _, start, _, end = chance.choice(original.parts)
    return replaced(data, end, end, data[start:end] * chance.choice([1, 1, 1, 2, 50]))


def swap_parts(chance, data, original, others):
    if len(original.parts) < 3:
        return flip_bit(chance, data, original, others)
    index = chance.randrange(len(original.parts) - 1)
    _, first, _, middle = original.parts[index]
    end = original.parts[index + 1][3]
    return replaced(data, first, end, data[middle:end] + data[first:middle])


def duplicate_range(chance, data, original, others):
    if len(original.parts) < 4:
        return flip_bit(chance, data, original, others)
    index = chance.randrange(len(original.parts) - 2)
    start, end = (
        original.parts[index][1],
        original.parts[min(len(original.parts) - 2, index + chance.randrange(1, 12))][3],
    )
    return replaced(data, end, end, data[start:end])


def delete_range(chance, data, original, others):
    start = chance.randrange(len(data))
    return replaced(data, start, start + chance.choice([1, 1, 2, 5, 20]), b"")


def truncate(chance, data, original, others):
    return data[: chance.randrange(len(data))]


def splice(chance, data, original, others):
    source = chance.choice(others)
    if source.is_json != original.is_json or not source.parts or not original.parts or chance.random() < 0.2:
        return data[: chance.randrange(len(data))] + source.data[chance.randrange(len(source.data)) :]
    return data[: chance.choice(original.parts)[1]] + source.data[chance.choice(source.parts)[1] :]


def change_length(chance, data, original, others):
    """The bytes between an opcode and its content: lengths, indices."""
    lengths = [part for part in original.parts if part[2] > part[1] + 1]
    if not lengths or original.is_json:
        return change_number(chance, data, original, others)
    _, start, content, _ = chance.choice(lengths)
    at = chance.randrange(start + 1, content)
    return replaced(
        data,
        at,
        at + 1,
        bytes([chance.choice([0, 1, 2, 0x7F, 0x80, 0xFF, (data[at] + 1) % 256, (data[at] - 1) % 256])]),
    )


def append_rubbish(chance, data, original, others):
    return data + chance.choice([b"\x00", b" ", b"\n", b"}", b"rubbish", chance.choice(others).data])


MUTATIONS = {
    change_text: 22,
    change_number: 18,
    swap_atom: 18,
    flip_bit: 8,
    change_byte: 5,
    change_opcode: 6,
    insert_piece: 8,
    insert_part: 6,
    delete_part: 5,
    duplicate_part: 4,
    swap_parts: 4,
    duplicate_range: 4,
    delete_range: 3,
    truncate: 2,
    splice: 4,
    change_length: 5,
    append_rubbish: 1,
}
KINDS, WEIGHTS = list(MUTATIONS), list(MUTATIONS.values())


def fixture_originals():
    """Every fixture that is small enough, in a fixed order. Bombs are left out: Python hashes their tuples for ever, deaf to any alarm."""
    files = sorted(
        path
        for path in FIXTURES.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".json") and not path.name.startswith(("bomb-", "."))
    )
    return [Original(data) for data in map(Path.read_bytes, files) if 0 < len(data) <= LARGEST_ORIGINAL]


def block_originals(seed, block, fixtures):
    """The files that one block of mutations begins with."""
    chance = random.Random(seed * 7_000_003 + block)
    chosen = chance.sample(fixtures, min(len(fixtures), 12))
    index = 1_000 + block * 1_000
    while len(chosen) < 30:
        data, verdict, _ = make_session(seed + 1, index)
        index += 1
        if data and len(data) <= LARGEST_ORIGINAL and (verdict.json is not None or chance.random() < 0.2):
            chosen.append(Original(data))
    return chosen


def mutated(seed, index, originals):
    """Mutated file `index`, and the names of what was done to it."""
    chance = random.Random(seed * 1_000_003 + index)
    original = chance.choice(originals)
    data, names = original.data, []
    for kind in chance.choices(KINDS, WEIGHTS, k=chance.choice([1, 1, 1, 1, 2, 3])):
        current = original if not names else Original(data)
        if not data:
            break
        data = kind(chance, data, current, originals)
        names.append(kind.__name__)
    if original.framed and len(data) > 11 and chance.random() < 0.7:
        data = replaced(data, 3, 11, struct.pack("<Q", len(data) - 11))
    return data, names


class JudgeTimeout(BaseException):
    """The judge took too long over a file."""


def _ring(signum, frame):
    raise JudgeTimeout


def judge_in_time(data):
    signal.setitimer(signal.ITIMER_REAL, JUDGE_SECONDS)
    try:
        return judge_file(data)
    except (JudgeTimeout, MemoryError):
        return refused("judge-gave-up")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--start", type=int, default=0)
    arguments.add_argument("--count", type=int, default=20000)
    options = arguments.parse_args()
    sys.setrecursionlimit(20000)
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(4300)
    signal.signal(signal.SIGALRM, _ring)
    resource.setrlimit(resource.RLIMIT_AS, (JUDGE_MEMORY, JUDGE_MEMORY))
    frames, counts = FrameWriter(), Counter()
    fixtures, block, originals = fixture_originals(), None, []
    for index in range(options.start, options.start + options.count):
        if index // BLOCK != block:
            block = index // BLOCK
            # Where not even an alarm gets through, the process ends and says where it was.
            faulthandler.dump_traceback_later(BLOCK_SECONDS, exit=True)
            originals = block_originals(options.seed, block, fixtures)
        data, names = mutated(options.seed, index, originals)
        verdict = judge_in_time(data)
        counts.update(names)
        if verdict.json is not None:
            counts.update(name + ", accepted" for name in names)
        if "judge-gave-up" in verdict.reasons:
            counts["judge gave up"] += 1
        frames.write_judged(data, verdict, f"{index} {' '.join(names)}")
    frames.end(counts)


if __name__ == "__main__":
    main()
