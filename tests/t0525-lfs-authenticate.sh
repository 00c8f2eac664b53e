#!/bin/sh
test_description='git-lfs-authenticate over a real sshd: where the server is, and headers that open it for a while'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/lfs-lib.sh"
need_sshd

# The far side: a program of that name in the PATH of sessions, whose answer is $SSH_FAR_HOME/answer.
FAR=$dvx_servers/far
mkdir -p "$FAR"
stop_sshd
cat >"$FAR/git-lfs-authenticate" <<'END'
#!/bin/sh
echo "$*" >>"$HOME/asked"
[ ! -e "$HOME/script" ] || . "$HOME/script"
sed "s/COUNT/$(wc -l <"$HOME/asked")/" "$HOME/answer"
END
chmod +x "$FAR/git-lfs-authenticate"

# answer JSON: what the far side prints; COUNT is how often it was asked.
answer() {
	printf '%s\n' "$1" >"$SSH_FAR_HOME/answer" && : >"$SSH_FAR_HOME/asked" && rm -f "$SSH_FAR_HOME/script"
}
asked() {
	test "$(wc -l <"$SSH_FAR_HOME/asked")" = "$1" || { cat "$SSH_FAR_HOME/asked"; return 1; }
}
# fresh NAME: an empty repository whose remote is reached by SSH.
fresh() {
	rm -rf "$1" && lfs_repo "$1" && git -C "$1" config --unset lfs.url && git -C "$1" config dvx.retries 0 &&
		git -C "$1" config remote.origin.url "ssh://$SSH_HOST/srv/it's a repo.git" && git -C "$1" config lfs.sshtransfer never
}

# A session's PATH has no git-dvx: git-lfs-transfer is not what is tried here.
test_expect_success 'setup' '
	SSHD_PATH=$FAR:/usr/bin:/bin dvx_server_start sshd.sh far && start_quirks && lfs_repo up && many_files up 250 >all && serve_objects up all &&
	tail -n 1 all >one && quirk "header Authorization open"
'

test_expect_success 'asked once for all, with path and operation; its headers go to its href' '
	quirk && answer "{\"href\":\"$QUIRK_ENDPOINT/lfs\",\"header\":{\"X-Token\":\"abc\"},\"expires_in\":600}" && fresh down &&
	(cd down && git-dvx-transfer batch -j 8 download) <all >out && test "$(grep -c "^ok " out)" = 250 && asked 1 &&
	grep -x "/srv/it.s a repo.git download" "$SSH_FAR_HOME/asked" && test "$(quirk_log "POST.*\"X-Token\": \"abc\"" | wc -l)" = 3 && ! quirk_log "GET.*X-Token"
'
test_expect_success 'upload' '
	answer "{\"href\":\"$QUIRK_ENDPOINT/lfs\",\"header\":{\"X-Token\":\"abc\"}}" && fresh up2 && cp -r up/.git/lfs up2/.git && upload up2 one &&
	grep -x "/srv/it.s a repo.git upload" "$SSH_FAR_HOME/asked"
'
test_expect_success 'an href that ends with a slash; no href: the guess' '
	answer "{\"href\":\"$QUIRK_ENDPOINT/lfs/\"}" && fresh down && download down one && answer "{\"header\":{}}" && fresh down &&
	! GIT_TRACE=1 download down one >out 2>err && grep "POST https://127.0.0.1/srv/it.s%20a%20repo.git/info/lfs/objects/batch" err
'
test_expect_success 'headers that are over are asked for again' '
	answer "{\"href\":\"$QUIRK_ENDPOINT/lfs\",\"header\":{\"X-Token\":\"nr-COUNT\"},\"expires_in\":1}" && fresh down && quirk "busy 503 2" &&
	git -C down config dvx.retries 1 && download down one && quirk_log "\"status\": 503.*nr-1" && quirk_log "\"operation\".*nr-[23]"
