#!/usr/bin/env python3
"""Log what a commit, a file or a model was made of into an MLflow run: mlflow_lineage.py [TARGET]

TARGET is anything that `git dvx trace` takes, HEAD without it. The tracking server is $MLFLOW_TRACKING_URI (http or https), the
experiment $MLFLOW_EXPERIMENT_NAME; a token in $MLFLOW_TRACKING_TOKEN, or $MLFLOW_TRACKING_USERNAME and _PASSWORD, are sent along.
Only MLflow's REST API is used, so nothing has to be installed. Prints the run's id.
"""
import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

LIMITS = {"metrics": 1000, "params": 100, "tags": 100}  # of one log-batch request
SERVER = os.environ.get("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000").rstrip("/")


def call(method, path, **fields):
    url, data = f"{SERVER}/api/2.0/mlflow/{path}", None
    headers = {"Content-Type": "application/json"}
    if method == "GET":
        url += "?" + urllib.parse.urlencode(fields)
    else:
        data = json.dumps(fields).encode()
    token, user = os.environ.get("MLFLOW_TRACKING_TOKEN"), os.environ.get("MLFLOW_TRACKING_USERNAME")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    elif user:
        pair = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
        return json.load(answer)


def experiment(name):
    try:
        return call("GET", "experiments/get-by-name", experiment_name=name)["experiment"]["experiment_id"]
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
    return call("POST", "experiments/create", name=name)["experiment_id"]


def key(text):  # what MLflow allows in a name
    return "".join(c if c.isalnum() or c in "_-. /" else "_" for c in text)[:250]


def entries(lineage):
    """Metrics, params and tags of an answer of `git dvx trace --json` (docs/lineage.md)."""
    now = int(time.time() * 1000)
    metrics = [
        {"key": key(name), "value": value, "timestamp": now, "step": 0}
        for values in lineage["metrics"].values()
        for name, value in values.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    params = [
        {"key": key(name), "value": str(value)[:500]} for values in lineage["params"].values() for name, value in values.items()
    ]
    tags = {"mlflow.source.git.commit": lineage["commit"]["id"], "mlflow.user": lineage["commit"]["author"]["name"]}
    for path in lineage["data"]:
        tags["data/" + path["path"]] = f"sha256:{path['sha256']}" if path.get("sha256") else f"md5:{path.get('md5')}"
    if lineage.get("file"):
        tags["model.path"], tags["model.sha256"] = lineage["file"]["path"], str(lineage["file"].get("sha256"))
    if lineage.get("model"):
        tags["model.version"] = lineage["model"]["tag"]
    return {"metrics": metrics, "params": params, "tags": [{"key": key(k), "value": v} for k, v in tags.items()]}


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else "HEAD"
    lineage = json.loads(subprocess.run(["git", "dvx", "trace", "--json", target], check=True, stdout=subprocess.PIPE).stdout)
    begin = int(time.time() * 1000)
    run = call(
        "POST",
        "runs/create",
        experiment_id=experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", "git-dvx")),
        start_time=begin,
        run_name=target,
    )["run"]["info"]["run_id"]
    for kind, values in entries(lineage).items():
        for at in range(0, len(values), LIMITS[kind]):
            call("POST", "runs/log-batch", run_id=run, **{kind: values[at : at + LIMITS[kind]]})
    call("POST", "runs/update", run_id=run, status="FINISHED", end_time=int(time.time() * 1000))
    print(run)


try:
    main()
except urllib.error.URLError as error:
    sys.exit(f"error: {SERVER} (MLFLOW_TRACKING_URI): {error}")
except subprocess.CalledProcessError:
    sys.exit(1)  # git dvx said why
