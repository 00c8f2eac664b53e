# shellcheck shell=sh disable=SC2154
# What every kind of remote must do, asked through git-dvx-transfer.  A test sources this after lib.sh and
# transfer-lib.sh, having defined
#
#	contract_new NAME      make a new, empty place for a remote; print its URL
#	contract_reopen URL    (optional) whatever is needed before another process reads it
#
# and calls `remote_contract`.

remote_contract() {
	test_expect_success 'contract: set up objects of every size that matters' '
		url=$(contract_new main) && transfer_repo origin "$url" && : >requests &&
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
		transfer_repo clone "$url" &&
		download clone requests >out && test "$(grep -c "^ok " out)" = "$(grep -c . requests)" &&
		has_objects clone requests
	'

	test_expect_success 'contract: a dry run moves nothing' '
		transfer_repo dry "$url" &&
		download dry requests --dry-run >out && test "$(grep -c "^ok " out)" = "$(grep -c . requests)" &&
		test ! -d dry/.git/lfs/objects &&
		random_file new 100000 new && store_file origin new >request-new &&
		upload origin request-new --dry-run >out && grep "^ok " out &&
		test_expect_code 1 download dry request-new
	'

	test_expect_success 'contract: what the remote has not is named, the rest goes on' '
		transfer_repo partial "$url" &&
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
		transfer_repo other "$url" && test_expect_code 1 download other request-bad >out &&
		grep "^ok $(oid_of good.bin)" out && test "$(grep -c " notfound " out)" = 2
	'

	test_expect_success 'contract: an object that is not here either is refused by name' '
		echo "$(echo nowhere | sha256sum | cut -d" " -f1) 8 - data/nowhere.csv" >request-none &&
		test_expect_code 1 upload origin request-none >out && grep "^error .* notfound .*nowhere.csv" out
	'

	test_expect_success 'contract: several writers of the same and of different objects' '
		url2=$(contract_new writers) && random_file shared 2000000 shared &&
		for i in 1 2 3 4 5 6; do
			transfer_repo "writer$i" "$url2" && random_file "own$i" 300000 "own$i" &&
			store_file "writer$i" shared >"request$i" && store_file "writer$i" "own$i" >>"request$i" || return 1
		done &&
		for i in 1 2 3 4 5 6; do
			(cd "writer$i" && git-dvx-transfer batch upload <"../request$i" >"../out$i") &
		done; wait &&
		cat request1 request2 request3 request4 request5 request6 | sort -u >all-requests &&
		for i in 1 2 3 4 5 6; do tail -n 1 "out$i" | grep -x done || return 1; done &&
		! grep -h "^error" out1 out2 out3 out4 out5 out6 &&
		transfer_repo reader "$url2" && download reader all-requests && has_objects reader all-requests
	'
}
