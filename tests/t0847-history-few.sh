#!/bin/sh
test_description='the index of history: a few commits that are new are read without rev-list and diff-tree, to the same end'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

traced() {
	strace -f -qq -s 200 -e trace=execve -e status=successful -e signal=none -o "$TRASH/trace" "$@"
}

cat >"$TRASH/odd.py" <<\END
# A history of trees as they seldom are, extended by up to nine commits at a time; the index says in the end what one that is made at once does.
import json, os, random, subprocess, sys

def run(*argv, data=None):
    return subprocess.run(argv, input=data, capture_output=True, check=True).stdout

def pointer(n):
    return b"version https://git-lfs.github.com/spec/v1\noid sha256:%064x\nsize %d\n" % (n, n)

seed = int(sys.argv[1])
random.seed(seed)
OBJECTS = 12
# names around the slash, files that become directories and come back, links, modes, submodules
names = ["a", "a.b", "a-", "a0", "b/a", "b/a.c", "b/c/d", "b/c/e", "b.c", "c/" * 40 + "deep", "caf\u00e9 \u2603/x", '"quoted"', "z"]
tips = {}
count = 0

def commit(branch):
    global count
    count += 1
    out = b"commit refs/heads/%s\nmark :%d\ncommitter C <c@example.org> %d +0000\ndata 1\nc\n" % (branch, count, 1600000000 + count * 10)
    if branch in tips and random.random() < 0.95:
        out += b"from :%d\n" % tips[branch]
        others = [t for t in tips.values() if t != tips[branch]]
        for other in random.sample(others, min(len(others), random.choice([0, 0, 0, 1, 2]))):
            out += b"merge :%d\n" % other
    else:
        out = b"reset refs/heads/%s\n\n" % branch + out
    if random.random() < 0.03:
        out += b"deleteall\n"
    for name in random.sample(names, random.choice([0, 1, 1, 2, 4])):
        path = name.encode()
        kind = random.randrange(8)
        quoted = b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        if random.random() < 0.2 and b"/" in path and path.count(b"/") < 3:
            quoted = b'"' + path.split(b"/")[0] + b'"'  # a file where there was a directory
        if kind == 0:
            out += b"D %s\n" % quoted
        elif kind == 1:
            out += b"M 120000 inline %s\ndata 6\ntarget\n" % quoted
        elif kind == 2:
            out += b"M 160000 %0*x %s\n" % (hex_len, random.getrandbits(160), quoted)
        elif kind == 3:
            out += b"M 100644 inline %s\ndata 4\ntext\n" % quoted
        else:
            text = pointer(1 + random.randrange(OBJECTS))
            out += b"M %s inline %s\ndata %d\n%s\n" % (random.choice([b"100644", b"100755"]), quoted, len(text), text)
    tips[branch] = count
    return out + b"\n"

def tag(name, target):
    text = b"object %s\ntype %s\ntag %s\ntagger T <t@example.org> 1600000000 +0000\n\nt\n" % (target, run("git", "cat-file", "-t", target).strip(), name)
    made = run("git", "mktag", data=text).strip()
    run("git", "update-ref", b"refs/tags/" + name, made)
    return made

run("git", "init", "-q", "-b", "main", "--object-format=" + random.choice(["sha1", "sha256"]), "odd%d" % seed)
os.chdir("odd%d" % seed)
hex_len = len(run("git", "hash-object", "-t", "tree", "/dev/null").strip())
open(".git/marks", "w").close()
few = 0
while count < 150:
    stream = b"".join(commit(random.choice([b"main", b"main", b"x", b"y"])) for _ in range(random.randrange(1, 10)))
    run("git", "fast-import", "--quiet", "--force", "--import-marks=.git/marks", "--export-marks=.git/marks", data=stream)
    if random.random() < 0.5:
        head = run("git", "rev-parse", random.choice(sorted(tips)).decode() + random.choice(["", "^{tree}"])).strip()
        once = tag(b"once%d" % count, head)
        tag(b"twice%d" % count, once)
    subprocess.run(["git-dvx", "whence", "%064x" % 0xffff], capture_output=True)
    few += 1

def answers():
    out = []
    for n in range(1, OBJECTS + 1):
        done = subprocess.run(["git-dvx", "whence", "--json", "%064x" % n], capture_output=True)
        if done.returncode not in (0, 1):
            sys.exit(done.stderr.decode())
        out.append(json.loads(done.stdout))
    return out

step_by_step = answers()
os.remove(".git/dvx/history")
at_once = answers()
places = sum(len(o["places"]) for a in at_once for o in a["objects"])
print(few, "steps,", count, "commits,", places, "places")
for a, b in zip(step_by_step, at_once):
    if a != b:
        sys.exit("seed %d: step by step:\n%s\nat once:\n%s" % (seed, json.dumps(a, indent=1), json.dumps(b, indent=1)))
sys.exit(places < 20)
END
for seed in 1 2 3; do
	test_expect_success "trees as they seldom are, random history $seed: step by step as at once" '
		cd "$TRASH" && python3 odd.py '$seed'
	'
done

one=$(printf one | sha256sum | cut -c1-64)
test_expect_success 'setup: one file' '
	dvx_repo many && cd many && git dvx track "*.bin" && printf one >a.bin && git add -A && git commit -q -m one && git clone -q . ../small
'

