#!/usr/bin/env python3
"""Raw frames of docs/ssh-protocol.md, for tests that play a hostile side.

blobwire.py near SCENARIO PROGRAM...   talk to a far side: run PROGRAM, misbehave, print what came back
blobwire.py far SCENARIO [DIR]         be a far side on stdin and stdout that misbehaves
"""
import hashlib
import os
import signal
import struct
import subprocess
import sys
import threading
import time

LIST, SIZE, GET, PUT, PUT_DATA, COMMIT, REMOVE, PING = range(1, 9)
ENTRIES, DATA, DONE, ERROR, READY, RECEIVED = range(65, 71)
NAMES = {ENTRIES: "entries", DATA: "data", DONE: "done", ERROR: "error", READY: "ready", RECEIVED: "received"}
CODES = "ok io notfound exists corrupt invalid limit nomem locked changed unsupported remote denied interrupted".split()
HELLO = b"git-dvx-blobs 1 0.0.test\n"
NOBODY = b"\7" * 32


def frame(kind, ident, payload=b""):
    return struct.pack(">IIB3x", len(payload), ident, kind) + payload


def u64(n):
    return struct.pack(">Q", n)


def name_of(data):
    return hashlib.sha256(data).digest()


def read_frame(stream):
    header = stream.read(12)
    if len(header) < 12:
        return None
    length, ident, kind = struct.unpack(">IIB3x", header)
    return kind, ident, stream.read(length)


# --- the near side misbehaves ------------------------------------------------------------------------------------

CONTENT = (sys.argv[2].encode() if sys.argv[2] in ("same-id", "more-data", "less-data", "half-a-put") else b"right") + b" some bytes" * 1000
PUT_CONTENT = frame(PUT, 1, b"\2" + name_of(CONTENT) + u64(len(CONTENT)))


def many(n):
    return b"".join(frame(GET, i, b"\2" + name_of(CONTENT) + u64(0) + struct.pack(">I", 1 << 20)) for i in range(1, n + 1))


NEAR = {
    "noise": (b"GET / HTTP/1.1\r\n\r\n", []),
    "endless-line": (b"x" * 100000, []),
    "other-protocol": (b"git-dvx-blobs 2 9.9\n", []),
    "too-long": (HELLO + struct.pack(">IIB3x", 0xFFFFFFFF, 1, PUT_DATA) + b"x" * 1000, []),
    "bad-header": (HELLO + struct.pack(">IIBBBB", 0, 1, PING, 0, 1, 0), []),
    "id-0": (HELLO + frame(PING, 0), []),
    "short-request": (HELLO + frame(GET, 1, b"\1"), []),
    "bad-class": (HELLO + frame(SIZE, 1, b"\xff" + NOBODY), []),
    "path-as-name": (HELLO + frame(GET, 1, b"\1../../../../../../etc/passwd" + u64(0) + struct.pack(">I", 100)), []),
    # 32 bytes are a hash, whatever they look like
    "dots-as-name": (HELLO + frame(GET, 1, b"\1" + b"../../../../../../../etc/passwd\0" + u64(0) + struct.pack(">I", 100)), [1]),
    "get-too-much": (HELLO + frame(GET, 1, b"\1" + NOBODY + u64(0) + struct.pack(">I", 0x7FFFFFFF)), []),
    "get-far-out": (HELLO + frame(GET, 1, b"\1" + NOBODY + u64(1 << 63) + struct.pack(">I", 1)), []),
    "pack-too-large": (HELLO + frame(PUT, 1, b"\1" + NOBODY + u64((64 << 20) + 1)), [1]),
    "fragment-too-large": (HELLO + frame(PUT, 1, b"\2" + NOBODY + u64((256 << 20) + 1)), [1]),
    "wrong-hash": (HELLO + frame(PUT, 1, b"\2" + NOBODY + u64(3)), [READY, frame(PUT_DATA, 1, b"abc") + frame(COMMIT, 1), 1]),
    "more-data": (HELLO + PUT_CONTENT, [READY, frame(PUT_DATA, 1, CONTENT + b"x") + frame(COMMIT, 1), 1]),
    "less-data": (HELLO + PUT_CONTENT, [READY, frame(PUT_DATA, 1, CONTENT[1:]) + frame(COMMIT, 1), 1]),
    "stray-data": (HELLO + frame(PUT_DATA, 9, b"x" * 200000) + frame(COMMIT, 9) + frame(PING, 1), [1]),
    "same-id": (HELLO + PUT_CONTENT, [READY, PUT_CONTENT, -1]),
    "unknown-request": (HELLO + frame(200, 1, b"whatever") + frame(PING, 2), [1, 2]),
    "many-requests": (HELLO + many(10000), []),
    "many-puts": (HELLO + b"".join(frame(PUT, i, b"\2" + bytes([i]) * 32 + u64(100)) for i in range(1, 51)), [40]),
    "half-a-put": (HELLO + PUT_CONTENT, [READY, frame(PUT_DATA, 1, CONTENT[:5000])]),
    "right": (HELLO + PUT_CONTENT, [READY, frame(PUT_DATA, 1, CONTENT) + frame(COMMIT, 1), 1]),
    "remove": (HELLO + frame(REMOVE, 1, b"\2" + name_of(CONTENT)), [1]),
    "notice": (HELLO + frame(PUT, 1, b"\3" + name_of(CONTENT) + u64(len(CONTENT))), [None]),
    "put": (HELLO + PUT_CONTENT, [None]),
    "list": (HELLO + frame(LIST, 1, b"\1"), [1]),
}


