"""Where a simulated server keeps its sessions: files as Tele and Odoo write them, or Redis as the applets do. Standard library only."""

import json
import os
import pickle
import tempfile
import time

HOUR, DAY = 3600, 86400
CLEANUP_AGE = 7 * DAY


def lifetime_of(data):
    """The default expirations, in seconds."""
    return 7 * DAY if data["uid"] else 3 * HOUR


class FlatFiles:
    """Tele, and Odoo up to 15: one pickle for each session, beside one another."""

    def __init__(self, directory):
        self.directory = directory

    def path_of(self, sid):
        return os.path.join(self.directory, "werkzeug_%s.sess" % sid)

    def encode(self, data):
        return pickle.dumps(data, protocol=4)

    def decode(self, content):
        return pickle.loads(content)

    def load(self, sid):
        try:
            with open(self.path_of(sid), "rb") as file:
                return self.decode(file.read())
        except FileNotFoundError:
            return None

    def save(self, sid, data, _new=False):
        path = self.path_of(sid)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(suffix=".__wz_sess", dir=self.directory)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self.encode(data))
        # The kernel's clock is not shifted, this process's is.
        os.utime(temporary, (time.time(), time.time()))
        os.rename(temporary, path)
        os.chmod(path, 0o644)

    def delete(self, sid):
        try:
            os.unlink(self.path_of(sid))
        except FileNotFoundError:
            pass

    def overdue(self, sids):
        """Those whose file the server's cleanup removes now."""
        limit = time.time() - CLEANUP_AGE
        return [sid for sid in sids if os.path.exists(self.path_of(sid)) and os.stat(self.path_of(sid)).st_mtime < limit]

    def describe(self, sid):
        try:
            age = time.time() - os.stat(self.path_of(sid)).st_mtime
        except FileNotFoundError:
            return "no file"
        return "file of version %d, %.1f h old" % (self.load(sid)["version"], age / HOUR)


class ScatteredFiles(FlatFiles):
    """Odoo 18 and 19: JSON in folders."""

    def path_of(self, sid):
        return os.path.join(self.directory, sid[:2], sid)

    def encode(self, data):
        return json.dumps(data).encode()

    def decode(self, content):
        return json.loads(content)


class AppletKeys:
    """An applet's way with keys. `lifetime`: "sliding", "three hours" or "non-renewing"."""

    def __init__(self, redis, lifetime):
        self.redis = redis
        self.lifetime = lifetime

    def load(self, sid):
        value = self.redis.call("GET", "session:" + sid)
        return None if value is None else json.loads(value)

    def save(self, sid, data, new=False):
        """Returns for how many seconds the session may be unused from now on; `None` if that does not change."""
        key, value = "session:" + sid, json.dumps(data)
        if self.lifetime == "non-renewing" and not new:
            self.redis.call("SET", key, value, "XX", "KEEPTTL")
            return None
        seconds = lifetime_of(data)
        if self.lifetime == "three hours":
            seconds = 3 * HOUR
        if "deletion_time" in data:
            seconds = max(1, int(data["deletion_time"] - time.time()))
        self.redis.call("SET", key, value)
        self.redis.call("EXPIRE", key, seconds)
        return seconds

    def delete(self, sid):
        self.redis.call("DEL", "session:" + sid)

    def seconds_left(self, sid):
        return self.redis.call("PTTL", "session:" + sid) / 1000

    def describe(self, sid):
        data = self.load(sid)
        if data is None:
            return "no key"
        at = self.redis.call("PEXPIRETIME", "session:" + sid)
        return "key of version %d, %.2f h left, expires at %d" % (data["version"], self.seconds_left(sid) / HOUR, at)
