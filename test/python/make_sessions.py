#!/usr/bin/env python3
"""Makes session files as Odoo 8 to 19 and Tele leave them, and says what Redis must hold afterwards.

Standard library only. The same arguments make the same sessions. Every value is made up: logins end in example.com,
tokens repeat a counter. Prints a JSON object with the numbers; `--manifest FILE` gets a line of JSON for each file:

  {"path": "werkzeug_<sid>.sess", "sid": ..., "layout": "flat", "format": "pickle4", "authenticated": true,
   "lifetime": 604800, "outcome": "copied", "bytes": 202, "sha256": of the value, or "value": the value itself,
   "mtimeNs": "..." where --mtimes spread}
  {"path": ..., "stray": "fifo"}      for what is no session file

`outcome` is `expired` where the session's own expiration is over as soon as it is read.
"""

import argparse
import datetime
import hashlib
import io
import json
import os
import pickle
import struct
import sys
import time

AUTHENTICATED_LIFETIME = 604800
ANONYMOUS_LIFETIME = 10800
DAY = 86400

LAYOUTS = ("flat", "scattered")
FORMATS = ("python2", "pickle0", "pickle1", "pickle2", "pickle3", "pickle4", "pickle5", "json")


# What the applet writes: tele/applets/session_redis/json_encoding.py


def encode_other(value):
    if isinstance(value, datetime.datetime):
        return {"_type": "datetime_isoformat", "value": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"_type": "date_isoformat", "value": value.isoformat()}
    if isinstance(value, set):
        return {"_type": "set", "value": list(value)}
    raise TypeError(type(value).__name__)


encode = json.JSONEncoder(default=encode_other).encode


