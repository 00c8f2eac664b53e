#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx checkout: deleted files, pointers, stale index entries'
. "$(dirname "$0")/lib.sh"

# `git status` has nothing to say.  (is_clean also wants that no filter runs, which Git itself does not grant to files that it has
# just read or written.)
unchanged() {
	test -z "$(git status --porcelain)" || { git status --porcelain; return 1; }
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx remote add -d storage ../blobs && git dvx track "*.bin" && mkdir dir &&
	random_file a.bin 300K a && random_file dir/b.bin 1000 b && random_file c.bin 100K c && git add -A && git commit -q -m one &&
	sha256sum a.bin dir/b.bin c.bin >../sums
'

test_expect_success 'nothing to do' '
	git dvx checkout >../out && echo "Everything is in place" >../expect && test_cmp ../expect ../out && unchanged
'

test_expect_success 'deleted files come back' '
	rm -rf a.bin dir && git dvx checkout && sha256sum -c --quiet ../sums && unchanged
'

test_expect_success '--json' '
	rm a.bin && git dvx checkout --json >../out && grep "\"restored\":	1," ../out && grep "\"bytes\":	307200," ../out &&
	grep "\"remote\":	null" ../out && grep "\"pointers\":	0" ../out && sha256sum -c --quiet ../sums
'

test_expect_success 'only the paths that were asked for' '
	rm -rf a.bin dir c.bin && (mkdir dir && cd dir && git dvx checkout . ../a.bin) && test -f a.bin && test -f dir/b.bin && ! test -e c.bin &&
	git dvx checkout && sha256sum -c --quiet ../sums && unchanged &&
	test_expect_code 128 git dvx checkout nosuch.bin 2>../err && grep "^error: .*nosuch.bin" ../err
'

test_expect_success 'pointers become data, modes are kept' '
	chmod +x a.bin && git add a.bin && git commit -q -m x && rm a.bin && GIT_LFS_SKIP_SMUDGE=1 git checkout -- a.bin && is_pointer a.bin &&
	git dvx checkout && sha256sum -c --quiet ../sums && test -x a.bin && unchanged
'

test_expect_success 'a file that is right, with an entry that is not, is repaired' '
	rm a.bin && GIT_LFS_SKIP_SMUDGE=1 git checkout -- a.bin && cp -p ../repo/.git/lfs/objects/*/*/"$(sed -n "s/ .*a.bin//p" ../sums)" ../a.data &&
	cat ../a.data >a.bin && git diff-files --name-only >../out && grep a.bin ../out &&
	git dvx checkout >../out && grep "1 index entry repaired" ../out && unchanged && sha256sum -c --quiet ../sums
'

test_expect_success 'modified files stay; --force overwrites' '
	random_file a.bin 300K other && cp a.bin ../mine && git dvx checkout >../out && grep "1 modified file left alone" ../out && cmp ../mine a.bin &&
	rm c.bin && ln -s /etc/passwd c.bin && git dvx checkout && test -L c.bin &&
	git dvx checkout --force && ! test -L c.bin && sha256sum -c --quiet ../sums && unchanged
'

test_expect_success 'a held index.lock: nothing changes, the next run completes' '
	rm a.bin && GIT_LFS_SKIP_SMUDGE=1 git checkout -- a.bin && : >.git/index.lock &&
	test_expect_code 1 git dvx checkout 2>../err && grep "git dvx" ../err && is_pointer a.bin && rm .git/index.lock &&
	git dvx checkout && sha256sum -c --quiet ../sums && unchanged
'

test_expect_success 'what a journal names is repaired by the post-commit hook' '
	rm a.bin && GIT_LFS_SKIP_SMUDGE=1 git checkout -- a.bin && : >.git/index.lock && test_expect_code 1 git dvx checkout && rm .git/index.lock &&
	is_pointer a.bin && ls .git/dvx/pending/*.journal && git commit -q --allow-empty -m hook && sha256sum -c --quiet ../sums &&
	! ls .git/dvx/pending/*.journal && unchanged
'

test_expect_success 'an object that is nowhere: its pointer comes back, the exit status says so' '
	find .git/lfs/objects -name "$(sed -n "s/ .*a.bin//p" ../sums)" -delete && git dvx push c.bin && rm a.bin c.bin &&
	test_expect_code 1 git dvx checkout 2>../err && is_pointer a.bin && not_pointer c.bin && grep a.bin ../err && unchanged
'

test_expect_success 'sparse checkout: what is outside stays outside' '
	git sparse-checkout set --no-cone "/*" "!/dir" && ! test -e dir && test_expect_code 1 git dvx checkout && ! test -e dir
'

test_done
