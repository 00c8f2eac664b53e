#!/bin/sh
test_description='downloads from a Git LFS server over a network that fails: survived, or an error that says why; never a wrong byte; what came is not asked for again'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/network-lib.sh"
. "$dvx_top/tests/lfs-lib.sh"

# get_survives RULE: the fault strikes, everything arrives.
get_survives() {
	rm -rf down && lfs_repo down "$FAULT_ENDPOINT/lfs" && fault "$1" && download down all >out || { cat out; fault_log; return 1; }
	struck "$1" && has_objects down all
}

# get_fails RULE REGEX...: one object fails, for this reason; what is stored is right; without the fault all is completed.
get_fails() {
	gf_rule=$1
	shift
	rm -rf down && lfs_repo down "$FAULT_ENDPOINT/lfs" && fault "$gf_rule" || return 1
	test_must_fail download down all >out
	grep -E "^(error|fatal)" out && nothing_wrong down && struck "$gf_rule" || { cat out; fault_log; return 1; }
	for gf_regex do
		grep -E "^(error|fatal)" out | grep -Eiq "$gf_regex" || { echo "does not say: $gf_regex"; return 1; }
	done
	fault && download down all >out && has_objects down all
}

test_expect_success 'setup: a server, the network in front of it' '
	start_quirks && start_faults "$QUIRK_ENDPOINT" && git init -q up && lfs_server up "$FAULT_ENDPOINT/lfs" &&
	many_files up 20 >all && random_file big 9M big && big=$(oid_of big) && store_file up big >>all && upload up all
'

each_fault get_survives 'a download, once' <<\END
	nothing at all                   | GET get/ each pass
	cut off                          | GET get/ 1 truncate 10
	a reset before the answer        | GET get/ 1 reset headers
	closed before the answer         | GET get/ 1 close headers
	half closed                      | GET get/ 1 halfclose
	silence instead of an answer     | GET get/ 1 stall headers
	the answer is lost               | GET get/ 1 lost
	500                              | GET get/ 1 status 500
	502 twice                        | GET get/ 1-2 status 502
	429, come back in a second       | GET get/ 1 status 429 x Retry-After=1
	429, come back at a time         | GET get/ 1 status 429 x Retry-After=date1
	503, come back in a second       | GET get/ 1 status 503 x Retry-After=1
	garbage instead of HTTP          | GET get/ 1 garbage 1000
	bad chunks                       | GET get/ 1 chunked bad
	no last chunk                    | GET get/ 1 chunked short
	proper chunks                    | GET get/ each chunked good
END

each_fault get_survives 'a batch, once' <<\END
	cut off                          | POST batch 1 truncate 100
	a reset                          | POST batch 1 reset headers
	silence                          | POST batch 1 stall headers
	500                              | POST batch 1 status 500
	429, come back in a second       | POST batch 1 status 429 x Retry-After=1
	to the other host, which is kept | POST batch 1 redirect 307 other
END

# A large object that breaks off: the rest is asked for, and only that.
broken_off() {
	rm -rf down && lfs_repo down "$FAULT_ENDPOINT/lfs" && fault "$1" && quirk && download down all >out || { cat out; fault_log; return 1; }
	struck "$1" && has_objects down all && quirk_log "$big" | grep '"range": "bytes=[1-9]' &&
		test "$(fault_bytes_down "GET /get/$big")" -lt 15000000
}
test_expect_success 'cut off in the middle: the rest is asked for' 'broken_off "GET $big 1 truncate 5000000"'
test_expect_success 'a reset in the middle (which takes along what was on its way)' 'get_survives "GET $big 1 reset body 5000000"'
test_expect_success 'closed in the middle' 'broken_off "GET $big 1 close body 5000000"'
test_expect_success 'silence in the middle' 'broken_off "GET $big 1 stall body 5000000"'
test_expect_success 'closed every 3 MB' 'broken_off "GET $big 1-3 close body 3000000"'

test_expect_success 'resets without end: each brings something, so that it comes to an end' '
	rm -rf down && lfs_repo down "$FAULT_ENDPOINT/lfs" && git -C down config dvx.retries 1 &&
	fault "GET $big 1-6 close body 1400000" && download down all && has_objects down all
