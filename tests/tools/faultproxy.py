#!/usr/bin/python3
"""An HTTP/1.1 proxy in front of a real server that fails on request.

usage: faultproxy.py DIR UPSTREAM     UPSTREAM: http://host:port

Listens on two ports of 127.0.0.1 and writes both to DIR/ports: the second is "another host" for redirects.
Requests pass unchanged, Host included (S3 signatures cover it), except where a line of DIR/rules says otherwise.
The file is read again whenever it was replaced, and then counting starts anew.  A line is

    METHOD REGEX WHICH ACTION [ARGUMENT...]

METHOD  GET, PUT, HEAD, DELETE, POST; LIST is a GET that lists a bucket (and GET is then not); * is any
REGEX   found in the path with its query
WHICH   of the matching requests: each, the N-th, N-M, N- (from the N-th on), /N (every N-th)
ACTION  with the answer of the real server:
          truncate K       promise all of the body, send K bytes, close
          shorter K        K bytes less, with a header that agrees
          longer K         K bytes more, with a header that agrees
          over K           K bytes more than the header says, close
          flip AT          change a bit of the byte at AT
          range BY         shift the numbers in Content-Range
          whole            ask without Range: 200 and all of the object
          header NAME [VALUE]    set a header of the answer, or remove it
          length2          two headers Content-Length that differ
          chunked HOW      Transfer-Encoding chunked: good, or bad, huge, short (no last chunk)
          trickle N        N bytes a second
          endless          a listing that says there is more, with the same continuation token for ever
          lost             the request is carried out, the answer is lost: reset
          strip NAME       remove a header of the request (and sign it again): a server that does not know it
          corrupt AT       change a bit of the byte at AT of what the client sends
          delay MS         later
        instead of the real server:
          status CODE [S3CODE] [NAME=VALUE...]    an error document, with these headers
          error200 S3CODE  an error document with status 200
          document NAME [SIZE]    status 200 and: empty, html, bomb (XML entities), entity (external), deep (SIZE levels),
                           huge (an element of SIZE bytes), endless (XML that never ends)
          stall WHERE [K]  silence: continue (nothing of the request's body is read), upload (after K bytes of it), headers
                           (no answer), body (after K bytes of the real one)
          reset WHERE [K], close WHERE [K]    the connection ends, by RST or FIN: same places
          halfclose        FIN at once, but goes on reading
          redirect CODE WHERE    to: loop (itself), other (the same path on the other host), or this URL
          gzip SIZE        Content-Encoding: gzip, a small body that becomes SIZE zeros
          garbage K        K random bytes instead of HTTP
          bigheaders K     K bytes of headers
          pass             nothing special

DIR/log has a line for each request, written before the client sees the end of the answer:

    PORT METHOD PATH STATUS UP DOWN ACTION AUTH RANGE     PORT: main or other; UP, DOWN: bytes of the bodies; AUTH: auth or -
"""

import gzip
import os
import random
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse

import s3

PIECE = 1 << 18
FOREVER = 3600


class Gone(Exception):
    """A side closed its connection; there is nobody left to talk to."""


