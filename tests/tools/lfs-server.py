#!/usr/bin/python3
"""A Git LFS server for tests: honest, unless told otherwise.

usage: lfs-server.py DIR

Listens on a port of 127.0.0.1 and writes it to DIR/port.  Objects are DIR/objects/<oid>; actions lead to the host that
the batch request named, so that a proxy in front sees all of it.  Knows ranges, verification, no locks.

DIR/quirks is read at each batch request; a line is one of

    hash NAME                      names its objects by another hash
    transfer NAME                  wants this adapter
    others                         answers about other objects than were asked about
    leave-out                      leaves out the last object
    twice                          answers about each object twice, the second time with a wrong way
    size N                         says that objects are N bytes longer than they are
    error CODE MESSAGE             an error for the last object instead of actions
    no-actions                     neither action nor error
    max N                          413 for more than N objects
    header NAME VALUE              for every action: what is to be sent; without it 403
    old                            the actions of the first answer about an object are over when they come
    lives SECONDS                  actions end; what comes later gets 403
    skewed                         all actions seem to be over, but are not
    links                          actions are called _links, as in the first version
    no-verify                      there is nothing to verify
    unverified                     the verification of uploads fails
    forgets                        says 200 to an upload and does not keep it
    raw FILE                       these bytes instead of JSON
    encoding NAME                  says that the answer is encoded like that
    offers NAME                    takes this adapter if the client knows it
    href TEXT                      the way to every object
    scheme NAME                    the ways begin with that: a proxy in front speaks it

DIR/log has a line of JSON for each request, written before it is answered.
"""

import base64
import hashlib
import http.server
import json
import os
import re
import sys
import threading
import time

OID = re.compile("^[0-9a-f]{64}$")
TYPE = "application/vnd.git-lfs+json"
lock = threading.Lock()
asked = set()
busy = set()


