#!/usr/bin/env python3
"""Many Git LFS clients at once against one server.

usage: lfsload.py [--clients N] [--seconds N | --each N] [--size BYTES] [--auth USER:PASSWORD] [--ca FILE] URL RECORD

Each client pushes (batch, PUT, verify) and pulls (batch, GET, whole or a part) in turn, for so many seconds, or N objects;
sizes are up to BYTES, and some objects are edits of earlier ones.  A server that is away for a while is waited for.  What was
acknowledged is appended to RECORD, "<oid> <size>" a line.  With --check nothing is pushed: everything in RECORD is pulled and
hashed.  Prints "pushed N pulled N bytes N away N"; exit 1 when something that was acknowledged is not there, or is not what
it was, or an answer is not one that a working server gives.
"""
import argparse
import base64
import hashlib
import http.client
import json
import os
import random
import ssl
import sys
import threading
import time
import urllib.parse

TYPE = "application/vnd.git-lfs+json"
AWAY_SECONDS = 60


class Wrong(Exception):
    """The server did what it must not."""


class Load:
    """What the clients share."""

    def __init__(self, options):
        self.options = options
        self.url = urllib.parse.urlsplit(options.url)
        self.lock = threading.Lock()
        self.known = []  # (oid, size) that were acknowledged
        self.counts = {"pushed": 0, "pulled": 0, "bytes": 0, "away": 0}
        self.failures = []
        self.record = open(options.record, "a", encoding="ascii")
        self.end = time.monotonic() + options.seconds

    def count(self, **more):
        with self.lock:
            for name, n in more.items():
                self.counts[name] += n

    def acknowledge(self, oid, size):
        with self.lock:
            self.known.append((oid, size))
            self.record.write(f"{oid} {size}\n")
            self.record.flush()

    def any_known(self, rng):
        with self.lock:
            return rng.choice(self.known) if self.known else None


class Client:
    """One connection, made again when it is lost."""

    def __init__(self, load, seed):
        self.load = load
        self.rng = random.Random(seed)
        self.connection = None
        self.last = b""

    def connect(self):
        url = self.load.url
        if url.scheme == "https":
            context = ssl.create_default_context(cafile=self.load.options.ca)
            return http.client.HTTPSConnection(url.hostname, url.port, timeout=120, context=context)
        return http.client.HTTPConnection(url.hostname, url.port, timeout=120)

    def once(self, method, path, body, headers):
        """(status, body or (size, oid) of what came)."""
        if self.connection is None:
            self.connection = self.connect()
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        if method != "GET":
            return answer.status, answer.read()
        size, digest = 0, hashlib.sha256()
        while piece := answer.read(1 << 18):
            size += len(piece)
            digest.update(piece)
        if size < int(answer.headers["Content-Length"]):
            raise http.client.IncompleteRead(b"")  # the connection was lost; asked again
        return answer.status, (size, digest.hexdigest())

    def request(self, method, path, body=None, headers=None):
        until = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                return self.once(method, path, body, headers or {})
            except (OSError, http.client.HTTPException) as e:
                self.connection = None
                self.load.count(away=1)
                if time.monotonic() > until:
                    raise Wrong(f"away for {AWAY_SECONDS} seconds: {e!r}") from e
                time.sleep(0.1)

    def batch(self, operation, oid, size):
        headers = {"Accept": TYPE, "Content-Type": TYPE}
        if self.load.options.auth:
            headers["Authorization"] = "Basic " + base64.b64encode(self.load.options.auth.encode()).decode()
        body = json.dumps({"operation": operation, "transfers": ["basic"], "objects": [{"oid": oid, "size": size}]})
        status, text = self.request("POST", self.load.url.path + "/objects/batch", body, headers)
        if status != 200:
            raise Wrong(f"batch {operation} {oid}: {status} {text[:200]!r}")
        answer = json.loads(text)["objects"][0]
        if "error" in answer:
            raise Wrong(f"batch {operation} {oid}: {answer['error']}")
        return answer.get("actions", {})

    def follow(self, method, action, body=None, headers=None):
        path = urllib.parse.urlsplit(action["href"]).path
        return self.request(method, path, body, {**action["header"], **(headers or {})})

    def content(self):
        size = self.rng.choice([0, 1, 100, 5000, self.rng.randint(1, 100000), self.rng.randint(1, self.load.options.size)])
        if self.load.options.each:
            size = self.load.options.size
        elif len(self.last) > 1000 and self.rng.random() < 0.3:
            at = self.rng.randrange(len(self.last))
            return self.last[:at] + self.rng.randbytes(50) + self.last[at:]
        return self.rng.randbytes(size)

    def push(self):
        data = self.content()
        self.last = data
        oid = hashlib.sha256(data).hexdigest()
        actions = self.batch("upload", oid, len(data))
        if actions:
            status, text = self.follow("PUT", actions["upload"], data, {"Content-Type": "application/octet-stream"})
            if status != 200:
                raise Wrong(f"put {oid}: {status} {text[:200]!r}")
        self.load.acknowledge(oid, len(data))
        if actions:
            body = json.dumps({"oid": oid, "size": len(data)})
            status, text = self.follow("POST", actions["verify"], body, {"Accept": TYPE, "Content-Type": TYPE})
            if status != 200:
                raise Wrong(f"verify {oid}: {status} {text[:200]!r}")
        self.load.count(pushed=1, bytes=len(data))

    def pull(self, oid, size, part=False):
        action = self.batch("download", oid, size)["download"]
        if part and size > 1:
            offset = self.rng.randrange(size)
            status, (got, _) = self.follow("GET", action, headers={"Range": f"bytes={offset}-"})
            if (status, got) != (206, size - offset):
                raise Wrong(f"get {oid} from {offset}: {status}, {got} bytes of {size - offset}")
        else:
            status, got = self.follow("GET", action)
            if (status, got) != (200, (size, oid)):
                raise Wrong(f"get {oid} ({size} bytes): {status}, {got}")
        self.load.count(pulled=1, bytes=size)

    def run(self, check):
        load, done = self.load, 0
        try:
            for oid, size in check:
                self.pull(oid, size)
            while not load.options.check and (done < load.options.each or time.monotonic() < load.end):
                self.push()
                done += 1
                for _ in range(self.rng.randint(0, 2)):
                    self.pull(*load.any_known(self.rng), part=self.rng.random() < 0.3)
        except Exception as e:  # pylint: disable=broad-except  # whatever it is, it is told
            with load.lock:
                load.failures.append(repr(e))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--each", type=int, default=0)
    parser.add_argument("--size", type=int, default=2000000)
    parser.add_argument("--auth")
    parser.add_argument("--ca")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("url")
    parser.add_argument("record")
    load = Load(parser.parse_args())
    check = []
    if load.options.check:
        with open(load.options.record, encoding="ascii") as f:
            check = sorted({(oid, int(size)) for oid, size in (line.split() for line in f)})
    n = load.options.clients
    seed = int.from_bytes(os.urandom(8), "big")
    threads = [threading.Thread(target=Client(load, seed + i).run, args=(check[i::n],)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(*(f"{name} {n}" for name, n in load.counts.items()))
    for failure in load.failures[:20]:
        print(failure, file=sys.stderr)
    return 1 if load.failures else 0


if __name__ == "__main__":
    sys.exit(main())
