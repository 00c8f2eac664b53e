#!/usr/bin/env python3
"""Clients that a Git LFS server has to defend itself against; the server is to be started with --timeout 2.

usage: slowclient.py URL silent | stalled | drip-head | drip-body | crowd
       slowclient.py URL sigterm PID    the server ends while an upload is under way

Exit 0 when it did what it should.
"""
import hashlib
import os
import signal
import socket
import sys
import time
import urllib.parse

DATA = b"x" * 1000000
OID = hashlib.sha256(DATA).hexdigest()
PUT = f"PUT /r/info/lfs/objects/{OID} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(DATA)}\r\n\r\n".encode()
GET = b"GET /r/info/lfs/locks HTTP/1.0\r\n\r\n"
TIMES = (1, 12)  # seconds until the server is to hang up


class Slow:
    """A connection to the server, and what is done to it."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        self.socket = self.connect()
        self.begin = time.monotonic()

    def connect(self):
        return socket.create_connection((self.url.hostname, self.url.port), timeout=60)

    def hung_up(self):
        """Wait for it."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        seconds = time.monotonic() - self.begin
        assert TIMES[0] < seconds < TIMES[1], seconds

    def drip(self, pieces):
        try:
            for piece in pieces:
                self.socket.sendall(piece)
                time.sleep(0.5)
        except OSError:
            seconds = time.monotonic() - self.begin
            assert TIMES[0] < seconds < TIMES[1], seconds
            return
        raise AssertionError("it waited to the end")

    def silent(self):
        self.hung_up()

    def stalled(self):
        self.socket.sendall(PUT + DATA[:5000])
        self.hung_up()

    def drip_head(self):
        self.drip([b"GET /r/info/lfs/locks HTTP/1.1\r\n"] + [b"X-%d: y\r\n" % i for i in range(40)])

    def drip_body(self):
        self.drip([PUT] + [b"x"] * 40)

    def crowd(self):
        """More connections than are served: those that say something are served when others have been closed."""
        others = [self.connect() for _ in range(20)]
        last = self.connect()
        last.sendall(GET)
        assert last.recv(100).startswith(b"HTTP/1."), "no answer"
        for s in others:
            s.close()

    def sigterm(self, pid):
        self.socket.sendall(PUT + DATA[:500000])
        time.sleep(0.3)
        os.kill(int(pid), signal.SIGTERM)
        time.sleep(0.5)
        try:
            self.connect()
        except ConnectionRefusedError:
            pass
        else:
            raise AssertionError("it still lets clients in")
        self.socket.sendall(DATA[500000:])
        answer = self.socket.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200") and b"Connection: close" in answer, answer


def main():
    getattr(Slow(sys.argv[1]), sys.argv[2].replace("-", "_"))(*sys.argv[3:])


main()
