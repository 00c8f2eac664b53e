#!/bin/sh
test_description='uploads to a Git LFS server over a network that fails: survived, or an error that says why; nothing is said to be there that is not'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/network-lib.sh"
. "$dvx_top/tests/lfs-lib.sh"

# put_survives RULE: to a server that has nothing yet; the fault strikes, all is there.  put_fails RULE REGEX...: one fails, for this
# reason; without the fault all is completed.
fresh_server() {
	find "$QUIRK_DIR/objects" -type f -delete
}
all_there() {
	while read -r at_oid _; do
		[ "$(oid_of "$QUIRK_DIR/objects/$at_oid")" = "$at_oid" ] || { echo "not there: $at_oid"; return 1; }
	done <all
}
put_survives() {
	fresh_server && fault "$1" && upload up all >out || { cat out; fault_log; return 1; }
	struck "$1" && all_there
}
put_fails() {
	pf_rule=$1
	shift
	fresh_server && fault "$pf_rule" || return 1
	test_must_fail upload up all >out
	grep -E "^(error|fatal)" out && struck "$pf_rule" || { cat out; fault_log; return 1; }
	for pf_regex do
		grep -E "^(error|fatal)" out | grep -Eiq "$pf_regex" || { echo "does not say: $pf_regex"; return 1; }
	done
	fault && upload up all >out && all_there
}

test_expect_success 'setup: a server, the network in front of it' '
	start_quirks && start_faults "$QUIRK_ENDPOINT" && git init -q up && lfs_server up "$FAULT_ENDPOINT/lfs" &&
	many_files up 20 >all && random_file big 9M big && big=$(oid_of big) && store_file up big >>all && upload up all && all_there
'

each_fault put_survives 'an upload, once' <<\END
	nothing at all                   | PUT put/ each pass
	a reset before the body          | PUT put/ 1 reset continue
	a reset in the middle            | PUT put/ 21 reset upload 100000
	a reset after the body           | PUT put/ 1 reset headers
	half closed                      | PUT put/ 1 halfclose
	stored, but the answer is lost   | PUT put/ 1 lost
	silence instead of an answer     | PUT put/ 1 stall headers
	500                              | PUT put/ 1 status 500
	503 twice                        | PUT put/ 1-2 status 503
	429, come back in a second       | PUT put/ 1 status 429 x Retry-After=1
	garbage instead of HTTP          | PUT put/ 1 garbage 1000
	to the other host                | PUT put/ 1 redirect 307 other
	the verification is lost         | POST verify/ 1 lost
	503 to the verification          | POST verify/ 1 status 503
END

each_fault put_fails 'an upload, always' <<\END
	500                              | PUT put/ 3- status 500 | "500"
	403                              | PUT put/ 3 status 403 | "403"
	no room                          | PUT put/ 3 status 507 | "507|room"
	a reset                          | PUT put/ 3- reset headers | "127.0.0.1"
	bytes change on the way          | PUT put/ 3 corrupt 5 | "422"
	404 to the verification          | POST verify/ 3 status 404 | "not confirm"
END

each_fault put_fails 'a batch' <<\END
	401                              | POST batch each status 401 | "401|credential"
	403                              | POST batch each status 403 | "403"
	404                              | POST batch each status 404 | "404"
	500                              | POST batch each status 500 | "500"
	a redirect to itself             | POST batch each redirect 307 loop | "redirect"
END

test_done
