#!/bin/sh
test_description='pulling from S3 over a network that fails: survived, or one error that says why; never a wrong byte'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/network-lib.sh"
skip_all_unless RGW "needs Ceph's radosgw"

test_expect_success 'set up: two pushes to a bucket' '
	network_setup && new_bucket data && (cd origin && fast_remote data && git dvx push -A) &&
	s3.py verify data && fresh_clone data && (cd clone && git dvx pull) && all_right
'

each_fault pull_survives 'a pack, once' <<\END
	cut off                          | GET packs/ 1 truncate 1000
	cut off at the last byte         | GET packs/ 2 truncate 100000
	fewer bytes, and says so         | GET packs/ 1 shorter 10
	a reset before the answer        | GET packs/ 1 reset headers
	a reset in the middle            | GET packs/ 1 reset body 5000
	closed before the answer         | GET packs/ 1 close headers
	closed in the middle             | GET packs/ 1 close body 5000
	half closed                      | GET packs/ 1 halfclose
	the answer is lost               | GET packs/ 1 lost
	silence instead of an answer     | GET packs/ 1 stall headers
	silence in the middle            | GET packs/ 1 stall body 5000
	500                              | GET packs/ 1 status 500 InternalError
	502 without a document           | GET packs/ 1 status 502
	503 SlowDown                     | GET packs/ 1-2 status 503 SlowDown
	429, come back in a second       | GET packs/ 1 status 429 TooManyRequests Retry-After=1
	429, come back at a time         | GET packs/ 1 status 429 TooManyRequests Retry-After=date1
	garbage instead of HTTP          | GET packs/ 1 garbage 1000
	bad chunks                       | GET packs/ 1 chunked bad
	a chunk of 2^64 bytes            | GET packs/ 1 chunked huge
	no last chunk                    | GET packs/ 1 chunked short
	proper chunks                    | GET packs/ each chunked good
	slow, but alive                  | GET packs/ 1 trickle 4000000
	late                             | GET packs/ 1 delay 1000
END

each_fault pull_survives 'a fragment, once' <<\END
	cut off                          | GET fragments/ 1 truncate 50
	fewer bytes, and says so         | GET fragments/ 1 shorter 10
	silence                          | GET fragments/ 1 stall body 20
	reset                            | GET fragments/ 1 reset body 20
	503                              | GET fragments/ 1 status 503 SlowDown
END

each_fault pull_survives 'a listing, once' <<\END
	cut off                          | LIST . 1 truncate 200
	500                              | LIST . 1 status 500 InternalError
	503 SlowDown                     | LIST . 1-2 status 503 SlowDown
	200 with an error                | LIST . 1 error200 InternalError
	silence                          | LIST . 1 stall headers
	reset                            | LIST . 1 reset body 100
	garbage                          | LIST . 1 garbage 100
END

retries=8
each_fault pull_survives 'a bad day' <<\END
	one answer of three is 503       | * . /3 status 503 SlowDown
	one connection of three breaks   | * . /3 reset body 700
	one connection of two breaks     | GET packs/ /2 reset body 7000
END
retries=2

each_fault pull_is_safe 'a pack, always' <<\END
	more bytes than asked for        | GET packs/ each longer 10
	more bytes than announced        | GET packs/ each over 10
	all of it instead of a range     | GET packs/ each whole
	another range                    | GET packs/ each range 1
	two lengths                      | GET packs/ each length2
	no length                        | GET packs/ each header Content-Length
	a web page                       | GET packs/ each document html
	an empty document                | GET packs/ each document empty
	an error with status 200         | GET packs/ each error200 InternalError
	zeros by the gigabyte, packed    | GET packs/ each gzip 1000000000
	a flipped bit, once              | GET packs/ 1 flip 300
	a flipped bit in a later part    | GET packs/ 2 flip 3000
END

each_fault pull_is_safe 'a fragment, always' <<\END
	a flipped bit                    | GET fragments/ each flip 100
	a web page                       | GET fragments/ each document html
	an error with status 200         | GET fragments/ each error200 InternalError
	bytes without end                | GET fragments/ each document endless
	zeros by the gigabyte, packed    | GET fragments/ each gzip 1000000000
