"""Reads made session files back with Python's own loaders and compares them with the manifest.

Usage: check_made_sessions.py DIRECTORY MANIFEST
The manifest holds values. Prints {"right": n, "strays": n, "wrong": [path, ...]}.
"""

import json
import os
import pickle
import stat
import sys

from make_sessions import encode


def from_python2(value):
    """Byte strings were read as Latin-1; they are UTF-8."""
    if isinstance(value, dict):
        return {from_python2(key): from_python2(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [from_python2(one) for one in value]
    if isinstance(value, str):
        try:
            return value.encode("latin-1").decode()
        except UnicodeError:
            return value
    return value


def read(path, form):
    with open(path, "rb") as file:
        content = file.read()
    if form == "json":
        return json.loads(content)
    if form == "python2":
        return from_python2(pickle.loads(content, encoding="latin-1"))
    # A pickle says its protocol from 2 on.
    if form >= "pickle2" and content[:2] != bytes([0x80, int(form[-1])]):
        return None
    return pickle.loads(content)


def main():
    directory, manifest = sys.argv[1:]
    result = {"right": 0, "strays": 0, "wrong": []}
    with open(manifest, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            path = os.path.join(directory, line["path"])
            status = os.lstat(path)
            if "stray" in line:
                result["strays"] += 1
                continue
            value = encode(read(path, line["format"]))
            lifetime = json.loads(value).get("expiration") or (604800 if json.loads(value)["uid"] else 10800)
            right = (
                value == line["value"]
                and lifetime == line["lifetime"]
                and stat.S_IMODE(status.st_mode) == 0o644
                and status.st_size == line["bytes"]
                and str(status.st_mtime_ns) == line.get("mtimeNs", str(status.st_mtime_ns))
                and os.path.basename(path) == ("werkzeug_%s.sess" if line["layout"] == "flat" else "%s") % line["sid"]
            )
            if right:
                result["right"] += 1
            else:
                result["wrong"].append(line["path"])
    print(json.dumps(result))


main()
