"""Runs a command in a pseudo-terminal. What comes on stdin is typed, what the command writes goes to stdout.

Usage: terminal.py '{"columns": 80, "rows": 24}' COMMAND [ARGUMENT]...
The last line on stderr is {"code": n or null, "signal": n or null}.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios


def main():
    size = json.loads(sys.argv[1])
    command = sys.argv[2:]
    # The size is set before the command runs: it may ask at once.
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", size["rows"], size["columns"], 0, 0))
    pid = os.fork()
    if pid == 0:
        os.close(terminal)
        os.setsid()
        fcntl.ioctl(inside, termios.TIOCSCTTY, 0)
        for descriptor in (0, 1, 2):
            os.dup2(inside, descriptor)
        os.closerange(3, 256)
        try:
            os.execvp(command[0], command)
        except OSError as error:
            os.write(2, str(error).encode())
            os._exit(127)
    os.close(inside)

    sources = [terminal, 0]
    while terminal in sources:
        for source in select.select(sources, [], [])[0]:
            try:
                data = os.read(source, 65536)
            except OSError:  # Linux says EIO once nobody has the terminal open any more
                data = b""
            if not data:
                sources.remove(source)
            elif source == 0:
                write_all(terminal, data)
            else:
                write_all(1, data)

    status = os.waitpid(pid, 0)[1]
    ended = {
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
    }
    sys.stderr.write(json.dumps(ended) + "\n")


def write_all(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


main()
