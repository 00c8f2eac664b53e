#!/usr/bin/env python3
"""Raw messages of docs/lfs-ssh.md, for tests that play a hostile side.

lfsssh.py near SCENARIO PROGRAM...      talk to a server: run PROGRAM, send what the scenario says, print each answer
lfsssh.py far SCENARIO DIR              be a git-lfs-transfer on stdin and stdout that misbehaves; DIR has its objects by id
"""
import hashlib
import os
import subprocess
import sys
import threading

FLUSH, DELIM = b"0000", b"0001"
CONTENT = b"some bytes of an object\n" * 1000
NOBODY = "07" * 32


def packet(data):
    return b"%04x" % (len(data) + 4) + data


def line(text):
    return packet(text.encode() + b"\n")


def oid_of(data):
    return hashlib.sha256(data).hexdigest()


def message(head, *args, lines=None, data=None):
    out = line(head) + b"".join(map(line, args))
    if lines is not None:
        out += DELIM + b"".join(map(line, lines))
    elif data is not None:
        out += DELIM + b"".join(packet(data[i:i + 32768]) for i in range(0, len(data), 32768))
    return out + FLUSH


def put(oid, size, data):
    return message("put-object " + oid, "size=%d" % size, data=data)


OID = oid_of(CONTENT)
SIZE = len(CONTENT)
HELLO = message("version 1")
STORED = HELLO + put(OID, SIZE, CONTENT)
VERIFY = message("verify-object " + OID, "size=%d" % SIZE)


def locks(*paths):
    return HELLO + b"".join(message("lock", "path=" + p) for p in paths)


NEAR = {
    "right": STORED + VERIFY + message("get-object " + OID) + message("quit"),
    "no-version": VERIFY,
    "version-2": message("version 2") + VERIFY,
    "noise": b"GET / HTTP/1.1\r\n\r\n",
    "bad-length": HELLO + b"fff5" + b"x" * 70000,
    "endless-arguments": HELLO + line("batch") + b"".join(line("a=%d" % i) for i in range(1000)) + FLUSH,
    "long-arguments": HELLO + line("batch") + b"".join(packet(b"a" * 65000) for i in range(10)) + FLUSH,
    "nul": HELLO + packet(b"get-object " + OID.encode() + b"\0x\n") + FLUSH,
    "two-delimiters": HELLO + line("put-object " + OID) + line("size=%d" % SIZE) + DELIM + packet(CONTENT) + DELIM + FLUSH,
    "empty-message": HELLO + FLUSH,
    "cut": HELLO + put(OID, SIZE, CONTENT)[:5000],
    "unknown-command": HELLO + message("frobnicate x", "y=z", data=b"abc") + VERIFY,
    "unknown-arguments": HELLO + message("verify-object " + OID, "size=%d" % SIZE, "id=1", "new=x") + VERIFY,
    "wrong-hash": HELLO + put(OID, SIZE, b"X" + CONTENT[1:]) + VERIFY,
    "less-data": HELLO + put(OID, SIZE, CONTENT[1:]) + VERIFY,
    "more-data": HELLO + put(OID, SIZE, CONTENT * 100) + VERIFY,
    "wrong-size": HELLO + put(OID, SIZE + 1, CONTENT) + VERIFY,
    "no-size": HELLO + message("put-object " + OID, data=CONTENT) + VERIFY,
    "bad-size": HELLO + b"".join(message("put-object " + OID, "size=" + s, data=CONTENT) for s in ("-1", "x", "", "1e5", "99999999999999999999")),
    "no-data": HELLO + message("put-object " + OID, "size=%d" % SIZE) + VERIFY,
    "bad-ids": HELLO + b"".join(put(o, SIZE, CONTENT) + message("get-object " + o) + message("verify-object " + o, "size=1") for o in
                                ("", "..", "../../../../etc/passwd", OID.upper(), OID[:-1], OID + "0", OID[:-1] + "/", "g" * 64)),
    "unknown-object": HELLO + message("get-object " + NOBODY) + message("verify-object " + NOBODY, "size=5") + message("get-object " + OID),
    "other-size": STORED + message("verify-object " + OID, "size=7") + message("verify-object %s %d" % (OID, SIZE)),
    "batch": STORED + message("batch", "transfer=ssh", "hash-algo=sha256", "refname=refs/heads/main", lines=["%s %d" % (OID, SIZE), NOBODY + " 5"]),
    "batch-10000": HELLO + message("batch", lines=["%064x 5" % i for i in range(10000)]),
    "batch-10001": HELLO + message("batch", lines=["%064x 5" % i for i in range(10001)]) + VERIFY,
    "batch-bad-line": HELLO + message("batch", lines=["%064x 5" % 1, "../../x 5", "%064x 5" % 2]) + VERIFY,
    "batch-bad-size": HELLO + message("batch", lines=["%064x -5" % 1]) + VERIFY,
    "batch-sha1": HELLO + message("batch", "hash-algo=sha1", lines=["%064x 5" % 1]) + VERIFY,
    "batch-empty": HELLO + message("batch", lines=[]) + message("batch"),
    "lock-bad-paths": locks("", "..", "../x", "a/../../x", "/etc/passwd", ".", "a//b", "a/./b", "a\x01b", "x" * 60000),
    "lock-twice": locks("a", "a") + message("list-lock") + message("list-lock", "path=b"),
    "lock-no-path": HELLO + message("lock"),
    "unlock-bad": HELLO + b"".join(message("unlock " + i) for i in ("", "x", "..", "../../x", "a b")),
    "list-bad": HELLO + message("list-lock", "limit=x") + message("list-lock", "limit=99999999999999999999") + message("list-lock", "cursor=../..", "limit=1000000"),
    "empty-object": HELLO + put(oid_of(b""), 0, b"") + message("get-object " + oid_of(b"")),
}


