#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx remote'
. "$(dirname "$0")/lib.sh"

test_expect_success 'the line of the lesson' '
	git init -q repo && cd repo &&
	git dvx remote add -d storage stores/blob >out 2>err &&
	echo "Setting '\''storage'\'' as a default remote." >expect && test_cmp expect out &&
	test "$(git config -f .dvxconfig dvx-remote.storage.url)" = stores/blob &&
	test "$(git config -f .dvxconfig dvx.remote)" = storage
'

test_expect_success 'blobs inside the work tree are kept out of commits' '
	grep -x "/stores/blob/" .git/info/exclude && grep "info/exclude" err &&
	mkdir -p stores/blob/packs && echo x >stores/blob/packs/x && git add . &&
	test -z "$(git ls-files stores)"
'

test_expect_success 'what is ignored already is not excluded again' '
	echo "/other/" >.gitignore && git dvx remote add other other/blobs 2>err && ! test -s err &&
	! grep "^/other" .git/info/exclude && git dvx remote remove other
'

test_expect_success 'list' '
	git dvx remote add second ../blobs && printf "storage\tstores/blob\t(default)\nsecond\t../blobs\n" >expect &&
	git dvx remote list >out && test_cmp expect out && git dvx remote >out && test_cmp expect out
'

test_expect_success 'list --json' '
	git dvx remote list --json | tr -d " \t\n" >out && git dvx remote --json | tr -d " \t\n" >out2 && test_cmp out out2 &&
	printf "{\"remotes\":[%s,%s]}" "{\"name\":\"storage\",\"url\":\"stores/blob\",\"default\":true,\"settings\":{}}" \
		"{\"name\":\"second\",\"url\":\"../blobs\",\"default\":false,\"settings\":{}}" >expect && test_cmp expect out &&
	test_expect_code 129 git dvx remote add --json third /tmp/third
'

