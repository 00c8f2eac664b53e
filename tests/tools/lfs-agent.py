#!/usr/bin/python3
"""A custom transfer agent of Git LFS for tests: honest, unless told otherwise.

usage: lfs-agent.py DIR [QUIRK]

Keeps objects in DIR/<oid>; DIR/log gets a line for each process ("start PID"), and each message as it came.  Quirks:

    not-ready     refuses in its answer to "init"
    dies          ends in the middle of the first object; dies-always: of each
    error         fails each object, with a reason
    other-oid     answers for another object
    no-path       names no file
    wrong-path    names a file that does not exist; link: a symbolic link to the right one
    wrong-bytes   names a file of the right size with other bytes; short: a shorter one
    silent        says nothing after "init"
    endless       a line without end
    no-json       something else than JSON
    too-much      reports more progress than there are bytes
    backwards     reports progress that goes back
    in-place      names the file where Git LFS keeps it (GIT_DIR/lfs/objects), and puts it there
    slow          takes a second for each object
"""

import json
import os
import shutil
import sys
import tempfile
import time

root = sys.argv[1]
quirk = sys.argv[2] if len(sys.argv) > 2 else ""


def log(line):
    with open(f"{root}/log", "a", encoding="utf-8") as f:
        f.write(line + "\n")


def say(**message):
    print(json.dumps(message), flush=True)


def once():
    try:
        os.close(os.open(f"{root}/died", os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def fetched(oid):
    if quirk == "no-path":
        return None
    if quirk == "wrong-path":
        return f"{root}/none"
    if quirk == "in-place":
        path = f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(f"{root}/{oid}", path)
        return os.path.abspath(path)
    fd, path = tempfile.mkstemp(dir=root)
    with open(f"{root}/{oid}", "rb") as f, os.fdopen(fd, "wb") as to:
        data = f.read()
        if quirk == "wrong-bytes":
            data = bytes(b ^ 1 for b in data)
        to.write(data[:-1] if quirk == "short" else data)
    if quirk == "link":
        os.symlink(path, path + ".link")
        return path + ".link"
    return path


def move(m):
    oid, size = m["oid"], m["size"]
    if quirk == "slow":
        time.sleep(1)
    if quirk == "dies-always" or (quirk == "dies" and once()):
        sys.exit(3)
    if quirk == "silent":
        time.sleep(3600)
    if quirk == "no-json":
        print("Hello!", flush=True)
    if quirk == "endless":
        while True:
            sys.stdout.write("x" * 65536)
    if quirk == "other-oid":
        oid = "0" * 64
    if quirk == "too-much":
        say(event="progress", oid=oid, bytesSoFar=size + 1, bytesSinceLast=size + 1)
    if quirk == "error" or (m["event"] == "download" and not os.path.exists(f"{root}/{m['oid']}")):
        say(event="complete", oid=oid, error={"code": 2, "message": f"no object for you\x1b[31m"})
        return
    say(event="progress", oid=oid, bytesSoFar=size // 2, bytesSinceLast=size // 2)
    if quirk == "backwards":
        say(event="progress", oid=oid, bytesSoFar=size // 4, bytesSinceLast=0)
    say(event="progress", oid=oid, bytesSoFar=size, bytesSinceLast=size - size // 2)
    if m["event"] == "upload":
        shutil.copy(m["path"], f"{root}/{m['oid']}")
        say(event="complete", oid=oid)
    else:
        path = fetched(m["oid"])
        say(event="complete", oid=oid, **({"path": path} if path else {}))


def main():
    log(f"start {os.getpid()}")
    for line in sys.stdin:
        log(line.rstrip("\n"))
        m = json.loads(line)
        if m["event"] == "init":
            say(**({"error": {"code": 32, "message": "not today"}} if quirk == "not-ready" else {}))
        elif m["event"] == "terminate":
            log(f"end {os.getpid()}")
            return
        else:
            move(m)


main()
