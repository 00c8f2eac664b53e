#!/bin/sh
test_description='the agent front end: Git LFS as its client, pipelining, bad input'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/repro-lib.sh"

use_agent() {
	git -C "$1" config lfs.standalonetransferagent dvx &&
	git -C "$1" config lfs.customtransfer.dvx.path git-dvx-transfer &&
	git -C "$1" config lfs.customtransfer.dvx.args "--store $TRASH_STORE" &&
	git -C "$1" config lfs.customtransfer.dvx.concurrent "${2:-false}"
}
# Git LFS splits arguments at blanks, and our trash directory has some.
TRASH_STORE=$(mktemp -d "${DVX_SHORT_TMP:-/tmp}/dvx-agent-XXXXXX")/store
cleanup_store() { rm -rf "${TRASH_STORE%/store}"; }
trap cleanup_store EXIT

test_expect_success GITLFS 'git lfs push sends through the agent' '
	git lfs install --skip-repo && git init -q work && use_agent work &&
	(cd work && git lfs track "*.bin" && random_file a.bin 2000000 a && random_file b.bin 700 b && seq 1 100000 >c.bin &&
	 git add . && git commit -q -m data) &&
	git init -q --bare server.git && git -C work remote add origin "$TRASH/server.git" &&
	git -C work push -q origin main && git -C work lfs push --all origin main &&
	cat "$TRASH_STORE/format" && test "$(ls "$TRASH_STORE/fragments" | wc -l)" -ge 1 && test ! -d server.git/lfs/objects
'

test_expect_success GITLFS 'git lfs pull brings the bytes into a clone' '
	GIT_LFS_SKIP_SMUDGE=1 git clone -q server.git copy && is_pointer copy/a.bin && use_agent copy &&
	git -C copy lfs pull && for f in a.bin b.bin c.bin; do test_cmp_bin work/$f copy/$f || return 1; done &&
	ls -lA copy/.git/lfs/tmp && test -z "$(find copy/.git/lfs/tmp -type f -name "dvx-*")"
'

test_expect_success GITLFS 'several agents at once, as Git LFS starts them' '
	use_agent work true && (cd work && for i in 1 2 3 4 5 6 7 8 9; do random_file "more$i.bin" 200000 "more$i" || exit 1; done &&
	git add . && git commit -q -m more && git push -q origin main && git lfs push --all origin main) &&
	git -C copy pull -q && use_agent copy true && git -C copy lfs pull &&
	for i in 1 2 3 4 5 6 7 8 9; do test_cmp_bin "work/more$i.bin" "copy/more$i.bin" || return 1; done
'

test_expect_success GITLFS 'what Git LFS sent is there for our own clients, and the other way round' '
	git init -q own && git -C own config dvx.remote s && git -C own config dvx-remote.s.url "$TRASH_STORE" &&
	o=$(oid_of work/a.bin) && echo "$o 2000000 - a.bin" >r-a && download own r-a && has_objects own r-a &&
	random_file d.bin 300000 d && store_file own d.bin >r-d && upload own r-d &&
	cp d.bin work/d.bin && (cd work && git add d.bin && git commit -q -m d && git push -q origin main) &&
	git -C copy pull -q && git -C copy lfs pull && test_cmp_bin d.bin copy/d.bin
'

test_expect_success GITLFS 'an object that the store lacks fails in Git LFS with our words' '
	cp "$TRASH_STORE/format" . && rm -rf "$TRASH_STORE/fragments" && GIT_LFS_SKIP_SMUDGE=1 git clone -q server.git poor &&
	use_agent poor && test_must_fail git -C poor lfs pull 2>err && grep "has no object" err
'

# agent REPO [OPTION...]: talk JSON from stdin.
agent() {
	agent_repo=$1 && shift && (cd "$agent_repo" && git-dvx-transfer "$@")
}

test_expect_success 'set up for talking by hand' '
	git init -q talk && random_file t1 300000 t1 && random_file t2 500 t2 && store_file talk t1 >/dev/null &&
	o1=$(oid_of t1) && o2=$(oid_of t2) && printf "{\"event\":\"init\",\"operation\":\"%s\",\"remote\":\"origin\",\"concurrent\":true,\"concurrenttransfers\":3%s}\n" \
		upload "" >init-up && sed s/upload/download/ init-up >init-down &&
	sed "s/}/,\"capabilities\":[\"pipelining\",\"other\"]}/" init-up >pipe-up && sed s/upload/download/ pipe-up >pipe-down
'

test_expect_success 'upload and download, one at a time' '
	{ cat init-up; echo "{\"event\":\"upload\",\"oid\":\"$o1\",\"size\":300000,\"path\":\"$TRASH/t1\",\"action\":null}";
	  echo "{\"event\":\"upload\",\"oid\":\"$o2\",\"size\":500,\"path\":\"$TRASH/t2\",\"action\":null}"; echo "{\"event\":\"terminate\"}"; } |
	agent talk agent --store "$TRASH/json store" >out && cat out && head -n 1 out | grep -x "{}" &&
	test "$(grep -c "\"event\":\"complete\"" out)" = 2 && ! grep error out &&
	{ cat init-down; echo "{\"event\":\"download\",\"oid\":\"$o2\",\"size\":500,\"action\":null}"; wait_for cmp -s t2 got; } |
	(cd talk && git-dvx-transfer --store "$TRASH/json store" | while read -r line; do
		echo "$line"; p=$(echo "$line" | sed -n "s/.*\"complete\".*\"path\":\"\([^\"]*\)\".*/\1/p"); test -z "$p" || cp "$p" "$TRASH/got"; done) >out &&
	cat out && test_cmp_bin t2 got && test -z "$(ls -A talk/.git/lfs/tmp)"
'

