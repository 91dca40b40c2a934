"""The order in which a session directory was read and its files came and went, as the kernel tells it. Standard library only."""

import ctypes
import os
import re
import struct
import threading

IN_ACCESS = 0x1
IN_CLOSE_NOWRITE = 0x10
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_OPEN = 0x20
IN_Q_OVERFLOW = 0x4000
IN_ISDIR = 0x40000000

EVENT = struct.Struct("iIII")
SESSION = re.compile(r"(?:werkzeug_)?([0-9a-f]{40})(?:\.sess)?")
MARKER = re.compile(r"marker-([0-9]+)")


class DirectoryLog(threading.Thread):
    """Follows a session directory and its folders, one event after the other: each has a number, its place in the order of all.

    A directory's parent says when somebody opens the directory and reads names from it at once, which is when a pass over it begins: who
    only looks for a file through its descriptor reads none. The order holds between the two, for it is one queue.
    """

    def __init__(self, directory, folders):
        super().__init__(daemon=True)
        self.parent, self.name = os.path.split(os.path.abspath(directory))
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.queue = self.checked(self.libc.inotify_init1(os.O_CLOEXEC))
        self.parent_watch = self.watch(self.parent, IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE | IN_CREATE)
        for folder in ("", *folders):
            self.watch(os.path.join(directory, folder), IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)
        self.count = 0
        # The numbers of the events with which passes began; that of an opening that nothing followed yet.
        self.passes = []
        self.opened = None
        # By sid: the numbers of the events in which its file was put in place.
        self.saved = {}
        # Each a sid and the number of an event, as below.
        self.deleted = []
        # Session files that were renamed to what is no session's name: the server never does that. By the cookie of the renaming.
        self.taken = {}
        self.markers = {}
        self.told = threading.Condition()
        self.start()

    def checked(self, result):
        if result < 0:
            raise OSError(ctypes.get_errno(), "inotify: %s" % os.strerror(ctypes.get_errno()))
        return result

    def watch(self, path, mask):
        return self.checked(self.libc.inotify_add_watch(self.queue, os.fsencode(path), mask))

    def mark(self):
        """The number of events that had happened when it was asked."""
        with self.told:
            number = len(self.markers)
            self.markers[number] = None
        path = os.path.join(self.parent, "marker-%d" % number)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        with self.told:
            while self.markers[number] is None:
                self.told.wait()
        os.unlink(path)
        return self.markers[number]

    def run(self):
        while True:
            data = os.read(self.queue, 1 << 20)
            offset = 0
            while offset < len(data):
                watch, mask, cookie, length = EVENT.unpack_from(data, offset)
                offset += EVENT.size
                name = os.fsdecode(data[offset : offset + length].rstrip(b"\0"))
                offset += length
                self.take(watch, mask, cookie, name)

    def take(self, watch, mask, cookie, name):
        if mask & IN_Q_OVERFLOW:
            raise OverflowError("inotify lost events")
        if watch == self.parent_watch:
            self.take_of_parent(mask, name)
            return
        match = SESSION.fullmatch(name)
        if match is None:
            return
        sid = match.group(1)
        if mask & IN_MOVED_TO and cookie in self.taken:
            # From its flat to its scattered place.
            del self.taken[cookie]
        elif mask & IN_MOVED_TO:
            self.saved.setdefault(sid, []).append(self.count)
        elif mask & IN_DELETE:
            self.deleted.append([sid, self.count])
        elif mask & IN_MOVED_FROM:
            self.taken[cookie] = [sid, self.count]
        self.count += 1

    def take_of_parent(self, mask, name):
        marker = MARKER.fullmatch(name)
        if mask & IN_CREATE and marker is not None:
            with self.told:
                self.markers[int(marker.group(1))] = self.count
                self.told.notify_all()
        elif mask & IN_ISDIR and name == self.name:
            if mask & IN_ACCESS and self.opened is not None:
                self.passes.append(self.opened)
            self.opened = self.count if mask & IN_OPEN else None
            self.count += 1
