#!/bin/sh
test_description='pushing to S3 over a network that fails: survived, or one error that says why; nothing named that is not whole'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/network-lib.sh"
skip_all_unless RGW "needs Ceph's radosgw"

test_expect_success 'set up' 'network_setup'

each_fault push_survives 'a pack, once' <<\END
	nothing at all                   | PUT packs/ each pass
	a reset before the body          | PUT packs/ 1 reset continue
	a reset in the middle            | PUT packs/ 1 reset upload 100000
	a reset after the body           | PUT packs/ 1 reset headers
	closed in the middle             | PUT packs/ 1 close upload 100000
	half closed                      | PUT packs/ 1 halfclose
	stored, but the answer is lost   | PUT packs/ 1 lost
	silence before the body          | PUT packs/ 1 stall continue
	silence in the middle            | PUT packs/ 1 stall upload 100000
	silence instead of an answer     | PUT packs/ 1 stall headers
	500                              | PUT packs/ 1 status 500 InternalError
	502 without a document           | PUT packs/ 1 status 502
	503 SlowDown                     | PUT packs/ 1-2 status 503 SlowDown
	429, come back in a second       | PUT packs/ 1 status 429 TooManyRequests Retry-After=1
	400 RequestTimeout               | PUT packs/ 1 status 400 RequestTimeout
	409, another writer              | PUT packs/ 1 status 409 ConditionalRequestConflict
	200 with an error                | PUT packs/ 1 error200 InternalError
	garbage instead of HTTP          | PUT packs/ 1 garbage 1000
	a bit flipped on the way         | PUT packs/ 1 corrupt 1000
	a bit flipped at the end         | PUT packs/ 1 corrupt 9000000
	no conditional writes            | PUT packs/ each strip If-None-Match
	501 for the condition            | PUT . 1 status 501 NotImplemented
END

each_fault push_survives 'the fragment, once' <<\END
	a reset in the middle            | PUT fragments/ 1 reset upload 10
	stored, but the answer is lost   | PUT fragments/ 1 lost
	silence instead of an answer     | PUT fragments/ 1 stall headers
	503 SlowDown                     | PUT fragments/ 1 status 503 SlowDown
	a bit flipped on the way         | PUT fragments/ 1 corrupt 100
	no conditional writes            | PUT fragments/ each strip If-None-Match
END

retries=8
each_fault push_survives 'a bad day' <<\END
	one answer of five is 503        | * . /5 status 503 SlowDown
	one connection of five breaks    | * . /5 reset headers
	one answer of five is lost       | * . /5 lost
END
retries=2

each_fault push_fails 'a pack, always' <<\END
	500                              | PUT packs/ each status 500 InternalError | 500
	503 SlowDown                     | PUT packs/ each status 503 SlowDown | "busy|slow|503"
	access denied                    | PUT packs/ each status 403 AccessDenied | "denied|not allowed" "s3:PutObject|policy|permission"
	a full bucket                    | PUT packs/ each status 403 QuotaExceeded | "quota"
	no such bucket                   | PUT packs/ each status 404 NoSuchBucket | "bucket"
	an expired token                 | PUT packs/ each status 400 ExpiredToken | "expired"
	a reset                          | PUT packs/ each reset upload 100000 | "127.0.0.1"
	silence before the body          | PUT packs/ each stall continue | "127.0.0.1"
	silence in the middle            | PUT packs/ each stall upload 100000 | "127.0.0.1"
	silence instead of an answer     | PUT packs/ each stall headers | "127.0.0.1"
	a web page                       | PUT packs/ each document html | "127.0.0.1|packs/"
	an empty answer, nothing stored  | PUT packs/ each document empty | "127.0.0.1|packs/"
	a redirect to itself             | PUT packs/ each redirect 307 loop | "redirect|not where" "endpointurl"
	a redirect to another host       | PUT packs/ each redirect 307 other | "redirect|not where" "endpointurl"
	a bit flipped, always            | PUT packs/ each corrupt 1000 | "packs/"
END

each_fault push_fails 'the fragment, always' <<\END
	500                              | PUT fragments/ each status 500 InternalError | 500
	access denied                    | PUT fragments/ each status 403 AccessDenied | "denied|not allowed"
	silence instead of an answer     | PUT fragments/ each stall headers | "127.0.0.1"
	a web page                       | PUT fragments/ each document html | "127.0.0.1|fragments/"
END

test_expect_success 'no other host ever got a signature' '
	test "$(grep -c "^other " "$FAULT_DIR/log")" = "$(grep -c "^other .* - [^ ]*$" "$FAULT_DIR/log")"
'

test_expect_success 'git push moves no reference when the data did not arrive' '
	next_bucket && fresh_writer "$bucket" && git init -q --bare refs.git &&
	fault "PUT packs/ each status 503 SlowDown" && test_must_fail git -C writer push -q ../refs.git main 2>err &&
	cat err && test -z "$(git -C refs.git for-each-ref)" && grep "^error: " err &&
	fault && git -C writer push -q ../refs.git main &&
	test "$(git -C refs.git rev-parse main)" = "$(git -C writer rev-parse main)"
'

# killed_push: in "writer", push 150 MB, so slowly that the second pack waits for seconds; the gateway is killed when the first
# one is there.  The exit code is in $code.
killed_push() {
	next_bucket && fresh_writer "$bucket" && random_file writer/huge.bin 150M huge && git -C writer add huge.bin &&
		git -C writer commit -q -m huge && git -C writer config dvx.retries "$1" && fault || return 1
	(cd writer && git -c dvx.limitRate=25m dvx push >../out 2>../err) &
	until [ -n "$(s3.py ls "$bucket/packs/")" ]; do sleep 0.05; done
	kill_gateway && start_gateway || return 1
	wait $!
	code=$?
	cat err
}

# huge_arrived: a clone gets it.
huge_arrived() {
	s3.py verify "$bucket" && fresh_clone "$bucket" && (cd clone && git pull -q ../writer main && git dvx pull) &&
		cmp writer/huge.bin clone/huge.bin
}

test_expect_success 'the gateway dies in the middle of an upload; the next push sends the rest' '
	killed_push 0 && test "$code" != 0 && one_error err && s3.py verify "$bucket" &&
	there=$(s3.py sizes "$bucket") && fault && (cd writer && git dvx push) &&
	sent=$(fault_bytes_up) && echo "was there: $there, sent then: $sent" && test "$there" -gt 60000000 &&
	test "$sent" -lt $((168000000 - there)) && huge_arrived
'

test_expect_success 'the gateway comes back while the push goes on' '
	killed_push 8 && test "$code" = 0 && huge_arrived
'

test_done
