#!/bin/sh
test_description='settings of remotes: which there are, where they go, what is refused, secrets in committed files'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"

setting() {
	git config -f .dvxconfig "dvx-remote.s3.$1"
}
own_setting() {
	git config --local "dvx-remote.s3.$1"
}

test_expect_success 'set up' '
	dvx_repo repo && cd repo && git dvx remote add --no-probe -d s3 s3://bucket/prefix
'

test_expect_success 'what a team shares goes to .dvxconfig, with the names of DVC' '
	git dvx remote modify s3 region eu-west-1 && test "$(setting region)" = eu-west-1 &&
	git dvx remote modify s3 profile "my profile" && test "$(setting profile)" = "my profile" &&
	git dvx remote modify s3 storageclass STANDARD_IA && test "$(setting storageclass)" = STANDARD_IA &&
	git dvx remote modify s3 addressing_style path && test "$(setting addressingstyle)" = path &&
	git dvx remote modify s3 sse aws:kms && test "$(setting sse)" = aws:kms &&
	git dvx remote modify s3 sse_kms_key_id arn:aws:kms:eu:1:key/x && test "$(setting ssekmskeyid)" = arn:aws:kms:eu:1:key/x &&
	git dvx remote modify --no-probe s3 endpointurl https://s3.example.com:9000 2>err && ! test -s err &&
	test "$(setting endpointurl)" = https://s3.example.com:9000
'

test_expect_success 'and all of that counts when it comes from the tree' '
	git dvx remote list --json >out && for s in region profile storageclass addressing_style sse sse_kms_key_id endpointurl; do
		grep "\"$s\"" out || return 1
	done && git dvx env >out && ! grep -i "addressing.*ignored" out
'

test_expect_success 'what a committed file may not set goes to .git/config, and that is said' '
	git dvx remote modify s3 use_ssl No 2>err && grep "^note: .use_ssl. went to .git/config" err && test "$(own_setting usessl)" = false &&
	git dvx remote modify s3 ssl_verify off && test "$(own_setting sslverify)" = false &&
	: >ca.pem && git dvx remote modify s3 ssl_verify ca.pem && test "$(own_setting sslverify)" = "$PWD/ca.pem" &&
	git dvx remote modify s3 credentialpath ../keys && test "$(own_setting credentialpath)" = "$PWD/../keys" &&
	git dvx remote modify s3 configpath "~/aws" && test "$(own_setting configpath)" = "$HOME/aws" &&
	git dvx remote modify s3 servecommand "/opt/dvx/bin/git-dvx-transfer" && test "$(own_setting servecommand)" = /opt/dvx/bin/git-dvx-transfer &&
	! grep -i -e ssl -e path -e serve .dvxconfig | grep -v addressing
'

test_expect_success 'secrets go to .git/config whatever was asked, said in one line' '
	for option in access_key_id secret_access_key session_token sse_customer_key password secretAccessKey SECRET_ACCESS_KEY; do
		git dvx remote modify --no-probe s3 $option "hush/$option+=" 2>err && test "$(wc -l <err)" = 1 && grep "^note: .*secret.*\.git/config" err && ! grep hush err || return 1
	done && git dvx remote modify --local s3 password hush 2>err && ! test -s err &&
	! grep hush .dvxconfig && test "$(own_setting secretaccesskey)" = "hush/SECRET_ACCESS_KEY+="
'

test_expect_success 'no list prints a secret' '
	git dvx remote list >out && git dvx remote list --json >>out && ! grep hush out && grep "\"secret_access_key\":.*\"set\"" out &&
	git dvx remote add --local web https://me:hush@example.com/x && git dvx remote list >out && git dvx remote list --json >>out &&
	! grep hush out && grep "https://me:…@example.com/x" out &&
	test_expect_code 128 git dvx remote add web https://other 2>err && ! grep hush err && git dvx remote remove web
'

