"""Copies sessions as the server does: one file at a time, SET and EXPIRE, a round trip each. Takes directory, format, host and port."""

import json
import sys

import redis

from sessions import key_of, lifetime_of, list_sessions, read_session, value_of


def main(directory, form, host, port):
    client = redis.Redis(host=host, port=int(port))
    count = 0
    for sid, path in list_sessions(directory):
        session = read_session(path, form)
        key = key_of(sid)
        if client.set(key, value_of(session)):
            client.expire(key, lifetime_of(session))
        count += 1
    print(json.dumps({"sessions": count}))


main(*sys.argv[1:])
