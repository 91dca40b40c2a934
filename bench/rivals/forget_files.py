"""Asks the system to forget what it cached of a directory's session files: their content, not their names and inodes. Takes the directory."""

import os
import sys

from sessions import list_sessions

for _, path in list_sessions(sys.argv[1]):
    file = os.open(path, os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)
