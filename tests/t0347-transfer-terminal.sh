#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='push, fetch and pull on a terminal: the progress line, and Ctrl-C'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"

# on_terminal [--interrupt-after SECONDS | --interrupt-when GLOB] COMMAND...: runs it on a terminal of its own.  ../screen has what it wrote, a line for each
# drawing with the time before it; the exit status is the command's, 128 + signal if it died of one.  Afterwards nothing that it
# started is left.
cat >on-terminal <<\END
import glob, os, pty, re, select, signal, sys, time
args, after, when = sys.argv[1:], None, None
if args[0] == "--interrupt-after":
    after, args = float(args[1]), args[2:]
elif args[0] == "--interrupt-when":
    after, when, args = 0, args[1], args[2:]
start = time.monotonic()
pid, fd = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp(args[0], args)
out, marks = b"", []
while True:
    if after is not None and time.monotonic() - start >= after and (when is None or glob.glob(when)):
        os.write(fd, b"\x03")
        after = None
    if select.select([fd], [], [], 0.02)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        marks.append((len(out), time.monotonic() - start))
        out += data
status = os.waitpid(pid, 0)[1]
with open(os.path.join(os.environ["TRASH"], "screen"), "w") as f:
    for m in re.finditer(rb"[^\r\n]+[\r\n]+", out):
        at = max(t for (o, t) in marks if o <= m.start())
        f.write("%.2f %s\n" % (at, m.group().decode(errors="replace").rstrip()))
deadline = time.monotonic() + 10
while True:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        break
    if time.monotonic() > deadline:
        sys.exit("something is left running")
    time.sleep(0.02)
sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
END
on_terminal() {
	python3 "$TRASH/on-terminal" "$@"
}

# no_litter STORE: no temporary file here or there.
no_litter() {
	test -z "$(ls -A .git/lfs/tmp 2>/dev/null)" && test -z "$(ls -A .git/dvx/tmp 2>/dev/null)" && test -z "$(ls -A "$1/tmp" 2>/dev/null)"
}
interrupted='interrupted; what was transferred stays: run the same command again'

# one_interrupted_line: what the screen has besides the progress line and the terminal's own ^C.
one_interrupted_line() {
	cat "$TRASH/screen" && cut -d" " -f2- "$TRASH/screen" | sed "s/^\\^C//" | grep -v -e "^Uploading: " -e "^Downloading: " -e "^$" >"$TRASH/words" &&
	echo "$interrupted" >"$TRASH/expect" && test_cmp "$TRASH/expect" "$TRASH/words"
}

test_expect_success 'setup: 160 MiB, and a remote that takes 40 MiB a second' '
	dvx_repo repo && cd repo && git dvx remote add -d s ../blobs && git dvx track "*.bin" && random_file large.bin 160M large &&
	for i in 1 2 3 4 5; do random_file $i.bin 1000 $i || return 1; done && git add -A && git commit -q -m data &&
	git config dvx.limitRate 40m
'

test_expect_success 'Ctrl-C in a push: one line, exit 130, nothing left but what was sent' '
	test_expect_code 130 on_terminal --interrupt-when ".git/dvx/remotes/*/sent/*" git dvx push && one_interrupted_line && no_litter ../blobs &&
	test -z "$(ls ../blobs/fragments)" && test "$(ls .git/dvx/remotes/*/sent | wc -l)" -ge 1
'

test_expect_success 'the same command again sends the rest, and draws no more than ten lines a second' '
	GIT_DVX_TRACE=$TRASH/trace on_terminal git dvx push && cat ../screen && grep "6 objects, 160.0 MiB pushed to .s., [0-9.]* MiB travelled" ../screen &&
	awk "\$2 == \"put\" { split(\$4, at, \"+\"); n += at[2] } END { exit !(n < 110000000) }" ../trace
'

test_expect_success 'progress: not in the first second, then bytes of all, objects, rate, time left' '
	git clone -q . ../clone && cd ../clone && rm -rf .git/lfs .git/dvx && git config dvx-remote.s.url "$TRASH/blobs" && git config dvx.limitRate 40m &&
	test_expect_code 130 on_terminal --interrupt-after 2.5 git dvx fetch && grep "Downloading: " ../screen >../lines && one_interrupted_line &&
	awk "\$1 < 0.95 { exit 1 }" ../lines && test "$(grep -c . ../lines)" -le 20 &&
	grep "Downloading:  *[0-9]*% ([0-9]/6), [0-9.]* MiB of 160.0 MiB, [0-9.]* MiB/s, [0-9]* s left" ../lines && ! grep done ../lines &&
	no_litter ../blobs
'

test_expect_success 'what was fetched is not fetched again' '
	rm -f ../trace && GIT_DVX_TRACE=$TRASH/trace git dvx fetch >../out && cat ../out && grep "^[0-9] object" ../out &&
	awk "\$2 == \"get\" { n += \$6 } END { print n; exit !(n < 130000000) }" ../trace && test -z "$(ls .git/lfs/incomplete)" && git dvx fetch | grep "up to date"
'

test_expect_success 'Ctrl-C in a pull, then the pull again' '
	rm -rf .git/lfs .git/dvx large.bin ?.bin && test_expect_code 130 on_terminal --interrupt-after 1.5 git dvx pull && one_interrupted_line &&
	test ! -e .git/index.lock && on_terminal git dvx pull && cat ../screen && cmp large.bin ../repo/large.bin && test -z "$(git status --porcelain)"
'

test_expect_success 'not a terminal: no progress, and with GIT_LFS_FORCE_PROGRESS there is one' '
	rm -rf .git/lfs .git/dvx && git config --unset dvx.limitRate && git dvx fetch >../out 2>../err && test_must_be_empty ../err &&
	rm -rf .git/lfs .git/dvx && GIT_LFS_FORCE_PROGRESS=1 git dvx fetch >../out 2>../err && tr "\\r" "\\n" <../err | grep "100% (6/6), 160.0 MiB, .*/s, done *$"
'

test_done
