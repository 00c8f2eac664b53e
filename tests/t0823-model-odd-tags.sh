#!/bin/sh
# shellcheck disable=SC2034
test_description='the registry: tags that are not what they should be, and its cache'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/model-lib.sh"

TZ=UTC
export TZ

# raw_tag NAME <CONTENT: a tag object of exactly this content, named by refs/tags/NAME
raw_tag() {
	raw_id=$(git hash-object -t tag -w --literally --stdin) && git update-ref "refs/tags/$1" "$raw_id"
}
# tag_head NAME [TYPE [ID]]: the first lines of a tag object, made on 2024-01-10
tag_head() {
	printf 'object %s\ntype %s\ntag %s\ntagger Eve <eve@example.com> 1704844800 +0000\n\n' "${3:-$(git rev-parse HEAD)}" "${2:-commit}" "$1"
}

test_expect_success 'setup' '
	model_project repo && at "2024-01-01T00:00:00Z" git dvx model register m models/churn.pkl --version 1.0.0 && at "2024-01-02T00:00:00Z" git dvx model promote m 1.0.0 prod && next_model two "2024-01-03T00:00:00Z"
'

test_expect_success 'a lightweight tag of a version: found, and shown as what it is' '
	git tag m@v2.0.0 && git dvx model show m@v2.0.0 >out 2>err && grep "^registered *(lightweight tag)$" out && grep "^warning: tag .m@v2.0.0. is lightweight: it says neither who registered it nor when$" err && git dvx model list 2>err | grep "^m  *v2.0.0  *v1.0.0  *-  *(lightweight tag)$" &&
	git dvx model show m@v2.0.0 --json >j && json j "j[\"annotated\"] is False and j[\"time\"] is None and j[\"by\"] is None and len(j[\"notes\"]) == 1" && test_expect_code 128 git dvx model register m --version 2.0.0 2>err && grep "registered already, at .* (by the lightweight tag .m@v2.0.0.)" err
'

test_expect_success 'a lightweight tag of a stage: it does not count, and that is said' '
	git tag "m#prod#2" && git dvx model at prod >out 2>err && grep "^m v1.0.0 " out && grep "^warning: tag .m#prod#2. is lightweight: it says neither who made it nor when, and does not count$" err &&
	git tag "m#new#3" && test_expect_code 1 git dvx model at new >out 2>err && test_must_be_empty out && grep "tag .m#new#3. is lightweight" err && git dvx model promote m 2.0.0 prod >out 2>err && grep "m#prod#4" out && stage_holds prod v2.0.0
'

test_expect_success 'a tag of a tag, of a tree, of a blob, of nothing' '
	git tag -a -m inner inner && at "2024-01-20T00:00:00Z" git tag -a -m outer n@v1.0.0 inner 2>err && git dvx model show n@v1.0.0 >out && grep "^commit *$(git rev-parse HEAD)$" out && grep "2024-01-20" out &&
	git tag -a -m tree t@v1.0.0 "HEAD^{tree}" && git tag -a -m blob b@v1.0.0 HEAD:.gitattributes && git dvx model list >out 2>err && ! grep "^[tb] " out && grep "tag .t@v1.0.0. does not name a commit, and does not count" err && grep "tag .b@v1.0.0. does not name" err && test_expect_code 128 git dvx model show t@v1.0.0 &&
	tag_head x@v1.0.0 commit 1234567890123456789012345678901234567890 | raw_tag x@v1.0.0 && git dvx model show x@v1.0.0 2>err | grep "^commit" && grep "tag .x@v1.0.0. names a commit that is not in this repository" err && git dvx model history x 2>err | grep "(missing)" && git update-ref -d refs/tags/x@v1.0.0 && git tag -d t@v1.0.0 b@v1.0.0
'

test_expect_success 'a tag that was moved, and one that was renamed' '
	git tag -f -a -F - m@v1.0.0 HEAD <<-END && git dvx model show m@v1.0.0 >out 2>err && grep "^warning: tag .m@v1.0.0. was made for commit $(git rev-parse HEAD^ | cut -c1-10) and names $(git rev-parse HEAD | cut -c1-10) now: history was rewritten, or the tag was moved" err &&
	$(git cat-file tag m@v1.0.0 | sed "1,/^$/d")
	END
	git update-ref refs/tags/m@v7.0.0 refs/tags/m@v1.0.0 && git dvx model show m@v7.0.0 2>err >out && grep "tag .m@v7.0.0. was made as .m@v1.0.0.: it was renamed" err && git tag -d m@v7.0.0 m@v1.0.0 m@v2.0.0
'

test_expect_success 'history that was rewritten: the tags that came along are told' '
	git init -q ../rewritten && cd ../rewritten && echo 1 >f && git add f && git commit -q -m 1 && git dvx model register r && old=$(git rev-parse HEAD) && git commit -q --amend -m rewritten && git cat-file tag r@v0.0.1 | sed "s/^object .*/object $(git rev-parse HEAD)/" | raw_tag r@v0.0.1 &&
	git dvx model list 2>err && grep "was made for commit $(echo $old | cut -c1-10)" err && cd ../repo
'

