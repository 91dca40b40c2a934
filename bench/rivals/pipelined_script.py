"""Copies sessions as a script does that an operator writes in an hour: one command a session, 500 in a pipeline. Arguments as for the server's way."""

import json
import sys

import redis

from sessions import key_of, lifetime_of, list_sessions, read_session, value_of

PIPELINE = 500


def main(directory, form, host, port):
    client = redis.Redis(host=host, port=int(port))
    pipeline = client.pipeline(transaction=False)
    count = 0
    for sid, path in list_sessions(directory):
        session = read_session(path, form)
        pipeline.set(key_of(sid), value_of(session), ex=lifetime_of(session))
        count += 1
        if count % PIPELINE == 0:
            pipeline.execute()
    pipeline.execute()
    print(json.dumps({"sessions": count}))


main(*sys.argv[1:])