def read_packet(stream):
    """A packet's bytes; b"0000" or b"0001" as str; None at the end."""
    header = stream.read(4)
    if len(header) < 4:
        return None
    length = int(header, 16)
    if length < 4:
        return header.decode()
    data = stream.read(length - 4)
    return data if len(data) == length - 4 else None


def read_message(stream):
    """[line, arguments…], body packets (None: no body); None at the end."""
    head, body = [], None
    while True:
        p = read_packet(stream)
        if p is None:
            return None if not head else (head, ["(cut)"])
        if p == "0000":
            return head, body
        if p == "0001":
            body = []
        elif body is None:
            head.append(p.rstrip(b"\n").decode("utf-8", "replace"))
        else:
            body.append(p)


def near(scenario, program):
    child = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send():
        try:
            child.stdin.write(NEAR[scenario])
            child.stdin.close()
        except BrokenPipeError:
            pass

    threading.Thread(target=send, daemon=True).start()
    print("hello", *read_message(child.stdout)[0])
    while True:
        m = read_message(child.stdout)
        if m is None:
            break
        head, body = m
        text = b"".join(p for p in body or [] if isinstance(p, bytes))
        if head[0] == "status 200" and "size=" in "".join(head):
            text = b"sha256:" + oid_of(text).encode()
        print(*head, "|", text.decode("utf-8", "replace").replace("\n", ";")[:2000])
    print("exit", child.wait())


# --- the server misbehaves ---------------------------------------------------------------------------------------

