#!/bin/sh
test_description='what is for one origin goes to no other: redirects, action headers, http.extraHeader, cookies'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/lfs-lib.sh"

# A is the Git LFS server, B another origin.  Each case names the rule without which it would fail.
start_both() {
	start_quirks a && A=$QUIRK_ENDPOINT A_DIR=$QUIRK_DIR && start_quirks b && B=$QUIRK_ENDPOINT B_DIR=$QUIRK_DIR
}
# at A|B: the server that `quirk` and `quirk_log` mean.
at() {
	case $1 in
	A) QUIRK_DIR=$A_DIR ;;
	B) QUIRK_DIR=$B_DIR ;;
	esac
}
# a LINE..., b LINE...: the quirks of both; requests are counted from here.
a() {
	at A && quirk "$@" && a_mark=$quirk_mark
}
b() {
	at B && quirk "$@" && b_mark=$quirk_mark
}
a_log() {
	tail -n +$((a_mark + 1)) "$A_DIR/log" | grep -E "${1:-.}"
}
b_log() {
	tail -n +$((b_mark + 1)) "$B_DIR/log" | grep -E "${1:-.}"
}
# fresh NAME: an empty repository that uses A and is not patient.
fresh() {
	rm -rf "$1" && lfs_repo "$1" "$A/lfs" && git -C "$1" config dvx.retries 0
}
# Whoever is asked has the same for everybody: what goes where is our decision alone.
git config --global credential.helper '!f() { [ "$1" != get ] || { echo "$1" >>"$TRASH/helper.log"; echo username=me; echo password=s3cret; }; }; f'
B64=$(printf me:s3cret | base64)

test_expect_success 'setup' '
	start_both && lfs_repo up "$A/lfs" && many_files up 3 >all && random_file big 300K big && store_file up big >>all && tail -n 1 all >one &&
	cp up/.git/lfs/objects/*/*/* "$A_DIR/objects" && cp up/.git/lfs/objects/*/*/* "$B_DIR/objects"
'

# ---- redirects ----

for status in 307 308; do
	test_expect_success "a POST follows $status with method and body, on its own origin with everything" '
		fresh down && a "move $status $B" && b && download down one && has_objects down one && b_log "\"GET\"" && a && b &&
		fresh down && a "redirect $status $B" && download down one && b_log "\"POST\".*\"operation\": \"download\""
	'
done
test_expect_success 'a GET follows 301, 302, 303 as well' '
	for st in 301 302 303; do fresh down && a "move $st $B" && b && download down one && has_objects down one && b_log "\"GET\"" || return 1; done
'
test_expect_success 'rule: a POST does not become a GET' '
	for st in 301 302 303; do fresh down && a "redirect $st $B" && b && test_expect_code 128 download down one >out && grep "redirect.*$st" out &&
	! b_log || return 1; done
'
test_expect_success 'rule: at most five in turn' '
	fresh down && a "move 307 $A/x" && test_expect_code 1 download down one >out && grep "more than 5 redirects" out &&
	test "$(a_log "\"GET\"" | wc -l)" = 6
'
test_expect_success 'rule: credentials do not follow to another origin, nor are those of it asked for' '
	fresh down && a "login me:s3cret" && b && download down one && a_log "Basic $B64" && fresh down && a "redirect 307 $B" && b "login me:s3cret" &&
	git -C down config "lfs.$A/lfs.access" basic && : >helper.log && test_expect_code 128 download down one >out &&
	a_log "\"Authorization\": \"Basic $B64\"" && b_log "\"status\": 401" && ! b_log "Authorization" && test "$(grep -c get helper.log)" = 1
'
test_expect_success 'rule: neither does a user name or password of the URL, nor http.extraHeader' '
	fresh down && git -C down config lfs.url "http://me:s3cret@${A#http://}/lfs" && git -C down config http.extraHeader "X-Mine: 1" && a "redirect 307 $B" &&
	b && download down one && a_log "Basic $B64" && a_log "X-Mine" && b_log "\"POST\"" && ! b_log "Authorization|X-Mine|$B64"
'
test_expect_success 'rule: an action header does not follow to another origin' '
	fresh down && a "header X-Action secret" "move 307 $B" && b && download down one && a_log "\"GET\".*X-Action" && b_log "\"GET\"" &&
	! b_log "X-Action"
'
test_expect_success 'a redirect with a user name in it, to another scheme, to nowhere, and with a line break' '
	for to in "http://me:x@${B#http://}" "ftp://127.0.0.1" "file:///etc/passwd#" "http://" "http://-oProxyCommand=x"; do
		fresh down && a "move 307 $to" && b && test_expect_code 1 download down one >out && grep "redirect" out && ! b_log || return 1
	done
'

# ---- actions ----

test_expect_success 'rule: action headers and credentials for A are not sent to B; B gets what is for B' '
	fresh down && a "login me:s3cret" "at $B" && b && download down all && a_log "Authorization" && b_log "\"GET\"" && ! b_log "Authorization" &&
	fresh down && a "at $B" "header X-Action for-b" && b "header X-Action for-b" && download down all && b_log "X-Action"
