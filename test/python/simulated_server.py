#!/usr/bin/env python3
"""A server that people log in to and out of, day after day, first on files and then on Redis. It judges what a run left of their sessions.

    python3 simulated_server.py DIRECTORY --redis-port N --seed N --files flat|scattered
                                --lifetime "sliding|three hours|non-renewing" [--rotates]

SHIFT_CLOCK_FILE names the file that moves the clocks of all processes; only this process writes it. Each line on standard input
gets one line of JSON back:

    day QUIET     one more day; then QUIET seconds without a request
    redis, files  the server is restarted and works there from now on
    judge         the problems that it sees right after a run, as sentences

People read, save, log out, and come back after days.
The seed decides who does what.
"""

import argparse
import json
import os
import random
import sys
import time

from redis_log import Connection
from simulated_stores import DAY, HOUR, AppletKeys, FlatFiles, ScatteredFiles, lifetime_of

PEOPLE, VISITORS = 60, 12
# Far enough from three hours that milliseconds decide nothing, be it on a rotation or on an end in Redis.
STEPS, STEP = 5, 10_200
ROTATION, DELETION_TIMER, STATIC = 3 * HOUR, 120, 42
# A run and a day's requests take real time, while a simulated day has a certain length.
TOLERANCE = 300


class Person:
    def __init__(self, uid, activity):
        self.uid = uid
        self.activity = activity
        self.sid = None