def near(scenario, program):
    signal.alarm(900)  # nothing here takes as long, on a busy machine either
    far = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    first, steps = NEAR[scenario]

    def write_first():  # while answers are read: neither side is to wait for the other
        try:
            far.stdin.write(first)
            far.stdin.flush()
        except BrokenPipeError:
            print("broken pipe")

    writer = threading.Thread(target=write_first)
    writer.start()
    line = far.stdout.readline()
    print(line.decode().split(" ")[0])

    def until(kind=None, last=None):
        if last is not None and last < 0:
            kind, last = -1, None
        while True:
            got = read_frame(far.stdout)
            if got is None:
                print("end")
                return
            text = ""
            if got[0] == ERROR:
                text = " %s %s" % (CODES[got[2][0]], got[2][1:].decode())
            elif got[0] in (DONE, RECEIVED):
                text = " %d" % struct.unpack(">Q", got[2])
            print("%s %d%s" % (NAMES.get(got[0], got[0]), got[1], text))
            if got[0] == kind or kind is None and got[0] in (DONE, ERROR, READY) and last in (None, got[1]):
                return

    for step in steps:
        if isinstance(step, bytes):
            writer.join()
            far.stdin.write(step)
            far.stdin.flush()
        elif step == READY:
            until(kind=READY)
        else:
            until(last=step)
    if not steps:
        until(kind=-1)
    writer.join()
    try:
        far.stdin.close()
    except BrokenPipeError:
        pass
    begin = time.time()
    print("exit %d" % far.wait())
    sys.stderr.write("ended after %.2f s\n" % (time.time() - begin))


# --- the far side misbehaves -------------------------------------------------------------------------------------


def entry(kind, data, size=None):
    return bytes([kind]) + name_of(data) + u64(len(data) if size is None else size) + u64(1700000000)


def be_silent():
    """Until nobody is there any more."""
    sys.stdin.buffer.read()
    sys.exit(0)


def far_answers(scenario, kind, ident, payload):
    """What a request is answered with, by scenario."""
    if scenario == "goodbye":
        return frame(ERROR, 0, b"\6enough of you\x1b[2J")
    if scenario == "huge-frame":
        return struct.pack(">IIB3x", 0x7FFFFFFF, ident, DONE)
    if scenario == "to-nobody":
        return frame(DONE, ident + 1000, u64(0))
    if scenario == "unknown-type":
        return frame(99, ident, b"")
    if scenario == "hang-up":
        sys.exit(0)
    if scenario == "silence":
        be_silent()
    if kind == LIST:
        if scenario == "endless-list":
            while True:
                sys.stdout.buffer.write(frame(ENTRIES, ident, entry(2, b"x") * 5000))
        if scenario == "packs-in-list":
            return frame(ENTRIES, ident, entry(1, b"x")) + frame(DONE, ident, u64(0))
        if scenario == "bad-entry":
            return frame(ENTRIES, ident, entry(77, b"x")) + frame(DONE, ident, u64(0))
        if scenario == "huge-fragment":
            return frame(ENTRIES, ident, entry(2, b"x", 1 << 60)) + frame(DONE, ident, u64(0))
        if scenario in ("more-bytes", "fewer-bytes", "wrong-bytes"):
            return frame(ENTRIES, ident, entry(2, b"x" * 100)) + frame(DONE, ident, u64(0))
        return frame(DONE, ident, u64(1700000000))
    if kind == GET:
        if scenario == "more-bytes":
            return frame(DATA, ident, b"x" * 101) + frame(DONE, ident, u64(101))
        if scenario == "fewer-bytes":
            return frame(DATA, ident, b"x" * 50) + frame(DONE, ident, u64(100))
        return frame(DATA, ident, b"y" * 100) + frame(DONE, ident, u64(100))
    if kind == PUT and scenario == "stored-nothing":
        return frame(DONE, ident, u64(0))
    if kind == PUT and scenario == "received-too-much":
        return frame(READY, ident) + frame(RECEIVED, ident, u64(1 << 40))
    if kind == PUT and scenario == "ready-twice":
        return frame(READY, ident) + frame(READY, ident)
    if kind == PUT and scenario == "error-with-controls":
        return frame(ERROR, ident, b"\x0cno \x1b]0;title\7 way")
    if kind in (PUT_DATA, COMMIT):
        return b""
    return frame(ERROR, ident, b"\2not here")


def far(scenario):
    out = sys.stdout.buffer
    if scenario == "silent-hello":
        be_silent()
    if scenario == "endless-hello":
        while True:
            out.write(b"x" * 65536)
    out.write(b"git-dvx-blobs 9 9.9\n" if scenario == "other-protocol" else HELLO)
    out.flush()
    sys.stdin.buffer.readline()
    while True:
        got = read_frame(sys.stdin.buffer)
        if got is None:
            return
        out.write(far_answers(scenario, *got))
        out.flush()


if __name__ == "__main__":
    try:
        if sys.argv[1] == "near":
            near(sys.argv[2], sys.argv[3:])
        else:
            far(sys.argv[2])
    except BrokenPipeError:
        os._exit(0)
