#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx du'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx remote add -d storage ../blobs && git dvx track "*.bin" && mkdir data &&
	random_file data/a.bin 100K a && random_file data/b.bin 500 b && random_file top.bin 200K top && git add -A && git commit -q -m one &&
	random_file data/a.bin 100K a2 && git commit -q -a -m two
'

test_expect_success 'the local store, and by path' '
	git dvx du --json >out && json out "j[\"local\"][\"objects\"] == 4 and j[\"local\"][\"bytes\"] == 409600 + 500 and j[\"local\"][\"whole\"] == 3 and j[\"local\"][\"unreferenced\"] == 0" &&
	json out "j[\"paths\"][\"data/\"] == {\"files\": 2, \"bytes\": 102900, \"objects\": 3, \"all_bytes\": 205300}" && json out "j[\"paths\"][\"top.bin\"][\"bytes\"] == 204800 and \"remote\" not in j" &&
	git dvx du >out && grep "Local store: 4 objects, 400.5 KiB" out && grep "100.5 KiB *200.5 KiB  data/" out && git dvx du data >out && ! grep top.bin out && test_expect_code 128 git dvx du nosuch
'

test_expect_success 'what nothing refers to' '
	random_file x.bin 90K x && git add x.bin && git rm -q -f --cached x.bin && rm x.bin && git dvx du >out && grep "1 of them, 90.0 KiB, nothing refers to" out &&
	git dvx gc --prune=now && git dvx du >out && ! grep refers out
'

test_expect_success 'the remote' '
	git dvx push -A && git dvx du --remote --json >out && json out "j[\"remote\"][\"objects\"] == 4 and j[\"remote\"][\"object_bytes\"] == 410100 and j[\"remote\"][\"packs\"] == 1 and j[\"remote\"][\"fragments\"] == 1" &&
	git dvx du -r storage >out && grep "Remote: 4 objects, 400.5 KiB, stored in .* (1 pack, 1 fragment)" out && git init -q --bare ../origin.git && git dvx push -r ../origin.git && git dvx du -r ../origin.git >out && grep "Remote: 4 objects" out &&
	git init -q --bare ../lfs.git && mkdir -p ../lfs.git/lfs/objects && git dvx push -r ../lfs.git && git dvx du -r ../lfs.git >out && grep "4 whole objects" out
'

test_expect_success 'nothing there yet; a bare repository' '
	git dvx du -r ../new >out && grep "Remote: 0 objects" out && git clone -q --bare . ../bare.git && cd ../bare.git && git dvx du >out && grep "data/" out
'

test_done
