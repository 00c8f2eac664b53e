#!/usr/bin/env python3
"""A model of `git dvx repro`: a project of random stages is edited at random, and each run must do exactly what the model says.

usage: repromodel.py DIRECTORY [--stages N] [--rounds N] [--seed N] [--jobs N] [--kill]

DIRECTORY is a repository with git-dvx set up, without stages.  In every round a few inputs, parameters, commands and outputs are
changed, deleted or put back to an earlier state; then `git dvx repro` runs, and

* each stage was run, came from the run cache, was put back or skipped as the model says (and its command was started
  exactly so often: each appends its name to a log outside of the project),
* every output holds what the model says.

With --kill git-dvx is killed at a random moment of the run and started again: together the two must have started what had to
be started, nothing else, and at most one stage per job twice; the outputs must be the same as ever.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time


class Stage:
    """What dvx.yaml says of one stage."""

    def __init__(self, number):
        self.name = "s%03d" % number
        self.salt = "0"
        self.width = 64  # characters of the hash that the outputs keep; 0: changes end here
        self.deps = []  # paths of sources, outputs, files in outputs
        self.param = None
        self.outs = {}  # path -> names of the files in it, or None: a file
        self.persist = False
        self.always = False

    def command(self, files):
        inputs = " ".join(f for d in self.deps for f in files(d))
        text = "echo %s >>$REPRO_LOG; X=$({ echo %s; %s%s} | sha256sum | head -c %d)" % (
            self.name,
            self.salt,
            "grep ^%s: params.yaml; " % self.param if self.param else "",
            "cat %s; " % inputs if inputs else "",
            self.width,
        )
        for path, names in self.outs.items():
            if names is None:
                text += " && echo x$X %s >%s" % (path, path)
            else:
                text += " && mkdir -p %s" % path
                for name in names:
                    text += " && echo x$X %s/%s >%s/%s" % (path, name, path, name)
        return text

    def yaml(self, files):
        lines = ["  %s:" % self.name, "    cmd: %s" % json.dumps(self.command(files))]
        if self.deps:
            lines.append("    deps: [%s]" % ", ".join(self.deps))
        if self.param:
            lines.append("    params: [%s]" % self.param)
        if self.persist:
            lines.append("    outs: [%s]" % ", ".join("{%s: {persist: true}}" % o for o in self.outs))
        else:
            lines.append("    outs: [%s]" % ", ".join(self.outs))
        if self.always:
            lines.append("    always_changed: true")
        return "\n".join(lines)

    def cacheable(self):
        return bool(self.deps or self.param) and not self.persist and not self.always


class Project:
    """The project as it should be: the model."""

    def __init__(self, rng, n_stages, n_sources=40, n_params=25):
        self.rng = rng
        self.sources = {"src/%d" % i: "source %d\n" % i for i in range(n_sources)}
        self.params = {"p%d" % i: 0 for i in range(n_params)}
        self.outs = {}  # path -> {file: text}, with "" as the name of a plain file; absent: not there
        self.kinds = {}  # path of an output -> names of files in it, or None
        self.locks = {}  # stage -> (inputs, outs)
        self.runs = {}  # inputs -> outs
        self.stages = [self.make_stage(i) for i in range(n_stages)]
        self.dirty_pipeline = True

    def make_stage(self, number):
        rng, s = self.rng, Stage(number)
        above = list(self.kinds)
        near = above[-25:] if rng.random() < 0.7 else above
        for path in rng.sample(near, min(len(near), rng.choice([0, 1, 1, 2]))):
            names = self.kinds[path]
            s.deps.append("%s/%s" % (path, names[0]) if names and rng.random() < 0.4 else path)
        for path in rng.sample(sorted(self.sources), rng.choice([0, 0, 1, 1, 2])):
            s.deps.append(path)
        if rng.random() < 0.3:
            s.param = rng.choice(sorted(self.params))
        s.width = rng.choice([0, 1, 64])
        for i in range(rng.choice([1, 1, 1, 2])):
            path = "out/%03d.%d" % (number, i)
            s.outs[path] = ["a", "b", "c"][: rng.randint(1, 3)] if rng.random() < 0.3 else None
            self.kinds[path] = s.outs[path]
        s.persist = rng.random() < 0.03
        s.always = rng.random() < 0.01
        return s

    def files(self, dep):
        names = self.kinds.get(dep)
        return ["%s/%s" % (dep, n) for n in names] if names else [dep]

    # ---- what is there ----

    def text_of(self, path):
        if path in self.sources:
            return self.sources[path]
        if path in self.kinds:
            return self.outs[path][""]
        out, name = path.rsplit("/", 1)
        return self.outs[out][name]

    def state_of(self, dep):
        """What a dependency holds, as a value."""
        if dep in self.kinds:
            return tuple(sorted(self.outs[dep].items()))
        return self.text_of(dep)

    def inputs_of(self, s):
        return (
            s.command(self.files),
            tuple((d, self.state_of(d)) for d in sorted(s.deps)),
            (s.param, self.params[s.param]) if s.param else None,
            tuple(sorted(s.outs)),
        )

    def made_by(self, s):
        data = s.salt + "\n"
        if s.param:
            data += "%s: %d\n" % (s.param, self.params[s.param])
        for d in s.deps:
            for f in self.files(d):
                data += self.text_of(f)
        x = hashlib.sha256(data.encode()).hexdigest()[: s.width]
        outs = {}
        for path, names in s.outs.items():
            if names is None:
                outs[path] = {"": "x%s %s\n" % (x, path)}
            else:
                outs[path] = {n: "x%s %s/%s\n" % (x, path, n) for n in names}
                if s.persist:  # what else is there stays
                    outs[path] = dict(self.outs.get(path, {}), **outs[path])
        return outs

    # ---- what a run does ----

    def reproduce(self):
        """Bring the model up to date; what has to happen with each stage."""
        results = {}
        for s in self.stages:  # their numbers are an order of the graph
            inputs = self.inputs_of(s)
            lock = self.locks.get(s.name)
            if lock and lock[0] == inputs and not s.always:
                wrong = any(self.outs.get(p) != files for p, files in lock[1].items())
                results[s.name] = "restored" if wrong else "unchanged"
                made = lock[1]
            elif s.cacheable() and inputs in self.runs:
                results[s.name] = "cached"
                made = self.runs[inputs]
            else:
                results[s.name] = "ran"
                made = self.made_by(s)
                if s.cacheable():
                    self.runs[inputs] = made
            self.outs.update(made)
            self.locks[s.name] = (inputs, made)
        return results


class Editor:
    """Makes the same changes to the model and to the files."""

    def __init__(self, project, top):
        self.p, self.top, self.rng = project, top, project.rng

    def write(self, path, text):
        path = os.path.join(self.top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)

    def write_params(self):
        self.write("params.yaml", "".join("%s: %d\n" % kv for kv in self.p.params.items()))

    def write_pipeline(self):
        self.write("dvx.yaml", "stages:\n" + "\n".join(s.yaml(self.p.files) for s in self.p.stages) + "\n")

    def write_all(self):
        for path, text in self.p.sources.items():
            self.write(path, text)
        os.makedirs(os.path.join(self.top, "out"), exist_ok=True)
        self.write_params()
        self.write_pipeline()

    # ---- the changes ----

    def some_value(self):
        """So few of them that what was there before comes back often."""
        return self.rng.randrange(10, 13)

    def source(self):
        path = self.rng.choice(sorted(self.p.sources))
        text = "source %d\n" % self.some_value()
        self.p.sources[path] = text
        self.write(path, text)

    def touch(self):
        path = self.rng.choice(sorted(self.p.sources) + [o for o, k in self.p.kinds.items() if not k and o in self.p.outs])
        os.utime(os.path.join(self.top, path))

    def param(self):
        key = self.rng.choice(sorted(self.p.params))
        self.p.params[key] = self.some_value()
        self.write_params()

    def command(self):
        s = self.rng.choice(self.p.stages)
        s.salt = str(self.some_value())
        self.write_pipeline()

    def dependency(self):
        s = self.rng.choice(self.p.stages)
        path = self.rng.choice(sorted(self.p.sources))
        if path in s.deps:
            s.deps.remove(path)
        else:
            s.deps.append(path)
        self.write_pipeline()

    def some_output(self):
        path = self.rng.choice(sorted(self.p.outs))
        name = self.rng.choice(sorted(self.p.outs[path]))
        return path, name, os.path.join(path, name) if name else path

    def output_deleted(self):
        path, name, file = self.some_output()
        full = os.path.join(self.top, path)
        if self.rng.random() < 0.5 and name:
            os.unlink(os.path.join(self.top, file))
            self.p.outs[path] = {k: v for k, v in self.p.outs[path].items() if k != name}
            if not self.p.outs[path]:
                del self.p.outs[path]
                os.rmdir(full)
            return
        del self.p.outs[path]
        shutil.rmtree(full) if name else os.unlink(full)

    def output_changed(self):
        path, name, file = self.some_output()
        text = "by hand %d\n" % self.rng.randrange(10**6)
        self.p.outs[path] = dict(self.p.outs[path], **{name: text})
        self.write(file, text)

    def output_added_to(self):
        directories = sorted(o for o, k in self.p.kinds.items() if k and o in self.p.outs)
        path = self.rng.choice(directories)
        self.p.outs[path] = dict(self.p.outs[path], extra="extra\n")
        self.write(path + "/extra", "extra\n")

    def random_changes(self):
        changes = [self.source] * 4 + [self.param] * 2 + [self.command] * 2 + [self.dependency]
        changes += [self.touch, self.output_deleted, self.output_changed, self.output_added_to]
        return [c.__name__ for c in self.rng.choices(changes, k=self.rng.choice([0, 1, 1, 2, 3])) if c() is None]


class Runner:
    def __init__(self, top, jobs):
        self.top, self.jobs = top, jobs
        self.log = os.path.join(os.path.dirname(os.path.abspath(top)), "repro.log")
        self.took = 0.3

    def start(self):
        with open(self.log, "w"):
            pass
        return self.again()

    def again(self):
        return subprocess.Popen(
            ["git-dvx", "repro", "--json", "-j", str(self.jobs)],
            cwd=self.top,
            env=dict(os.environ, REPRO_LOG=self.log, SHELL="/bin/sh"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def started(self):
        with open(self.log) as f:
            return f.read().split()

    def finish(self, process):
        begin = time.monotonic()
        out, err = process.communicate()
        self.took = 0.9 * self.took + 0.1 * (time.monotonic() - begin)
        if process.returncode != 0:
            raise SystemExit("repro failed with status %d:\n%s" % (process.returncode, err.decode()))
        return {s["stage"]: s["result"] for s in json.loads(out)["stages"]}


def compare(what, expected, found):
    for key in sorted(set(expected) | set(found)):
        if expected.get(key) != found.get(key):
            raise SystemExit("%s '%s': expected %s, found %s" % (what, key, expected.get(key), found.get(key)))


def files_below(top):
    found = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            with open(path) as f:
                found[os.path.relpath(path, top)] = f.read()
    return found


def check_outputs(project, top):
    expected = {}
    for path, files in project.outs.items():
        for name, text in files.items():
            expected[os.path.relpath(os.path.join(path, name) if name else path, "out")] = text
    compare("output", expected, files_below(os.path.join(top, "out")))


def one_round(project, runner):
    process = runner.start()
    results = runner.finish(process)
    expected = project.reproduce()
    compare("stage", expected, results)
    compare("command of", {s: 1 for s, r in expected.items() if r == "ran"}, count(runner.started()))
    check_outputs(project, runner.top)
    return expected


def count(names):
    return {n: names.count(n) for n in names}


def killed_round(project, runner, rng):
    process = runner.start()
    time.sleep(rng.random() * runner.took * 1.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    killed = process.returncode != 0
    expected = project.reproduce()
    runner.finish(runner.again())
    started = count(runner.started())
    must = {s for s, r in expected.items() if r == "ran"}
    always = {s.name for s in project.stages if s.always}
    if set(started) != must:
        raise SystemExit("killed: started %s instead of %s" % (sorted(started), sorted(must)))
    twice = [s for s, n in started.items() if n > 1 and s not in always]
    if len(twice) > (runner.jobs if killed else 0) or any(n > 2 for n in started.values()):
        raise SystemExit("killed: %s were started again" % twice)
    check_outputs(project, runner.top)
    return expected


def main():
    a = argparse.ArgumentParser()
    a.add_argument("directory")
    a.add_argument("--stages", type=int, default=200)
    a.add_argument("--rounds", type=int, default=60)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--jobs", type=int, default=1)
    a.add_argument("--kill", action="store_true")
    args = a.parse_args()

    rng = random.Random(args.seed)
    project = Project(rng, args.stages)
    editor = Editor(project, args.directory)
    runner = Runner(args.directory, args.jobs)
    editor.write_all()
    totals = {}
    begin = time.monotonic()
    for number in range(args.rounds + 1):
        changes = editor.random_changes() if number else []
        try:
            if args.kill and number:
                results = killed_round(project, runner, rng)
            else:
                results = one_round(project, runner)
        except SystemExit as e:
            raise SystemExit("seed %d, round %d (%s): %s" % (args.seed, number, ", ".join(changes), e))
        for r in results.values():
            totals[r] = totals.get(r, 0) + 1
    print(
        "%d stages, %d rounds, %d at once%s in %.0f s: %s"
        % (
            args.stages,
            args.rounds,
            args.jobs,
            ", killed" if args.kill else "",
            time.monotonic() - begin,
            ", ".join("%d %s" % (n, r) for r, n in sorted(totals.items())),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
