"""The stream of judged files that the tests read from a pipe.

A frame is a length (u32, little-endian, of what follows it) and then: a kind (u8), the length of the file's bytes (u32), the
bytes, the length of the answer (u32), the answer, and a label in UTF-8 up to the frame's end. The kinds: 0, accepted, the answer
is the JSON; 1, refused, the answer is every reason that fits, blanks between; 2, the end, the answer is a JSON object of counts.
For an accepted file the label begins with two digits, whether it is authenticated (0, 1) and its lossiness (0 faithful, 1 either, 2 lossy).
"""

import json
import struct
import sys

ACCEPTED, REFUSED, END = 0, 1, 2


class FrameWriter:
    """Writes frames to a binary stream, gathered into large writes."""

    def __init__(self, stream=None):
        self.stream = stream or sys.stdout.buffer
        self.parts = []
        self.gathered = 0

    def write(self, kind, data, answer, label):
        label = label.encode("utf-8")
        head = struct.pack("<IBI", 9 + len(data) + len(answer) + len(label), kind, len(data))
        self.parts += (head, data, struct.pack("<I", len(answer)), answer, label)
        self.gathered += len(data) + len(answer)
        if self.gathered > 1 << 18:
            self.flush()

    def write_judged(self, data, verdict, label=""):
        if verdict.json is None:
            self.write(REFUSED, data, " ".join(sorted(verdict.reasons)).encode("ascii"), label)
        else:
            self.write(ACCEPTED, data, verdict.json, f"{verdict.authenticated:d}{verdict.lossiness:d}{label}")

    def end(self, counts):
        self.write(END, b"", json.dumps(counts).encode("ascii"), "")
        self.flush()

    def flush(self):
        self.stream.write(b"".join(self.parts))
        self.stream.flush()
        self.parts, self.gathered = [], 0
