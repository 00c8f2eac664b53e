#!/bin/sh
test_description='credentials for a Git LFS server: where they come from, how often anybody is asked'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/lfs-lib.sh"

# The helper logs what it is asked and told, and answers with what lies in $TRASH/answer.
cat >helper.sh <<'END'
#!/bin/sh
echo "$1" >>"$TRASH/helper.log"
if [ "$1" = get ]; then sed 's/^/get: /' >>"$TRASH/helper.log"; cat "$TRASH/answer" 2>/dev/null; else sed "s/^/$1: /" >>"$TRASH/helper.log"; fi
END
chmod +x helper.sh
git config --global credential.helper "!'$TRASH/helper.sh'"

# fresh NAME: an empty repository; nobody has been asked anything.
fresh() {
	rm -rf "$1" && lfs_repo "$1" && : >helper.log && git -C "$1" config dvx.retries 0
}
# helper_has USER PASSWORD
helper_has() {
	printf 'username=%s\npassword=%s\n' "$1" "$2" >answer
}
# asked N VERB: how often the helper was called so.
asked() {
	test "$(grep -cx "$2" helper.log)" = "$1" || { cat helper.log; return 1; }
}
# no_secret FILE...: it is in none of them.
no_secret() {
	! grep -r -e s3cret -e "$(printf 'me:s3cret' | base64)" "$@"
}

test_expect_success 'setup: a server with a password' '
	start_quirks && lfs_repo up && many_files up 250 >all && serve_objects up all && quirk "login me:s3cret" && tail -n 1 all >one
'

test_expect_success 'git credential is asked after a 401, once for 8 threads and 3 batches; told that it was good' '
	fresh down && helper_has me s3cret && (cd down && git-dvx-transfer batch -j 8 download) <all >out && test "$(grep -c "^ok " out)" = 250 &&
	asked 1 get && asked 1 store && asked 0 erase && grep "get: protocol=http" helper.log &&
	grep "get: host=${QUIRK_ENDPOINT#http://}" helper.log && grep "store: password=s3cret" helper.log &&
	test "$(quirk_requests "\"status\": 401")" -le 3
'

test_expect_success 'lfs.<url>.access = basic: no request without' '
	fresh down && git -C down config "lfs.$QUIRK_ENDPOINT/lfs.access" basic && quirk_mark && download down one && asked 1 get &&
	test "$(quirk_requests "\"status\": 401")" = 0
'

test_expect_success '.lfsconfig may say that as well; the own configuration wins' '
	fresh down && printf "[lfs \"%s/lfs\"]\n\taccess = basic\n" "$QUIRK_ENDPOINT" >down/.lfsconfig && quirk_mark && download down one &&
	test "$(quirk_requests "\"status\": 401")" = 0 && fresh down2 && cp down/.lfsconfig down2 &&
	git -C down2 config "lfs.$QUIRK_ENDPOINT/lfs.access" none && test_expect_code 128 download down2 one >out && asked 0 get &&
	grep "access is .none." out
'

test_expect_success 'wrong ones are rejected, and the message says 401 and no secret' '
	fresh down && helper_has me wr0ng && quirk_mark && test_expect_code 128 download down one >out && asked 1 get && asked 1 erase && asked 0 store &&
	grep "HTTP 401" out && ! grep wr0ng out && grep "erase: password=wr0ng" helper.log && test "$(quirk_requests)" = 2
'

test_expect_success 'netrc comes first; a file by NETRC; the mode does not matter' '
	fresh down && : >answer && printf "machine other login x password y\nmachine 127.0.0.1\n\tlogin me\n\tpassword s3cret\n" >"$HOME/.netrc" &&
	chmod 644 "$HOME/.netrc" && download down one && asked 0 get && rm -rf down/.git/lfs/objects &&
	mv "$HOME/.netrc" netrc && NETRC=$TRASH/netrc download down one && asked 0 get
'

test_expect_success 'a wrong netrc: then the helper' '
	fresh down && helper_has me s3cret && printf "machine 127.0.0.1 login me password no\n" >"$HOME/.netrc" && quirk_mark &&
	download down one && asked 1 get && asked 0 erase && test "$(quirk_requests "\"status\": 401")" = 2; rm_code=$?; rm -f "$HOME/.netrc"; (exit $rm_code)
'

test_expect_success 'user name and password of the URL come first of all, at once' '
	fresh down && : >answer && git -C down config lfs.url "http://me:s3cret@${QUIRK_ENDPOINT#http://}/lfs" && quirk_mark && download down one &&
	asked 0 get && test "$(quirk_requests "\"status\": 401")" = 0
'