END

each_fault pull_fails 'a pack, always' <<\END
	500                              | GET packs/ each status 500 InternalError | 500
	503 SlowDown                     | GET packs/ each status 503 SlowDown | "busy|slow|503"
	429                              | GET packs/ each status 429 TooManyRequests | "busy|429|too many"
	403 AccessDenied                 | GET packs/ each status 403 AccessDenied | "denied|not allowed" "s3:GetObject|policy|permission"
	cut off                          | GET packs/ each truncate 1000 | "127.0.0.1"
	reset                            | GET packs/ each reset headers | "127.0.0.1" "reset|closed|broke|connection"
	silence                          | GET packs/ 1- stall headers | "127.0.0.1" "2 s|silent|no answer"
	garbage                          | GET packs/ each garbage 1000 | "127.0.0.1" "HTTP"
	headers without end              | GET packs/ each bigheaders 10000000 | "127.0.0.1" "bytes of headers"
END

each_fault pull_fails 'a listing, always' <<\END
	no such bucket                   | LIST . each status 404 NoSuchBucket | "bucket .?data" "no bucket|no such bucket|does not exist"
	access denied                    | LIST . each status 403 AccessDenied | "denied|not allowed" "s3:ListBucket|policy|permission"
	a wrong key id                   | LIST . each status 403 InvalidAccessKeyId | "key" "access_key_id|AWS_ACCESS_KEY_ID"
	a wrong secret                   | LIST . each status 403 SignatureDoesNotMatch | "secret"
	a clock that is off              | LIST . each status 403 RequestTimeTooSkewed | "clock|time"
	an expired token                 | LIST . each status 400 ExpiredToken | "expired" "aws sso login|session|new"
	500                              | LIST . each status 500 InternalError | 500
	200 with an error                | LIST . each error200 InternalError | "InternalError|internal error"
	a web page                       | LIST . each document html | "127.0.0.1" "endpointurl"
	an empty document                | LIST . each document empty | "127.0.0.1" "S3|listing"
	a page that is followed by itself for ever | LIST . each endless | "listing|page|again"
	entities within entities         | LIST . each document bomb | "127.0.0.1" "S3|listing"
	an entity that names a file      | LIST . each document entity | "127.0.0.1" "S3|listing"
	a million levels                 | LIST . each document deep 1000000 | "127.0.0.1" "S3|listing"
	a name of 100 MB                 | LIST . each document huge 100000000 | "127.0.0.1" "S3|listing"
	XML without end                  | LIST . each document endless | "127.0.0.1" "S3|listing"
	a bomb of zeros                  | LIST . each gzip 1000000000 | "127.0.0.1|storage"
	silence                          | LIST . each stall headers | "127.0.0.1" "2 s|silent|no answer"
	a redirect to itself             | LIST . each redirect 307 loop | "redirect|not where" "endpointurl"
	a redirect to a file             | LIST . each redirect 302 file:///etc/passwd | "redirect|not where" "endpointurl"
	a redirect to another host       | LIST . each redirect 307 other | "redirect|not where" "endpointurl"
END

test_expect_success 'no other host ever got a signature' '
	test "$(grep -c "^other " "$FAULT_DIR/log")" = "$(grep -c "^other .* - [^ ]*$" "$FAULT_DIR/log")"
'

test_expect_success !ASAN 'a bomb of zeros costs no memory' '
	fresh_clone data && fault "GET packs/ each gzip 1000000000" &&
	(cd clone && test_must_fail /usr/bin/time -f %M -o ../rss git dvx pull) &&
	tail -n 1 rss && test "$(tail -n 1 rss)" -lt 200000
'

# pull_from ENDPOINT: in "clone".
pull_from() {
	(cd clone && git config dvx-remote.storage.endpointurl "$1" && git dvx pull 2>../err)
}

test_expect_success 'no server at all' '
	fresh_clone data && fault && test_must_fail pull_from http://127.0.0.1:1 &&
	one_error err "127.0.0.1:1" "refused|connect" && nothing_wrong &&
	test_must_fail pull_from http://no-such-host.invalid &&
	one_error err "no-such-host.invalid" "endpointurl|name" && nothing_wrong
'

test_done
