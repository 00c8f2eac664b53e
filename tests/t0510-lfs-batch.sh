#!/bin/sh
test_description='the Batch API: what is asked, and a server that answers oddly, too late or wrongly'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/lfs-lib.sh"

# fresh NAME: a repository with nothing in its store.
fresh() {
	rm -rf "$1" && lfs_repo "$1"
}
# pulls NAME [REQUESTS]: a fresh repository gets everything.
pulls() {
	fresh "$1" && download "$1" "${2:-all}" >out && has_objects "$1" "${2:-all}"
}
# refused REGEX...: a download of all fails as a whole, which these words explain; nothing wrong came.
refused() {
	fresh down && test_expect_code 128 download down all >out
	cat out && nothing_wrong down && grep "^fatal " out >fatal &&
	for rf_regex do
		grep -Eiq "$rf_regex" fatal || { echo "does not say: $rf_regex"; return 1; }
	done
}
# one_fails REGEX...: of all objects one fails, and these words say why.
one_fails() {
	fresh down && test_expect_code 1 download down all >out
	grep "^error " out && test "$(grep -c "^ok " out)" = "$(($(grep -c . all) - 1))" && nothing_wrong down &&
	for of_regex do
		grep "^error " out | grep -Eiq "$of_regex" || { echo "does not say: $of_regex"; return 1; }
	done
}

test_expect_success 'setup: a server, 250 small objects and two large ones' '
	start_quirks && lfs_repo up && many_files up 250 >all && random_file big 5M big && random_file mid 200000 mid &&
	store_file up big >>all && store_file up mid >>all
'

test_expect_success 'an upload: batches of 100, our adapters, the hash, the ref' '
	quirk && (cd up && git-dvx-transfer batch --ref refs/heads/main upload) <all >out && test "$(grep -c "^ok " out)" = 252 &&
	test "$(quirk_requests "\"operation\": \"upload\"")" = 3 && test "$(quirk_requests "\"objects\": 100,")" = 2 &&
	quirk_log objects/batch | grep "\"transfers\": \[\"basic\"\], \"ref\": {\"name\": \"refs/heads/main\"}, \"hash_algo\": \"sha256\"" &&
	test "$(quirk_log objects/batch | grep -c "\"type\": \"application/vnd.git-lfs+json\", \"accept\": \"application/vnd.git-lfs+json\"")" = 3
'

test_expect_success 'each object is sent once, with its length, and verified' '
	test "$(quirk_requests "\"PUT\"")" = 252 && test "$(quirk_requests "/verify/")" = 252 &&
	quirk_log "\"PUT\"" | grep "\"length\": \"5242880\"" && cmp big "$QUIRK_DIR/objects/$(oid_of big)" &&
	! quirk_log "\"PUT\"" | grep -v "application/octet-stream"
'

test_expect_success 'what the server has is not sent' '
	quirk && upload up all >out && test "$(grep -c "^present " out)" = 252 && test "$(quirk_requests "\"PUT\"")" = 0
'

test_expect_success 'a dry run only asks' '
	rm "$QUIRK_DIR/objects/$(oid_of big)" && quirk && upload up all --dry-run >out && test "$(grep -c "^ok " out)" = 1 &&
	test "$(quirk_requests PUT)" = 0 && ! test -e "$QUIRK_DIR/objects/$(oid_of big)" && upload up all &&
	fresh down && quirk && download down all --dry-run >out && test "$(grep -c "^ok " out)" = 252 && test "$(quirk_requests GET)" = 0
'

test_expect_success 'a download; no ref, no range where there is nothing to go on with' '
	quirk && pulls down && test "$(quirk_requests "\"operation\": \"download\"")" = 3 && test "$(quirk_requests "\"GET\"")" = 252 &&
	quirk_log objects/batch | grep "\"ref\": null" && ! quirk_log "\"GET\"" | grep bytes=
'

test_expect_success 'fewer objects at once where the server wants that' '
	quirk "max 30" && pulls down && quirk_log objects/batch | grep "\"objects\": 25," && quirk
'

test_expect_success 'headers of actions are sent, others of that name are not made up' '
	quirk "header X-Token s3cret" && pulls down && rm "$QUIRK_DIR/objects/$(oid_of big)" && upload up all && quirk
'

test_expect_success 'the first version of the API' '
	quirk links && pulls down && quirk
'

test_expect_success 'a server that answers twice about each object' '
	quirk twice && pulls down && quirk
'

test_expect_success 'lfs.concurrenttransfers and lfs.basictransfersonly' '
	fresh down && git -C down config lfs.concurrenttransfers 1 && git -C down config lfs.basictransfersonly true &&
	git -C down config lfs.customtransfer.own.path false && quirk && download down all && quirk_log "\"transfers\": \[\"basic\"\]"
'

test_expect_success 'actions that are over are asked for again' '
	quirk old && pulls down && test "$(quirk_requests "\"operation\": \"download\"")" -gt 3 && ! quirk_log "end=0" && quirk
'

test_expect_success 'actions that end while others are being used are asked for again' '
	quirk "lives 1" && fresh down && git -C down config lfs.concurrenttransfers 1 && download down all &&
	has_objects down all && quirk
'

test_expect_success 'a clock that is wrong by an hour stops nothing' '
	quirk skewed && pulls down && rm "$QUIRK_DIR/objects/$(oid_of mid)" && upload up all && quirk
'

test_expect_success 'another hash' '
	quirk "hash sha512" && refused "sha512" "sha256"
'

test_expect_success 'an adapter that nobody offered' '
	quirk "transfer tus" && refused "tus" "lfs.customtransfer"