class SimulatedServer:
    def __init__(self, arguments):
        self.random = random.Random(arguments.seed)
        files = FlatFiles if arguments.files == "flat" else ScatteredFiles
        self.sid_length = 40 if arguments.files == "flat" else 84
        self.files = files(arguments.directory)
        self.redis = Connection(arguments.redis_port)
        self.keys = AppletKeys(self.redis, arguments.lifetime)
        self.rotates = arguments.rotates
        self.store = self.files
        self.clock_file = os.environ["SHIFT_CLOCK_FILE"]
        self.day = 0
        self.people = [Person(uid, self.random.choice((0.03, 0.1, 0.3, 0.6))) for uid in range(2, PEOPLE + 2)]
        self.visitors = []
        # What the server would accept: the data of its last save.
        self.live = {}
        # Until when Redis keeps a session that nobody saves, on the simulated clock.
        self.until = {}
        # What the server ended: logouts, sessions that a login or a rotation replaced, what its cleanup removed.
        self.over = set()
        # After a return to files Redis may hold other versions, and logouts from there do not reach it.
        self.returned = False
        self.unjudged = set()
        self.quiet = 0
        self.judged = 0
        self.problems = []
        # The times of files lead the kernel's clock, so a file's time of change never counts.
        self.begin = time.time() + DAY
        self.move_clock(self.begin)

    def move_clock(self, target):
        with open(self.clock_file, encoding="ascii") as file:
            shift = float(file.read()) + target - time.time()
        with open(self.clock_file + ".new", "w", encoding="ascii") as file:
            file.write("+%.6f" % shift)
        os.rename(self.clock_file + ".new", self.clock_file)

    def problem(self, what, sid):
        parts = ("day %d" % self.day, what, sid[:6], self.files.describe(sid), self.keys.describe(sid))
        self.problems.append(", ".join(parts))

    def make_sid(self, static=""):
        alphabet = "0123456789abcdef" if self.sid_length == 40 else "ABCDEFghijkl0123456789-_"
        return static + "".join(self.random.choice(alphabet) for _ in range(self.sid_length - len(static)))

    def save(self, sid, data, new=False):
        self.unjudged.discard(sid)
        self.live[sid] = data
        seconds = self.store.save(sid, data, new)
        if seconds is not None:
            self.until[sid] = time.time() + seconds

    def end(self, sid):
        self.store.delete(sid)
        self.live.pop(sid, None)
        if self.returned and self.store is self.files:
            self.unjudged.add(sid)
        self.over.add(sid)

    def begin_session(self, uid):
        sid = self.make_sid()
        login = "user%d@example.com" % uid if uid else None
        token = "%064x" % self.random.getrandbits(256) if uid else None
        data = {"db": "prod", "uid": uid, "login": login, "session_token": token, "context": {"lang": "en_US"}, "debug": ""}
        data.update(version=1, create_time=time.time())
        self.save(sid, data, new=True)
        return sid

    def save_again(self, sid):
        data = dict(self.live[sid])
        data["version"] += 1
        data["note"] = "." * self.random.randrange(80)
        self.save(sid, data)

    def accepts(self, sid):
        """Loads a session, as each request does."""
        held = self.store.load(sid)
        if sid not in self.live:
            if held is not None and sid not in self.unjudged:
                self.problem("accepted after its end", sid)
            return False
        if held is None:
            if self.store is self.files or (time.time() < self.until[sid] - TOLERANCE and sid not in self.unjudged):
                self.problem("logged out", sid)
            del self.live[sid]
            self.over.add(sid)
            return False
        if held != self.live[sid]:
            if sid not in self.unjudged:
                self.problem("version %d became another" % self.live[sid]["version"], sid)
            self.live[sid] = held
        return True

    def rotate(self, sid):
        """Odoo 19's soft rotation: the old session stands for two minutes more."""
        data = dict(self.live[sid])
        if data.pop("gc_previous_sessions", False) and data["create_time"] + DELETION_TIMER < time.time():
            for old in [other for other in self.live if other[:STATIC] == sid[:STATIC] and other != sid]:
                self.end(old)
        if time.time() < data["create_time"] + ROTATION:
            return sid
        next_sid = self.make_sid(sid[:STATIC])
        self.save(sid, {**data, "next_sid": next_sid, "deletion_time": time.time() + DELETION_TIMER})
        self.save(next_sid, {**data, "create_time": time.time(), "gc_previous_sessions": True}, new=True)
        return next_sid

    def visit(self, person):
        if person.sid is None or not self.accepts(person.sid):
            person.sid = self.begin_session(person.uid) if self.random.random() < 0.7 else None
            return
        if self.rotates:
            person.sid = self.rotate(person.sid)
        choice = self.random.random()
        if choice < 0.08:
            self.end(person.sid)
            person.sid = None
        elif choice < 0.5:
            self.save_again(person.sid)

    def visit_anonymously(self):
        returning = [sid for sid in self.random.sample(self.visitors, min(4, len(self.visitors))) if self.accepts(sid)]
        for sid in returning:
            if self.random.random() < 0.5:
                self.save_again(sid)
        self.visitors += [self.begin_session(None) for _ in range(VISITORS // 2)]
        self.visitors = self.visitors[-4 * VISITORS :]

    def log_in_from_visit(self):
        away = [person for person in self.people if person.sid is None]
        if away and self.visitors:
            sid = self.visitors.pop()
            if self.accepts(sid):
                self.end(sid)
                self.random.choice(away).sid = self.begin_session(self.random.choice(away).uid)

    def live_a_day(self, quiet):
        self.day += 1
        self.quiet = quiet
        morning = self.begin + self.day * DAY
        for step in range(STEPS):
            self.move_clock(morning + step * STEP)
            if step == 2 and self.store is self.files:
                for sid in self.files.overdue(list(self.live)):
                    self.end(sid)
            for person in self.people:
                if self.random.random() < person.activity or self.day == 1 and step == 0:
                    self.visit(person)
            self.visit_anonymously()
            self.log_in_from_visit()
        self.move_clock(morning + (STEPS - 1) * STEP + quiet)

    def work_on_redis(self):
        """Restarts on Redis after a copy while it stood still: whatever it accepted must go on."""
        self.store = self.keys
        for sid, data in list(self.live.items()):
            if sid in self.unjudged and self.keys.load(sid) is None:
                del self.live[sid]
                continue
            self.until[sid] = data.get("deletion_time", time.time() + lifetime_of(data))
            if self.returned:
                # While keys of the applet stand, copies renew no lifetime.
                self.until[sid] = min(self.until[sid], time.time() + self.keys.seconds_left(sid))

    def work_on_files(self):
        """Goes back to files that stood still since the switch. What was saved and ended in Redis in between is lost."""
        self.store = self.files
        self.returned = True
        self.unjudged |= self.over | set(self.live)
        held = {sid: self.files.load(sid) for sid in self.live}
        self.live = {sid: data for sid, data in held.items() if data is not None}

    def judge(self):
        """Right after a run, with the server as it stood before it."""
        now = time.time()
        on_files = self.store is self.files
        for sid, data in self.live.items():
            if sid in self.unjudged:
                continue
            held = self.keys.load(sid)
            if on_files and self.files.load(sid) is None:
                self.problem("its file was removed while the server used it", sid)
            gone = now > data["deletion_time"] if "deletion_time" in data else not on_files and now > self.until[sid] + TOLERANCE
            if gone and held is not None:
                self.problem("in Redis after its lifetime", sid)
            due = not gone and (on_files or now < self.until[sid] - TOLERANCE)
            if due and held is None:
                self.problem("not in Redis", sid)
            elif due and held != data:
                self.problem("in Redis in another version than %d" % data["version"], sid)
            elif due and on_files and self.knows_files() and not self.returned and self.keys.seconds_left(sid) < lifetime_of(data) - TOLERANCE:
                self.problem("not renewed", sid)
        # After hours without a save nothing tells a run that the server works on files.
        if not on_files or self.knows_files():
            for sid in sorted(self.over - self.unjudged):
                if self.keys.load(sid) is not None:
                    self.problem("in Redis after its end", sid)
        self.judged += len(self.live)

    def knows_files(self):
        return self.quiet < 4 * HOUR

    def answer(self, line):
        word, _, rest = line.partition(" ")
        if word == "day":
            self.live_a_day(int(rest))
        elif word == "redis":
            self.work_on_redis()
        elif word == "files":
            self.work_on_files()
        elif word == "judge":
            self.judge()
        else:
            raise ValueError("no such order: %s" % word)
        problems, self.problems = self.problems, []
        people = sum(1 for person in self.people if person.sid in self.live)
        return {"problems": problems, "loggedIn": people, "judged": self.judged}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--redis-port", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--files", choices=("flat", "scattered"), required=True)
    parser.add_argument("--lifetime", choices=("sliding", "three hours", "non-renewing"), required=True)
    parser.add_argument("--rotates", action="store_true")
    server = SimulatedServer(parser.parse_args())
    for line in sys.stdin:
        print(json.dumps(server.answer(line.strip())), flush=True)


if __name__ == "__main__":
    main()
