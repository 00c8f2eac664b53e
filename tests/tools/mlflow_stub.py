#!/usr/bin/env python3
"""A tracking server that checks requests as MLflow's REST API documents them, and writes what it was given: mlflow_stub.py PORTFILE LOG

Listens on a port of 127.0.0.1 that the kernel chooses, and writes it to PORTFILE. LOG gets a line of JSON for each request. Ends on SIGTERM.
"""
import http.server
import json
import os
import re
import sys
import urllib.parse

experiments, runs = {}, {}
KEY = re.compile(r"^[\w. /-]{1,250}$")


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def need(body, name, kind):
    if not isinstance(body.get(name), kind) or isinstance(body.get(name), bool):
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"{name}: missing, or no {kind}")
    return body[name]


def get_by_name(body):
    name = need(body, "experiment_name", str)
    if name not in experiments:
        raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"no experiment '{name}'")
    return {"experiment": {"experiment_id": experiments[name], "name": name, "lifecycle_stage": "active"}}


def create_experiment(body):
    return {"experiment_id": experiments.setdefault(need(body, "name", str), str(len(experiments) + 1))}


def create_run(body):
    if need(body, "experiment_id", str) not in experiments.values():
        raise Refused(404, "RESOURCE_DOES_NOT_EXIST", "no such experiment")
    need(body, "start_time", int)
    run = f"{len(runs) + 1:032x}"
    runs[run] = {"status": "RUNNING", "params": {}}
    return {"run": {"info": {"run_id": run, "status": "RUNNING"}, "data": {}}}


def the_run(body):
    run = need(body, "run_id", str)
    if run not in runs:
        raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"no run '{run}'")
    return runs[run]


def log_batch(body):
    run = the_run(body)
    for kind, limit, value_type in (("metrics", 1000, (int, float)), ("params", 100, str), ("tags", 100, str)):
        entries = body.get(kind, [])
        if len(entries) > limit:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"{kind}: more than {limit}")
        for entry in entries:
            if not KEY.match(need(entry, "key", str)):
                raise Refused(400, "INVALID_PARAMETER_VALUE", f"{kind}: bad key {entry['key']!r}")
            need(entry, "value", value_type)
            if kind == "metrics":
                need(entry, "timestamp", int)
            if kind == "params" and run["params"].setdefault(entry["key"], entry["value"]) != entry["value"]:
                raise Refused(400, "INVALID_PARAMETER_VALUE", f"param {entry['key']} changed")
    return {}


def update_run(body):
    the_run(body)["status"] = need(body, "status", str)
    if body["status"] not in ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"):
        raise Refused(400, "INVALID_PARAMETER_VALUE", "status")
    return {"run_info": {"run_id": body["run_id"], "status": body["status"]}}


CALLS = {
    ("GET", "experiments/get-by-name"): get_by_name,
    ("POST", "experiments/create"): create_experiment,
    ("POST", "runs/create"): create_run,
    ("POST", "runs/log-batch"): log_batch,
    ("POST", "runs/update"): update_run,
}


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        call = url.path.removeprefix("/api/2.0/mlflow/")
        try:
            if self.command == "GET":
                body = dict(urllib.parse.parse_qsl(url.query))
            else:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if (self.command, call) not in CALLS:
                raise Refused(404, "ENDPOINT_NOT_FOUND", self.path)
            with open(sys.argv[2], "a", encoding="utf-8") as log:
                log.write(json.dumps({"call": call, "body": body, "authorization": self.headers["Authorization"]}) + "\n")
            status, result = 200, CALLS[self.command, call](body)
        except Refused as refused:
            status, result = refused.status, {"error_code": refused.code, "message": str(refused)}
        data = json.dumps(result).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w", encoding="utf-8") as port:
    port.write(str(server.server_address[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
