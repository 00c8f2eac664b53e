#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx model: what can be registered, and what is refused'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/model-lib.sh"

TZ=UTC
export TZ

# refused TEXT COMMAND...: fails with this text, and makes no tag
refused() {
	refused_text=$1
	shift
	git tag >"$TRASH/tags.before" && test_expect_code 128 "$@" 2>"$TRASH/err" && grep -e "$refused_text" "$TRASH/err" && test "$(grep -c "^error: " "$TRASH/err")" = 1 && git tag >"$TRASH/tags.after" && test_cmp "$TRASH/tags.before" "$TRASH/tags.after"
}

test_expect_success 'setup' '
	model_project repo && mkdir -p models/bert && random_file models/bert/a.pkl 70K a && echo "{}" >models/bert/config.json && ln -s churn.pkl models/link.pkl && git add . && git commit -q -m more
'

test_expect_success 'a path that is not in the commit, a link, outside, nothing yet' '
	refused "commit [0-9a-f]\{10\} has no .models/other.pkl.; commit it, then register it" git dvx model register m models/other.pkl && refused "is a symbolic link, not a file" git dvx model register m models/link.pkl && refused "" git dvx model register m ../x && refused "not all of it" git dvx model register m . &&
	refused ".nosuch. is no commit" git dvx model register m models/churn.pkl --rev nosuch && refused ".HEAD:models. is no commit" git dvx model register m --rev HEAD:models && git init -q ../empty && (cd ../empty && refused "there is no commit yet" git dvx model register m)
'

test_expect_success 'names that are refused' '
	for name in "" -- "a b" "a@b" "a#b" "-a" "a-" "a//b" "a..b" "../a" "a:b:c" "a.lock:b" "ü" "a
b"; do refused "cannot be a model.s name: letters, digits" git dvx model register "$name" || test "$name" = -- -o "$name" = -a || { echo "$name"; return 1; }; done &&
	git dvx model register ok && for stage in "" "a b" "a#b" "x!" "prod-" "a@b" "..";  do refused "cannot be a stage.s name" git dvx model promote ok 0.0.1 "$stage" || { echo "$stage"; return 1; }; done
'

test_expect_success 'from a subdirectory; a directory; a file that Git has itself' '
	(cd models && git dvx model register sub churn.pkl >out && grep "model: models/churn.pkl sha256" out && rm out) && git dvx model show sub@latest | grep "^path *models/churn.pkl (100.0 KiB)$" &&
	git dvx model register bert models/bert/ && git dvx model show bert@latest --json >j && json j "j[\"path\"] == \"models/bert\" and j[\"sha256\"] is None" && git dvx model register conf models/bert/config.json && git dvx model show conf@latest --json >j && json j "j[\"size\"] == 3 and j[\"sha256\"] == \"$(sha256sum <models/bert/config.json | cut -c1-64)\""
'

test_expect_success 'without a path: artifacts of dvx.yaml, of dvc.yaml, of a subproject; none' '
	mkdir -p proj && printf "artifacts:\n  art:\n    path: models/churn.pkl\n    type: model\n" >dvx.yaml && printf "artifacts:\n  inner: {path: w.bin}\n" >proj/dvc.yaml && echo w >proj/w.bin && git add . && git commit -q -m artifacts &&
	git dvx model register art >out && grep "model: models/churn.pkl sha256:" out && git dvx model register proj:inner >out && grep "model: proj/w.bin sha256:" out && git dvx model register none >out && ! grep "model:" out && git dvx model show none@latest --json >j && json j "j[\"path\"] is None" &&
	printf "artifacts:\n  art:\n    path: models/gone.pkl\n" >dvx.yaml && git commit -q -a -m gone && refused "has no .models/gone.pkl." git dvx model register art && printf "artifacts: [\n" >dvx.yaml && git commit -q -a -m broken && refused "dvx.yaml:" git dvx model register art && git rm -q dvx.yaml && git commit -q -m away
'

test_expect_success 'the file in the work tree is another one: said' '
	random_file models/churn.pkl 100K other && git dvx model register changed models/churn.pkl 2>err && grep "^warning: .models/churn.pkl. in the work tree is another one than in the commit" err && git checkout -q models/churn.pkl && echo 1 >n && git add n && git commit -q -m n && git dvx model register changed models/churn.pkl 2>err && test_must_be_empty err
'