'
test_expect_success 'an Authorization of the action is used instead of ours' '
	fresh down && a "login me:s3cret" && a "header Authorization Bearer" && git -C down config "lfs.$A/lfs.access" basic && download down one &&
	a_log "\"GET\".*\"Authorization\": \"Bearer\"" && ! a_log "\"GET\".*$B64"
'
for href in file:///etc/passwd ftp://127.0.0.1/x ssh://-oProxyCommand=x/y javascript:1 "http://me:pw@127.0.0.1/x" http:///x http://127.0.0.1%0a/ "http://127.0.0.1:99999/x"; do
	test_expect_success "rule: no href $href" '
		fresh down && a "href $href" && test_expect_code 1 download down one >out && grep "^error " out && nothing_wrong down && ! test -e y
	'
done
test_expect_success 'a relative href is one of the server' '
	fresh down && a "href /get/$(cut -d" " -f1 one)" && download down one && has_objects down one
'
test_expect_success 'rule: an action header with a line break is none' '
	printf "{\"objects\":[{\"oid\":\"%s\",\"size\":307200,\"actions\":{\"download\":{\"href\":\"%s/get/%s\",\"header\":{\"X-A\":\"b\\\\r\\\\nX-Evil: 1\"}}}}]}" \
		"$(cut -d" " -f1 one)" "$A" "$(cut -d" " -f1 one)" >evil.json &&
	fresh down && a "raw $TRASH/evil.json" && test_must_fail download down one >out && grep -i "control character" out && ! a_log "X-Evil"
'

# ---- http.extraHeader ----

test_expect_success 'rule: http.<A>.extraHeader is for A, and not for B' '
	fresh down && git -C down config "http.$A.extraHeader" "X-For-A: 1" && git -C down config --add "http.$A.extraHeader" "X-For-A-too: 1" &&
	a "at $B" && b && download down one && a_log "X-For-A.*X-For-A-too" && b_log "\"GET\"" && ! b_log "X-For-A"
'
test_expect_success 'http.<B>.extraHeader is for B' '
	fresh down && git -C down config "http.$B.extraHeader" "X-For-B: 1" && a "at $B" && b && download down one && b_log "X-For-B" && ! a_log "X-For-B"
'
test_expect_success 'rule: http.extraHeader for all is for the server, not for wherever it sends us' '
	fresh down && git -C down config http.extraHeader "Authorization: Bearer mine" && a "at $B" && b && download down one &&
	a_log "Bearer mine" && b_log "\"GET\"" && ! b_log "Bearer"
'
test_expect_success 'rule: an http.extraHeader with a line break is none' '
	fresh down && git -C down config http.extraHeader "X-A: 1
X-Evil: 2" && a && test_expect_code 128 download down one >out && grep "control character" out && ! a_log
'
test_expect_success 'an empty one forgets those before' '
	fresh down && git config --global http.extraHeader "X-Global: 1" && git -C down config http.extraHeader "" && git -C down config --add http.extraHeader "X-Local: 1" &&
	a && download down one && a_log "X-Local" && ! a_log "X-Global"; eh_code=$?; git config --global --unset http.extraHeader; (exit $eh_code)
'

# ---- the rest of http.* ----

test_expect_success 'http.<url>.userAgent and http.cookieFile: each cookie to its host' '
	printf "127.0.0.1\tFALSE\t/lfs\tFALSE\t0\tsession\tyes\nexample.com\tFALSE\t/\tFALSE\t0\tother\tno\n" >cookies &&
	fresh down && git -C down config http.cookieFile "$TRASH/cookies" && git -C down config "http.$A.userAgent" "Mine/1" && a "at $B" && b && download down one &&
	a_log "\"Cookie\": \"session=yes\"" && a_log "\"User-Agent\": \"Mine/1\"" && ! b_log "Cookie" && ! b_log "Mine/1" && git diff --no-index --quiet cookies cookies
'

# ---- trying again ----

test_expect_success '429 and 503: after the time that the server wants' '
	fresh down && git -C down config dvx.retries 2 && a "busy 429 1" && began=$(date +%s%N) && download down one && ended=$(date +%s%N) &&
	test $((ended - began)) -ge 1900000000 && test "$(a_log "\"status\": 429" | wc -l)" = 2
'
test_expect_success 'lfs.transfer.maxretries: no more than that; lfs.transfer.maxretrydelay' '
	fresh down && git -C down config --unset dvx.retries && git -C down config lfs.transfer.maxretries 3 && git -C down config lfs.transfer.maxretrydelay 0 &&
	git -C down config lfs.url http://127.0.0.1:1/lfs && GIT_TRACE=1 test_expect_code 128 download down one 2>err && test "$(grep -c "POST http://127.0.0.1:1" err)" = 4
'

test_done
