# shellcheck shell=sh disable=SC2154
# What every kind of remote must do: asked through git-dvx-transfer, and each operation of transfer/remote/remote.h by itself, called by
# tests/tools/remote-tool.c.  A test sources this after lib.sh and transfer-lib.sh, having defined
#
#	contract_new NAME            make a new, empty place for a remote; print its URL
#	contract_configure REPO      (optional) whatever settings a repository needs beside the URL
#	contract_damage URL PLACE    (optional) overwrite the blob at "packs/ab/ab….pack" below the URL with other bytes
#	contract_litter URL          (optional) put things that are none of ours beside the blobs
#
# and calls `remote_contract`.

# contract_repo NAME URL: a repository with that remote.
contract_repo() {
	transfer_repo "$1" "$2" && if command -v contract_configure >/dev/null; then contract_configure "$1"; fi
}

remote_contract() {
	remote_contract_objects
	remote_contract_operations
}

# tool OPERATION...: of the remote of repository "ops".
tool() {
	(cd "$TRASH/ops" && remote-tool storage "$@")
}

remote_contract_objects() {
	test_expect_success 'contract: set up objects of every size that matters' '
		url=$(contract_new main) && contract_repo origin "$url" && : >requests &&
		for size in 1 999 16383 16384 65535 65536 65537 262144 262145 3000000; do
			random_file "file.$size" "$size" "contract $size" &&
			store_file origin "file.$size" >>requests || return 1
		done &&
		head -c 2000000 /dev/zero >zeros && store_file origin zeros >>requests &&
		seq 1 200000 >text && store_file origin text >>requests &&
		many_files origin 3000 >>requests
	'

	test_expect_success 'contract: upload answers ok for each, then present for each' '
		upload origin requests >out &&
		test "$(grep -c "^ok " out)" = "$(grep -c . requests)" && tail -n 1 out | grep -x done &&
		upload origin requests >out &&
		test "$(grep -c "^present " out)" = "$(grep -c . requests)"
	'

	test_expect_success 'contract: another clone downloads every byte' '
		contract_repo clone "$url" &&
		download clone requests >out && test "$(grep -c "^ok " out)" = "$(grep -c . requests)" &&
		has_objects clone requests
	'

	test_expect_success 'contract: a dry run moves nothing' '
		contract_repo dry "$url" &&
		download dry requests --dry-run >out && test "$(grep -c "^ok " out)" = "$(grep -c . requests)" &&
		test ! -d dry/.git/lfs/objects &&
		random_file new 100000 new && store_file origin new >request-new &&
		upload origin request-new --dry-run >out && grep "^ok " out &&
		test_expect_code 1 download dry request-new
	'

	test_expect_success 'contract: what the remote has not is named, the rest goes on' '
		contract_repo partial "$url" &&
		{ head -n 5 requests && echo "$(echo missing | sha256sum | cut -d" " -f1) 8 - data/missing.csv"; } >some &&
		test_expect_code 1 download partial some >out &&
		test "$(grep -c "^ok " out)" = 5 &&
		grep "^error .* notfound .*data/missing.csv.*git dvx push" out && tail -n 1 out | grep -x done
	'

	test_expect_success 'contract: a corrupt local object is refused by name, the others are sent' '
		random_file bad.bin 500000 bad && store_file origin bad.bin >request-bad &&
		random_file good.bin 500000 good && store_file origin good.bin >>request-bad &&
		random_file bad.small 900 badsmall && store_file origin bad.small >>request-bad &&
		flip_byte "$(object_path origin "$(oid_of bad.bin)")" 400000 &&
		flip_byte "$(object_path origin "$(oid_of bad.small)")" 4 &&
		test_expect_code 1 upload origin request-bad >out &&
		grep "^error $(oid_of bad.bin) corrupt .*bad.bin" out &&
		grep "^error $(oid_of bad.small) corrupt .*bad.small" out &&
		grep "^ok $(oid_of good.bin)" out && tail -n 1 out | grep -x done &&
		contract_repo other "$url" && test_expect_code 1 download other request-bad >out &&
		grep "^ok $(oid_of good.bin)" out && test "$(grep -c " notfound " out)" = 2
	'

	test_expect_success 'contract: an object that is not here either is refused by name' '
		echo "$(echo nowhere | sha256sum | cut -d" " -f1) 8 - data/nowhere.csv" >request-none &&
		test_expect_code 1 upload origin request-none >out && grep "^error .* notfound .*nowhere.csv" out
	'

	test_expect_success 'contract: several writers of the same and of different objects' '
		url2=$(contract_new writers) && random_file shared 2000000 shared &&
		for i in 1 2 3 4 5 6; do
			contract_repo "writer$i" "$url2" && random_file "own$i" 300000 "own$i" &&
			store_file "writer$i" shared >"request$i" && store_file "writer$i" "own$i" >>"request$i" || return 1
		done &&
		for i in 1 2 3 4 5 6; do
			(cd "writer$i" && git-dvx-transfer batch upload <"../request$i" >"../out$i") &
		done && wait &&
		cat request1 request2 request3 request4 request5 request6 | sort -u >all-requests &&
		for i in 1 2 3 4 5 6; do tail -n 1 "out$i" | grep -x done || return 1; done &&
		! grep -h "^error" out1 out2 out3 out4 out5 out6 &&
		contract_repo reader "$url2" && download reader all-requests && has_objects reader all-requests
	'
}

