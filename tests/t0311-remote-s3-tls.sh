#!/bin/sh
test_description='the S3 kind of blob store over TLS: the contract, and who is trusted'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/remote-contract.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless RGW "needs Ceph's radosgw"
start_rgw || { echo "Bail out! the S3 server does not start"; exit 1; }

contract_new() {
	new_bucket "contract-$1" && echo "s3://contract-$1"
}

contract_configure() {
	git -C "$1" config dvx-remote.storage.endpointurl "$S3_TLS_ENDPOINT" &&
	git -C "$1" config dvx-remote.storage.sslverify "$S3_CA"
}

contract_damage() {
	echo "other bytes" | s3.py put "contract-ops/$2"
}

remote_contract

test_expect_success 'without the right CA nothing is read: what to set' '
	contract_repo noca s3://contract-main && git -C noca config --unset dvx-remote.storage.sslverify && tail -n 1 requests >r &&
	test_expect_code 128 download noca r >out && cat out && grep "^fatal denied .*self-signed.*git dvx remote modify storage sslverify" out &&
	git -C noca config dvx-remote.storage.sslverify false && download noca r && has_objects noca r
'

test_expect_success 'a certificate for another name' '
	contract_repo other s3://contract-main && git -C other config dvx-remote.storage.addressingstyle virtual &&
	git -C other config dvx-remote.storage.endpointurl "https://other.localhost:${S3_TLS_ENDPOINT##*:}" &&
	test_expect_code 128 download other r >out && cat out && grep "^fatal denied .*contract-main.other.localhost.*for another host" out
'

test_expect_success 'the environment of Git names the CA, too' '
	contract_repo env s3://contract-main && git -C env config --unset dvx-remote.storage.sslverify &&
	(GIT_SSL_CAINFO=$S3_CA && export GIT_SSL_CAINFO && download env r) && has_objects env r
'

test_done