test_expect_success STRACE 'what is more than a few, of commits, changes or directories, Git lists' '
	git dvx whence $one >/dev/null && git commit -q --allow-empty -m two && traced git-dvx whence $one >/dev/null && test "$(git_commands ../trace)" = "for-each-ref cat-file" &&
	for i in $(seq 64); do printf "commit refs/heads/main\ncommitter C <c@example.org> %d +0000\ndata 1\nc\n" $((1700000000 + i)); [ $i != 1 ] || printf "from refs/heads/main^0\n"; done >../stream &&
	git fast-import --quiet <../stream && traced git-dvx whence $one >/dev/null && test "$(git_commands ../trace)" = "for-each-ref cat-file" &&
	{ cat ../stream && echo "commit refs/heads/main" && echo "committer C <c@example.org> 1700000100 +0000" && echo "data 0"; } >../stream65 &&
	git fast-import --quiet <../stream65 && traced git-dvx whence $one >/dev/null && test "$(git_commands ../trace)" = "for-each-ref cat-file rev-list diff-tree" &&
	{ printf "commit refs/heads/main\ncommitter C <c@example.org> 1700000200 +0000\ndata 0\nfrom refs/heads/main^0\n" && for i in $(seq 4097); do printf "M 100644 inline d/%d\ndata 1\nx\n" $i; done; } | git fast-import --quiet &&
	traced git-dvx whence $one >../out && test "$(git_commands ../trace)" = "for-each-ref cat-file rev-list diff-tree" && grep "(132 commits)" ../out &&
	{ printf "commit refs/heads/main\ncommitter C <c@example.org> 1700000300 +0000\ndata 0\nfrom refs/heads/main^0\n" && for i in $(seq 600); do printf "M 100644 inline e/%d/f\ndata 4\n%4d\n" $i $i; done; } | git fast-import --quiet &&
	traced git-dvx whence $one >../out && test "$(git_commands ../trace)" = "for-each-ref cat-file rev-list diff-tree" && grep "(133 commits)" ../out
'

test_expect_success 'what is damaged or lost is told by Git, and answered when it is whole again' '
	cd ../small && git dvx whence $one >../before && mkdir d && printf two >d/a.bin && git add -A && git commit -q -m two && two=$(printf two | sha256sum | cut -c1-64) && git tag -a -m v1 v1 &&
	for object in HEAD^{tree} HEAD:d HEAD v1; do
		for how in lost empty; do
			id=$(git rev-parse $object) && file=.git/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-) && mv "$file" "$TRASH/kept" &&
			{ test $how = lost || >"$file"; } && test_expect_code 128 git dvx whence $two >../out 2>../err && test_must_be_empty ../out &&
			grep -E "^(fatal|error): .*(bad object|unable to read|corrupt|empty)" ../err && rm -f "$file" && mv "$TRASH/kept" "$file" || return 1
		done
	done &&
	git dvx whence $two >../out && grep "^d/a.bin (in HEAD)" ../out && git dvx whence $one >../out && grep "^a.bin (in HEAD)" ../out
'

# Each has the other as parent: the second stands under a name that is not its own.
test_expect_success 'commits in a circle are left to Git, which lists none of them' '
	git init -q circle && cd circle && git commit -q --allow-empty -m one && tree=$(git rev-parse HEAD^{tree}) && name=0123456789012345678901234567890123456789 &&
	printf "tree %s\nparent %s\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nx\n" $tree $name >../x && x=$(git hash-object -t commit -w ../x) &&
	python3 -c "
import os, sys, zlib
name, parent, tree = sys.argv[1:]
text = b\"tree %s\\nparent %s\\nauthor A <a@b> 1700000000 +0000\\ncommitter A <a@b> 1700000000 +0000\\n\\ny\\n\" % (tree.encode(), parent.encode())
os.makedirs(\".git/objects/\" + name[:2])
open(\".git/objects/\" + name[:2] + \"/\" + name[2:], \"wb\").write(zlib.compress(b\"commit %d\\0\" % len(text) + text))
" $name $x $tree && git update-ref refs/heads/circle $x && test_expect_code 1 git dvx whence $one >../out 2>../err && grep "looked at 1 commit that 2 refs" ../err && cd .. && rm -rf circle
'

test_expect_success 'a tag of what is not here names nothing, until it is here again' '
	printf three >b.bin && git add -A && git commit -q -m three && three=$(printf three | sha256sum | cut -c1-64) && id=$(git rev-parse HEAD) && git tag -a -m v2 v2 && git reset -q --hard HEAD~1 &&
	file=.git/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-) && mv "$file" "$TRASH/kept" && test_expect_code 1 git dvx whence $three && git dvx whence $two >../out && grep "tags: v1" ../out &&
	cp .git/dvx/history ../index && git dvx whence $two && cmp .git/dvx/history ../index && mv "$TRASH/kept" "$file" && git dvx whence $three >../out && grep "tags: v2" ../out
'

test_expect_success 'grafts and shallow clones: parents are what Git says' '
	git clone -q --depth 1 "file://$TRASH/many" "$TRASH/shallow" && cd "$TRASH/shallow" && git dvx whence $one >../out 2>../err && grep "(1 commit)" ../out && grep shallow ../err &&
	git commit -q --allow-empty -m more && git dvx whence $one >../out 2>../err && grep "(2 commits)" ../out &&
	cd ../small && git dvx whence $one >../out && grep "(3 commits)" ../out && printf "%s\n" $(git rev-parse HEAD) >.git/info/grafts && git dvx whence $one >../out 2>../err && grep "since .*two (2 commits)" ../out
'

test_done