'

test_expect_success 'the next run goes on where the first one ended' '
	rm -rf down && lfs_repo down "$FAULT_ENDPOINT/lfs" && git -C down config dvx.retries 0 &&
	fault "GET $big each close body 5000000" && test_must_fail download down all >out && grep "^error $big remote" out &&
	fault && quirk && download down all && has_objects down all && quirk_log "$big" >log && cat log && fault_log "$big" &&
	grep "\"range\": \"bytes=[1-9]" log && test "$(wc -l <log)" = 1 && test "$(fault_bytes_down "GET /get/$big")" -lt 8000000
'

test_expect_success 'damage in what the first one left is noticed, and all of it fetched' '
	rm -rf down && lfs_repo down "$FAULT_ENDPOINT/lfs" && git -C down config dvx.retries 0 &&
	fault "GET $big each close body 5000000" && test_must_fail download down all >out &&
	partial=$(find down/.git -type f -size +2M) && test -f "$partial" && flip_byte "$partial" 1000 &&
	fault && download down all && has_objects down all
'

# What a server makes of a question for the rest.
rest_of_it() {
	rm -rf down && lfs_repo down "$FAULT_ENDPOINT/lfs" && fault "GET $big 1 close body 5000000" "$1" && download down all >out ||
		{ cat out; fault_log; return 1; }
	struck "$1" && has_objects down all
}
test_expect_success 'no ranges: from the beginning' 'rest_of_it "GET $big 1 whole"'
test_expect_success 'another range than asked for' 'rest_of_it "GET $big 1 range 7"'
test_expect_success 'no Content-Range' 'rest_of_it "GET $big 1 header Content-Range"'
test_expect_success 'nonsense for one' 'rest_of_it "GET $big 1 header Content-Range bytes"'
test_expect_success '416' 'rest_of_it "GET $big 1 status 416"'
test_expect_success 'less than it said' 'rest_of_it "GET $big 1 shorter 1000"'

each_fault get_fails 'a download, always' <<\END
	wrong bytes                      | GET get/ 3 flip 10 | "hash|not the object"
	less than the object             | GET get/ 3 shorter 10 | "bytes"
	more than the object             | GET get/ 3 longer 10 | "bytes"
	an empty one                     | GET get/ 3 document empty | "bytes"
	a page of HTML                   | GET get/ 3 document html | "bytes"
	compressed                       | GET get/ 3 gzip 100000000 | "compress"
	403                              | GET get/ 3 status 403 | "403"
	404                              | GET get/ 3 status 404 | "404"
	500                              | GET get/ 3- status 500 | "500" "127.0.0.1"
	a reset                          | GET get/ 3- reset headers | "127.0.0.1"
	garbage                          | GET get/ 3- garbage 100 | "not HTTP"
	headers without end              | GET get/ 3 bigheaders 2000000 | "headers"
	a redirect to itself             | GET get/ 3- redirect 302 loop | "redirect"
	a redirect to a file             | GET get/ 3 redirect 302 file:///etc/passwd | "redirect"
END

test_expect_success 'a redirect to a storage host: it gets the question for the rest, too' '
	rm -rf down && lfs_repo down "$FAULT_ENDPOINT/lfs" &&
	fault "GET $big 1 close body 5000000" "GET $big 1 redirect 302 other" && quirk && download down all && has_objects down all &&
	fault_log "^other GET /get/$big 206 .*bytes=[1-9]"
'

test_expect_success 'interrupted: it ends at once, and the next run goes on' '
	rm -rf down && lfs_repo down "$FAULT_ENDPOINT/lfs" && fault "GET $big each trickle 2000000" &&
	{ (cd down && exec git-dvx-transfer batch download <../all >../out) & } && pid=$! &&
	while test -z "$(find down/.git/lfs/incomplete -name "dvx-$big" -size +64k 2>/dev/null)" && kill -0 $pid; do sleep 0.05; done && kill -TERM $pid &&
	{ wait $pid; test $? = 130; } && fault && quirk && download down all && has_objects down all &&
	quirk_log "$big" | grep "bytes=[1-9]"
'

test_done
