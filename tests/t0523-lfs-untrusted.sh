#!/bin/sh
test_description='a server that only a committed file names, hosts that are options in disguise, and https that ends'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/lfs-lib.sh"

git config --global credential.helper '!f() { echo "$1" >>"$TRASH/helper.log"; [ "$1" != get ] || { echo username=me; echo password=s3cret; }; }; f'

# fresh NAME: an empty repository of a Git host, whose .lfsconfig names our server, which is another host.
fresh() {
	rm -rf "$1" && lfs_repo "$1" && git -C "$1" config --unset lfs.url && git -C "$1" config dvx.retries 0 &&
		git -C "$1" config remote.origin.url https://git.example.com/org/repo.git &&
		printf '[lfs]\n\turl = %s/lfs\n' "$QUIRK_ENDPOINT" >"$1/.lfsconfig" && : >helper.log && quirk_mark
}
# nothing_sent: no credentials of any kind were in any request, and nobody was asked for some.
nothing_sent() {
	quirk_log . && ! quirk_log "Authorization|Cookie|X-Mine" && ! test -s helper.log
}

test_expect_success 'setup' '
	start_quirks && lfs_repo up && random_file big 300K big && store_file up big >one && serve_objects up one &&
	printf "machine 127.0.0.1 login me password s3cret\ndefault login me password s3cret\n" >"$HOME/.netrc" &&
	printf "127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tyes\n" >cookies
'

test_expect_success 'it may be used without credentials' '
	quirk && fresh down && download down one && has_objects down one && nothing_sent
'
test_expect_success 'rule: no netrc, no helper, no extraHeader, no cookie; the error names the way to trust it' '
	fresh down && quirk "login me:s3cret" && git config --global http.extraHeader "X-Mine: 1" && git config --global "http.$QUIRK_ENDPOINT.extraHeader" "X-Mine: 1" &&
	git config --global http.cookieFile "$TRASH/cookies" && git config --global "lfs.$QUIRK_ENDPOINT/lfs.access" basic &&
	test_expect_code 128 download down one >out && nothing_sent && grep "HTTP 401.*git config lfs.url $QUIRK_ENDPOINT/lfs" out
'
test_expect_success 'what the error names opens it' '
	sed -n "s/.*run .git config lfs.url \(http:[^ ]*\)\x27.*/\1/p" out >url && git -C down config lfs.url "$(cat url)" && download down one && has_objects down one
'
test_expect_success 'rule: the same for where it sends us' '
	quirk && start_quirks other && other=$QUIRK_ENDPOINT other_dir=$QUIRK_DIR && serve_objects up one && quirk "login me:s3cret" && start_quirks third &&
	fresh down && serve_objects up one && quirk "at $other" && test_expect_code 1 download down one >out && nothing_sent &&
	QUIRK_DIR=$other_dir && quirk_mark=0 && nothing_sent
'
test_expect_success 'a server on the host of the Git remote is one of its own' '
	start_quirks last && serve_objects up one && fresh down && quirk "login me:s3cret" && git -C down config remote.origin.url "$QUIRK_ENDPOINT/org/repo.git" &&
	download down one && has_objects down one
'
test_expect_success 'rule: a blob remote of .dvxconfig on a foreign host, too' '
	fresh down && rm down/.lfsconfig && printf "[dvx]\n\tremote = s\n[dvx-remote \"s\"]\n\turl = %s/lfs\n" "$QUIRK_ENDPOINT" >down/.dvxconfig &&
	test_expect_code 128 download down one >out && nothing_sent && grep "HTTP 401" out
'
test_expect_success 'rule: a password in a committed file is leaked, not used' '
	fresh down && printf "[lfs]\n\turl = http://me:s3cret@%s/lfs\n" "${QUIRK_ENDPOINT#http://}" >down/.lfsconfig &&
	test_expect_code 128 download down one >out && ! quirk_log . && grep "leaked" out && ! grep s3cret out
'

# ---- options in disguise ----

for where in lfs.url lfs.pushurl remote.origin.url remote.origin.pushurl remote.origin.lfsurl remote.origin.lfspushurl; do
	for url in ssh://-oProxyCommand=touch%20pwned/x ssh://-oProxyCommand=touch@h/x "-oProxyCommand=touch pwned:x" ssh://h/-x; do
		test_expect_success "rule: $where = $url runs nothing" '
			fresh down && rm down/.lfsconfig && git -C down config "$where" "$url" && GIT_SSH_COMMAND="echo >>\"$TRASH/ssh.log\"; false" &&
			export GIT_SSH_COMMAND && if case $url in ssh://h/*) : ;; *) false ;; esac; then
				! (cd down && git-dvx-transfer batch upload) <one >out && ! grep -- "-x" ssh.log
			else
				! (cd down && git-dvx-transfer batch upload) <one >out && ! test -e ssh.log
			fi && ! test -e down/pwned && ! test -e pwned; pc_code=$?; unset GIT_SSH_COMMAND; rm -f ssh.log; (exit $pc_code)
		'
	done
done
test_expect_success 'rule: neither by insteadOf and pushInsteadOf, nor by .lfsconfig' '
	GIT_SSH_COMMAND="echo >>\"$TRASH/ssh.log\"; false" && export GIT_SSH_COMMAND &&
	for key in insteadOf pushInsteadOf; do
		fresh down && rm down/.lfsconfig && git -C down config "url.ssh://-oProxyCommand=x/.$key" https://git.example.com/ &&
		test_expect_code 128 sh -c "cd down && git-dvx-transfer batch upload" <one >out && grep "its host is none" out || return 1
	done && fresh down && printf "[lfs]\n\turl = ssh://-oProxyCommand=x/y\n" >down/.lfsconfig && test_expect_code 128 download down one >out &&
	grep "set by a committed file" out && ! test -e ssh.log; pc_code=$?; unset GIT_SSH_COMMAND; (exit $pc_code)
'
test_expect_success 'rule: no ssh to a foreign host that a committed file names' '
	GIT_SSH_COMMAND="echo >>\"$TRASH/ssh.log\"; false" && export GIT_SSH_COMMAND && fresh down && printf "[lfs]\n\turl = ssh://127.0.0.1/x\n" >down/.lfsconfig &&
	test_must_fail download down one >out && ! test -e ssh.log; pc_code=$?; unset GIT_SSH_COMMAND; (exit $pc_code)
'

# ---- https ----

if test_have_prereq NGINX; then
	test_expect_success 'rule: no redirect from https to http' '
		start_quirks plain && plain=$QUIRK_ENDPOINT && start_tls "$plain" && serve_objects up one && fresh down && rm down/.lfsconfig &&
		git -C down config lfs.url "$TLS_GOOD/lfs" && git -C down config http.sslCAInfo "$TLS_CA" && quirk "scheme https" && download down one &&
		rm -rf down/.git/lfs/objects && quirk "redirect 307 $other" && test_expect_code 128 download down one >out &&
		grep "from https:// to http://" out && test "$(quirk_log . | wc -l)" = 1
	'
else
	test_expect_success NGINX 'rule: no redirect from https to http' 'false'
fi

test_done
