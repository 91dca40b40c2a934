#!/usr/bin/env python3
"""A Tele server at work on its sessions: saves, rotates and ends them, first in files, then in Redis, and remembers all of it.

    python3 live_server.py DIRECTORY --redis-port N --history FILE [--seed 1] [--sessions 2000] [--threads 16] [--scatters]

It makes the sessions, says `{"ready": ...}` and then does what the lines on its standard input say, each answered by a line of JSON once it
is so:

    files              works on files: saves sessions, makes new ones
    files and ends     rotates and ends sessions too
    redis              was switched to the session_redis applet: works on Redis alone, and takes a missing session for a logout
    quiet              finishes what is under way and does nothing more
    count              what it did so far
    run begins NAME    takes note that a run begins, here
    run ended          takes note that it is over, here
    end                writes its history to FILE, and ends

The steps are those of the real stores in their order, with up to 30 ms between two of them: `FilesystemSessionStore` of Werkzeug 0.16 (a
temporary file, written, renamed, its mode set), with `--scatters` Odoo 16's (which moves a flat file into its folder when it first loads
it), the applet's (SET, EXPIRE), `rotate` (the old session deleted, then the new one saved).
Standard library only. The same seed takes the same decisions; what meets what is up to the machine.
"""

import argparse
import hashlib
import json
import os
import pickle
import random
import re
import sys
import tempfile
import threading
import time
import traceback

import make_sessions
from applet_json import Encoder
from directory_log import DirectoryLog
from redis_log import RedisLog

KINDS = (
    make_sessions.visitor,
    make_sessions.located_visitor,
    make_sessions.logged_in,
    make_sessions.shopper,
    make_sessions.clerk,
    make_sessions.health_check,
)
KIND_WEIGHTS = (30, 14, 26, 16, 12, 2)
LONGEST_PAUSE = 0.03
# What a run has under way at a time.
IN_FLIGHT = 768

# What a server does in each phase, and how often in a hundred times.
WORK = {
    "files": {"save": 75, "begin": 25},
    "files and ends": {"save": 50, "begin": 20, "rotate": 15, "end": 15},
    "redis": {"read": 40, "save": 40, "save again": 5, "begin": 5, "rotate": 5, "end": 5},
}
VERSION = re.compile(rb'"version": ([0-9]+)')


def now():
    """Milliseconds: monotonic, and since the epoch."""
    return [time.monotonic() * 1000, time.time() * 1000]


class Session:
    """A session as the server knows it. Whoever holds `lock` works on it."""

    def __init__(self, sid, data):
        self.sid = sid
        self.data = data
        self.lock = threading.Lock()
        self.place = None
        self.ended = None
        # The latest version, and the one that the server last saw or left in Redis.
        self.version = 0
        self.known = 0
        self.versions = []

    def next_version(self, rng):
        self.version += 1
        self.data["version"] = self.version
        self.data["note"] = "." * rng.randrange(80)

    def json(self):
        return json.dumps(self.data, cls=Encoder).encode()

    def history(self):
        return {
            "sid": self.sid,
            "lifetimeSeconds": make_sessions.lifetime_of(self.data),
            "versions": self.versions,
            "ended": self.ended,
            "value": None if self.ended else self.json().decode(),
        }