'

test_expect_success 'answers about other objects' '
	quirk others && refused "was not asked"
'

test_expect_success 'an answer that leaves out an object' '
	tail -n 1 all >one && quirk leave-out && fresh down && test_must_fail download down one >out && cat out &&
	grep "^error $(oid_of mid) remote .*leaves out" out
'

test_expect_success 'an object of another size' '
	quirk "size 1" && fresh down && test_must_fail download down one >out && cat out &&
	grep "^error $(oid_of mid) invalid .*200001 bytes.*200000" out && ! test -e "$(object_path down "$(oid_of mid)")"
'

test_expect_success 'an error for one object: its code in words' '
	quirk "error 404 no such object" && fresh down && test_must_fail download down one >out &&
	grep "^error $(oid_of mid) notfound .*(mid).*no such object.*git dvx push" out &&
	quirk "error 410 gone" && test_must_fail download down one >out && grep " notfound .*removed" out &&
	quirk "error 403 not yours" && test_must_fail download down one >out && grep " denied .*not yours" out &&
	quirk "error 507 full up" && test_must_fail download down one >out && grep " limit .*room.*full up" out &&
	quirk "error 422 odd" && test_must_fail download down one >out && grep " invalid .*odd" out &&
	quirk "error 500 oh" && test_must_fail download down one >out && grep " remote .*500.*oh" out
'

test_expect_success 'many objects that may not be fetched: each is named' '
	head -n 20 all >twenty && mkdir aside && while read -r oid _; do mv "$QUIRK_DIR/objects/$oid" aside/ || return 1; done <twenty &&
	quirk && fresh down && test_expect_code 1 download down all >out && test "$(grep -c "^error .* notfound " out)" = 20 &&
	test "$(grep -c "^ok " out)" = 232 && mv aside/* "$QUIRK_DIR/objects/"
'

test_expect_success 'the others arrive all the same' '
	rm "$QUIRK_DIR/objects/$(oid_of mid)" && quirk && one_fails "notfound .*$(oid_of mid) .mid." "git dvx push" &&
	upload up all
'

test_expect_success 'no way to what it has' '
	quirk no-actions && fresh down && test_must_fail download down one >out && grep "^error .*names no way" out
'

test_expect_success 'a way that is none' '
	for href in "file:///etc/passwd" "ftp://127.0.0.1/x" "http://"; do
		quirk "href $href" && fresh down && test_must_fail download down one >out && cat out && grep "^error " out || return 1
	done
'

test_expect_success 'no JSON, half of it, a lot of it, and something else' '
	echo "<html>Sign in" >page && quirk "raw $PWD/page" && refused "Git LFS server" &&
	printf "{\"objects\":[" >half && quirk "raw $PWD/half" && refused "JSON" &&
	head -c 20000000 /dev/zero | tr "\0" "[" >deep && quirk "raw $PWD/deep" && refused "." &&
	(printf "{\"objects\":[]} "; head -c 20000000 /dev/zero | tr "\0" " ") >long && quirk "raw $PWD/long" && refused "more than|expected"
'

test_expect_success 'a small answer that would become large is not unpacked' '
	head -c 50000000 /dev/zero | gzip >bomb && quirk "raw $PWD/bomb" "encoding gzip" && refused "compressed .gzip"
'

test_expect_success 'an upload that is not confirmed is no success' '
	rm "$QUIRK_DIR/objects/$(oid_of mid)" && quirk unverified && test_must_fail upload up one >out && cat out &&
	grep "^error $(oid_of mid) .*not confirm" out && rm "$QUIRK_DIR/objects/$(oid_of mid)" &&
	quirk forgets && test_must_fail upload up one >out && grep "not confirm" out &&
	quirk && upload up one | grep "^ok " && cmp mid "$QUIRK_DIR/objects/$(oid_of mid)"
'

test_expect_success 'a server that needs no confirmation' '
	rm "$QUIRK_DIR/objects/$(oid_of mid)" && quirk no-verify && upload up one | grep "^ok " && test "$(quirk_requests /verify/)" = 0
'

test_expect_success 'what is damaged here is not sent' '
	random_file bad 300000 bad && store_file up bad >bad.request && flip_byte "$(object_path up "$(oid_of bad)")" 1000 && quirk &&
	test_must_fail upload up bad.request >out && cat out && grep "^error $(oid_of bad) corrupt" out && test "$(quirk_requests PUT)" = 0
'

test_expect_success 'what is not here is named; what the server has need not be here' '
	rm "$(object_path up "$(oid_of mid)")" && upload up one | grep "^present" && rm "$QUIRK_DIR/objects/$(oid_of mid)" &&
	test_must_fail upload up one >out && grep "^error $(oid_of mid) notfound" out && store_file up mid && upload up one
'

test_expect_success 'nobody there' '
	lfs_repo alone http://127.0.0.1:1/lfs && test_expect_code 128 download alone all >out && cat out && grep "^fatal remote .*127.0.0.1:1" out
'

test_expect_success !ASAN '100,000 objects that are there already: little memory' '
	many=100000 && perl -MDigest::SHA=sha256_hex -e "printf \"%s %d - file %d\n\", sha256_hex(\$_), \$_ + 70000, \$_ for 1 .. $many" >requests &&
	quirk no-actions && (cd up && /usr/bin/time -f %M -o ../kb git-dvx-transfer batch upload) <requests >out &&
	test "$(grep -c "^present" out)" = $many && cat kb && test "$(tail -n 1 kb)" -lt 65536
'

test_done
