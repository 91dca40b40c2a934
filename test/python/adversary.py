#!/usr/bin/env python3
"""Swaps whatever a session directory holds, as fast as it can, until its standard input ends. Linux only.

    adversary.py DIRECTORY STAGE OUTSIDE DECOY SEED [--swap-directories]

Files are swapped for others of the same size and time, for symlinks to OUTSIDE, pipes, directories and hard links; scatter folders
for symlinks to those in OUTSIDE; with --swap-directories for other folders too, and DIRECTORY itself for DECOY and for a symlink to it. Nothing
is ever lost by it: what it takes out of a place, in one step with what it puts there, goes to STAGE. It works through descriptors
of the real directories, so that it changes nothing in OUTSIDE and DECOY. At the end every directory and every folder is back, and what is no
file is out of the way.

It works where it hurts: mostly on the files that a removal comes to next, which it finds by those that are gone.

Says "ready" on a line, begins when it reads "go" on one, and says last a JSON object: {"done": how often each thing was done, "made":
[[file, content], ...]}.
"""

import ctypes
import errno
import json
import os
import random
import select
import stat
import sys

NOREPLACE, EXCHANGE = 1, 2
MILLISECOND = 1_000_000
REACH, PROBES = 24, 3

libc = ctypes.CDLL(None, use_errno=True)


def rename(from_fd, from_name, to_fd, to_name, flags):
    """Renames or exchanges two names in one step; false where one is not there, or is there already."""
    if libc.renameat2(from_fd, os.fsencode(from_name), to_fd, os.fsencode(to_name), flags) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOENT, errno.EEXIST):
        return False
    raise OSError(code, os.strerror(code), to_name)


