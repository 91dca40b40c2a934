"""What the rivals in Python share: which sessions there are, how a server reads one, and its key, value and lifetime in Redis."""

import datetime
import json
import os
import pickle

AUTHENTICATED_LIFETIME = 604800
ANONYMOUS_LIFETIME = 10800


class Encoder(json.JSONEncoder):
    """The applet's encoder."""

    def default(self, value):
        if isinstance(value, datetime.datetime):
            return {"_type": "datetime_isoformat", "value": value.isoformat()}
        if isinstance(value, datetime.date):
            return {"_type": "date_isoformat", "value": value.isoformat()}
        if isinstance(value, set):
            return {"_type": "set", "value": list(value)}
        return json.JSONEncoder.default(self, value)


def list_sessions(directory):
    """The sid and the path of every session file, flat or scattered."""
    for name in os.listdir(directory):
        if name.startswith("werkzeug_"):
            yield name[len("werkzeug_") : -len(".sess")], os.path.join(directory, name)
        elif len(name) == 2:
            folder = os.path.join(directory, name)
            for sid in os.listdir(folder):
                yield sid, os.path.join(folder, sid)


def read_session(path, form):
    with open(path, "rb") as file:
        return json.load(file) if form == "json" else pickle.load(file)


def key_of(sid):
    return "session:" + sid


def value_of(session):
    return json.dumps(session, cls=Encoder).encode("utf-8")


def lifetime_of(session):
    lifetime = AUTHENTICATED_LIFETIME if session.get("uid") else ANONYMOUS_LIFETIME
    return session.get("expiration") or lifetime