remote_contract_operations() {
	! command -v contract_damage >/dev/null || test_set_prereq DAMAGE
	! command -v contract_litter >/dev/null || test_set_prereq LITTER

	test_expect_success 'operations: a store that does not exist is listed as that; a blob of it is not found' '
		ops_url=$(contract_new ops) && contract_repo ops "$ops_url" && none=$(echo none | sha256sum | cut -d" " -f1) &&
		for what in fragments runs; do
			if tool list $what >out 2>err; then grep -x "now [0-9]*" out && ! grep "$what" out; else grep "^error: notfound: .*git dvx push" err; fi || return 1
		done &&
		test_expect_code 128 tool size pack "$none" 2>err && grep "^error: notfound: " err &&
		test_expect_code 128 tool get fragment "$none" 0 1 2>err && grep "^error: notfound: " err
	'

	test_expect_success 'operations: put says 0, then 1; each class has its place' '
		random_file blob 300000 blob && blob=$(oid_of "$TRASH/blob") &&
		for class in pack fragment notice runs; do
			echo 0 >expect && tool put $class "$TRASH/blob" >out && test_cmp expect out &&
			echo 1 >expect && tool put $class "$TRASH/blob" >out && test_cmp expect out &&
			echo 300000 >expect && tool size $class "$blob" >out && test_cmp expect out &&
			tool describe $class "$blob" | grep "$blob" || return 1
		done
	'

	test_expect_success 'operations: an empty blob' '
		: >empty && tool put fragment "$TRASH/empty" && test "$(tool size fragment "$(oid_of empty)")" = 0 &&
		tool get fragment "$(oid_of empty)" 0 10 >out && test_must_be_empty out && tool remove fragment "$(oid_of empty)"
	'

	test_expect_success 'operations: ranges, in the middle, across the end, behind it' '
		for range in "0 300000" "0 1" "1 1" "123456 7890" "299999 1" "299990 100" "0 300001" "300000 5" "400000 5"; do
			tool get pack "$blob" ${range% *} ${range#* } >out &&
			tail -c +$((${range% *} + 1)) blob | head -c "${range#* }" >expect && test_cmp_bin expect out ||
				{ echo "range $range"; return 1; }
		done
	'

	test_expect_success 'operations: what was put is listed, with size and time by the clock of the store' '
		for what in fragments packs runs; do
			tool list $what >out && now=$(sed -n "s/^now //p" out) && grep -v "^now" out | while read -r class name size mtime; do
				test "$name" = "$blob" && test "$size" = 300000 && test $((now - mtime)) -ge -2 && test $((now - mtime)) -lt 600 || exit 1
			done && cut -d" " -f1 out | sort >classes || return 1
			case $what in
			packs) printf "%s\n" now pack ;;
			runs) printf "%s\n" now runs ;;
			*) printf "%s\n" fragment notice now ;;
			esac >expect &&
			test_cmp expect classes || return 1
		done
	'

	test_expect_success LITTER 'operations: names that are none of ours are left out' '
		tool list fragments | sort >before && tool list packs | sort >before.packs && contract_litter "$ops_url" &&
		tool list fragments | grep -v "^now" | sort >after && grep -v "^now" before | diff - after &&
		tool list packs | grep -v "^now" | sort >after && grep -v "^now" before.packs | diff - after
	'

	test_expect_success DAMAGE 'operations: a damaged blob is replaced, and nothing else is' '
		place=packs/$(echo "$blob" | cut -c1-2)/$blob.pack && contract_damage "$ops_url" "$place" &&
		echo 0 >expect && tool put pack "$TRASH/blob" >out && test_cmp expect out &&
		tool get pack "$blob" 0 400000 >out && test_cmp_bin blob out &&
		echo 1 >expect && tool put pack "$TRASH/blob" >out && test_cmp expect out
	'

	test_expect_success 'operations: a put that failed can be tried again' '
		random_file again 200000 again && tool put-again pack "$TRASH/again" >out && grep -x "interrupted [01]" out &&
		tool get pack "$(oid_of again)" 0 200000 >out && test_cmp_bin again out
	'

	test_expect_success 'operations: a pack of 64 MiB' '
		random_file largest 67108864 largest && largest=$(oid_of largest) && test "$(tool put pack "$TRASH/largest")" = 0 &&
		test "$(tool size pack "$largest")" = 67108864 && tool get pack "$largest" 0 67108864 >out && test_cmp_bin largest out &&
		tool get pack "$largest" 67108860 100 >out && tail -c 4 largest >expect && test_cmp_bin expect out
	'

	test_expect_success 'operations: 16 threads at once' 'tool crowd 16'

	test_expect_success 'operations: asked to stop, each one does' '
		tool stopped pack "$TRASH/again" >out && printf "%s interrupted\n" put size get list remove >expect && test_cmp expect out &&
		test "$(tool stop-soon pack "$largest")" = interrupted && tool size pack "$(oid_of again)"
	'

	test_expect_success 'operations: remove, twice; then it is gone, and can be put again' '
		tool remove pack "$largest" && tool remove pack "$largest" && rm -f largest &&
		test_expect_code 128 tool size pack "$largest" 2>err && grep "^error: notfound: " err &&
		for class in fragment notice runs; do tool remove $class "$blob" && tool remove $class "$blob" || return 1; done &&
		! tool list fragments | grep "$blob" && ! tool list runs | grep "$blob" && tool list packs | grep "^pack $blob 300000" && test "$(tool put notice "$TRASH/blob")" = 0
	'
}