test_expect_success 'a relative path is seen from the top' '
	mkdir -p sub/dir && (cd sub/dir &&
	git dvx remote add here blobs && git dvx remote add up ../../../far/./away// && git dvx remote add top ../../near) &&
	test "$(git config -f .dvxconfig dvx-remote.here.url)" = sub/dir/blobs &&
	test "$(git config -f .dvxconfig dvx-remote.up.url)" = ../far/away &&
	test "$(git config -f .dvxconfig dvx-remote.top.url)" = near
'

test_expect_success 'a name is taken once, unless forced' '
	test_expect_code 128 git dvx remote add storage elsewhere 2>err && grep "^error: .*already exists" err &&
	test "$(git config -f .dvxconfig dvx-remote.storage.url)" = stores/blob &&
	git dvx remote add -f storage /srv/blobs &&
	test "$(git config -f .dvxconfig dvx-remote.storage.url)" = /srv/blobs
'

test_expect_success '--local writes .git/config' '
	cp .dvxconfig before && git dvx remote add --local mine /tmp/mine && test_cmp before .dvxconfig &&
	test "$(git config dvx-remote.mine.url)" = /tmp/mine
'

test_expect_success 'S3: secrets never in .dvxconfig' '
	git dvx remote add -d s3 s3://BUCKET --no-probe >out 2>err && ! grep "not reached" err && grep "Setting .s3. as a default remote" out &&
	for option in access_key_id secret_access_key session_token password; do
		git dvx remote modify s3 $option "hush-$option" 2>err && grep "secret" err || return 1
	done &&
	git dvx remote modify --no-probe s3 endpointurl https://example.com && git dvx remote modify s3 region eu &&
	! grep hush .dvxconfig && test "$(grep -c hush .git/config)" = 4 &&
	test "$(git config -f .dvxconfig dvx-remote.s3.endpointurl)" = https://example.com &&
	git dvx remote modify --unset s3 password && ! grep hush-password .git/config
'

test_expect_success 'a password in a URL does not get into .dvxconfig' '
	test_expect_code 128 git dvx remote add web https://me:hush@example.com/x 2>err && ! grep hush .dvxconfig &&
	git dvx remote add --local web https://me:hush@example.com/x && git dvx remote remove web
'

test_expect_success 'default: print, set, unset' '
	git dvx remote default >out && echo s3 >expect && test_cmp expect out &&
	git dvx remote default storage && test "$(git dvx remote default)" = storage &&
	test_expect_code 128 git dvx remote default nosuch &&
	git dvx remote default --unset && test_expect_code 1 git dvx remote default &&
	git dvx remote add plain /tmp/plain 2>err && grep "git dvx remote default plain" err && git dvx remote remove plain
'

test_expect_success 'rename takes the default and the secrets along' '
	git dvx remote default s3 && git dvx remote rename s3 bucket &&
	test "$(git dvx remote default)" = bucket && test "$(git config dvx-remote.bucket.accessKeyId)" = hush-access_key_id &&
	test -z "$(git config dvx-remote.s3.accessKeyId)" &&
	test_expect_code 128 git dvx remote rename bucket storage &&
	test_expect_code 128 git dvx remote rename nosuch x
'

test_expect_success 'remove takes everything' '
	git dvx remote remove bucket && ! grep -e bucket -e hush .dvxconfig .git/config &&
	test_expect_code 1 git dvx remote default && test_expect_code 128 git dvx remote remove bucket
'

test_expect_success 'every kind of place is taken as it was typed; of a Git LFS server it is said that it is for later' '
	for url in s3://bucket/a/b ssh://me@host:22/srv/x me@host:path/x host:/srv/x "rclone://my drive:some dir/x" file:///srv/x /srv/x; do
		git dvx remote add --no-probe kind "$url" 2>err && ! grep "cannot transfer" err && test "$(git config -f .dvxconfig dvx-remote.kind.url)" = "$url" &&
		git dvx remote remove kind || { echo "$url"; return 1; }
	done &&
	git dvx remote add kind https://example.com/lfs 2>err && grep "^note: this version cannot transfer to https:// yet" err && git dvx remote remove kind
'

test_expect_success '-q: not a word, but for warnings and errors' '
	git dvx remote add -q -d silent inside/silent >out 2>&1 && test_must_be_empty out && test "$(git dvx remote default)" = silent && grep -x /inside/silent/ .git/info/exclude &&
	git dvx remote modify -q silent password hush >out 2>&1 && test_must_be_empty out && git dvx remote default -q storage >out 2>&1 && test_must_be_empty out &&
	test_expect_code 128 git dvx remote add -q silent elsewhere 2>err && grep "^error: .*already exists" err && git dvx remote remove silent
'

test_expect_success 'what can be no remote' '
	cp .dvxconfig before &&
	for url in "" gs://bucket ssh://-oProxyCommand=x/y s3:// "s3://a%0ab" file://relative . me@-x:y host:-x host: :x \
		rclone://x rclone://:local:/x rclone://a,b=c:/x rclone://a/b "rclone://x=y:z" rclone://; do
		test_expect_code 128 git dvx remote add bad "$url" 2>err && grep -q "^error:" err || { echo "$url"; return 1; }
	done &&
	test_expect_code 128 git dvx remote add -- bad -oProxyCommand=x:y &&
	for name in "" -x a/b "a b" .x; do
		test_expect_code 128 git dvx remote add -- "$name" /tmp/x || { echo "$name"; return 1; }
	done &&
	test_expect_code 129 git dvx remote frob && test_expect_code 129 git dvx remote add x &&
	test_expect_code 129 git dvx remote modify storage nosuch x 2>err && grep "known are url, .*password" err && test_cmp before .dvxconfig
'

test_expect_success 'a committed .dvxconfig is staged again, one with other changes is not' '
	git add .dvxconfig && git commit -q -m config && git dvx remote add late /tmp/late &&
	test "$(git status --porcelain .dvxconfig)" = "M  .dvxconfig" && git commit -q -m late &&
	echo "# mine" >>.dvxconfig && git dvx remote add later /tmp/later &&
	test "$(git status --porcelain .dvxconfig)" = " M .dvxconfig"
'

test_expect_success 'a remote that comes after pushed data: told how to bring it the rest' '
	hint="run .git dvx push -A. to bring it what was pushed elsewhere" &&
	dvx_repo ../pushed && (cd ../pushed && git init -q --bare ../pushed.git && git remote add origin ../pushed.git &&
	git dvx remote add -d first ../blobs1 2>err && ! test -s err && git dvx track "*.bin" && random_file a.bin 1K a && git add -A . && git commit -q -m one &&
	git dvx remote modify first url ../blobs1 2>err && ! test -s err && random_file a.bin 1K b && git commit -q -a -m two && git push -q origin main &&
	git dvx remote add -d second ../blobs2 >out 2>err && grep -x "$hint" err && grep -x "Setting .second. as a default remote." out && test "$(wc -l <out)" = 1 &&
	git dvx remote add third ../blobs3 2>err && ! grep "push -A" err && git dvx remote modify third url ../blobs4 2>err && grep "git dvx push -A -r third" err &&
	git dvx remote modify second url ../blobs2 2>err && grep -x "$hint" err && git dvx remote default first 2>err && grep -x "$hint" err &&
	git dvx remote default second 2>err && git dvx push -A && git commit -q -m second && git push -q origin main && rm -rf ../blobs1 &&
	git clone -q ../pushed.git ../pushed-clone && ! is_pointer ../pushed-clone/a.bin && git -C ../pushed-clone dvx fetch -A)
'

test_expect_success 'a link in place of .dvxconfig is not written through' '
	mv .dvxconfig saved && echo "# precious" >../victim && ln -s ../victim .dvxconfig &&
	test_expect_code 128 git dvx remote add x /tmp/x && test "$(cat ../victim)" = "# precious"
'

test_done
