#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx status --remote'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx remote add -d storage ../blobs && git dvx track "*.bin" &&
	random_file a.bin 100K a && random_file b.bin 500 b && git add -A && git commit -q -m one
'

test_expect_success 'new, then agreed' '
	git dvx status --remote >out && grep "new: *a.bin (100.0 KiB)" out && grep "2 objects, 100.5 KiB not on .storage. (.git dvx push. sends them)" out &&
	test ! -e ../blobs && git dvx push && for o in --remote -c --cloud "-r storage"; do git dvx status $o >out && grep "Local store and .storage. agree" out || return 1; done
'

test_expect_success 'deleted: there and not here' '
	GIT_LFS_SKIP_SMUDGE=1 git clone -q . ../clone && cd ../clone && git dvx status -c -r ../blobs >out && grep "deleted: *a.bin" out && grep "2 objects, 100.5 KiB on .../blobs. and not here (.git dvx fetch. brings them)" out &&
	git dvx status -c -r ../blobs --json >out && json out "j[\"deleted\"] == {\"objects\": 2, \"bytes\": 102900} and j[\"new\"][\"objects\"] == 0 and j[\"objects\"][0][\"state\"] == \"deleted\"" &&
	git dvx status -c -r ../blobs a.bin --json >out && json out "j[\"deleted\"][\"objects\"] == 1"
'

test_expect_success 'missing: in neither place' '
	test_expect_code 1 git dvx status -c -r ../empty >out && grep "missing: *b.bin" out && grep "neither here nor on" out
'

test_expect_success 'older versions with -A; the plain status asks nobody' '
	cd ../repo && random_file a.bin 100K a2 && git commit -q -a -m two && git dvx push -A && random_file a.bin 100K a3 && git commit -q -a -m three && random_file a.bin 100K a4 && git add a.bin && git commit -q -m four &&
	git dvx status -c --json >out && json out "j[\"new\"][\"objects\"] == 1" && git dvx status -c -A --json >out && json out "j[\"new\"][\"objects\"] == 2" &&
	mv ../blobs ../away && git dvx status && mv ../away ../blobs
'

test_done
