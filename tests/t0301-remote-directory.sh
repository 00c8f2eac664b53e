#!/bin/sh
test_description='the directory kind of blob store: the contract, its layout, what it never does'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/remote-contract.sh"

contract_new() {
	echo "$TRASH/stores/$1/blob"
}
contract_damage() {
	[ -f "$1/$2" ] && chmod u+w "$1/$2" && echo damaged >"$1/$2"
}
contract_litter() {
	junk=$(echo junk | sha256sum | cut -d' ' -f1) && mkdir -p "$1/packs/zz" &&
	for place in fragments/README "fragments/$junk.tmp" "packs/$junk.pack" "packs/zz/$junk.pack" "fragments/$junk.pack"; do
		echo junk >"$1/$place" || return 1
	done
}

remote_contract

packs() {
	find "$1/packs" -type f -name '*.pack' | sort
}

test_expect_success 'the layout is as documented, and nothing else is there' '
	store=$TRASH/stores/main/blob &&
	echo "git-dvx blob store 1" >expect && test_cmp expect "$store/format" &&
	packs "$store" | while read -r p; do
		n=$(basename "$p" .pack) && test "$(oid_of "$p")" = "$n" &&
		test "$(basename "$(dirname "$p")")" = "$(echo "$n" | cut -c1-2)" || exit 1
	done &&
	for f in "$store"/fragments/*; do test "$(oid_of "$f").idx" = "$(basename "$f")" || return 1; done &&
	test -z "$(ls -A "$store/tmp")"
'

test_expect_success '3000 small objects are few files' '
	transfer_repo many "$TRASH/many-store" && many_files many 3000 >requests-many && upload many requests-many >/dev/null &&
	test "$(find "$TRASH/many-store/packs" -type f | wc -l)" = 1 && test "$(ls "$TRASH/many-store/fragments" | wc -l)" = 1
'

test_expect_success 'a version with one edit adds about a chunk, also from a new clone' '
	random_file v1 20M edit && { head -c 9000000 v1; random_file ins 10007 ins && cat ins; tail -c +9000001 v1; } >v2 &&
	transfer_repo edit "$TRASH/edit-store" && store_file edit v1 >r1 && store_file edit v2 "$(oid_of v1)" >r2 &&
	upload edit r1 >/dev/null && before=$(stored_bytes edit-store) &&
	rm -rf edit/.git/dvx/remotes &&
	upload edit r2 >/dev/null && after=$(stored_bytes edit-store) && echo "added $((after - before))" &&
	test $((after - before)) -lt 200000 &&
	transfer_repo edit2 "$TRASH/edit-store" && download edit2 r2 && has_objects edit2 r2
'

test_expect_success 'without a base nothing is shared, within one push it is' '
	transfer_repo base "$TRASH/base-store" && store_file base v1 >r1 && store_file base v2 >r2 &&
	upload base r1 >/dev/null && upload base r2 >/dev/null && test "$(stored_bytes base-store)" -gt 40000000 &&
	transfer_repo both "$TRASH/both-store" && { store_file both v1 && store_file both v2; } >r12 &&
	upload both r12 >/dev/null && test "$(stored_bytes both-store)" -lt 22000000
'

test_expect_success 'reading from a store that does not exist says what to do' '
	transfer_repo lonely "$TRASH/nowhere" && test_expect_code 128 download lonely r1 >out &&
	grep "^fatal notfound .*no directory.*git dvx push" out && test ! -e nowhere
'

test_expect_success 'a store of a later version is left alone' '
	mkdir -p later && echo "git-dvx blob store 2" >later/format && transfer_repo future "$TRASH/later" &&
	store_file future v1 >r1 && test_expect_code 128 upload future r1 >out && grep "^fatal unsupported .*store 2" out &&
	transfer_repo future2 "$TRASH/later" && test_expect_code 128 download future2 r1 >out && grep "^fatal unsupported" out && test "$(ls later)" = format
'

test_expect_success 'unknown files in the store are ignored' '
	cp -r edit-store strange && echo junk >strange/fragments/README && echo junk >strange/packs/junk &&
	echo junk >"strange/fragments/$(oid_of v1).tmp" && mkdir "strange/fragments/$(oid_of v2).idx" &&
	transfer_repo odd "$TRASH/strange" && download odd r2 && has_objects odd r2
'

test_expect_success 'a full disk fails the push, leaves nothing at a final path, and the next push completes' '
	transfer_repo full "$TRASH/full-store" && random_file fat 3000000 fat && store_file full fat >r-fat &&
	(ulimit -f 1500 && trap "" XFSZ && test_expect_code 128 upload full r-fat >out) &&
	grep "^fatal .*full-store\|^fatal .*storage" out &&
	test -z "$(find full-store -name "*.pack" -o -name "*.idx")" && test -z "$(ls -A full-store/tmp)" &&
	upload full r-fat && test "$(stored_bytes full-store)" -gt 3000000
'

test_expect_success 'old files of dead writers are cleared from tmp, young and foreign ones are not' '
	touch -d "2 hours ago" full-store/tmp/put-dead full-store/tmp/other && touch full-store/tmp/put-young &&
	random_file thin 30000 thin && store_file full thin >r-thin && upload full r-thin &&
	test ! -e full-store/tmp/put-dead && test -e full-store/tmp/put-young && test -e full-store/tmp/other
'

test_expect_success STRACE 'order of writing: packs flushed, then the fragment, then ok' '
	transfer_repo order "$TRASH/order-store" && store_file order v1 >r1 &&
	(cd order && strace -f -y -e trace=fsync,renameat2,write -o ../trace git-dvx-transfer batch upload <../r1 >/dev/null) &&
	grep -n "fsync\|renameat2\|\"ok " trace >steps && cat steps &&
	pack_sync=$(grep "fsync.*order-store/tmp" steps | head -n 1 | cut -d: -f1) &&
	pack_name=$(grep "renameat2.*\.pack\"" steps | head -n 1 | cut -d: -f1) &&
	pack_dir=$(grep "fsync.*order-store/packs/..>" steps | tail -n 1 | cut -d: -f1) &&
	fragment=$(grep "renameat2.*order-store.*\.idx\"" steps | cut -d: -f1) &&
	fragment_dir=$(grep "fsync.*order-store/fragments>" steps | tail -n 1 | cut -d: -f1) &&
	ok=$(grep "write.*ok " steps | cut -d: -f1) &&
	test "$pack_sync" -lt "$pack_name" && test "$pack_name" -lt "$pack_dir" && test "$pack_dir" -lt "$fragment" &&
	test "$fragment" -lt "$fragment_dir" && test "$fragment_dir" -lt "$ok"
'

test_done
