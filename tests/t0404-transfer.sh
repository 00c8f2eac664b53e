#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx push, fetch, pull'
. "$(dirname "$0")/lib.sh"

# `git status` has nothing to say.  (is_clean also wants that no filter runs, which Git itself does not grant to files that it has
# just read or written.)
unchanged() {
	test -z "$(git status --porcelain)" || { git status --porcelain; return 1; }
}

objects() { # objects DIR: how many objects its stores hold for the pointers of all commits
	git -C "$1" dvx ls-files --all --json |
		python3 -c "import json, sys; print(len({f['oid'] for f in json.load(sys.stdin)['files'] if f['downloaded']}))"
}

test_expect_success 'setup: three versions, two of them tagged' '
	dvx_repo repo && cd repo && git dvx remote add -d storage ../blobs && git dvx track "*.bin" &&
	for v in 1 2 3; do
		random_file big.bin 1M $v && random_file small.bin 1000 s$v && git add -A && git commit -q -m $v && git tag v$v || return 1
	done && git branch old v2 && git tag -d v2
'

test_expect_success 'a dry run moves nothing' '
	git dvx push --dry-run >../out && test "$(grep -c "^push [0-9a-f]\{64\} => .*bin$" ../out)" = 6 &&
	grep "6 objects, 3.0 MiB would be pushed to .storage." ../out && ! test -d ../blobs/packs
'

test_expect_success 'push: what no remote-tracking branch has' '
	git dvx push >../out && grep "^6 objects, 3.0 MiB pushed to .storage." ../out &&
	git dvx push >../out && echo "Everything up to date" >../expect && test_cmp ../expect ../out
'

test_expect_success 'push says what it did as JSON' '
	random_file big.bin 1M 4 && git add -A && git dvx push --json >../out &&
	python3 -c "
