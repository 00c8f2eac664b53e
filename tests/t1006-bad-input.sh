#!/bin/bash
# shellcheck disable=SC2034
test_description='bad input: one clear error - what, where, what to do - and nothing changed'
. "$(dirname "$0")/lib.sh"

# state: everything that must not change.
state() { git ls-files -s; find . -path ./.git -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; git rev-parse HEAD; }
unchanged() { state >../state.after && test_cmp ../state.before ../state.after; }
object() { o=$(git cat-file blob "$1" | sed -n 's/^oid sha256://p') && echo ".git/lfs/objects/$(echo "$o" | cut -c1-2)/$(echo "$o" | cut -c3-4)/$o"; }
# flip FILE OFFSET: one bit.
flip() {
	chmod u+w "$1" && b=$(od -An -tu1 -j "$2" -N 1 "$1") && printf "\\$(printf %o $((b ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
# one_error FILE WORD...: exactly one "error:" line, which contains each word.
one_error() {
	test "$(grep -c '^error: ' "$1")" = 1 || { cat "$1"; return 1; }
	for w in "${@:2}"; do grep '^error: ' "$1" | grep -q -e "$w" || { echo "no '$w' in:"; cat "$1"; return 1; }; done
}

test_expect_success 'setup' '
	git init -q --bare remote.git && dvx_repo repo && cd repo && git remote add origin ../remote.git && git dvx remote add -d storage ../blobs && git dvx track "*.bin" &&
	random_file big.bin 6M big && random_file mid.bin 200K mid && random_file small.bin 3000 small && git add -A && git commit -q -m one && git tag one &&
	random_file big.bin 6M bigger && git commit -q -a -m two && git push -q origin main && state >../state.before
'

for command in add checkout clone-not env fetch init install ls-files pointer pull push remote status track uninstall untrack update version; do
	test "$command" != clone-not || continue
	test_expect_success "an unknown option: git dvx $command" "
		test_expect_code 129 git dvx $command --frobnicate 2>../err && one_error ../err frobnicate && unchanged
	"
done

test_expect_success 'an unknown command' '
	test_expect_code 129 git dvx stauts 2>../err && grep stauts ../err && grep status ../err && unchanged
'

test_expect_success 'outside a repository' '
	(cd "$TRASH" && mkdir -p none && cd none && test_expect_code 128 git dvx status 2>../err && one_error ../err "not a git repository")
'

test_expect_success 'a flipped bit in a whole object is noticed at checkout: the pointer stays, the file is named' '
	o=$(object one:big.bin) && cp $o ../good && flip $o 3000000 && touch -r ../good $o &&
	git checkout -q one 2>../err && is_pointer big.bin && grep "big.bin" ../err && grep -i "damaged\|corrupt\|hash" ../err && grep "git dvx" ../err && is_clean &&
	git checkout -q main && cat ../good >$o && git checkout -q one && not_pointer big.bin && git checkout -q main && unchanged
'

test_expect_success 'an object that is gone is noticed by pre-commit' '
	random_file bad.bin 200K bad && git add bad.bin && o=$(object :bad.bin) && rm -f $o &&
	test_must_fail git commit -q -m bad 2>../err && one_error ../err "staged pointer" && grep bad.bin ../err && git rm -q --cached bad.bin && rm bad.bin && unchanged
'

test_expect_success 'a truncated whole object' '
	o=$(object :mid.bin) && cp $o ../good && chmod u+w $o && truncate -s 1000 $o && mv mid.bin ../mid &&
	git checkout -q -- mid.bin 2>../err && git dvx fetch && git dvx checkout && cmp mid.bin ../mid && is_clean && unchanged
'

test_expect_success 'a truncated local pack: what is lost is named, or fetched again' '
	for p in .git/dvx/packs/*; do chmod u+w $p && truncate -s 100 $p || return 1; done && mv small.bin ../small &&
	git checkout -q -- small.bin && cmp small.bin ../small && is_clean && unchanged
'

test_expect_success 'a truncated pack and a damaged fragment on the remote: named, nothing wrong lands' '
	cp -r ../blobs ../blobs.good && chmod -R u+w ../blobs &&
	for p in $(find ../blobs/packs -name "*.pack"); do truncate -s 50000 $p || return 1; done &&
	git clone -q ../remote.git ../c1 2>../err && is_pointer ../c1/big.bin && grep -i "truncated\|ends\|damaged\|corrupt" ../err && grep "git dvx pull" ../err &&
	rm -rf ../blobs && cp -r ../blobs.good ../blobs && chmod -R u+w ../blobs && for f in ../blobs/fragments/*; do flip $f 60 || return 1; done &&
	git clone -q ../remote.git ../c2 2>../err && is_pointer ../c2/big.bin && grep -i "fragment" ../err &&
	rm -rf ../blobs && mv ../blobs.good ../blobs && (cd ../c2 && git dvx pull) && cmp ../c2/big.bin big.bin && (cd ../c1 && git dvx pull) && cmp ../c1/big.bin big.bin && unchanged
'

test_expect_success 'flipped bits all over a remote pack: never a wrong byte in a worktree' '
	cp -r ../blobs ../blobs.good && p=$(find ../blobs/packs -name "*.pack" -size +1M | head -n 1) && chmod -R u+w ../blobs && size=$(wc -c <$p) &&
	for i in 1 2 3 4 5 6 7 8 9; do
		flip $p $((size / 10 * i)) && rm -rf ../c3 && git clone -q ../remote.git ../c3 2>../err
		(cd ../c3 && for f in *.bin; do is_pointer $f >/dev/null || cmp $f ../repo/$f || exit 1; done && is_clean) || return 1
		flip $p $((size / 10 * i))
	done && rm -rf ../blobs && mv ../blobs.good ../blobs
'

test_expect_success !ROOT 'an unwritable store: git add fails and says where' '
	chmod -R a-w .git/lfs .git/dvx && random_file w.bin 200K w &&
	test_must_fail git add w.bin 2>../err && chmod -R u+w .git/lfs .git/dvx && grep "denied" ../err && grep "lfs" ../err && rm w.bin && unchanged
'

test_expect_success 'a store that cannot be made: git add fails and says where' '
	random_file w.bin 200K w && >../file && test_must_fail git -c lfs.storage="$TRASH/file" add w.bin 2>../err &&
	grep "$TRASH/file" ../err && rm w.bin && unchanged
'

test_expect_success 'a remote that is not there' '
	test_expect_code 128 git dvx push -r nowhere 2>../err && one_error ../err nowhere &&
	mv ../blobs ../gone && rm -rf ../c4 && git clone -q ../remote.git ../c4 2>../err && is_pointer ../c4/big.bin && grep "blobs" ../err && (cd ../c4 && is_clean) && mv ../gone ../blobs && unchanged
'

test_expect_success 'a corrupt pointer is no pointer: it stays as it is, and pre-commit names it' '
	printf "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n" >../p && b=$(git hash-object -w --no-filters ../p) &&
	git update-index --add --cacheinfo 100644,$b,odd.bin && test_must_fail git commit -q -m odd 2>../err && grep odd.bin ../err && git checkout -q -- odd.bin && test_cmp ../p odd.bin &&
	git rm -q -f odd.bin && unchanged
'

test_expect_success 'a file that should be a pointer and is not is named by pre-commit' '
	random_file raw.bin 5000 raw && b=$(git hash-object -w --no-filters raw.bin) && git update-index --add --cacheinfo 100644,$b,raw.bin &&
	test_must_fail git commit -q -m raw 2>../err && grep raw.bin ../err && grep renormalize ../err && git rm -q -f --cached raw.bin && rm raw.bin && unchanged
'

test_expect_success 'a broken .dvxconfig names file and line; forbidden keys in it are refused' '
	cp .dvxconfig ../keep && echo "[broken" >>.dvxconfig && test_expect_code 128 git dvx status 2>../err && grep dvxconfig ../err && cp ../keep .dvxconfig &&
	printf "[filter \"dvx\"]\n\tprocess = touch /tmp/pwned\n[lfs]\n\tstorage = /tmp/x\n" >>.dvxconfig && git dvx env >../out 2>&1 && grep -i "lfs.storage" ../out && cp ../keep .dvxconfig && unchanged
'

test_expect_success 'paths outside, and paths that are not there' '
	test_expect_code 128 git dvx add ../outside 2>../err && one_error ../err outside &&
	test_expect_code 128 git dvx add no-such-file 2>../err && one_error ../err no-such-file && unchanged
'

test_expect_success 'a damaged index is reported and left as it is' '
	cp .git/index ../index && rm -f big.bin && git cat-file blob :big.bin >big.bin && flip .git/index 200 && cp .git/index ../damaged &&
	test_must_fail git dvx checkout 2>../err && test_cmp_bin ../damaged .git/index && cp ../index .git/index && git dvx checkout && is_clean && unchanged
'

test_expect_success 'a damaged configuration snapshot, pointer cache and journal do no harm' '
	for f in .git/dvx/config-snapshot .git/dvx/pointers; do test ! -f $f || { chmod u+w $f && flip $f 20; } || return 1; done &&
	mkdir -p .git/dvx/pending && echo rubbish >.git/dvx/pending/x && git dvx status && git checkout -q one && git checkout -q main && is_clean && unchanged
'

test_done
