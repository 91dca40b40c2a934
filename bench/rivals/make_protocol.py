"""Writes to stdout, for `redis-cli --pipe`, the commands that copy a directory's sessions. Takes directory and format."""

import sys
import time

from sessions import key_of, lifetime_of, list_sessions, read_session, value_of


def main(directory, form):
    now_ms = int(time.time() * 1000)
    for sid, path in list_sessions(directory):
        session = read_session(path, form)
        expires = str(now_ms + lifetime_of(session) * 1000).encode()
        words = (b"SET", key_of(sid).encode(), value_of(session), b"PXAT", expires)
        sys.stdout.buffer.write(b"*%d\r\n" % len(words))
        for word in words:
            sys.stdout.buffer.write(b"$%d\r\n%s\r\n" % (len(word), word))


main(*sys.argv[1:])
