#!/bin/bash
test_description='git-dvx-server beside a gc of its store: what that removes, or is about to, is asked for again'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/gc-lib.sh"
skip_all_unless DVXSERVER "needs libmicrohttpd for git-dvx-server"
! dvx_have curl || test_set_prereq CURL
skip_all_unless CURL "needs curl"

day=86401
type=application/vnd.git-lfs+json

url_of() {
	echo "$DVX_SERVER_URL/r/info/lfs/objects/$(oid_of "$1")"
}
# put FILE: it is in the store when this returns, and in the server's cache.
put() {
	curl -sf -T "$1" "$(url_of "$1")" &&
		for _ in $(seq 1 600); do
			test -n "$(find "$DVX_SERVER_STATE/incoming" -type f)" || return 0
			sleep 0.1
		done
}
# wants FILE: does the server want it when somebody is about to upload it?
wants() {
	printf '{"operation":"upload","objects":[{"oid":"%s","size":%s}]}' "$(oid_of "$1")" "$(wc -c <"$1")" |
		curl -sf -H "Content-Type: $type" --data-binary @- "$DVX_SERVER_URL/r/info/lfs/objects/batch" >answer && grep -q '"upload":' answer
}
# gc_needs FILE...: a gc that is told that these are all that is needed.
gc_needs() {
	for needed do
		printf '%s %s - %s\n' "$(oid_of "$needed")" "$(wc -c <"$needed")" "$needed"
	done >needed && gc origin needed
}

test_expect_success 'an object under notice is wanted, also when it is cached' '
	start_dvx_server && transfer_repo origin "$DVX_SERVER_STORE" && random_file keep 300000 keep && random_file drop 200000 drop &&
	put keep && put drop && ! wants keep && ! wants drop && older "$DVX_SERVER_STORE" $day && gc_needs keep &&
	test "$(said noticed-fragments)" = 1 && stop_dvx_server && restart_dvx_server && ! wants keep && wants drop
'

test_expect_success 'so it is when it was removed' '
	older "$DVX_SERVER_STORE" $day && gc_needs keep && test "$(said removed-packs)" = 1 && stop_dvx_server && restart_dvx_server &&
	! wants keep && wants drop
'

test_expect_success 'and what is sent then stays' '
	put drop && ! wants drop && older "$DVX_SERVER_STORE" $day && gc_needs keep drop && older "$DVX_SERVER_STORE" $day && gc_needs keep drop &&
	stop_dvx_server && rm -rf "$DVX_SERVER_STATE/cache" && restart_dvx_server && curl -sf -o back "$(url_of drop)" && cmp back drop
'

test_done