class LiveServer:
    def __init__(self, arguments):
        self.arguments = arguments
        self.directory = arguments.directory
        self.turn = threading.Condition()
        self.phase = "quiet"
        self.at_work = 0
        self.books = threading.Lock()
        self.sessions = []
        self.by_sid = {}
        # The sessions that the server holds: `place` is the index in here.
        self.held = []
        # Sessions whose files were changed since the last run ended: Redis may hold an older version of them.
        self.behind = set()
        self.operations = 0
        self.ends = 0
        self.ends_behind = 0
        self.readings = 0
        self.troubles = []
        self.runs = []
        self.switched = None
        self.newest_file = 0

    def prepare(self):
        os.makedirs(self.directory, 0o700, exist_ok=True)
        folders = ["%02x" % number for number in range(256)] if self.arguments.scatters else []
        for folder in folders:
            os.mkdir(os.path.join(self.directory, folder), 0o755)
        self.directory_log = DirectoryLog(self.directory, folders)
        self.redis_log = RedisLog(self.arguments.redis_port)
        rng = random.Random("%d: first sessions" % self.arguments.seed)
        for _ in range(self.arguments.sessions):
            session = self.new_session(rng)
            self.save_file(session, rng, is_first=True)
            self.hold(session)
        for number in range(self.arguments.threads):
            threading.Thread(target=self.work, args=(number,), daemon=True).start()

    # Phases

    def begin_phase(self, phase):
        """Ends the phase before, once what is under way is finished, and begins another."""
        with self.turn:
            self.phase = "quiet"
            while self.at_work > 0:
                self.turn.wait()
        if phase == "redis" and self.switched is None:
            self.switched = self.marks()
        with self.turn:
            self.phase = phase
            self.turn.notify_all()

    def work(self, number):
        rng = random.Random("%d: thread %d" % (self.arguments.seed, number))
        redis = self.redis_log.connect()
        while True:
            with self.turn:
                while self.phase == "quiet":
                    self.turn.wait()
                phase = self.phase
                self.at_work += 1
            self.operate(phase, rng, redis)
            with self.turn:
                self.at_work -= 1
                self.operations += 1
                self.turn.notify_all()

    def operate(self, phase, rng, redis):
        (kind,) = rng.choices(tuple(WORK[phase]), tuple(WORK[phase].values()))
        store = RedisStore(self, rng, redis) if phase == "redis" else FileStore(self, rng)
        if kind == "begin":
            session = self.new_session(rng)
            store.save(session)
            self.hold(session)
            return
        session = self.pick(rng, store.preferred(kind))
        try:
            if not store.load(session):
                return
            pause(rng)
            if kind == "save" or kind == "save again" and session.version != session.known:
                session.next_version(rng)
            if kind in ("save", "save again"):
                store.save(session)
            if kind in ("rotate", "end"):
                store.delete(session, kind)
            if kind == "rotate":
                pause(rng)
                following = self.new_session(rng)
                store.save(following)
                self.hold(following)
        finally:
            session.lock.release()

    # Sessions

    def new_session(self, rng):
        with self.books:
            number = len(self.sessions)
            sid = hashlib.sha1(b"live %d: %d" % (self.arguments.seed, number)).hexdigest()
            (kind,) = rng.choices(KINDS, KIND_WEIGHTS)
            session = Session(sid, kind(number, hashlib.sha1(sid.encode()).digest(), False))
            self.sessions.append(session)
            self.by_sid[sid] = session
        session.next_version(rng)
        return session

    def hold(self, session):
        with self.books:
            session.place = len(self.held)
            self.held.append(session)

    def release(self, session):
        with self.books:
            last = self.held.pop()
            if last is not session:
                self.held[session.place] = last
                last.place = session.place
            session.place = None

    def pick(self, rng, preferred):
        """A session that the server holds and nobody works on, its lock taken: of the preferred ones about every other time."""
        while True:
            with self.books:
                if preferred and rng.random() < 0.5:
                    session = self.by_sid[rng.choice(preferred)]
                else:
                    session = rng.choice(self.held)
            if session.lock.acquire(blocking=False):
                if session.ended is None and session.place is not None:
                    return session
                session.lock.release()
            preferred = ()

    def end_session(self, session, how, store, before):
        session.ended = {"how": how, "store": store, "from": before, "to": now(), "event": None}
        self.release(session)

    def place_of(self, session, is_old=False):
        """`get_session_filename` of Tele, or of Odoo 16; `is_old` gives the place that Odoo 16 looks at for the sake of older ones."""
        if self.arguments.scatters and not is_old:
            return os.path.join(self.directory, session.sid[:2], session.sid)
        return os.path.join(self.directory, "werkzeug_%s.sess" % session.sid)

    def save_file(self, session, rng, is_first=False):
        """`FilesystemSessionStore.save` of Werkzeug 0.16, and of Odoo 16, which puts the file into its folder."""
        pauses = not is_first
        name = self.place_of(session, is_old=is_first)
        handle, temporary = tempfile.mkstemp(suffix=".__wz_sess", dir=self.directory)
        pause(rng, pauses)
        with os.fdopen(handle, "wb") as file:
            pickle.dump(session.data, file, pickle.HIGHEST_PROTOCOL)
        pause(rng, pauses)
        before = now()
        os.rename(temporary, name)
        after = now()
        version = saved(session, "files", before, after)
        session.versions.append(version)
        pause(rng, pauses)
        os.chmod(name, 0o644)
        self.settle(version)
        with self.books:
            self.behind.add(session.sid)

    def settle(self, version):
        """The file that holds a version was touched last, now."""
        version["settled"] = now()
        with self.books:
            self.newest_file = max(self.newest_file, version["settled"][1])

    # What it tells

    def marks(self):
        return {"command": self.redis_log.mark(), "event": self.directory_log.mark(), "at": now()}

    def count(self):
        run = self.runs[-1] if self.runs else None
        return {
            "operations": self.operations,
            "ends": self.ends,
            "endsBehind": self.ends_behind,
            "held": len(self.held),
            "passes": len(self.directory_log.passes) - (run["passesBefore"] if run else 0),
            "newestFileMs": self.newest_file,
        }

    def begin_run(self, name):
        self.redis_log.forget_touched()
        run = {"name": name, "passesBefore": len(self.directory_log.passes), "begun": self.marks(), "ended": None}
        self.runs.append(run)

    def end_run(self):
        self.runs[-1]["ended"] = self.marks()
        self.behind = set()
        self.redis_log.forget_touched()

    def delete_keys(self):
        """Somebody deletes the key of one session in ten by hand: UNLINK, which the server never sends."""
        redis = self.redis_log.connect()
        rng = random.Random("%d: deleted by hand" % self.arguments.seed)
        sids = [session.sid for session in self.sessions if rng.random() < 0.1]
        return sum(redis.call("UNLINK", "session:" + sid) for sid in sids)

    def write_history(self):
        self.marks()
        log = self.directory_log
        numbers = {session.sid: number for number, session in enumerate(self.sessions)}
        for session in self.sessions:
            in_files = [version for version in session.versions if version["store"] == "files"]
            events = log.saved.get(session.sid, [])
            if len(in_files) != len(events):
                raise ValueError("a save that the kernel did not see, or one that was none of ours")
            for version, event in zip(in_files, events):
                version["event"] = event
        deleted = dict(log.deleted)
        ended = {session.sid for session in self.sessions if session.ended and session.ended["store"] == "files"}
        for sid in ended & deleted.keys():
            self.by_sid[sid].ended["event"] = deleted[sid]
        history = {
            "seed": self.arguments.seed,
            "operations": self.operations,
            "readings": self.readings,
            "troubles": self.troubles,
            "runs": self.runs,
            "switched": self.switched,
            "passes": log.passes,
            "removed": list(log.taken.values()) + [entry for entry in log.deleted if entry[0] not in ended],
            "sessions": [session.history() for session in self.sessions],
            "commands": [
                [is_own, name, numbers.get(sid, -1), version, arguments]
                for is_own, name, sid, version, arguments in self.redis_log.rows
            ],
        }
        with open(self.arguments.history, "w", encoding="utf-8") as file:
            json.dump(history, file)

    def obey(self, line):
        if line in WORK or line == "quiet":
            self.begin_phase(line)
            return {"phase": line}
        if line == "count":
            return self.count()
        if line.startswith("run begins "):
            self.begin_run(line[len("run begins ") :])
            return {"run": "begins"}
        if line == "run ended":
            self.end_run()
            return {"run": "ended"}
        if line == "delete keys":
            return {"deleted": self.delete_keys()}
        if line == "end":
            self.begin_phase("quiet")
            self.write_history()
            return {"phase": "end"}
        raise ValueError("no such line: %s" % line)


