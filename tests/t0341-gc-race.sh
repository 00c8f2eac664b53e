#!/bin/bash
test_description='16 writers, 4 readers and 2 gcs on one directory store: whatever a commit needs can be read, at every moment'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/gc-race-lib.sh"

test_expect_success "$race_seconds seconds with a grace period of $race_grace" '
	gc_race "$TRASH/store"
'

test_expect_success 'something was removed, and nothing is left behind that is not whole' '
	test "$(race_sum removed-packs)" -gt 0 && test "$(race_sum removed-fragments)" -gt 0 && for f in $(cd store && find packs fragments -type f); do
		n=$(basename "$f") && test "$(oid_of "store/$f")" = "${n%.*}" || { echo "bad: $f"; return 1; }
	done
'

test_done
