#!/usr/bin/env python3
"""Types what a page of documentation shows, and compares what comes.

usage: console.py [--write] PAGE.md

In the page's ```console blocks, a line "$ command" is typed into one bash that all of them share, in the current directory;
a line "> more" continues it, and the lines that follow are its output, standard error included. A line "..." stands for any
lines. Hexadecimal ids of seven digits and more, times of day, and sizes of what was packed may differ; the current directory is shown as /home/you. A command that fails must show a last line
"[exit status N]". With --write the page gets the output that came instead (except where it has a line "...").
Prints one TAP-like line a command; exit 1 when something differs.
"""
import os
import re
import subprocess
import sys

END = "end of output 6f1d"


def normal(line):
    line = re.sub(r"\b[0-9a-f]{7,64}\b", "<id>", line)
    line = re.sub(r"\b\d\d:\d\d(:\d\d)?\b", "<time>", line)
    if "travelled" in line or "run cache" in line:
        line = re.sub(r"[\d.]+ [KM]?i?B\b", "<size>", line)
    return line.rstrip()


def same(shown, came):
    """Whether the lines agree; "..." in `shown` takes any number of lines."""
    if not shown:
        return not came
    if shown[0].strip() == "...":
        return any(same(shown[1:], came[n:]) for n in range(len(came) + 1))
    return bool(came) and normal(shown[0]) == normal(came[0]) and same(shown[1:], came[1:])


class Shell:
    def __init__(self):
        self.home = os.path.realpath(os.getcwd())
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def type(self, command):
        text = f"{{ {command}\n}} </dev/null\nprintf '\\n%s %s\\n' '{END}' $?\n"
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline().decode("utf-8", "replace")
            if not line:
                raise SystemExit(f"the shell ended in: {command}")
            if line.startswith(END):
                break
            lines.append(line.rstrip("\n").replace(self.home, "/home/you"))
        if lines and lines[-1] == "":  # of our own newline
            lines.pop()
        status = int(line.split()[-1])
        return lines + ([f"[exit status {status}]"] if status else [])


def main():
    arguments = sys.argv[1:]
    write = "--write" in arguments
    page = [a for a in arguments if a != "--write"][0]
    with open(page, encoding="utf-8") as file:
        lines = file.read().split("\n")
    shell, result, number, failed, at, block = Shell(), [], 0, 0, 0, False
    while at < len(lines):
        line = lines[at]
        at += 1
        result.append(line)
        if line.startswith("```"):
            block = line == "```console"
        if not block or not line.startswith("$ "):
            continue
        command = line[2:]
        while lines[at].startswith("> "):
            result.append(lines[at])
            command += "\n" + lines[at][2:]
            at += 1
        shown = []
        while not lines[at].startswith(("$ ", "```")):
            shown.append(lines[at])
            at += 1
        came, number = shell.type(command), number + 1
        if same(shown, came):
            print(f"ok {number} - {command.splitlines()[0]}")
            result += shown
            continue
        failed += 1
        print(f"not ok {number} - {command}")
        for word, some in (("shown", shown), ("came", came)):
            for one in some:
                print(f"# {word}: {one}")
        result += came
    print(f"1..{number}")
    if write:
        with open(page, "w", encoding="utf-8") as file:
            file.write("\n".join(result))
    return 1 if failed and not write else 0


if __name__ == "__main__":
    sys.exit(main())