test_expect_success 'pipelining: requests ahead, flush, one fragment; downloads into the store' '
	{ cat pipe-up; echo "{\"event\":\"upload\",\"oid\":\"$o1\",\"size\":300000}";
	  echo "{\"event\":\"upload\",\"oid\":\"$o2\",\"size\":500,\"path\":\"$TRASH/t2\"}"; echo "{\"event\":\"flush\"}"; echo "{\"event\":\"terminate\"}"; } |
	agent talk --store "$TRASH/pipe store" >out && cat out && head -n 1 out | grep "\"capabilities\":\[\"pipelining\"\]" &&
	test "$(grep -c "\"complete\"" out)" = 2 && ! grep error out && tail -n 1 out | grep flushed &&
	test "$(ls "pipe store/fragments" | wc -l)" = 1 &&
	git init -q talk2 && { cat pipe-down; for o in "$o1\",\"size\":300000" "$o2\",\"size\":500"; do
	  echo "{\"event\":\"download\",\"oid\":\"$o,\"store\":true}"; done; } | agent talk2 --store "$TRASH/pipe store" >out &&
	test "$(grep -c "\"complete\"" out)" = 2 && ! grep "\"path\"" out &&
	printf "%s 300000 - t1\n%s 500 - t2\n" $o1 $o2 >r-t && has_objects talk2 r-t
'

test_expect_success 'the content of an upload is checked against its id' '
	{ cat init-up; echo "{\"event\":\"upload\",\"oid\":\"$o2\",\"size\":300000,\"path\":\"$TRASH/t1\"}"; } |
	agent talk --store "$TRASH/bad store" >out && grep "\"complete\".*\"error\".*object id" out && test -z "$(ls "bad store/fragments")"
'

test_expect_success 'bad input ends the session with one clear error' '
	for bad in "nonsense" "[]" "{}" "{\"event\":7}" "{\"event\":\"dance\"}" "{\"event\":\"upload\",\"oid\":\"$o1\",\"size\":1,\"path\":\"x\"}" \
		"{\"event\":\"init\"}" "{\"event\":\"init\",\"operation\":\"sideways\"}" "{\"event\":\"flush\"}" \
		"$(cat init-up)
{\"event\":\"upload\",\"oid\":\"short\",\"size\":1,\"path\":\"x\"}" "$(cat init-up)
{\"event\":\"upload\",\"oid\":\"$o1\",\"size\":-1,\"path\":\"x\"}" "$(cat init-up)
{\"event\":\"upload\",\"oid\":\"$o1\",\"size\":1e300,\"path\":\"x\"}" "$(cat init-up)
{\"event\":\"upload\",\"oid\":\"$o1\",\"size\":1.5,\"path\":\"x\"}" "$(cat init-up)
{\"event\":\"upload\",\"oid\":\"$o1\",\"size\":1}" "$(cat init-up)
{\"event\":\"download\",\"oid\":\"$o1\",\"size\":1}" "$(cat init-up)
$(cat init-up)"; do
		printf "%s\n" "$bad" >in && test_expect_code 128 agent talk --store "$TRASH/x" <in >out 2>err &&
		tail -n 1 out | grep "{\"error\":{\"code\":.*\"message\":" && test "$(grep -c "^error: " err)" = 1 || { cat in out err; return 1; }
	done
'

test_expect_success 'lines are bounded, nesting is no danger' '
	head -c 200000 /dev/zero | tr "\0" "x" >in && test_expect_code 128 agent talk --store "$TRASH/x" <in >out 2>err && grep "longer than" err &&
	head -c 60000 /dev/zero | tr "\0" "[" >in && echo >>in && test_expect_code 128 agent talk --store "$TRASH/x" <in
'

test_expect_success 'options: help, an unknown one, an unknown command' '
	git-dvx-transfer -h >out && grep "^usage: git-dvx-transfer" out && git-dvx-transfer batch -h | grep dry-run &&
	test_expect_code 129 git-dvx-transfer --frob 2>err && grep "^error: .*frob" err &&
	test_expect_code 129 git-dvx-transfer batch sideways 2>err && test_expect_code 129 git-dvx-transfer serve 2>err &&
	git-dvx-transfer --version
'

test_expect_success 'batch: bad requests end the run with one fatal line' '
	transfer_repo fatal "$TRASH/fatal-store" &&
	for bad in "x" "$o1" "$o1 5" "$o1 5 -" "$o1 -5 - p" "$o1 5 - %zz" "$o1 99999999999999999999 - p"; do
		printf "%s\n" "$bad" >in && test_expect_code 128 upload fatal in >out && tail -n 1 out | grep "^fatal invalid request 1: " || return 1
	done &&
	head -c 20000 /dev/zero | tr "\0" "x" >in && test_expect_code 128 upload fatal in >out && grep "^fatal limit" out &&
	git init -q none && test_expect_code 128 upload none in >out && grep "^fatal notfound .*git dvx remote add" out &&
	mkdir outside && (GIT_CEILING_DIRECTORIES=$TRASH && test_expect_code 128 upload outside in >out) && grep "not a git repository" out
'

test_expect_success 'batch: the empty object and one asked for twice' '
	e=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 &&
	store_file fatal t1 >in && cat in >>in.2 && cat in in.2 >in.3 && echo "$e 0 - empty" >>in.3 && upload fatal in.3 >out &&
	test "$(grep -c "^ok" out)" = 1 && test "$(grep -c "^present $e" out)" = 1 &&
	transfer_repo fatal2 "$TRASH/fatal-store" && download fatal2 in.3 >out && test "$(grep -c "^ok" out)" = 2 &&
	echo "$o1 0 - odd" >in && test_expect_code 1 download fatal2 in >out && grep "^error $o1 invalid" out
'

test_done