def quirks():
    """The quirks at the moment: name to the rest of its line."""
    try:
        with open("quirks", encoding="utf-8") as f:
            return dict((line.rstrip("\n") + " ").split(" ", 1) for line in f)
    except FileNotFoundError:
        return {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536  # one packet for a small answer

    def log_message(self, *args):
        pass

    def note(self, **more):
        line = {"method": self.command, "path": self.path, "range": self.headers.get("Range"),
                "type": self.headers.get("Content-Type"), "accept": self.headers.get("Accept"),
                "length": self.headers.get("Content-Length"), "protocol": self.request_version, **more,
                "headers": dict(self.headers)}
        with lock, open("log", "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def say(self, status, document, headers=()):
        self.answer(status, json.dumps(document).encode(), [("Content-Type", TYPE), *headers])

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def stored(self, oid):
        try:
            return os.path.getsize(f"objects/{oid}")
        except FileNotFoundError:
            return None

    # ---- who may, and where to ----

    def refuse(self, status, headers=()):
        """An answer to whatever was asked; it is noted here."""
        self.note(status=status)
        self.body()
        return self.say(status, {"message": "not like this"}, headers)

    def stopped(self, q):
        """Answer instead of the handler, if a quirk wants that."""
        credentials = base64.b64encode(q.get("login", "").strip().encode()).decode()
        if "login" in q and self.headers.get("Authorization") != "Basic " + credentials:
            self.refuse(401, [("WWW-Authenticate", q.get("login-scheme", "Basic").strip() + ' realm="test"')])
            return True
        if "busy" in q and self.path not in busy:
            busy.add(self.path)
            status, seconds = q["busy"].split()
            self.refuse(int(status), [] if seconds == "-" else [("Retry-After", seconds)])
            return True
        kind = "redirect" if self.path.startswith("/lfs") else "move"
        if kind in q:
            status, url = q[kind].split()
            self.refuse(int(status), [("Location", url + self.path)])
            return True
        return False

    # ---- batch ----

    def action(self, q, oid, kind):
        now = time.time()
        base = q.get("at", f"{q.get('scheme', 'http').strip()}://{self.headers['Host']}").strip()
        a = {"href": q["href"].strip() if "href" in q else f"{base}/{kind}/{oid}"}
        if "header" in q:
            name, value = q["header"].strip().split(" ", 1)
            a["header"] = {name: value}
        if "lives" in q:
            end = now + float(q["lives"])
            a["href"] += f"?end={end}"
            a["expires_in"] = int(float(q["lives"])) or 1
        if "skewed" in q:
            a["expires_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 3600))
        if "old" in q and (oid, kind) not in asked:
            asked.add((oid, kind))
            a["expires_in"] = -1
            a["href"] += "?end=0"
        return a

    def about(self, q, operation, wanted):
        oid, size = wanted["oid"], wanted["size"]
        have = self.stored(oid)
        out = {"oid": oid, "size": size + int(q.get("size", 0))}
        if "authenticated" in q:
            out["authenticated"] = True
        name = "_links" if "links" in q else "actions"
        if operation == "download" and have is None:
            out["error"] = {"code": 404, "message": "Object does not exist"}
        elif operation == "download":
            out[name] = {"download": self.action(q, oid, "get")}
        elif have is None:
            out[name] = {"upload": self.action(q, oid, "put")}
            if "no-verify" not in q:
                out[name]["verify"] = self.action(q, oid, "verify")
        if "no-actions" in q:
            out.pop(name, None)
        return out

    def batch(self):
        q = quirks()
        request = json.loads(self.body())
        objects = request["objects"]
        self.note(operation=request["operation"], objects=len(objects), transfers=request.get("transfers"),
                  ref=request.get("ref"), hash_algo=request.get("hash_algo"))
        if "max" in q and len(objects) > int(q["max"]):
            return self.say(413, {"message": "too many objects"})
        if "raw" in q:
            with open(q["raw"].strip(), "rb") as f:
                return self.answer(200, f.read(), [("Content-Type", TYPE)] + (
                    [("Content-Encoding", q["encoding"].strip())] if "encoding" in q else []))
        out = [self.about(q, request["operation"], o) for o in objects]
        if "error" in q:
            code, message = q["error"].strip().split(" ", 1)
            out[-1].pop("actions", None)
            out[-1]["error"] = {"code": int(code), "message": message}
        if "leave-out" in q:
            out.pop()
        if "twice" in q:
            out += [{**o, "actions": {"download": {"href": "http://127.0.0.1:1/"}}} for o in out]
        if "others" in q:
            out.append({"oid": hashlib.sha256(b"other").hexdigest(), "size": 5})
        answer = {"transfer": q.get("transfer", "basic ").strip(), "objects": out}
        if "offers" in q and q["offers"].strip() in request.get("transfers", []):
            answer["transfer"] = q["offers"].strip()
        if "hash" in q:
            answer["hash_algo"] = q["hash"].strip()
        return self.say(200, answer)

    # ---- objects ----

    def allowed(self, q):
        end = re.search(r"\?end=([0-9.]+)", self.path)
        if end and time.time() > float(end[1]):
            return False
        if "header" in q:
            name, value = q["header"].strip().split(" ", 1)
            return self.headers.get(name) == value
        return True

    def object_of(self, kind):
        match = re.match(f"^/{kind}/([0-9a-f]{{64}})(\\?.*)?$", self.path)
        return match[1] if match else None

    def get(self, oid):
        try:
            with open(f"objects/{oid}", "rb") as f:
                data = f.read()
        except FileNotFoundError:
            return self.answer(404)
        wanted = re.match(r"^bytes=(\d+)-$", self.headers.get("Range") or "")
        if not wanted:
            return self.answer(200, data)
        first = int(wanted[1])
        if first >= len(data):
            return self.answer(416, b"", [("Content-Range", f"bytes */{len(data)}")])
        return self.answer(206, data[first:], [("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")])

    def put(self, q, oid):
        data = self.body()
        if hashlib.sha256(data).hexdigest() != oid:
            return self.say(422, {"message": "these bytes have another hash"})
        if "forgets" not in q:
            name = f"objects/.{oid}.{threading.get_ident()}"
            with open(name, "wb") as f:
                f.write(data)
            os.rename(name, f"objects/{oid}")
        return self.answer(200)

    def verify(self, q, oid):
        wanted = json.loads(self.body())
        if "unverified" in q or wanted["oid"] != oid or self.stored(oid) != wanted["size"]:
            return self.say(422, {"message": "it is not here"})
        return self.say(200, {})

    # ---- methods ----

    def guarded(self, kind, handle):
        if self.stopped(quirks()):
            return None
        oid = self.object_of(kind)
        self.note()
        if not oid:
            self.body()
            return self.say(404, {"message": "no such place"})
        if not self.allowed(quirks()):
            self.body()
            return self.say(403, {"message": "Request has expired"})
        return handle(oid)

    def do_GET(self):
        return self.guarded("get", self.get)

    def do_PUT(self):
        return self.guarded("put", lambda oid: self.put(quirks(), oid))

    def do_POST(self):
        if self.path == "/lfs/objects/batch":
            return None if self.stopped(quirks()) else self.batch()
        return self.guarded("verify", lambda oid: self.verify(quirks(), oid))


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients of these tests go away in the middle


def main():
    os.chdir(sys.argv[1])
    os.makedirs("objects", exist_ok=True)
    server = Server(("127.0.0.1", 0), Handler)
    with open("port.new", "w", encoding="utf-8") as f:
        f.write(f"{server.server_port}\n")
    os.rename("port.new", "port")
    server.serve_forever()


main()