class FileStore:
    """The server before it was switched."""

    def __init__(self, server, rng):
        self.server = server
        self.rng = rng

    def preferred(self, kind):
        """What a run has come to is ended, so that the end falls behind its write."""
        return self.server.redis_log.touched if kind in ("rotate", "end") else ()

    def load(self, session):
        server = self.server
        old, path = server.place_of(session, is_old=True), server.place_of(session)
        # Odoo 16 moves a session when it first loads it [odoo/http.py 16.0, `FilesystemSessionStore.get`].
        if os.path.isfile(old) and not os.path.isfile(path):
            pause(self.rng)
            os.rename(old, path)
            server.settle(session.versions[-1])
        try:
            with open(path, "rb") as file:
                version = pickle.load(file)["version"]
        except FileNotFoundError:
            version = None
        return self.server_read(session, version, session.version)

    def server_read(self, session, version, known):
        server = self.server
        with server.books:
            server.readings += 1
            if version is None or version < known:
                kind = "missing" if version is None else "older"
                server.troubles.append(
                    {"sid": session.sid, "store": self.name, "kind": kind, "read": version, "known": known, "at": now()}
                )
        if version is None:
            server.end_session(session, "missing", self.name, now())
        return version is not None

    name = "files"

    def save(self, session):
        self.server.save_file(session, self.rng)

    def delete(self, session, how):
        server = self.server
        was_touched = session.sid in server.redis_log.touched_set
        before = now()
        os.unlink(server.place_of(session))
        server.end_session(session, how, self.name, before)
        with server.books:
            server.ends += 1
            server.ends_behind += was_touched