test_expect_success 'wrong values are refused where they are typed, and not repeated' '
	cp .dvxconfig before && cp .git/config before-own &&
	while read -r option value; do
		test_expect_code 128 git dvx remote modify s3 "$option" "$value" 2>err && grep "^error: bad value.*$option" err || { echo "$option $value"; return 1; }
	done <<-END &&
		endpointurl ftp://example.com
		endpointurl example.com
		endpointurl https://
		endpointurl https://-x
		endpointurl https://me:hush@example.com
		region eu west
		use_ssl perhaps
		ssl_verify /no/such/file
		addressing_style dots
		sse rot13
		storageclass A B
		secret_access_key hush hush
		credentialpath ~other/keys
	END
	test_expect_code 128 git dvx remote modify s3 endpointurl https://me:hush@example.com 2>err && ! grep hush err &&
	test_expect_code 128 git dvx remote modify s3 region "" && test_expect_code 128 git dvx remote modify s3 region "a
b" && test_cmp before .dvxconfig && test_cmp before-own .git/config
'

test_expect_success 'an unknown option: the list of those there are' '
	test_expect_code 129 git dvx remote modify s3 acl public 2>err && grep "unknown option .acl.*use_ssl.*sse_customer_key" err
'

test_expect_success '--unset' '
	git dvx remote modify --unset s3 sse_kms_key_id && ! setting ssekmskeyid && git dvx remote modify --unset s3 use_ssl && ! own_setting usessl &&
	git dvx remote modify --unset s3 password 2>err && ! test -s err && ! own_setting password && git dvx remote modify --unset s3 password
'

test_expect_success 'a probe that gets nowhere is told in one line, and the remote is there' '
	git dvx remote add far s3://bucket2 >out 2>err && test "$(cat err)" = "note: no access key yet; the server is asked at the first push" && ! test -s out &&
	git dvx remote modify far endpointurl http://127.0.0.1:9 2>err && grep "^note: no access key yet" err && test "$(wc -l <err)" = 1 &&
	git dvx remote modify far access_key_id AKIAFAR 2>err && ! grep reached err && git dvx remote modify far secret_access_key far 2>err && grep "^note: not reached: .*127.0.0.1:9.*; asked again at the first push$" err && test "$(wc -l <err)" = 2 &&
	git dvx remote modify far profile nobody 2>err && grep "^note: not reached: " err && git dvx remote modify --unset far profile && git dvx remote modify far region us-east-1 2>err && grep "^note: not reached: " err &&
	git dvx remote modify far url s3://bucket3 2>err && grep "^note: not reached: " err &&
	git dvx remote modify --no-probe far url s3://bucket4 2>err && ! grep reached err && git dvx remote modify --unset far accesskeyid && git dvx remote modify --unset far secretaccesskey && git dvx remote modify far region eu 2>err && ! test -s err &&
	git dvx remote remove far
'

test_expect_success 'a secret that was committed: no remote is used until it is gone, and it is said how' '
	dvx_repo ../leak && (cd ../leak && git dvx remote add -d team ../blobs && git dvx track "*.bin" && random_file a.bin 1K a &&
	git config -f .dvxconfig dvx-remote.team.secretAccessKey hush && git add -A 2>../err && git status && git commit -q -m leak && ! grep hush ../err &&
	for command in push fetch "pull -T"; do
		test_expect_code 128 git dvx $command 2>../err && cat ../err && ! grep hush ../err && test "$(grep -c "^error:" ../err)" = 1 &&
		grep "dvx-remote.team.secretaccesskey.*leaked.*git config -f .dvxconfig --unset-all dvx-remote.team.secretaccesskey.*git dvx remote modify team secretaccesskey" ../err || return 1
	done &&
	test ! -e ../blobs && git dvx remote list && random_file b.bin 1K b && git add b.bin && git commit -q -m works && git checkout -q HEAD~1 && git checkout -q main &&
	git config -f .dvxconfig --unset-all dvx-remote.team.secretaccesskey && git dvx remote modify team secretaccesskey new && git dvx push && test -d ../blobs)
'

