#!/bin/sh
test_description='git lfs migrate: the same commits as Git LFS makes'
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/migrate-lib.sh
. "$dvx_top/tests/migrate-lib.sh"
skip_all_unless GITLFS 'git-lfs is not installed'
git lfs install --skip-repo >/dev/null

test_expect_success 'a history' '
	history seed &&
	git -C seed fsck
'

# agree NAME ARG...: both tools do the same to copies of the repository.
agree() {
	dvx_what=$1
	shift
	rm -rf theirs ours && cp -r seed theirs && cp -r seed ours &&
		(cd theirs && git lfs migrate "$@" >../theirs.out 2>/dev/null </dev/null) &&
		(cd ours && as_lfs migrate "$@" >../ours.out 2>/dev/null </dev/null) &&
		test_cmp theirs.out ours.out &&
		refs_of theirs >theirs.refs && refs_of ours >ours.refs && test_cmp theirs.refs ours.refs &&
		[ "$dvx_what" = info ] || { git -C ours fsck && (cd ours && git lfs fsck) && [ -z "$(git -C ours status --porcelain)" ]; }
}

test_expect_success 'import of everything: each kind gets its line when it is met' '
	agree import import --everything --yes &&
	git -C ours show main:.gitattributes >lines &&
	grep -qxF "*.bin filter=lfs diff=lfs merge=lfs -text" lines &&
	grep -qxF "/noext filter=lfs diff=lfs merge=lfs -text" lines &&
	grep -qxF "/\\#hash filter=lfs diff=lfs merge=lfs -text" lines
'
test_expect_success 'shape and files are as they were' '
	shape_of seed >before && shape_of ours >after && test_cmp before after &&
	same_files seed ours
'
test_expect_success 'an annotated tag keeps its message byte for byte, nested ones follow' '
	git -C ours cat-file tag note | sed 1d >after &&
	git -C seed cat-file tag note | sed 1d >before &&
	test_cmp before after &&
	[ "$(git -C ours rev-parse "nested^{tag}^{commit}")" = "$(git -C ours rev-parse light)" ] &&
	[ "$(git -C ours cat-file tag nested | sed -n "s/^object //p")" = "$(git -C ours rev-parse note)" ]
'
test_expect_success 'patterns: by name, by path, below, not below, excluded' '
	agree import import --everything --yes -I "*.bin" &&
	agree import import --everything --yes -I "dir/**,read.me" -X "*.dat" &&
	agree import import --everything --yes -I "dir/*" &&
	agree import import --everything --yes -I "dir/, noext" &&
	agree import import --everything --yes -X "*.bin" &&
	agree import import --everything --yes -I "[a-r]*.bin,no?xt,**/copy.bin" &&
	agree import import --everything --yes -I "*" &&
	agree import import --everything --yes -I "*.none"
'
test_expect_success '--above, also above everything' '
	agree import import --everything --yes --above=2500b &&
	agree import import --everything --yes --above=3000b &&
	agree import import --everything --yes --above=1gb
'
test_expect_success 'some branches only' '
	agree import import --yes &&
	agree import import --yes main ^side &&
	agree import import --yes --include-ref=refs/heads/main --exclude-ref=refs/tags/light &&
	agree import import --yes side
'
test_expect_success 'commits that a remote has are left alone' '
	git init -q --bare hub.git && git -C seed remote add origin "$TRASH/hub.git" && git -C seed push -q origin light^0:refs/heads/main &&
	agree import import --yes &&
	[ "$(git -C ours rev-parse light)" = "$(git -C seed rev-parse light)" ] &&
	agree import import --yes --skip-fetch
'
test_expect_success 'export' '
	rm -rf exported && cp -r seed exported && (cd exported && git lfs migrate import --everything --yes) &&
	mv seed plain && mv exported seed &&
	test_when_finished "rm -rf seed && mv plain seed" &&
	agree export export --everything --yes -I "*" &&
	agree export export --everything --yes -I "*.bin,/noext" -X "dir/**"
'
test_expect_success 'info' '
	agree info info --everything &&
	agree info info --everything -I "*.bin,*.dat" --top 1 &&
	agree info info --everything --above 2kb &&
	agree info info --everything --unit kib --above 2kb &&
	(cd seed && git lfs migrate import --everything --yes -I "*.bin" >/dev/null 2>&1) &&
	agree info info --everything --top 2 &&
	agree info info --everything --top 2 --pointers=ignore
'

test_done
