#!/bin/sh
test_description='lineage answers start few processes, and tell of commits what git log tells'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

# starts COMMANDS ANSWER...: the answer starts these Git commands, and nothing else.
starts() {
	wanted=$1
	shift
	strace -f -qq -s 200 -e trace=execve -e status=successful -e signal=none -o ../trace git-dvx "$@" >/dev/null &&
		started=$(git_commands ../trace) && programs=$(grep -c execve ../trace) || return
	[ "$started" = "$wanted" ] && [ "$programs" = $(($(echo "$wanted" | wc -w) + 1)) ] || { echo "$*: '$wanted' wanted"; cat ../trace; return 1; }
}

test_expect_success 'setup: two versions of a model, one in production' '
	churn_project repo && git dvx model register churn models/churn.pkl --version 1.0.0 && git dvx model promote churn 1.0.0 production && one=$(sha models/churn.pkl) &&
	on 2023-12-05 && echo "101,Zed,Rome" >>data/customers.csv && retrain "a customer more" && git dvx model register churn models/churn.pkl --version 2.0.0 && two=$(sha models/churn.pkl) &&
	git dvx whence "$one" >/dev/null && git dvx trace churn@v1.0.0 >/dev/null && git dvx trace --diff churn@v1.0.0 churn@v2.0.0 >/dev/null
'

# A process costs 2 to 5 ms, and the answer may take 50.
test_expect_success STRACE 'what an answer starts: git for-each-ref for the tags, one git cat-file for commits, trees and files' '
	starts "for-each-ref" model list && starts "for-each-ref" model show churn && starts "for-each-ref" model history churn &&
	starts "for-each-ref cat-file" model at production && starts "for-each-ref cat-file" model at production --date 2023-12-03 --json &&
	starts "cat-file for-each-ref" trace && starts "cat-file for-each-ref" trace HEAD~1 && starts "cat-file for-each-ref" trace main --json &&
	starts "for-each-ref cat-file" trace churn@v1.0.0 && starts "cat-file for-each-ref" trace HEAD -- models/churn.pkl &&
	starts "for-each-ref cat-file diff-tree check-attr" trace --diff churn@v1.0.0 churn@v2.0.0 && starts "for-each-ref cat-file" whence "$two"
'
test_expect_success STRACE 'what may be a revision or a file: Git is asked which' '
	starts "rev-parse cat-file for-each-ref" trace models/churn.pkl
'
test_expect_success STRACE 'after a commit and a tag more: what is new is asked for once, then all is as before' '
	on 2023-12-06 && echo "102,Abe,Oslo" >>data/customers.csv && retrain "another one" && git dvx model register churn models/churn.pkl --version 3.0.0 && three=$(sha models/churn.pkl) &&
	starts "for-each-ref cat-file" whence "$three" && starts "for-each-ref cat-file" whence "$three" && starts "for-each-ref cat-file" trace churn@v3.0.0
'

cat >"$TRASH/odd.py" <<\END
# Commits as nobody writes them: `git dvx trace --json` tells of each what `git log` does.
import json, subprocess, sys

def run(*argv, data=None):
    return subprocess.run(argv, input=data, capture_output=True, check=True).stdout

tree = run("git", "rev-parse", "HEAD^{tree}").strip()
ann = b"Ann B <ann@example.com> 1700000000 +0130"

def commit(author=ann, committer=ann, message=b"subject\n", more=b""):
    return b"tree " + tree + b"\nauthor " + author + b"\ncommitter " + committer + b"\n" + more + b"\n" + message

persons = [b"Ann B <ann@example.com> 1700000000 %s" % zone for zone in (b"-0030", b"+1400", b"-1200", b"+0545", b"+9999", b"+01", b"0100", b"")]
persons += [b"Ann B <ann@example.com> %s +0100" % when for when in (b"123456", b"99", b"9999999999", b"99999999999", b"-5", b"x", b"")]
persons += [b"%s 1700000000 +0100" % who for who in (b"<a@b>", b" <a@b>", b"  Ann  <a@b>", b"Ann <>", b"Ann<a@b>", b"Ann < a@b >", b"Ann <a@b> <c@d>", b"Ann <a<b>", b"A>n <a@b>",
    b"Ann", b"Ann <a@b", b"Ann\t<a@b>", b"Zo\xc3\xab \xe2\x98\x83 <z@b>", b"A <a@b>x")]
