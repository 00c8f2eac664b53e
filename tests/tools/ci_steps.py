#!/usr/bin/env python3
"""Run the steps of a CI configuration as its system would: ci_steps.py FILE WORKTREE [NAME=VALUE...]

FILE is a GitHub Actions workflow or a .gitlab-ci.yml. WORKTREE is what "actions/checkout" (GitLab: the runner) makes by `git clone` of
$ORIGIN. NAME=VALUE give the values of ${{ secrets.NAME }}, ${{ vars.NAME }} and ${{ github.NAME }}, and are variables of the
environment. Each step is a shell with -e; the first that fails ends the run with exit 1.
"""
import os
import re
import subprocess
import sys

import yaml


def filled(text, values):
    return re.sub(r"\$\{\{\s*\w+\.(\w+)\s*\}\}", lambda m: values.get(m.group(1), ""), text)


def applies(condition, values):
    left, right = re.fullmatch(r"github\.(\w+) == '(\w+)'", condition).groups()
    return values.get(left) == right


def github(config, values):
    env = {k: filled(v, values) for k, v in config.get("env", {}).items()}
    for job in config["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                yield "checkout", None, env
            elif applies(step["if"], values) if "if" in step else True:
                yield step["name"], filled(step["run"], values), env


def gitlab(config, _):
    env = {k: str(v) for k, v in config.get("variables", {}).items()}
    jobs = {k: v for k, v in config.items() if k not in ("default", "variables")}
    yield "checkout", None, env
    for name, job in jobs.items():
        yield name, "\n".join(job.get("before_script", []) + job["script"]), env


def main():
    path, worktree = os.path.abspath(sys.argv[1]), sys.argv[2]
    values = dict(a.split("=", 1) for a in sys.argv[3:])
    with open(path, encoding="utf-8") as f:
        config = yaml.safe_load(f)
    cwd = os.getcwd()
    for name, script, env in (github if "jobs" in config else gitlab)(config, values):
        print(f"== {name}", flush=True)
        if script is None:
            subprocess.run(["git", "clone", "-q", "-b", values.get("ref_name", "main"), os.environ["ORIGIN"], worktree], check=True)
            cwd = worktree
            continue
        if subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=cwd, env={**os.environ, **values, **env}).returncode:
            sys.exit(f"failed: {name}")


main()