test_expect_success 'a user name of the URL is what credentials are wanted for' '
	fresh down && helper_has me s3cret && git -C down config lfs.url "http://me@${QUIRK_ENDPOINT#http://}/lfs" && download down one &&
	grep "get: username=me" helper.log
'

test_expect_success 'credential.useHttpPath: the path of the repository' '
	fresh down && git -C down config --unset lfs.url && git -C down config credential.useHttpPath true &&
	git -C down config remote.origin.url "$QUIRK_ENDPOINT/lfs/org/repo.git" && quirk "login me:other" && test_when_finished "quirk \"login me:s3cret\"" &&
	test_expect_code 128 download down one && grep "get: path=lfs/org/repo.git$" helper.log
'

test_expect_success 'GIT_ASKPASS is asked where no helper knows' '
	fresh down && : >answer && printf "#!/bin/sh\necho \"\$1\" >>\"%s\"\ncase \$1 in User*) echo me ;; *) echo s3cret ;; esac\n" "$TRASH/askpass.log" >askpass.sh &&
	chmod +x askpass.sh && GIT_ASKPASS=$TRASH/askpass.sh download down one && test "$(grep -c . askpass.log)" = 2
'

test_expect_success 'nobody has any: an error that says what to do; the terminal is not asked without leave' '
	fresh down && : >answer && test_expect_code 128 download down one >out 2>&1 && grep "HTTP 401.*git credential" out
'

test_expect_success 'only a way to log in that is not known here' '
	fresh down && helper_has me s3cret && quirk "login me:s3cret" "login-scheme Negotiate" && test_expect_code 128 download down one >out &&
	grep "only Basic" out && asked 0 get && quirk "login me:s3cret"
'

test_expect_success 'objects that need no credentials get none' '
	fresh down && helper_has me s3cret && quirk "login me:s3cret" "authenticated" && quirk_mark && download down one &&
	quirk_log "\"GET\"" | head -n 1 | grep "\"status\": 401" && has_objects down one && quirk "login me:s3cret"
'

# The rule: no control byte gets into `git credential` or out of it.
test_expect_success 'rule: a helper that answers with a control byte in a value' '
	fresh down && printf "username=me\npassword=s3c\001ret\n" >answer && quirk_mark && test_expect_code 128 download down one >out &&
	grep "control character" out && test "$(quirk_requests)" = 1
'
test_expect_success 'rule: a user name with a colon would be another one' '
	fresh down && printf "username=me:x\npassword=s3cret\n" >answer && quirk_mark && test_expect_code 128 download down one >out && test "$(quirk_requests)" = 1
'
for url in "http://u%0ahost=evil@HOST/lfs" "http://u%0dx@HOST/lfs" "http://u:p%00@HOST/lfs" "http://127.0.0.1%0ahost=evil:PORT/lfs" "http:///lfs" "://HOST/lfs"; do
	test_expect_success "rule: $url" '
		fresh down && git -C down config lfs.url "$(echo "$url" | sed "s/HOST/${QUIRK_ENDPOINT#http://}/; s/PORT/${QUIRK_ENDPOINT##*:}/")" && quirk_mark &&
		test_expect_code 128 download down one >out && test "$(quirk_requests)" = 0 && asked 0 get && grep "^fatal " out
	'
done
test_expect_success 'rule: %0a in the path' '
	fresh down && helper_has me s3cret && git -C down config credential.useHttpPath true && git -C down config lfs.url "$QUIRK_ENDPOINT/lfs%0ahost=evil" &&
	quirk_mark && test_expect_code 128 download down one >out && asked 0 get && grep "control character" out
'

test_expect_success 'no secret in traces, messages or the repository' '
	fresh down && helper_has me s3cret && GIT_TRACE=1 GIT_CURL_VERBOSE=1 GIT_DVX_TRACE=1 download down one >out 2>err &&
	grep "POST $QUIRK_ENDPOINT/lfs/objects/batch = 401 " err && grep "POST $QUIRK_ENDPOINT/lfs/objects/batch = 200 " err && no_secret out err down/.git
'

test_expect_success GITLFS 'Git LFS gets in with the same helper' '
	git init -q g && (cd g && git lfs install --local && git config lfs.url "$QUIRK_ENDPOINT/lfs" && git remote add origin "$TRASH/none.git") &&
	helper_has me s3cret && : >helper.log && random_file g/a.bin 1000 g && (cd g && git lfs track "*.bin" && git add . && git commit -qm 1 &&
	git lfs push --object-id origin "$(oid_of a.bin)") && asked 1 get && fresh down && echo "$(oid_of g/a.bin) 1000 - a.bin" >g.list && download down g.list
'

test_done