messages = [b"", b"\n", b"no newline", b"two\nlines\n", b"two  \nlines\t\n\nbody\n", b"\n\n  \nlate\n", b"  indented\n   more\n", b"dos\r\nlines\r\n\r\nbody\r\n", b"a\x0bb\x0c\nc\n", b"caf\xc3\xa9\n", b" \n\t\n", b"x" * 70000]
headers = [b"encoding ISO-8859-1\n", b"encoding UTF-8\n", b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n encoding x\n -----END PGP SIGNATURE-----\n", b"author Eve <e@e> 1 +0000\n"]
odd = [commit(author=p) for p in persons] + [commit(committer=p) for p in persons] + [commit(message=m) for m in messages] + [commit(more=h) for h in headers]
odd += [commit(more=headers[0], message=b"caf\xe9\n"), commit(message=b"nul\0nul\n"), commit(author=b"Andr\xe9 <a@b> 1700000000 +0100", more=headers[0])]
told = 0
for text in odd:
    name = run("git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally", data=text).decode().strip()
    log = subprocess.run(["git", "log", "-1", "--encoding=UTF-8", "--format=%H%x00%an%x00%ae%x00%aI%x00%cI%x00%s", name], capture_output=True)
    dvx = subprocess.run(["git-dvx", "trace", "--json", name], capture_output=True)
    if log.returncode or not log.stdout:
        continue
    if dvx.returncode:
        sys.exit("%r: %r" % (text[:200], dvx.stderr))
    c = json.loads(dvx.stdout)["commit"]
    told += 1
    now = [c["id"], c["author"]["name"], c["author"]["email"], c["date"], c["committed"], c["subject"]]
    # newer versions of Git write "Z" for no zone
    right = [field.replace("Z", "+00:00") if i in (3, 4) else field for i, field in enumerate(log.stdout.decode().rstrip("\n").split("\0"))]
    if now != right and [f.replace("Z", "+00:00") if i in (3, 4) else f for i, f in enumerate(now)] != right:
        sys.exit("%r:\n%r\n%r" % (text[:200], now, right))
print(told, "of", len(odd))
sys.exit(told < 50)
END
test_expect_success 'odd commits: no times, two addresses, other encodings, no message: as git log has them' '
	python3 "$TRASH/odd.py"
'
test_expect_success STRACE 'of a plain commit git log is not asked, of one in another encoding it is' '
	c=$(printf "tree %s\nauthor A <a@b> 1700000000 +0100\ncommitter A <a@b> 1700000000 +0100\nencoding ISO-8859-1\n\ncaf\351\n" $(git rev-parse HEAD^{tree}) | git hash-object -t commit -w --stdin) &&
	starts "cat-file log for-each-ref" trace $c && git dvx trace $c >../out && grep "café" ../out && starts "cat-file for-each-ref" trace $(git rev-parse HEAD)
'

# Git says more of some names than their meaning, on stderr, where it is not asked for.
test_expect_success 'names: those that are ambiguous, short, dated, relative, of experiments or of nothing mean what Git means, in silence' '
	git tag both HEAD~1 && git branch both HEAD && git branch deed HEAD~1 && git branch x-gabcd HEAD~1 && git tag -a -m a annotated HEAD~1 &&
	for rev in HEAD @ both deed x-gabcd annotated annotated^{} annotated^0 heads/both refs/tags/both HEAD~1 HEAD^ HEAD^{commit} ":/train the first" "HEAD^{/train}" main@{0} $(git rev-parse --short HEAD); do
		git dvx trace --json "$rev" >../out.json 2>../err && test_must_be_empty ../err && id=$(git log -1 --format=%H "$rev" -- 2>/dev/null) && json ../out.json "j[\"commit\"][\"id\"] == \"$id\"" || return 1
	done &&
	for rev in nothing HEAD~99 HEAD:params.yaml HEAD^{tree} "a b" "^main" main..deed "-x" "" "HEAD^{/nothing}" abcd; do
		test_must_fail git dvx trace --json "$rev" -- params.yaml >../out 2>../err && test_must_be_empty ../out || return 1
	done
'

test_done