class Adversary:
    def __init__(self, directory, stage, outside, decoy, seed, swaps_directories):
        self.random = random.Random(seed)
        self.swaps_directories = swaps_directories
        self.parent = os.open(os.path.dirname(directory), os.O_RDONLY)
        self.directory_name = os.path.basename(directory)
        self.decoy = os.path.basename(decoy)
        self.directory = os.open(directory, os.O_RDONLY)
        self.stage = os.open(stage, os.O_RDONLY)
        self.outside = outside
        self.count = 0
        self.made = []
        self.done = {}
        self.files = []
        self.folders = {}
        for entry in os.scandir(directory):
            if entry.is_dir():
                fd = os.open(entry.path, os.O_RDONLY)
                names = os.listdir(entry.path)
                self.files += [self.file_of(fd, entry.name, name) for name in names]
                self.folders[entry.name] = names
            else:
                self.files.append(self.file_of(self.directory, "", entry.name))
        self.front = 0
        self.staged = {file["name"]: [] for file in self.files}
        for folder, names in self.folders.items():
            os.symlink(os.path.join(outside, folder), f"link-{folder}", dir_fd=self.stage)
            self.make_folder(f"folder-{folder}", names[:20])
        os.symlink(decoy, "link", dir_fd=self.stage)

    def file_of(self, fd, folder, name):
        found = os.stat(name, dir_fd=fd)
        # The time of half of them is set back to the nanosecond; the others' contents are a little later each time.
        step = 0 if self.random.random() < 0.5 else 10 * MILLISECOND
        place = {"fd": fd, "folder": folder, "name": name, "away": False}
        return {**place, "mtime": found.st_mtime_ns, "step": step, "swaps": 0}

    def make_folder(self, name, files):
        os.mkdir(name, dir_fd=self.stage)
        fd = os.open(name, os.O_RDONLY, dir_fd=self.stage)
        for file in [one for one in self.files if one["name"] in files]:
            self.make_content(file, fd, file["name"])
        os.close(fd)

    def make_content(self, file, fd, name):
        self.count += 1
        file["swaps"] += 1
        content = '{"db": null, "uid": 2, "v": "adversary %08d"}' % self.count
        mtime = file["mtime"] + file["step"] * file["swaps"]
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=fd)
        os.write(descriptor, content.encode())
        os.utime(descriptor, ns=(mtime, mtime))
        os.close(descriptor)
        self.made.append([file["name"], content])

    def note(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    def place(self, file, staged, what):
        """Puts what is staged in a file's place, and what was there in the stage."""
        if rename(self.stage, staged, file["fd"], file["name"], EXCHANGE):
            self.note(what)
        elif self.random.random() < 0.5 and rename(self.stage, staged, file["fd"], file["name"], NOREPLACE):
            self.note(what + ", where nothing was")
            file["away"] = False
            return
        self.staged[file["name"]].append(staged)

    def swap_content(self, file):
        name = f"content-{self.count}"
        self.make_content(file, self.stage, name)
        self.place(file, name, "another content")

    def swap_stranger(self, file):
        self.count += 1
        name = f"stranger-{self.count}"
        kind = self.random.choice(["symlink", "pipe", "directory", "hard link", "empty file"])
        outside = os.path.join(self.outside, file["folder"], file["name"])
        if kind == "symlink":
            os.symlink(outside, name, dir_fd=self.stage)
        elif kind == "pipe":
            os.mkfifo(name, dir_fd=self.stage)
        elif kind == "directory":
            os.mkdir(name, dir_fd=self.stage)
        elif kind == "hard link":
            os.link(outside, name, dst_dir_fd=self.stage)
        else:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=self.stage))
        self.place(file, name, kind)

    def put_again(self, file):
        staged = self.staged[file["name"]]
        if staged:
            self.place(file, staged.pop(self.random.randrange(len(staged))), "one that was there before")

    def move_away(self, file):
        self.count += 1
        name = f"moved-{self.count}"
        if rename(file["fd"], file["name"], self.stage, name, NOREPLACE):
            self.staged[file["name"]].append(name)
            file["away"] = True
            self.note("moved away")

    def change_mode(self, file):
        try:
            descriptor = os.open(file["name"], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=file["fd"])
        except OSError:
            return
        found = os.fstat(descriptor)
        # A second name of a file outside is let be.
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            os.fchmod(descriptor, self.random.choice([0o600, 0o640, 0o644]))
            self.note("another mode")
        os.close(descriptor)

    def swap_for_a_while(self, fd, name, other, other_fd, what):
        if not rename(other_fd, other, fd, name, EXCHANGE):
            return
        for _ in range(self.random.randrange(20)):
            self.swap_a_file()
        rename(other_fd, other, fd, name, EXCHANGE)
        self.note(what)

    def swap_folder(self):
        folder = self.random.choice(list(self.folders))
        kind = self.random.choice(["link", "folder"]) if self.swaps_directories else "link"
        what = "a folder for a symlink" if kind == "link" else "a folder for another"
        self.swap_for_a_while(self.directory, folder, f"{kind}-{folder}", self.stage, what)

    def swap_directory(self):
        if self.random.random() < 0.5:
            self.swap_for_a_while(self.parent, self.directory_name, "link", self.stage, "the directory for a symlink")
        else:
            self.swap_for_a_while(self.parent, self.directory_name, self.decoy, self.parent, "the directory for another")

    def swap_a_file(self):
        ways = [self.swap_content, self.swap_stranger, self.put_again, self.move_away, self.change_mode]
        way = self.random.choices(ways, weights=[8, 4, 4, 1, 2])[0]
        way(self.choose_file())

    def choose_file(self):
        """Mostly the one that a removal, which takes the files in the directory's order, has in hand or comes to next."""
        if self.random.random() < 0.02:
            return self.random.choice(self.files)
        for _ in range(PROBES):
            ahead = self.random.randrange(REACH)
            file = self.file_at(ahead)
            if not file["away"] and not self.is_there(file):
                self.front += ahead + 1
        return self.file_at(self.random.randrange(2))

    def file_at(self, ahead):
        return self.files[(self.front + ahead) % len(self.files)]

    def is_there(self, file):
        try:
            os.lstat(file["name"], dir_fd=file["fd"])
            return True
        except FileNotFoundError:
            return False

    def clear(self):
        for file in self.files:
            try:
                found = os.lstat(file["name"], dir_fd=file["fd"])
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(found.st_mode):
                self.count += 1
                rename(file["fd"], file["name"], self.stage, f"cleared-{self.count}", NOREPLACE)


def main():
    *paths, seed = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    swaps_directories = "--swap-directories" in sys.argv
    adversary = Adversary(*paths, int(seed), swaps_directories)
    ways = [adversary.swap_a_file, adversary.swap_folder]
    weights = [30, 2]
    if swaps_directories:
        ways.append(adversary.swap_directory)
        weights.append(1)
    print("ready", flush=True)
    os.read(0, 3)
    while not select.select([0], [], [], 0)[0]:
        adversary.random.choices(ways, weights=weights)[0]()
    adversary.clear()
    print(json.dumps({"done": adversary.done, "made": adversary.made}))


main()
