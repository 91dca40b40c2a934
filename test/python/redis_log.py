"""A connection to Redis, and the order in which Redis ran the commands that touch session keys. Standard library only."""

import re
import socket
import threading

LINE = re.compile(rb'\+[0-9.]+ \[[0-9]+ ([^\]]*)\] "([^"]+)"(.*)\r\n', re.DOTALL)
KEY = re.compile(rb' "session:([0-9a-f]{40})"')
VERSION = re.compile(rb'\\"version\\": ([0-9]+)')
MARKER = re.compile(rb' "marker ([0-9]+)"')
# A script's own line carries its arguments; what it does has lines of its own.
SCRIPTS = (b"eval", b"evalsha", b"eval_ro", b"evalsha_ro", b"fcall", b"fcall_ro")


class RedisError(Exception):
    """`-ERR ...` from Redis."""


class Connection:
    """One connection: RESP 2, one command at a time."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = self.socket.makefile("rb", 1 << 16)
        self.address = ("%s:%d" % self.socket.getsockname()[:2]).encode()

    def call(self, *arguments):
        parts = [b"*%d\r\n" % len(arguments)]
        for argument in arguments:
            data = argument if isinstance(argument, bytes) else str(argument).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self.socket.sendall(b"".join(parts))
        return self.read()

    def read(self):
        line = self.replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.replies.read(int(rest) + 2)[:-2]
        return None if rest == b"-1" else [self.read() for _ in range(int(rest))]


class RedisLog(threading.Thread):
    """Follows MONITOR: a row for every command that names a session key, in the order in which Redis ran them.

    A row is [by the server under simulation, command, sid, version or None, further arguments]. What a script does stands there as the
    commands that it ran.
    """

    def __init__(self, port):
        super().__init__(daemon=True)
        self.connection = Connection(port)
        self.teller = Connection(port)
        self.own = set()
        self.rows = []
        self.markers = {}
        self.told = threading.Condition()
        # What others than the server have touched since `forget_touched`.
        self.touched = []
        self.touched_set = set()
        self.connection.call("MONITOR")
        self.start()

    def connect(self):
        """A connection whose commands are the server's own."""
        connection = Connection(self.connection.socket.getpeername()[1])
        self.own.add(connection.address)
        return connection

    def mark(self):
        """The number of rows that Redis had run when it was asked."""
        with self.told:
            number = len(self.markers)
            self.markers[number] = None
        self.teller.call("ECHO", "marker %d" % number)
        with self.told:
            while self.markers[number] is None:
                self.told.wait()
            return self.markers[number]

    def forget_touched(self):
        self.touched, self.touched_set = [], set()

    def run(self):
        for line in self.connection.replies:
            self.read_line(line)

    def read_line(self, line):
        match = LINE.fullmatch(line)
        if match is None:
            raise ValueError("MONITOR wrote what is no command")
        address, name, rest = match.groups()
        name = name.lower()
        if name == b"echo":
            self.take_marker(rest)
            return
        if name in SCRIPTS:
            return
        is_own = address in self.own
        for key in KEY.finditer(rest):
            sid = key.group(1).decode()
            version = VERSION.search(rest)
            self.rows.append(
                [
                    is_own,
                    name.decode(),
                    sid,
                    int(version.group(1)) if version else None,
                    arguments_after(rest[key.end() :], name),
                ]
            )
            if not is_own and sid not in self.touched_set:
                self.touched_set.add(sid)
                self.touched.append(sid)

    def take_marker(self, rest):
        match = MARKER.fullmatch(rest)
        if match is None:
            return
        with self.told:
            self.markers[int(match.group(1))] = len(self.rows)
            self.told.notify_all()


def arguments_after(rest, name):
    """What stands behind the key, a value left out; quotes inside a value are escaped."""
    arguments = rest.strip()[1:-1].split(b'" "')
    return [argument.decode("latin-1").lower() for argument in arguments[1 if name == b"set" else 0 :] if argument]