'
test_expect_success 'a 401: other headers are asked for once' '
	answer "{\"href\":\"$QUIRK_ENDPOINT/lfs\",\"header\":{\"Authorization\":\"Basic COUNT\"}}" && fresh down && quirk "login me:s3cret" &&
	test_expect_code 128 download down one >out && asked 2 && test "$(quirk_log "\"status\": 401" | wc -l)" = 2 && grep "git-lfs-authenticate" out &&
	answer "{\"href\":\"$QUIRK_ENDPOINT/lfs\",\"header\":{\"Authorization\":\"Basic OUR\"}}" &&
	printf "[ \"\$(wc -l <\"\$HOME/asked\")\" = 1 ] || sed -i s/OUR/%s/ \"\$HOME/answer\"\n" "$(printf me:s3cret | base64)" >"$SSH_FAR_HOME/script" &&
	fresh down && quirk "login me:s3cret" && (download down one >out; cat out) && asked 2 && quirk_log "POST.*\"Authorization\": \"Basic $(printf me:s3cret | base64)\""
'
test_expect_success 'without headers: our own credentials for its href' '
	answer "{\"href\":\"$QUIRK_ENDPOINT/lfs\"}" && fresh down && printf "machine 127.0.0.1 login me password s3cret\n" >"$HOME/.netrc" && quirk "login me:s3cret" &&
	download down one && has_objects down one; nh_code=$?; rm "$HOME/.netrc"; (exit $nh_code)
'
test_expect_success 'rule: its headers go to no other origin' '
	quirk && start_quirks other && other=$QUIRK_ENDPOINT && serve_objects up one && other_dir=$QUIRK_DIR && start_quirks third && quirk "redirect 307 $other" &&
	answer "{\"href\":\"$QUIRK_ENDPOINT/lfs\",\"header\":{\"X-Token\":\"abc\"}}" && fresh down && download down one && quirk_log "X-Token" &&
	QUIRK_DIR=$other_dir && quirk_mark=0 && quirk_log POST && ! quirk_log "X-Token"
'

# ---- what can go wrong ----

test_expect_success 'the host says no: its words' '
	answer "" && echo "echo \"access denied for you\" >&2; exit 1" >"$SSH_FAR_HOME/script" && fresh down && test_expect_code 128 download down one >out 2>err &&
	grep "git-lfs-authenticate said no: access denied for you" out && asked 1
'
test_expect_success 'no such program there: the https URL, without asking again' '
	echo "exit 127" >"$SSH_FAR_HOME/script" && : >"$SSH_FAR_HOME/asked" && fresh down && git -C down config dvx.retries 0 &&
	! GIT_TRACE=1 download down one >out 2>err && asked 1 && grep "POST https://127.0.0.1/srv/it.s" err
'
for text in "" "[]" "{\"href\":\"file:///etc/passwd\"}" "{\"href\":\"http://-oProxyCommand=x/\"}" \
	"{\"href\":\"http://127.0.0.1\\\\u000ahost=evil/\"}" "{\"header\":{\"X-A\":\"b\\\\u000d\\\\u000aX-Evil: 1\"}}" "{\"header\":{\"X A\":\"b\"}}"; do
	test_expect_success "an answer that is none: $text" '
		answer "$(printf "$text")" && fresh down && test_must_fail download down one >out && grep "^fatal " out && asked 1
	'
done
test_expect_success 'an answer without end' '
	answer "{}" && echo "yes | head -c 10000000; exit 0" >"$SSH_FAR_HOME/script" && fresh down && test_must_fail download down one >out && grep "^fatal " out
'
test_expect_success 'rule: no secret in messages or traces' '
	answer "{\"href\":\"$QUIRK_ENDPOINT/lfs\",\"header\":{\"Authorization\":\"Basic s3cret\"}}" && fresh down && quirk "redirect 301 $other" &&
	! GIT_TRACE=1 GIT_CURL_VERBOSE=1 download down one >out 2>err && ! grep s3cret out err
'
test_expect_success GITLFS 'Git LFS finds the same server in the same way' '
	start_quirks last && quirk && answer "{\"href\":\"$QUIRK_ENDPOINT/lfs\",\"header\":{\"X-Token\":\"abc\"},\"expires_in\":600}" && git init -q g && random_file g/a.bin 1000 g &&
	(cd g && git remote add origin "$SSH_HOST:srv/repo.git" && git lfs install --local && git lfs track "*.bin" && git add . && git commit -qm 1 &&
	git config "lfs.$QUIRK_ENDPOINT/lfs.locksverify" false && git lfs push --object-id origin "$(oid_of a.bin)") && quirk_log "POST.*X-Token" &&
	grep "srv/repo.git upload" "$SSH_FAR_HOME/asked" && fresh down && echo "$(oid_of g/a.bin) 1000 - a.bin" >g.list && download down g.list
'

test_done