test_expect_success 'data that was never stored: refused, unless forced' '
	printf "version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 5\n" 7 >text && git update-index --add --cacheinfo "100644,$(git hash-object -w --no-filters text),models/ghost.pkl" && git commit -q --no-verify -m ghost && refused "cannot be asked (--force" git dvx model register ghost models/ghost.pkl &&
	git dvx remote add --local -d storage "$TRASH/store" && refused "the data of .models/ghost.pkl. (sha256:000000000000) is neither here nor at the blob remote" git dvx model register ghost models/ghost.pkl && git dvx model register ghost models/ghost.pkl --force && git dvx model show ghost@latest --json >j && json j "j[\"sha256\"] == \"%064d\" % 7 and j[\"size\"] == 5" &&
	refused "is registered already" git dvx model register ghost models/ghost.pkl --version 0.0.1 --force && refused "neither here nor" git dvx model register ghosts models && git reset -q --hard HEAD~1
'

test_expect_success 'data that only the blob remote has: accepted, and not fetched' '
	git dvx push && mv .git/lfs/objects "$TRASH/away" && git dvx model register away models/churn.pkl && git dvx model register bert models/bert --version 1.0.0 --rev HEAD~1 && test -z "$(find .git/lfs -type f -path "*objects*")" && rm -rf .git/lfs/objects && mv "$TRASH/away" .git/lfs/objects
'

test_expect_success 'nobody knows who the user is' '
	test_when_finished "git config --global user.name \"C O Mitter\" && git config --global user.email committer@example.com && git config --unset user.useConfigOnly" &&
	(unset GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL EMAIL && git config user.useConfigOnly true && git config --global --unset user.name && git config --global --unset user.email && refused "Git did not make the tag .who@v0.0.1.; see above" git dvx model register who && grep "user.email" "$TRASH/err")
'

test_expect_success 'a tag, a branch or a directory is in the way' '
	git tag -a -m x dir && refused "Git did not make the tag" git dvx model register dir/model && git tag "way#prod#1" HEAD && git dvx model register way && git dvx model promote way 0.0.1 prod >out && grep "way#prod#2" out
'

test_expect_success 'two at once: each version once, each counter once' '
	git dvx model register race --version 0.1.0 && for i in 1 2 3 4 5 6; do git dvx model register together --version 1.0.0 >out.$i 2>err.$i & git dvx model promote race 0.1.0 stage$i >p.$i 2>&1 & done && wait && cat out.* | grep -c "^Created" >n && echo 1 >one && test_cmp one n && test "$(cat err.* | grep -c "version .v1.0.0. of .together. is registered already")" = 5 &&
	git tag -l "race#*" | sed "s/.*#//" | sort -n | tr "\n" " " >n && echo "1 2 3 4 5 6 " | tr -d "\n" >expect && test_cmp expect n && rm -f out.* err.* p.*
'

test_expect_success 'the next version is chosen when the others are done' '
	for i in 1 2 3 4; do git commit -q --allow-empty -m e$i && git tag e$i || return 1; done && for i in 1 2 3 4; do git dvx model register bumped --rev e$i >out.$i 2>err.$i & done && wait && git tag -l "bumped@*" >n && printf "bumped@v0.0.%d\n" 1 2 3 4 >expect && test_cmp expect n
'

test_expect_success 'Git made the tag meanwhile: it is not moved' '
	git dvx model register mine --version 1.0.0 && id=$(git rev-parse refs/tags/mine@v1.0.0) && git commit -q --allow-empty -m later && refused "registered already" git dvx model register mine --version 1.0.0 && refused "registered already" git dvx model register mine --version 1.0.0 -f && test "$(git rev-parse refs/tags/mine@v1.0.0)" = "$id"
'

! command -v ssh-keygen >/dev/null || test_set_prereq SSHKEYGEN
test_expect_success SSHKEYGEN 'signed tags' '
	ssh-keygen -q -t ed25519 -N "" -f "$TRASH/key" && git config gpg.format ssh && git config user.signingKey "$TRASH/key.pub" && git config tag.gpgSign true && git dvx model register signed models/churn.pkl -m "with a signature" && git cat-file tag signed@v0.0.1 | grep "BEGIN SSH SIGNATURE" &&
	git dvx model show signed@latest --json >j && json j "j[\"message\"] == \"with a signature\" and j[\"path\"] == \"models/churn.pkl\" and j[\"notes\"] == []" && printf "x %s" "$(cat "$TRASH/key.pub")" >"$TRASH/signers" && git -c gpg.ssh.allowedSignersFile="$TRASH/signers" tag -v signed@v0.0.1
'

test_done
