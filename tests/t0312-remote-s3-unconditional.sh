#!/bin/sh
test_description='the S3 kind of blob store on a server that ignores If-None-Match, with the bucket as part of the host name'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/remote-contract.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless RGW "needs Ceph's radosgw"
start_rgw && start_faults && fault "PUT . each strip If-None-Match" || { echo "Bail out! the S3 server does not start"; exit 1; }

contract_new() {
	new_bucket "contract-$1" && echo "s3://contract-$1"
}

contract_configure() {
	git -C "$1" config dvx-remote.storage.endpointurl "http://localhost:${FAULT_ENDPOINT##*:}" &&
		git -C "$1" config dvx-remote.storage.addressingstyle virtual
}

contract_damage() {
	echo "other bytes" | s3.py put "contract-ops/$2"
}

remote_contract

test_expect_success 'it was found out' '
	grep -x "conditional ignored" origin/.git/dvx/remotes/*/capabilities ops/.git/dvx/remotes/*/capabilities
'

test_expect_success 'the bucket was never in the path' '
	fault_log "packs/" | grep " /packs/" && ! fault_log | grep "/contract-"
'

test_expect_success 'a pack that is there is not sent again' '
	contract_repo resend s3://contract-main && random_file more 5M more && store_file resend more >r && upload resend r &&
	rm -rf resend/.git/dvx && for f in $(s3.py ls contract-main/fragments | cut -d" " -f2); do s3.py rm "contract-main/$f" || return 1; done &&
	fault_mark && upload resend r >out && fault_log && grep "^ok" out && test "$(fault_bytes_up "PUT .*packs")" = 0
'

test_done