class Python2Pickler(pickle._Pickler):
    """Writes what Python 2's protocol 2 did: text and dates' states as byte strings."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, data):
        if len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        else:
            self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)

    def save_text(self, text):
        # Every other name with an umlaut was a unicode object: what is no ASCII and of odd length stays one.
        if text.isascii() or len(text) % 2 == 0:
            self.save_bytes(text.encode())
            self.memoize(text)
        else:
            self.save_str(text)

    dispatch[bytes] = save_bytes
    dispatch[str] = save_text


def pickle_python2(session):
    buffer = io.BytesIO()
    Python2Pickler(buffer, 2).dump(session)
    return buffer.getvalue()


def write_json(session):
    return json.dumps(session).encode()


WRITERS = {
    "python2": pickle_python2,
    **{"pickle%d" % n: lambda session, protocol=n: pickle.dumps(session, protocol) for n in range(6)},
    "json": write_json,
}


# What is in a session. `n` is its number, `dice` 20 bytes that look random and are always the same for it.

NAMES = ("Zürich", "Łódź", "Genève", "東京", "Santiago", "Kraków", "Αθήνα", "São Paulo", "Montréal", "Oslo 🌲")


def base(n):
    return {
        "db": "production",
        "uid": None,
        "login": None,
        "session_token": None,
        "context": {"lang": "en_US"},
        "debug": "",
    }


def empty(n, dice, is_json):
    return {"db": None, "uid": None, "login": None, "session_token": None, "context": {}, "debug": ""}


def visitor(n, dice, is_json):
    return base(n)


def located_visitor(n, dice, is_json):
    session = base(n)
    session["geoip"] = {
        "city": NAMES[dice[0] % 10],
        "country_code": "CH",
        "country_name": "Switzerland",
        "latitude": dice[1] * 0.3515,
        "longitude": dice[2] / -7.0,
        "region": None,
        "time_zone": "Europe/Zurich",
    }
    return session


def logged_in(n, dice, is_json):
    session = base(n)
    session["uid"] = n + 2
    session["login"] = "user%d@example.com" % n
    session["session_token"] = ("%08x" % n) * 8
    session["context"] = {"lang": "de_CH", "tz": "Europe/Zurich", "uid": n + 2}
    return session


def shopper(n, dice, is_json):
    session = located_visitor(n, dice, is_json)
    if dice[3] % 2:
        session.update(logged_in(n, dice, is_json))
    session["create_time"] = 1600000000 + n + dice[4] / 256
    session["_trace"] = [{"id": dice[5], "at": 1600000000.5 + n, "ok": True}]
    session["sale_order_id"] = 100000 + n
    session["website_sale_current_pl"] = dice[6]
    for index, name in enumerate(("product_history", "blog_history")):
        session[name] = [(n * 31 + dice[7 + index] * step) % 100000 for step in range(dice[9 + index] % 60)]
    session["last_order"] = {"total": dice[11] * 19.9, "vat": 0.077, "note": "", "lines": []}
    return session


def clerk(n, dice, is_json):
    session = logged_in(n, dice, is_json)
    session["identity-check-last"] = 1600000000.25 + n
    action = {"type": "ir.actions.act_window", "res_model": "res.partner", "name": NAMES[dice[0] % 10]}
    actions = {number: dict(action, id=dice[1] + number) for number in range(1 + dice[2] % 3)}
    session["saved_actions"] = {
        "next": len(actions),
        "actions": {str(number): one for number, one in actions.items()} if is_json else actions,
    }
    if not is_json:
        session["view_quote_%d" % n] = datetime.date(2019, 1 + dice[3] % 12, 1 + dice[4] % 28)
        session["last_seen"] = datetime.datetime(2020, 5, 4, 12, 30, 5, dice[5] * 1000)
        session["groups"] = {dice[6]}
        session["range"] = (1, dice[7], ())
    session["big"] = 2**53 + n
    session["tiny"] = dice[8] * 1e-9
    return session


def health_check(n, dice, is_json):
    session = base(n)
    session["expiration"] = 3600
    return session


def expired(n, dice, is_json):
    session = base(n)
    session["expiration"] = 1 if n % 2 else -60
    return session


# Of a hundred sessions, so many are of that kind.
WEIGHTS = ((empty, 20), (visitor, 30), (located_visitor, 14), (logged_in, 16), (shopper, 12), (clerk, 6), (health_check, 2))
KINDS = [kind for kind, weight in WEIGHTS for _ in range(weight)]


def lifetime_of(session):
    own = session.get("expiration")
    return own or (AUTHENTICATED_LIFETIME if session["uid"] else ANONYMOUS_LIFETIME)


ALPHABET = bytes(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[byte % 64] for byte in range(256))


def make_sid(seed, n, long):
    """40 hex digits, or 84 of A-Za-z0-9_- as Odoo has them from 17 on."""
    name = b"%d:%d" % (seed, n)
    if long:
        return hashlib.shake_128(name).digest(84).translate(ALPHABET).decode()
    return hashlib.sha1(name).hexdigest()


def name_of(layout, sid):
    return "werkzeug_%s.sess" % sid if layout == "flat" else "%s/%s" % (sid[:2], sid)


class Maker:
    def __init__(self, arguments):
        self.arguments = arguments
        os.makedirs(arguments.directory, mode=0o700, exist_ok=True)
        self.directory = os.open(arguments.directory, os.O_RDONLY | os.O_DIRECTORY)
        self.manifest = open(arguments.manifest, "w", encoding="utf-8") if arguments.manifest else None
        self.prefixes = set()
        self.first_name = None
        self.now_ns = time.time_ns()
        self.numbers = {
            "sessions": 0,
            "authenticated": 0,
            "anonymous": 0,
            "expired": 0,
            "empty": 0,
            "ignored": 0,
            "bytes": 0,
            "layouts": {},
            "formats": {},
        }

    def make_sessions(self):
        arguments = self.arguments
        ways = [(layout, form) for layout in arguments.layouts for form in arguments.formats]
        for n in range(arguments.count):
            layout, form = ways[n % len(ways)]
            dice = hashlib.sha1(b"dice %d:%d" % (arguments.seed, n)).digest()
            kind = KINDS[(dice[18] * 256 + dice[19]) % len(KINDS)]
            self.make_session(n, layout, form, kind, dice)

    def make_session(self, n, layout, form, kind, dice, outcome="copied"):
        session = kind(n, dice, form == "json")
        content = WRITERS[form](session)
        # Odoo 17 still wrote pickles and had both kinds of sid; flat names are from before.
        long = layout == "scattered" and (form == "json" or dice[17] % 2 == 1)
        sid = make_sid(self.arguments.seed, n, long)
        name = name_of(layout, sid)
        self.first_name = self.first_name or name
        mtime_ns = self.pick_mtime(dice) if self.arguments.mtimes == "spread" else None
        self.write(name, content, mtime_ns)

        numbers = self.numbers
        authenticated = bool(session["uid"])
        numbers["sessions"] += 1
        numbers["authenticated" if authenticated else "anonymous"] += 1
        numbers["expired"] += outcome == "expired"
        numbers["bytes"] += len(content)
        numbers["layouts"][layout] = numbers["layouts"].get(layout, 0) + 1
        numbers["formats"][form] = numbers["formats"].get(form, 0) + 1
        if self.manifest:
            value = encode(json.loads(content) if form == "json" else session)
            line = {
                "path": name,
                "sid": sid,
                "layout": layout,
                "format": form,
                "authenticated": authenticated,
                "lifetime": lifetime_of(session),
                "outcome": outcome,
                "bytes": len(content),
            }
            if self.arguments.values:
                line["value"] = value
            else:
                line["sha256"] = hashlib.sha256(value.encode()).hexdigest()
            if mtime_ns is not None:
                line["mtimeNs"] = str(mtime_ns)
            self.manifest.write(encode(line) + "\n")

    def pick_mtime(self, dice):
        """Mostly the last hours and days; one in fifty is older than the week after which servers clean up."""
        share = int.from_bytes(dice[12:16], "big") / 2**32
        age = share * share * 7 * DAY if dice[16] % 50 else (7 + 50 * share) * DAY
        return self.now_ns - int(age * 1e9)

    def write(self, name, content, mtime_ns=None):
        slash = name.find("/")
        if slash != -1 and name[:slash] not in self.prefixes:
            self.prefixes.add(name[:slash])
            try:
                os.mkdir(name[:slash], 0o755, dir_fd=self.directory)
            except FileExistsError:
                pass
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644, dir_fd=self.directory)
        os.write(file, content)
        if mtime_ns is not None:
            os.utime(file, ns=(mtime_ns, mtime_ns))
        os.close(file)

    def make_strays(self):
        """What else lies about in a session directory, or might; and sessions that are over already."""
        seed, n = self.arguments.seed, self.arguments.count
        layouts = self.arguments.layouts
        for index in range(10):
            layout = layouts[index % len(layouts)]
            form = self.arguments.formats[index % len(self.arguments.formats)]
            self.make_session(n + index, layout, form, expired, bytes(20), "expired")

        for index in range(3):
            self.stray("temporary", "tmp%dabc_.__wz_sess" % index, b"half a pickle")
            self.stray("temporary", "tmp%dabc_.__tx_sess__" % index, b'{"half": ')
        self.stray("stranger", "README", b"nothing to see")
        self.stray("stranger", "werkzeug_.sess", b"no sid")
        self.stray("stranger", "werkzeug_%s.sess" % ("a" * 39), b"one digit short")
        number = n + 100
        for layout in layouts:
            sids = [make_sid(seed, number + index, False) for index in range(5)]
            number += 5
            if layout == "flat":
                self.stray("upload", "werkzeug_%s_%s.file" % (sids[0], "0123456789abcdef" * 2), b"an upload")
            self.write(name_of(layout, sids[1]), b"")
            self.note("empty", name_of(layout, sids[1]))
            for kind, sid in (("fifo", sids[2]), ("symlink", sids[3]), ("directory", sids[4])):
                name = name_of(layout, sid)
                path = os.path.join(self.arguments.directory, name)
                os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
                if kind == "fifo":
                    os.mkfifo(path)
                elif kind == "symlink":
                    target = os.path.join(self.arguments.directory, self.first_name or "README")
                    os.symlink(os.path.relpath(target, os.path.dirname(path)), path)
                else:
                    os.mkdir(path)
                self.note(kind, name)

    def stray(self, kind, name, content):
        self.write(name, content)
        self.note(kind, name)

    def note(self, kind, name):
        self.numbers["empty" if kind == "empty" else "ignored"] += 1
        if self.manifest:
            self.manifest.write(encode({"path": name, "stray": kind}) + "\n")


def choice_of(allowed):
    def parse(text):
        chosen = tuple(text.split(","))
        if not set(chosen) <= set(allowed):
            raise argparse.ArgumentTypeError("takes a list of %s" % ", ".join(allowed))
        return chosen

    return parse


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", help="is made where it is missing")
    parser.add_argument("--count", type=int, default=10000, help="sessions, beside the strays")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layouts", type=choice_of(LAYOUTS), default=LAYOUTS, help=",".join(LAYOUTS))
    parser.add_argument("--formats", type=choice_of(FORMATS), default=FORMATS, help=",".join(FORMATS))
    parser.add_argument("--strays", action="store_true", help="files that are no sessions, and 10 expired sessions")
    parser.add_argument("--mtimes", choices=("now", "spread"), default="now", help="spread: over the last days")
    parser.add_argument("--manifest", help="a file outside the directory")
    parser.add_argument("--values", action="store_true", help="the manifest holds values, not their hashes")
    arguments = parser.parse_args()

    began = time.monotonic()
    maker = Maker(arguments)
    maker.make_sessions()
    if arguments.strays:
        maker.make_strays()
    if maker.manifest:
        maker.manifest.close()
    maker.numbers["seconds"] = round(time.monotonic() - began, 3)
    json.dump(maker.numbers, sys.stdout)
    print()


if __name__ == "__main__":
    main()