import json
j = json.load(open(\"../out\"))
assert j[\"remote\"] == \"storage\", j
assert [o[\"path\"] for o in j[\"objects\"] if o[\"state\"] == \"pushed\"] == [\"big.bin\"], j
" && git commit -q -m 4
'

test_expect_success 'a clone without data; fetch gets what is checked out, and touches no file' '
	git init -q --bare ../origin.git && git push -q ../origin.git main old v1 v3 &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q ../origin.git ../clone && cd ../clone && git config dvx-remote.storage.url "$TRASH/blobs" &&
	git dvx fetch >../out && grep "^2 objects, 1.0 MiB fetched from .storage." ../out && is_pointer big.bin &&
	test "$(objects .)" = 2
'

test_expect_success 'pull puts it in place' '
	git dvx pull >../out && grep "^2 files, 1.0 MiB restored" ../out && cmp big.bin ../repo/big.bin && unchanged &&
	git dvx pull >../out && echo "Everything is in place" >../expect && test_cmp ../expect ../out
'

test_expect_success 'fetch of a revision, of tags, branches, all commits' '
	git dvx fetch v1 big.bin >../out && grep "^1 object, 1.0 MiB" ../out && test "$(objects .)" = 3 &&
	git dvx fetch -T && test "$(objects .)" = 5 &&
	git dvx fetch -a && test "$(objects .)" = 7 &&
	git dvx fetch -A >../out && grep "up to date" ../out && git dvx fetch --all | grep "up to date"
'

test_expect_success 'pull -T in a fresh clone' '
	GIT_LFS_SKIP_SMUDGE=1 git clone -q ../origin.git ../tags && cd ../tags && git dvx pull -T && not_pointer big.bin small.bin &&
	test "$(objects .)" = 5 && unchanged
'

test_expect_success 'include and exclude, from the command line and from the configuration' '
	GIT_LFS_SKIP_SMUDGE=1 git clone -q ../origin.git ../some && cd ../some && git dvx pull -I "small*" && not_pointer small.bin && is_pointer big.bin &&
	git config lfs.fetchexclude "big*" && git dvx pull && is_pointer big.bin &&
	git config --unset lfs.fetchexclude && git dvx pull && not_pointer big.bin && unchanged
'

test_expect_success 'deleted files are back after a pull' '
	rm -rf big.bin small.bin && git dvx pull >../out && grep "2 files" ../out && cmp big.bin ../repo/big.bin && unchanged
'

test_expect_success 'modified files are not touched, unless forced' '
	echo mine >big.bin && git dvx pull >../out && grep "1 modified file left alone" ../out && test "$(cat big.bin)" = mine &&
	git dvx pull --force && cmp big.bin ../repo/big.bin && unchanged
'

test_expect_success 'one object is missing: the rest is there, the error names it' '
	cd ../repo && random_file lost.bin 300K lost && random_file kept.bin 300K kept && git add -A && git commit -q -m lost &&
	git dvx push kept.bin && git push -q --no-verify ../origin.git main && cd ../clone && GIT_LFS_SKIP_SMUDGE=1 git pull -q &&
	test_expect_code 1 git dvx pull >../out 2>../err && grep lost.bin ../err && not_pointer kept.bin && is_pointer lost.bin && unchanged &&
	test_expect_code 128 git dvx fetch 2>../err && grep "lost.bin" ../err && test "$(grep -c "^error:" ../err)" = 1
'

test_expect_success 'unknown remote, revision, path' '
	test_expect_code 128 git dvx push -r nosuch 2>../err && grep "^error: .*nosuch" ../err &&
	test_expect_code 128 git dvx pull -r nosuch &&
	test_expect_code 128 git dvx fetch nosuch 2>../err && grep "^error: .*nosuch" ../err &&
	test_expect_code 128 git dvx push ../outside && test_expect_code 129 git dvx push --frob
'

test_expect_success 'another remote by -r' '
	cd ../repo && git dvx remote add second ../second && git dvx push -r second -A >../out && grep "pushed to .second." ../out &&
	git dvx push -r "$TRASH/third" -A && test -d ../third/packs
'

test_expect_success 'an object that is not here is named, with where to get it; the rest is pushed' '
	cd "$TRASH/repo" && random_file gone.bin 300K gone && random_file here.bin 300K here && git add -A && git commit -q -m gone &&
	oid=$(sha256sum <gone.bin | cut -d" " -f1) && find .git/lfs/objects -name "$oid" -exec rm -f {} + &&
	test_expect_code 128 git dvx push -r second gone.bin here.bin >../out 2>../err && grep "^1 object, .* pushed" ../out &&
	grep "gone.bin.*$oid is not in the store" ../err && grep "^hint: .git dvx fetch -A -r" ../err && git reset -q --hard HEAD~1
'

test_expect_success 'a path that is not UTF-8 makes no broken JSON' '
	cd "$TRASH/repo" && cp small.bin "$(printf "bad\377name.bin")" && git add -A && git dvx ls-files --json >../out &&
	python3 -c "
import json
assert any(f[\"name\"] == \"bad\ufffdname.bin\" for f in json.load(open(\"../out\", encoding=\"utf-8\"))[\"files\"])
" && git reset -q --hard
'

test_expect_success 'no remote at all' '
	dvx_repo ../lonely && cd ../lonely && git dvx track "*.bin" && random_file x.bin 100K x && git add -A && git commit -q -m x &&
	test_expect_code 128 git dvx push 2>../err && grep "^error: .*git dvx remote add" ../err
'

test_expect_success 'an unborn branch: what is staged' '
	dvx_repo ../unborn && cd ../unborn && git dvx remote add -d s ../unborn-blobs && git dvx push >../out && grep "up to date" ../out &&
	git dvx track "*.bin" && random_file x.bin 100K x && git add -A && git dvx push >../out && grep "1 object" ../out
'

test_expect_success 'an interrupt ends a push at once, exit 130' '
	mkdir ../slow && cp "$DVX_BIN/git-dvx" ../slow && printf "#!/bin/sh\necho remote s\n: >\"%s/begun\"\nexec sleep 1000\n" "$TRASH" >../slow/git-dvx-transfer &&
	chmod +x ../slow/git-dvx-transfer &&
	python3 - "$TRASH/slow/git-dvx" "$TRASH/begun" <<-\EOF
	import os, signal, subprocess, sys, time
	p = subprocess.Popen([sys.argv[1], "push"], preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
	while not os.path.exists(sys.argv[2]) and p.poll() is None:
	    time.sleep(0.05)
	start = time.time()
	p.send_signal(signal.SIGINT)
	code = p.wait()
	print("exit", code, "after", time.time() - start, "s")
	sys.exit(0 if code == 130 and time.time() - start < 500 else 1)
	EOF
'

test_expect_success 'JSON names the remote, also when there is nothing to do' '
	cd "$TRASH" && dvx_repo idle && cd idle && git dvx remote add -d storage ../idle-blobs &&
	for c in push fetch pull; do git dvx $c --json >../out && grep "\"remote\":[[:space:]]*\"storage\"" ../out || { cat ../out; return 1; }; done
'

test_expect_success 'Ctrl-C that ends a git of ours is told as one' '
	mkdir "$TRASH/killed" && real=$(command -v git) && printf "#!/bin/sh\ncase \" \$* \" in *\" cat-file \"*) kill -INT \$\$;; esac\nexec %s \"\$@\"\n" "$real" >"$TRASH/killed/git" && chmod +x "$TRASH/killed/git" &&
	git dvx track "*.bin" && random_file a.bin 10K idle && git add -A && git commit -q -m a && rm -rf .git/dvx/pointers* .git/dvx/*cache* &&
	(PATH="$TRASH/killed:$PATH" && test_expect_code 130 env --default-signal=INT git-dvx pull -A 2>../err) && cat ../err && test "$(wc -l <../err)" = 1 && grep "^interrupted" ../err
'

test_expect_success 'no blobs go into a .git directory by a relative URL, or by one of a committed file' '
	for url in .git/hooks x/../.git/blobs .GIT/objects/x "file://$PWD/.git/%68ooks"; do
		git config -f .dvxconfig dvx.remote bad && git config -f .dvxconfig dvx-remote.bad.url "$url" &&
		test_expect_code 128 git dvx push -r bad 2>../err && grep "leads into a .\.git. directory" ../err || { echo "$url"; cat ../err; return 1; }
	done && ! test -e .git/hooks/format && ! test -e .git/blobs
'

test_expect_success 'a partial clone says that it has not looked at everything' '
	cd "$TRASH" && dvx_repo whole && cd whole && git dvx track "*.bin" && for v in 1 2; do random_file a.bin 10K part$v && git add -A && git commit -q -m $v || return 1; done &&
	git config uploadpack.allowFilter true && git clone -q --filter=blob:none "file://$PWD" ../part && cd ../part && git dvx remote add -d storage ../part-blobs &&
	{ git dvx fetch -A >../out 2>../err || :; } && grep "^warning: [0-9]* blob.* not in this partial clone" ../err && cd ../whole && { git dvx fetch -A >../out 2>../err || :; } && ! grep partial ../err
'

test_done