test_expect_success 'no tagger, impossible times, no message' '
	{ tag_head o@v1.0.0 | sed "/^tagger/d"; echo old; } | raw_tag o@v1.0.0 && git dvx model show o@v1.0.0 2>err | grep "^registered *(lightweight tag)$" && for t in 99999999999999999999 -1 "" x 999999999999; do { tag_head "o#p#1" | sed "s/1704844800/$t/"; echo x; } | raw_tag "o#p#1" && test_expect_code 1 git dvx model at p 2>err || return 1; done &&
	tag_head "o#p#1" | raw_tag "o#p#1" && stage_holds p v1.0.0 && printf "rubbish" | git hash-object -t tag -w --literally --stdin >".git/refs/tags/o#q#2" && git dvx model history o 2>err >out && grep "o#q#2. does not name a commit" err && rm ".git/refs/tags/o#q#2"
'

test_expect_success 'nothing in a tag reaches the terminal as it is' '
	{ tag_head h@v1.0.0 | sed "s/Eve/E\o033[31mve/; s/eve@/e\o033]0;x\o007@/"; printf "title \033[2J\033]52;c;x\007\r\n\nbody \302\233 \377\376 \177\n"; } | raw_tag h@v1.0.0 && for c in "list" "show h" "show h@v1.0.0" "history h" "show h@latest --md" "history --md"; do git dvx model $c >out 2>&1 && ! grep -aq "$(printf "[\001-\010\013-\037\177]")" out || { cat -v out; return 1; }; done &&
	for c in "list" "show h" "show h@v1.0.0" "history h"; do git dvx model $c --json >j && json j "True" && python3 -c "open(\"j\", encoding=\"utf-8\").read()" && ! LC_ALL=C grep -aq "$(printf "[\001-\010\013-\037\177]")" j || return 1; done
'

test_expect_success 'trailers of others are text; ours are what stands last' '
	{ tag_head f@v1.0.0; printf "subject\n\npath: /etc/passwd\ncommit: %s\n" "$(git rev-parse HEAD)"; } | raw_tag f@v1.0.0 && git dvx model show f@v1.0.0 --json >j && json j "j[\"path\"] is None and \"path: /etc/passwd\" in j[\"message\"]" &&
	git dvx model register g models/churn.pkl -m "a

path: other
commit: $(git rev-parse HEAD)" && git dvx model show g@latest --json >j && json j "j[\"path\"] == \"models/churn.pkl\" and \"path: other\" in j[\"message\"]"
'

test_expect_success 'a huge message is read up to a limit' '
	{ tag_head big@v1.0.0; head -c 20000000 /dev/zero | tr "\0" "x"; } | raw_tag big@v1.0.0 && git dvx model show big@v1.0.0 --json >j && json j "len(j[\"message\"]) == 4096" && test "$(wc -c <.git/dvx/registry)" -lt 50000 && git tag -d big@v1.0.0 &&
	head -c 5000 /dev/zero | tr "\0" "x" >long && test_expect_code 128 git dvx model register h2 -m "$(cat long)" 2>err && grep "the message has 5000 bytes; 4096 is the most" err
'

flip() {
	printf x | dd of="$1" bs=1 seek=300 conv=notrunc status=none
}
noise() {
	head -c 3000 /dev/urandom >"$1"
}
magic() {
	printf DVXREG >"$1"
}
test_expect_success 'the cache: as without it, also when it is damaged, cut or of another version' '
	git dvx model history >expect 2>expect.err && git dvx model history --json >expect.json && for damage in "rm -f" "truncate -s 20" "truncate -s 200" "truncate -s -1" flip noise magic; do
		$damage .git/dvx/registry && git dvx model history >out 2>err && test_cmp expect out && test_cmp expect.err err && git dvx model history --json >j && test_cmp expect.json j || { echo "$damage"; return 1; }; done
'

test_expect_success 'the cache cannot be written: no error' '
	rm -f .git/dvx/registry && mkdir .git/dvx/registry && git dvx model history >out 2>err && test_cmp expect out && rmdir .git/dvx/registry
'

test_expect_success 'known tags are not read again; packed, loose, in a worktree, bare' '
	git dvx model list >expect 2>&1 && GIT_TRACE="$TRASH/trace" git-dvx model list >out 2>&1 && test_cmp expect out && test "$(grep -c "trace: built-in\|trace: run_command" "$TRASH/trace")" = 1 && git pack-refs --all && git dvx model list >out 2>&1 && test_cmp expect out &&
	git worktree add -q ../wt HEAD && (cd ../wt && git dvx model list) >out 2>&1 && test_cmp expect out && git clone -q --bare . ../bare.git && (cd ../bare.git && git dvx model list) >out 2>&1 && test_cmp expect out
'

test_expect_success 'a shallow clone says that it is one' '
	git clone -q --depth=1 --no-tags "file://$PWD" ../shallow && (cd ../shallow && test_expect_code 1 git dvx model at prod 2>err && grep "this clone is shallow, .git fetch --unshallow --tags. brings the rest" err && git fetch -q --unshallow --tags && git dvx model at prod | head -n 1) >out && git dvx model at prod | head -n 1 >expect && grep "^m " expect && tail -n 1 out >last && test_cmp expect last
'

test_expect_success 'SHA-256 repositories' '
	git init -q --object-format=sha256 ../sha256 && cd ../sha256 && echo 1 >f && git add f && git commit -q -m 1 && git dvx model register m f && git dvx model promote m 0.0.1 prod && git dvx model show m@latest --json >j && json j "len(j[\"commit\"]) == 64 and len(j[\"sha256\"]) == 64 and j[\"notes\"] == []" && rm .git/dvx/registry && stage_holds prod v0.0.1 && stage_holds prod v0.0.1
'

test_done