class RedisStore(FileStore):
    """The server with its applet."""

    name = "redis"

    def __init__(self, server, rng, redis):
        super().__init__(server, rng)
        self.redis = redis

    def preferred(self, kind):
        """Where the file is newer than what Redis holds, and a run has just come to it, the two meet."""
        server = self.server
        if kind in ("rotate", "end"):
            return ()
        return [sid for sid in server.redis_log.touched[-IN_FLIGHT:] if sid in server.behind]

    def load(self, session):
        value = self.redis.call("GET", "session:" + session.sid)
        version = None if value is None else int(VERSION.search(value).group(1))
        if not self.server_read(session, version, session.known):
            return False
        session.known = version
        return True

    def save(self, session):
        key, value = "session:" + session.sid, session.json()
        before = now()
        self.redis.call("SET", key, value)
        session.known = session.version
        version = saved(session, "redis", before, now())
        session.versions.append(version)
        pause(self.rng)
        lifetime = make_sessions.lifetime_of(session.data)
        self.redis.call("EXPIRE", key, min(lifetime, self.server.arguments.longest_lifetime or lifetime))
        version["settled"] = now()

    def delete(self, session, how):
        before = now()
        self.redis.call("DEL", "session:" + session.sid)
        self.server.end_session(session, how, self.name, before)
        with self.server.books:
            self.server.ends += 1


def saved(session, store, before, after):
    return {"version": session.version, "store": store, "from": before, "to": after, "settled": after, "event": None}


def pause(rng, is_wanted=True):
    if is_wanted:
        time.sleep(rng.random() * LONGEST_PAUSE)


def fail(hook_arguments):
    """A fault of the simulation itself: it ends, and the test with it."""
    traceback.print_exception(hook_arguments.exc_type, hook_arguments.exc_value, hook_arguments.exc_traceback)
    os._exit(3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", help="the session directory; its parent takes files of the simulation")
    parser.add_argument("--redis-port", type=int, required=True)
    parser.add_argument("--history", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--scatters", action="store_true", help="works as Odoo 16 does on the files that an older one left")
    parser.add_argument("--threads", type=int, default=10)
    parser.add_argument("--longest-lifetime", type=int, help="of a key that the server saves in Redis, in seconds")
    server = LiveServer(parser.parse_args())
    threading.excepthook = fail
    server.prepare()
    print(json.dumps({"ready": len(server.held)}), flush=True)
    for line in sys.stdin:
        print(json.dumps(server.obey(line.strip())), flush=True)
        if line.strip() == "end":
            return


if __name__ == "__main__":
    main()
