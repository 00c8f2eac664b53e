#!/bin/sh
test_description='damage on a blob store: a clear error that names the file, nothing wrong stored, the other objects arrive'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"

test_expect_success 'set up: two pushes, each a pack and a fragment' '
	transfer_repo origin "$TRASH/store" && : >one && : >two &&
	for i in 1 2 3 4 5; do random_file "a$i" 300000 "a$i" && store_file origin "a$i" >>one || return 1; done &&
	many_files origin 200 >>one && upload origin one >/dev/null && pack1=$(find store/packs -name "*.pack") &&
	fragment1=$(ls store/fragments/*) &&
	for i in 1 2 3; do random_file "b$i" 300000 "b$i" && store_file origin "b$i" >>two || return 1; done &&
	upload origin two >/dev/null && pack2=$(find store/packs -name "*.pack" | grep -v "$pack1") &&
	fragment2=$(ls store/fragments/* | grep -v "$fragment1") && cp -r store pristine && cat one two >all
'

# hurt NAME: a fresh copy of the store and a fresh clone that uses it.
hurt() {
	rm -rf store "clone-$1" && cp -r pristine store && transfer_repo "clone-$1" "$TRASH/store"
}

test_expect_success 'a flipped bit in an object: that one fails and names the pack, the others arrive' '
	hurt bit && flip_byte "$pack1" 100000 && test_expect_code 1 download clone-bit all >out &&
	test "$(grep -c "^ok " out)" = 207 && test "$(grep -c "^error .* corrupt .*a[1-5].*$pack1.*entry at byte" out)" = 1 &&
	tail -n 1 out | grep -x done && grep "^ok" out | cut -d" " -f2 >arrived && grep -f arrived all >expected &&
	has_objects clone-bit expected
'

test_expect_success 'a flipped bit in each region of a pack: never a wrong byte' '
	size=$(wc -c <"$pack2") && i=0 && while [ $i -lt 40 ]; do
		hurt sweep && flip_byte "$pack2" $((size * i / 40)) &&
		{ download clone-sweep two >out || test $? = 1; } && tail -n 1 out | grep -xq done &&
		test "$(find clone-sweep/.git/lfs/objects -type f 2>/dev/null | wc -l)" = "$(grep -c "^ok " out)" &&
		for f in $(find clone-sweep/.git/lfs/objects -type f); do test "$(oid_of $f)" = "$(basename $f)" || return 1; done &&
		i=$((i + 1)) || return 1
	done
'

test_expect_success 'a truncated pack: what lies before the end arrives' '
	hurt cut && chmod u+w "$pack1" && truncate -s 700000 "$pack1" && test_expect_code 1 download clone-cut all >out &&
	grep "^error .* corrupt .*$pack1.*truncated" out && test "$(grep -c "^ok " out)" -ge 5 &&
	test "$(grep -c "^ok \|^error " out)" = 208
'

test_expect_success 'a missing pack' '
	hurt gone && rm "$pack2" && test_expect_code 1 download clone-gone all >out &&
	test "$(grep -c "^error .* corrupt .*$pack2" out)" = 3 && test "$(grep -c "^ok " out)" = 205
'

test_expect_success 'a damaged fragment: a warning that names it, its objects are missing, a push sends them again' '
	hurt frag && flip_byte "$fragment2" 50 && test_expect_code 1 download clone-frag all >out 2>err &&
	grep "^warning: damaged fragment .*$fragment2" err && test "$(grep -c "^error .* notfound " out)" = 3 &&
	test "$(grep -c "^ok " out)" = 205 &&
	rm -rf origin/.git/dvx/remotes && upload origin all >out 2>err && grep "damaged fragment" err &&
	test "$(grep -c "^present" out)" = 205 && test "$(grep -c "^ok" out)" = 3 &&
	transfer_repo healed "$TRASH/store" && download healed all >out && has_objects healed all
'

test_expect_success 'an empty and a truncated fragment' '
	hurt frag2 && chmod u+w "$fragment1" "$fragment2" && : >"$fragment1" && truncate -s 100 "$fragment2" &&
	test_expect_code 1 download clone-frag2 all >out 2>err && test "$(grep -c "damaged fragment" err)" = 2 &&
	test "$(grep -c "^error .* notfound" out)" = 208
'

test_expect_success 'a damaged copy in the local cache is fetched again' '
	hurt cache && download clone-cache one >/dev/null && f=$(ls clone-cache/.git/dvx/remotes/*/fragments/* | head -n 1) &&
	flip_byte "$f" 60 && download clone-cache all && has_objects clone-cache all
'

test_expect_success 'a damaged pack and fragment are replaced when the same ones are pushed again' '
	hurt replace && rm -rf origin/.git/dvx/remotes && flip_byte "$pack2" 100000 && flip_byte "$fragment2" 100 &&
	upload origin two >out 2>err && test "$(grep -c "^ok " out)" = 3 && cmp "$pack2" "pristine/${pack2#store/}" &&
	cmp "$fragment2" "pristine/${fragment2#store/}" && download clone-replace all && has_objects clone-replace all
'

test_expect_success 'a pack lost on the remote: the next push of its objects sends them again' '
	hurt resend && rm "$pack2" && upload origin two >out && test "$(grep -c "^ok " out)" = 3 &&
	transfer_repo resent "$TRASH/store" && download resent all && has_objects resent all
'

test_expect_success 'an object in two fragments is taken from the good one' '
	hurt twice && rm -rf origin/.git/dvx/remotes && mv "$fragment2" hidden && tac two >two-reversed && upload origin two-reversed >out &&
	test "$(grep -c "^ok " out)" = 3 && mv hidden "$fragment2" &&
	for p in $(find store/packs -name "*.pack"); do
		rm -rf try && transfer_repo try "$TRASH/store" && cp "$p" saved && chmod u+w "$p" && flip_byte "$p" 5000 &&
		{ download try two >out || test $? = 1; } && cp -f saved "$p" && cat out &&
		case $p in "$pack1") ;; *) test "$(grep -c "^ok " out)" = 3 || return 1 ;; esac
	done
'

test_expect_success 'a remote that cannot be written' '
	mkdir noway && : >noway/store && transfer_repo blocked "$TRASH/noway/store" && store_file blocked a1 >r-a1 &&
	test_expect_code 128 upload blocked r-a1 >out && grep "^fatal " out && grep "noway/store" out
'

test_done
