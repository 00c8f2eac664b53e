#!/usr/bin/env python3
"""Runs a command at a terminal of its own, as its foreground job, and types to it.

usage: terminal.py WAIT-FOR TYPED COMMAND [ARG...]

TYPED (with backslash escapes: "\\x03" is Ctrl-C) is sent when WAIT-FOR has been printed.  What comes is printed; the exit status is
the command's, 128 + N when signal N ended it.
"""
import os
import pty
import sys


def main():
    wait_for, typed, command = sys.argv[1].encode(), sys.argv[2].encode().decode("unicode_escape").encode(), sys.argv[3:]
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    seen, sent = b"", False
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:  # the last one hung up
            break
        if not data:
            break
        seen += data
        if not sent and wait_for in seen:
            os.write(fd, typed)
            sent = True
    sys.stdout.buffer.write(seen.replace(b"\r\n", b"\n"))
    status = os.waitpid(pid, 0)[1]
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


sys.exit(main())
