#!/bin/bash
test_description='16 writers, 4 readers and 2 gcs on one bucket, also when the server ignores If-None-Match: whatever a commit needs can be read'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/gc-race-lib.sh"
skip_all_unless RGW "needs Ceph's radosgw"
start_rgw || { echo "Bail out! the S3 server does not start"; exit 1; }

race_config() {
	git -C "$1" config dvx-remote.storage.endpointurl "$race_endpoint"
}
# in_own_directory NAME COMMAND...
in_own_directory() {
	mkdir "$1" && cd "$1" && shift && "$@"
}

test_expect_success "$race_seconds seconds with a grace period of $race_grace" '
	race_endpoint=$S3_ENDPOINT && new_bucket race && in_own_directory plain gc_race s3://race/store && s3.py verify race &&
	test "$(race_sum removed-packs)" -gt 0 && test "$(race_sum removed-fragments)" -gt 0
'

test_expect_success 'the same with a server that does not know If-None-Match' '
	cd "$TRASH" && start_faults && fault "PUT . each strip If-None-Match" && race_endpoint=$FAULT_ENDPOINT && new_bucket blind && in_own_directory blind gc_race s3://blind/store && s3.py verify blind &&
	test "$(race_sum removed-packs)" -gt 0 && test "$(race_sum removed-fragments)" -gt 0
'

test_done