def say(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def hang():
    """Say nothing more, for as long as somebody listens."""
    while os.read(0, 65536):
        pass
    os._exit(1)


class Far:
    def __init__(self, scenario, directory):
        self.scenario, self.directory = scenario, directory
        self.stored = set()

    def count(self, what):
        """How often this has been asked, in all processes."""
        with open(os.path.join(self.directory, "count-" + what), "ab") as f:
            f.write(b"x")
            return f.tell()

    def path(self, oid):
        return os.path.join(self.directory, oid)

    def hello(self):
        s = self.scenario
        if s == "never-hello":
            hang()
        if s == "garbage":
            say(b"Hi there! You have logged in, but there is no shell for you.\n")
            sys.exit(0)
        if s == "says-nothing":
            sys.exit(1)
        if s == "version-2":
            say(line("version=2") + FLUSH)
        elif s == "no-locks":
            say(line("version=1") + FLUSH)
        elif s == "locking-first":
            say(line("locking") + line("version=1") + FLUSH)
        else:
            say(line("version=1") + line("locking") + line("new-thing") + FLUSH)

    def batch(self, body, operation):
        s = self.scenario
        lines = [p.decode().split() for p in body]
        if s == "batch-403":
            return message("status 403", lines=["go away\x1b[31m"])
        if s == "batch-503-once" and self.count("batch") == 1:
            return message("status 503", lines=["too busy"])
        if s == "batch-foreign":
            return message("status 200", lines=[NOBODY + " 5 download"])
        if s == "batch-sha512":
            return message("status 200", "hash-algo=sha512", lines=[])
        if s == "batch-other-size":
            return message("status 200", lines=["%s %d %s" % (o, int(n) + 1, operation) for o, n in lines])
        if s == "batch-endless":
            say(line("status 200") + DELIM)
            while True:
                say(b"".join(line("%s %s %s" % (o, n, operation)) for o, n in lines))
        if s == "batch-silent":
            return message("status 200", lines=[])
        if s == "batch-never":
            hang()
        out = []
        for o, n in reversed(lines):
            have = os.path.exists(self.path(o))
            action = "noop" if have == (operation == "upload") else operation
            out.append("%s %s %s id=7 token=secret expires-in=%d unknown=1" % (o, n, action, -1 if s == "expired" else 600))
        return message("status 200", "hash-algo=sha256", lines=out)

    def get(self, oid, args):
        s = self.scenario
        if s in ("tokens", "expired") and ("id=7" not in args or "token=secret" not in args):
            return message("status 403", lines=["no token"])
        with open(self.path(oid), "rb") as f:
            data = f.read()
        size = "size=%d" % len(data)
        if s == "wrong-bytes":
            data = b"X" + data[1:]
        elif s == "short":
            data = data[:-1]
        elif s == "long":
            data += b"x"
        elif s == "endless":
            say(line("status 200") + line(size) + DELIM)
            while True:
                say(packet(b"x" * 65000))
        elif s == "other-size":
            size = "size=5"
        elif s == "no-size":
            return message("status 200", data=data)
        elif s == "no-body":
            return message("status 200", size)
        elif s == "bad-status":
            return message("status ok", size, data=data)
        elif s == "get-404":
            return message("status 404", lines=["it was there a moment ago"])
        elif s == "get-500":
            return message("status 500", lines=["disk trouble"])
        elif s == "get-never":
            hang()
        elif s == "stall":
            say(line("status 200") + line(size) + DELIM + packet(data[:1000]))
            hang()
        elif s == "dies" or (s == "dies-once" and self.count("get") == 1):
            say(line("status 200") + line(size) + DELIM + packet(data[:1000]))
            sys.exit(1)
        elif s == "binary-status":
            return packet(b"\0\1\2\3") + FLUSH
        return message("status 200", size, data=data)

    def put(self, oid, body):
        s = self.scenario
        if s == "put-never":
            hang()
        if s == "put-507":
            return message("status 507", lines=["no room"])
        if s == "put-422":
            return message("status 422", lines=["not these bytes"])
        if s == "put-dies" or (s == "put-dies-once" and self.count("put") == 1):
            sys.exit(1)
        if s != "put-lies":
            with open(self.path(oid), "wb") as f:
                f.write(b"".join(body))
        return message("status 200", data=b"")

    def lock(self, command, args):
        s = self.scenario
        if s == "list-mixed":
            return message("status 200", lines=["lock 1", "path 2 a"])
        if s == "list-endless":
            say(line("status 200") + DELIM)
            while True:
                say(line("lock 1") + line("path 1 " + "a" * 1000))
        if s == "lock-incomplete":
            return message("status 201", "id=1")
        return message("status 403", lines=["no locks today"])

    def run(self, operation):
        self.hello()
        while True:
            m = read_message(sys.stdin.buffer)
            if m is None or m[1] == ["(cut)"]:
                return
            head, body = m
            command, _, operand = head[0].partition(" ")
            with open(os.path.join(self.directory, "asked"), "a") as f:
                f.write(" ".join(head) + "\n")
            if command == "version":
                say(message("status 500", lines=["not today"]) if self.scenario == "version-refused" else message("status 200"))
            elif command == "batch":
                say(self.batch(body, operation))
            elif command == "get-object":
                say(self.get(operand, head))
            elif command == "put-object":
                say(self.put(operand, body))
            elif command == "verify-object":
                say(message("status 200") if os.path.exists(self.path(operand)) else message("status 404", lines=["never seen"]))
            elif command == "quit":
                say(message("status 200"))
                return
            else:
                say(self.lock(command, head))


if sys.argv[1] == "near":
    near(sys.argv[2], sys.argv[3:])
else:
    try:
        Far(sys.argv[2], sys.argv[3]).run(sys.argv[-1])
    except BrokenPipeError:
        os._exit(1)