test_expect_success 'remote modify takes a secret out of .dvxconfig by itself' '
	(cd ../leak && git config -f .dvxconfig dvx-remote.team.password hush && test_expect_code 128 git dvx push 2>../err &&
	git dvx remote modify team password new 2>../err && grep "^warning: .password. was in .dvxconfig.*leaked" ../err && ! grep hush .dvxconfig && git dvx push)
'

test_expect_success 'the same for a password in the URL' '
	(cd ../leak && git config -f .dvxconfig dvx-remote.web.url ssh://me:hush@host/x && test_expect_code 128 git dvx push 2>../err &&
	cat ../err && grep "URL of remote .web..*leaked.*remote modify web url" ../err && ! grep hush ../err && git dvx remote list >../out && ! grep hush ../out &&
	git status && git dvx remote modify web url ssh://me@host/x && ! grep hush .dvxconfig && git dvx push &&
	git dvx remote modify --local web url ssh://me:hush@host/x && git dvx push)
'

test_expect_success 'git push goes through the hook, and is refused as well' '
	(cd ../leak && git init -q --bare ../leak.git && git remote add origin ../leak.git && git config -f .dvxconfig dvx-remote.team.sessiontoken hush &&
	random_file c.bin 1K c && git add c.bin && git commit -q -m c && ! git push origin main 2>../err && grep "leaked" ../err && ! grep hush ../err)
'

test_expect_success RGW 'a server that answers: its line is printed, at add and when the endpoint is known' '
	start_rgw && new_bucket probed && dvx_repo ../probe && (cd ../probe &&
	git dvx remote add b s3://probed >out 2>err; grep "no access key yet\\|not reached" err && ! test -s out &&
	git dvx remote modify b endpointurl "$S3_ENDPOINT" 2>err && cat err && grep "conditional writes: yes" err && ! grep reached err &&
	git dvx remote add --no-probe c s3://probed 2>err && ! grep -e reached -e conditional err)
'

# In Git's place: writes down how it was called.
mkdir -p "$TRASH/logging" && real_git=$(command -v git) && cat >"$TRASH/logging/git" <<END
#!/bin/sh
printf '%s\n' "\$*" >>"$TRASH/called"
exec "$real_git" "\$@"
END
chmod +x "$TRASH/logging/git"

test_expect_success 'a secret is in no command line, whatever characters it has; the rest of the file stays' '
	dvx_repo ../odd && (cd ../odd && git dvx remote add -d web ssh://me@host/x && printf "# a remark ; stays\n[dvx-remote \"web\"]\n\tpassword = \"old\\\\\nold\" ; gone\n[tail]\n\tkey = 1 # too\n" >>.git/config && chmod 644 .git/config &&
	for value in "plain" "a\"b" "back\\slash\\" "ha#sh;semi" "  leading and trailing  " "\\n\\t" "\$(id)" "=" "[x]"; do
		: >"$TRASH/called" && PATH="$TRASH/logging:$PATH" git-dvx remote modify web password "$value" && test "$(git config --local --get-all dvx-remote.web.password; echo .)" = "$value
." && grep "config --file=" "$TRASH/called" && ! grep -F -e "$value" "$TRASH/called" >/dev/null || test "$value" = "=" || return 1
	done && grep "^# a remark ; stays" .git/config && grep "key = 1 # too" .git/config && ! grep old .git/config &&
	test "$(stat -c %a .git/config)" = 600 && test -z "$(find .git -maxdepth 1 -name "config?*")" && git config core.bare)
'

test_expect_success 'another Git holds the file: nothing changes' '
	(cd ../odd && cp .git/config before && : >.git/config.lock && test_expect_code 128 git dvx remote modify web password locked 2>err && cat err &&
	grep "config.lock. exists: another Git process" err && cmp before .git/config && test -z "$(find .git -maxdepth 1 -name "config.dvx*")" && rm .git/config.lock)
'

test_expect_success 'a repository that is shared stays so, and it is said' '
	(cd ../odd && git config core.sharedRepository group && chmod 660 .git/config && git dvx remote modify --local web password shared 2>err && grep "^warning: core.sharedRepository lets others read" err &&
	test "$(stat -c %a .git/config)" = 660 && ! grep "shared$" err)
'

test_done
