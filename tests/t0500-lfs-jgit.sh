#!/bin/sh
test_description='a Git LFS server that nobody here wrote: push, clone and pull by JGit'\''s, beside Git LFS'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"

skip_all_unless JGIT "needs JGit (jgit-cli) and Java"

# on_server OID: where JGit keeps it.
on_server() {
	echo "$JGIT_DIR/$(echo "$1" | cut -c1-2)/$(echo "$1" | cut -c3-4)/$1"
}

# use_server [REPO]: its objects go to JGit.
use_server() {
	git -C "${1:-.}" config lfs.url "$JGIT_URL"
}

# server_has FILE...
server_has() {
	for sh_file do
		cmp "$sh_file" "$(on_server "$(oid_of "$sh_file")")" || return 1
	done
}

test_expect_success 'setup: a server, a repository with 250 small files and large ones' '
	start_jgit && git init -q --bare hub.git && dvx_repo work && (
		cd work && use_server && git remote add origin ../hub.git && git dvx track "*.bin" && mkdir small &&
		for i in $(seq 250); do random_file "small/$i.bin" $((i * 13)) "s$i" || exit 1; done &&
		random_file big.bin 9M big && random_file mid.bin 300000 mid && : >empty.bin &&
		git add . && git commit -q -m one
	)
'

test_expect_success 'a dry run sends nothing' '
	(cd work && git dvx push --dry-run >../out) && grep "252 objects" out &&
	test -z "$(find "$JGIT_DIR" -type f)"
'

test_expect_success 'git push sends what is new' '
	(cd work && git push -q origin main) && (cd work && server_has big.bin mid.bin small/*.bin) &&
	test "$(find "$JGIT_DIR" -type f | wc -l)" = 252
'

test_expect_success 'and nothing twice: the server is asked' '
	(cd work && git dvx push --all >../out) && cat out && ! grep "pushed to" out &&
	rm "$(on_server "$(oid_of work/mid.bin)")" && (cd work && git dvx push --all) && server_has work/mid.bin
'

test_expect_success 'git clone has the data' '
	git -c lfs.url="$JGIT_URL" clone -q hub.git clone && diff -r --exclude=.git work clone &&
	git -C clone dvx fsck && test -z "$(git -C clone status --porcelain)"
'

test_expect_success 'git pull has the changes' '
	use_server clone && (
		cd work && random_file big.bin 9M "big two" && random_file new.bin 70000 new && git add . && git commit -q -m two &&
		git push -q origin main
	) && git -C clone pull -q && diff -r --exclude=.git work clone
'

test_expect_success GITLFS 'Git LFS reads what we wrote' '
	GIT_LFS_SKIP_SMUDGE=1 git -c lfs.url="$JGIT_URL" clone -q hub.git theirs && (
		cd theirs && use_server && git config filter.lfs.clean "git-lfs clean -- %f" && git-lfs fetch --all &&
		git-lfs ls-files -l | cut -d" " -f1 | sort >../listed
	) && (cd theirs/.git/lfs/objects && find . -type f | sed "s|.*/||" | sort) >fetched && test -s fetched &&
	(cd work && git dvx ls-files --all --json) | python3 -c "import json, sys
print(*sorted({f[\"oid\"] for f in json.load(sys.stdin)[\"files\"] if f[\"size\"]}), sep=\"\n\")" >expect && test_cmp expect fetched
'

test_expect_success GITLFS 'and we read what Git LFS wrote' '
	git init -q theirs2 && (
		cd theirs2 && use_server && git-lfs install --local && git-lfs track "*.dat" && random_file one.dat 2M one &&
		random_file two.dat 3000 two && git add . && git commit -q -m theirs && git init -q --bare ../hub2.git &&
		git remote add origin ../hub2.git && git push -q origin HEAD:main && server_has one.dat two.dat
	) && git -c lfs.url="$JGIT_URL" -c filter.lfs.process=git-dvx-filter -c filter.lfs.smudge= clone -q -b main hub2.git ours &&
	diff -r --exclude=.git theirs2 ours
'

test_expect_success 'an object that the server has not: which, where, and what to do' '
	rm -rf clone2 && rm "$(on_server "$(oid_of work/new.bin)")" &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q hub.git clone2 && use_server clone2 && test_must_fail git -C clone2 dvx pull 2>err &&
	cat err && grep "new.bin ($(oid_of work/new.bin | cut -c1-10)" err && grep "git dvx push" err &&
	test_must_fail git -C clone2 dvx fetch 2>err && cat err && grep "$(oid_of work/new.bin) (new.bin)" err &&
	cmp work/big.bin clone2/big.bin && is_pointer clone2/new.bin
'

test_expect_success 'it comes back with a push from where it is' '
	(cd work && git dvx push --all) && git -C clone2 dvx pull && diff -r --exclude=.git work clone2
'

test_done