class Message:
    """A request or an answer: first line, headers in order, and how its body is delimited."""

    def __init__(self, stream):
        line = stream.readline(65536)
        if not line.endswith(b"\n"):
            raise Gone
        self.first = line.decode("latin-1").strip().split(" ", 2)
        self.headers = []
        while (line := stream.readline(65536)) not in (b"\r\n", b"\n"):
            if not line:
                raise Gone
            name, _, value = line.decode("latin-1").partition(":")
            self.headers.append((name.strip(), value.strip()))

    def get(self, name, default=None):
        return next((v for n, v in self.headers if n.lower() == name.lower()), default)

    def set(self, name, value):
        """Replace a header; None removes it."""
        self.headers = [(n, v) for n, v in self.headers if n.lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def length(self):
        return int(self.get("Content-Length", "0"))

    def chunked(self):
        return self.get("Transfer-Encoding", "").lower() == "chunked"

    def encode(self):
        lines = [" ".join(self.first)] + [f"{n}: {v}" for n, v in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def read_pieces(stream, length):
    while length > 0:
        piece = stream.read1(min(length, PIECE))
        if not piece:
            raise Gone
        length -= len(piece)
        yield piece


def read_chunked(stream):
    body = b""
    while size := int(stream.readline(64).split(b";")[0], 16):
        body += b"".join(read_pieces(stream, size))
        stream.readline(64)
    while stream.readline(4096) not in (b"\r\n", b""):
        pass
    return body


def flipped(data, at):
    """The bytes with a bit of one changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:] if at < len(data) else data


class Rule:
    def __init__(self, line):
        self.method, regex, self.which, self.action, *self.arguments = line.split()
        self.regex = re.compile(regex)
        self.seen = 0

    def fires(self, method, target):
        """Whether this request gets it; counts those that match."""
        if self.method not in ("*", method) or not self.regex.search(target):
            return False
        self.seen += 1
        if self.which == "each":
            return True
        if self.which[0] == "/":
            return self.seen % int(self.which[1:]) == 0
        first, dash, last = self.which.partition("-")
        return int(first) <= self.seen <= (int(last or sys.maxsize) if dash else int(first))

    def number(self, at=-1):
        try:
            return int(self.arguments[at])
        except (IndexError, ValueError):
            return 0


class Control:
    """What the directory says, shared by all connections."""

    def __init__(self, directory, upstream):
        self.directory = directory
        self.upstream = upstream
        self.lock = threading.Lock()
        self.stamp = None
        self.rules = []
        self.log = os.open(os.path.join(directory, "log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.ports = {}

    def rule_for(self, method, target):
        with self.lock:
            self.reread()
            return next((r for r in self.rules if r.fires(method, target)), None)

    def reread(self):
        path = os.path.join(self.directory, "rules")
        try:
            status = os.stat(path)
        except FileNotFoundError:
            self.rules, self.stamp = [], None
            return
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        if stamp != self.stamp:
            with open(path, encoding="utf-8") as file:
                lines = [line for line in file if line.strip() and not line.startswith("#")]
            self.rules, self.stamp = [Rule(line) for line in lines], stamp

    def record(self, *fields):
        os.write(self.log, (" ".join(str(f) for f in fields) + "\n").encode())


# --- documents ------------------------------------------------------------------------------------------------

def error_document(code):
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>as the test wants it</Message>'
            f"<RequestId>tx0</RequestId></Error>").encode()


def document(name, size):
    """Yield a body, whole or in pieces."""
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    if name == "html":
        yield b"<html><head><title>Welcome</title></head><body>Log in to this network<br></body></html>\n"
    elif name == "bomb":
        yield head + b"<!DOCTYPE l [<!ENTITY a0 'ha'>\n"
        for i in range(40):
            yield f"<!ENTITY a{i + 1} '&a{i};&a{i};&a{i};&a{i};'>\n".encode()
        yield b"]><ListBucketResult><Name>&a40;</Name></ListBucketResult>"
    elif name == "entity":
        yield head + b'<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        yield b"<ListBucketResult><Name>&x;</Name><IsTruncated>false</IsTruncated></ListBucketResult>"
    elif name == "deep":
        yield head + b"<a>" * size
    elif name == "huge":
        yield head + b"<ListBucketResult><Contents><Key>"
        yield from pieces_of(size)
        yield b"</Key></Contents></ListBucketResult>"
    elif name == "endless":
        yield head + b"<ListBucketResult>"
        for i in range(1 << 40):
            yield f"<Contents><Key>nobody/{i:0100000d}</Key></Contents>".encode()


def pieces_of(size):
    while size > 0:
        yield b"x" * min(size, PIECE)
        size -= PIECE


# --- one connection -------------------------------------------------------------------------------------------

class Connection:
    def __init__(self, control, client, port):
        self.control = control
        self.client = client
        self.port = port
        self.stream = client.makefile("rb", PIECE)
        self.server = self.server_stream = None

    def run(self):
        try:
            while self.one_request():
                pass
        except (Gone, OSError, ValueError):
            pass
        finally:
            for s in (self.stream, self.server_stream, self.client, self.server):
                if s is not None:
                    s.close()

    def one_request(self):
        """Answer one; False when the connection is not to be used again."""
        request = Message(self.stream)
        self.method, self.target = request.first[0], request.first[1]
        self.up = 0
        self.corrupt_at = None
        self.unread = request.length()
        self.request = request
        listing = self.method == "GET" and re.search("[?&](list-type|prefix|delimiter)=", self.target)
        kind = "LIST" if listing else self.method
        self.rule = self.control.rule_for(kind, self.target)
        self.action = self.rule.action if self.rule else "pass"
        special = getattr(self, "do_" + self.action, None)
        try:
            if special:
                special(*self.rule.arguments)
                return False
            return self.forward()
        except (Gone, OSError):
            self.note("gone")
            raise

    def note(self, status, down=0):
        request = self.request
        if request is None:
            return
        self.request = None
        self.control.record(self.port, self.method, self.target, status, self.up, down, self.action,
                            "auth" if request.get("Authorization") else "-", request.get("Range", "-"))

    # The request's body.

    def take_body(self, limit=None):
        """Yield what is left of the body, up to `limit` bytes."""
        if self.request.get("Expect", "").lower() == "100-continue":
            self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.request.set("Expect", None)
        left = self.unread if limit is None else min(self.unread, limit)
        for piece in read_pieces(self.stream, left):
            if self.corrupt_at is not None and self.up <= self.corrupt_at < self.up + len(piece):
                piece = flipped(piece, self.corrupt_at - self.up)
            self.unread -= len(piece)
            self.up += len(piece)
            yield piece

    def drain(self, limit=None):
        for _ in self.take_body(limit):
            pass

    # The real server.

    def ask(self):
        """Send the request on, body and all; the answer's head."""
        if self.server is None:
            self.server = socket.create_connection(self.control.upstream)
            self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.server_stream = self.server.makefile("rb", PIECE)
        body = self.take_body()
        first = next(body, b"")  # after "100 Continue"
        self.server.sendall(self.request.encode() + first)
        for piece in body:
            self.server.sendall(piece)
        answer = Message(self.server_stream)
        while answer.first[1] == "100":
            answer = Message(self.server_stream)
        return answer

    def no_body(self, answer):
        return self.method == "HEAD" or answer.first[1] in ("204", "304")

    def body_of(self, answer):
        """The whole body of the real answer, and a head that says its length."""
        if self.no_body(answer):
            return b""
        body = read_chunked(self.server_stream) if answer.chunked() else \
            b"".join(read_pieces(self.server_stream, answer.length()))
        answer.set("Transfer-Encoding", None)
        answer.set("Content-Length", str(len(body)))
        return body

    def forward(self):
        answer = self.ask()
        if answer.chunked():
            self.send(answer, self.body_of(answer))
        else:
            length = 0 if self.no_body(answer) else answer.length()
            self.note(answer.first[1], length)
            self.client.sendall(answer.encode())
            for piece in read_pieces(self.server_stream, length):
                self.client.sendall(piece)
        return answer.get("Connection", "").lower() != "close"

    def send(self, answer, body, rate=0):
        self.note(answer.first[1], len(body))
        self.client.sendall(answer.encode())
        if not rate:
            self.client.sendall(body)
            return
        for at in range(0, len(body), max(rate // 10, 1)):
            self.client.sendall(body[at:at + max(rate // 10, 1)])
            time.sleep(0.1 if rate >= 10 else 1 / rate)

    def answer_own(self, code, body, headers=(), length=None):
        """An answer of our own, in pieces when `body` is an iterator."""
        self.drain()
        head = [f"HTTP/1.1 {code} Test", "Server: faultproxy", "Content-Type: application/xml", "Connection: close"]
        if isinstance(body, bytes):
            head.append(f"Content-Length: {len(body) if length is None else length}")
            body = [b"" if self.method == "HEAD" else body]
        head += [f"{n}: {v}" for n, v in headers]
        self.note(code)
        self.client.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        for piece in body:
            self.client.sendall(piece)

    # The ways in which a connection ends.

    def silence(self):
        """Keep the connection until the client gives it up."""
        self.note("stalled")
        self.client.settimeout(FOREVER)
        while True:
            if self.unread:
                time.sleep(0.2)  # reading would be progress for the client: only look whether it is still there
                if self.client.recv(1, socket.MSG_PEEK) == b"" or self.closed():
                    raise Gone
            elif not self.client.recv(PIECE):
                raise Gone

    def closed(self):
        """Whether the client closed its side, with bytes of it still unread."""
        state = self.client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return state != 1  # TCP_ESTABLISHED

    def cut(self):
        self.note("reset")
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def finish(self):
        self.note("closed")
        raise Gone

    def at_place(self, end, where, count=0):
        count = int(count)
        if where == "continue":
            end()
        self.drain(count if where == "upload" else None)
        if where == "body":
            answer = self.ask()
            body = self.body_of(answer)
            self.client.sendall(answer.encode() + body[:count])
        end()

    def do_stall(self, where, count=0):
        self.at_place(self.silence, where, count)

    def do_reset(self, where, count=0):
        self.at_place(self.cut, where, count)

    def do_close(self, where, count=0):
        self.at_place(self.finish, where, count)

    def do_halfclose(self):
        self.client.shutdown(socket.SHUT_WR)
        self.drain()
        self.finish()

    def do_lost(self):
        self.body_of(self.ask())
        self.cut()

    # The real answer, altered.

    def altered(self, alter, rate=0):
        answer = self.ask()
        self.send(answer, alter(answer, self.body_of(answer)), rate)

    def do_truncate(self, count):
        self.altered(lambda answer, body: body[:int(count)])

    def resized(self, body_after):
        def alter(answer, body):
            body = body_after(body)
            answer.set("Content-Length", str(len(body)))
            return body
        self.altered(alter)

    def do_shorter(self, count):
        self.resized(lambda body: body[:max(len(body) - int(count), 0)])

    def do_longer(self, count):
        self.resized(lambda body: body + b"x" * int(count))

    def do_over(self, count):
        self.altered(lambda answer, body: body + b"x" * int(count))

    def do_flip(self, at):
        self.altered(lambda answer, body: flipped(body, int(at)))

    def do_range(self, by):
        def alter(answer, body):
            value = answer.get("Content-Range")
            if value:
                answer.set("Content-Range", re.sub(r"(\d+)-(\d+)", lambda m: f"{int(m[1]) + int(by)}-{int(m[2]) + int(by)}", value))
            return body
        self.altered(alter)

    def do_header(self, name, *value):
        def alter(answer, body):
            answer.set(name, " ".join(value) or None)
            return body
        self.altered(alter)

    def do_length2(self):
        def alter(answer, body):
            answer.headers.append(("Content-Length", str(len(body) + 7)))
            return body
        self.altered(alter)

    def do_chunked(self, how):
        def alter(answer, body):
            answer.set("Content-Length", None)
            answer.set("Transfer-Encoding", "chunked")
            size = {"bad": b"nonsense", "huge": b"ffffffffffffffff1"}.get(how, b"%x" % len(body))
            if not body and how == "good":
                return b"0\r\n\r\n"
            return size + b"\r\n" + body + (b"\r\n" if how == "short" else b"\r\n0\r\n\r\n")
        self.altered(alter)

    def do_trickle(self, rate):
        self.altered(lambda answer, body: body, int(rate))

    def do_endless(self):
        def alter(body):
            body = re.sub(rb"<(IsTruncated|NextContinuationToken)>.*?</\1>", b"", body)
            more = b"<IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>"
            return body.replace(b"</ListBucketResult>", more + b"</ListBucketResult>")
        self.request_without("continuation-token")
        self.resized(alter)

    def do_corrupt(self, at):
        self.corrupt_at = int(at)
        self.forward()

    def do_delay(self, milliseconds):
        time.sleep(int(milliseconds) / 1000)
        self.forward()

    def do_whole(self):
        self.request.set("Range", None)
        self.sign_again()
        self.altered(lambda answer, body: body)

    def do_strip(self, name):
        self.request.set(name, None)
        self.sign_again()
        self.forward()

    def request_without(self, parameter):
        """Take a parameter out of the query."""
        path, _, query = self.target.partition("?")
        query = "&".join(p for p in query.split("&") if not p.startswith(parameter + "="))
        self.request.first[1] = f"{path}?{query}"
        self.sign_again()

    def sign_again(self):
        """What was changed may have been signed; use the real keys, from the environment."""
        if not self.request.get("Authorization"):
            return
        path, _, query = self.request.first[1].partition("?")
        digest = self.request.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        for name, value in s3.sign(self.method, self.request.get("Host"), path, query, digest).items():
            self.request.set(name, value)

    # Answers of our own.

    def do_status(self, code, *details):
        headers = [d.split("=", 1) for d in details if "=" in d]
        headers = [(n, time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + int(v[4:])))
                    if v.startswith("date") else v) for n, v in headers]
        s3code = next((d for d in details if "=" not in d), None)
        self.answer_own(code, error_document(s3code) if s3code else b"", headers)

    def do_error200(self, s3code):
        self.answer_own(200, error_document(s3code))

    def do_document(self, name, size=0):
        if name == "empty":
            self.answer_own(200, b"")
        else:
            self.answer_own(200, document(name, int(size)))

    def do_redirect(self, code, where):
        host = self.request.get("Host")
        path, _, query = self.target.partition("?")
        if where == "loop":
            where = f"http://{host}{self.target}"
        elif where == "other":
            where = f"http://127.0.0.1:{self.control.ports['other']}{self.target}"
        self.answer_own(code, b"", [("Location", where)])

    def do_gzip(self, size):
        member = gzip.compress(b"\0" * 10_000_000)  # a file of gzip is as many of them as one likes
        self.answer_own(200, member * (int(size) // 10_000_000), [("Content-Encoding", "gzip")])

    def do_garbage(self, count):
        self.drain()
        self.note("garbage")
        self.client.sendall(random.Random(1).randbytes(int(count)))

    def do_bigheaders(self, count):
        self.drain()
        self.note("headers")
        self.client.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(int(count) // 1000 + 1):
            self.client.sendall(b"X-Filler: " + b"x" * 988 + b"\r\n")
        self.client.sendall(b"Content-Length: 0\r\n\r\n")


def listen(control, name):
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    control.ports[name] = listener.getsockname()[1]

    def serve():
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Connection(control, client, name).run, daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()


def main(directory, upstream):
    where = urllib.parse.urlsplit(upstream)
    control = Control(directory, (where.hostname, where.port or 80))
    listen(control, "main")
    listen(control, "other")
    with open(os.path.join(directory, "ports.new"), "w", encoding="ascii") as file:
        file.write(f"{control.ports['main']} {control.ports['other']}\n")
    os.rename(os.path.join(directory, "ports.new"), os.path.join(directory, "ports"))
    threading.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
