#!/bin/sh
test_description='the harness itself: isolation, helpers that can fail, file systems'
. "$(dirname "$0")/lib.sh"

test_expect_success 'Git is the one of this test alone' '
	test "$HOME" = "$TRASH/.home" &&
	test "$(git config --show-origin user.name)" = "file:$HOME/.gitconfig	C O Mitter" &&
	test -z "$(env | sed -n /^GIT_DIR=/p)" &&
	test "$(umask)" = 0022 &&
	test "$TMPDIR" = "$TRASH/.tmp" &&
	test_must_fail git rev-parse --git-dir
'

test_expect_success 'variables of Git do not come in from the caller' '
	mkdir inner inner/tests &&
	printf "%s\n" "test_description=x" ". \"$dvx_top/tests/lib.sh\"" \
		"test_expect_success env \"test -z \\\"\\\$GIT_DIR\\\"\"" test_done >inner/tests/inner.sh &&
	ln -s "$dvx_top/tests/lib.sh" inner/tests/lib.sh &&
	(cd inner && DVX_TRASH=$TRASH/inner GIT_DIR=/nowhere sh tests/inner.sh >out) &&
	grep "^ok 1" inner/out
'

test_expect_success 'random_file: the size asked for, the same for the same seed only' '
	random_file a 100000 one &&
	random_file b 100000 one &&
	random_file c 100000 two &&
	test $(wc -c <a) = 100000 &&
	test_cmp_bin a b &&
	! test_cmp_bin a c &&
	gzip -c a >a.gz &&
	test $(wc -c <a.gz) -gt 100000
'

test_expect_success 'is_pointer and not_pointer tell pointers from data' '
	printf "%s\n" "version https://git-lfs.github.com/spec/v1" \
		"oid sha256:$(printf abc | sha256sum | cut -c1-64)" "size 3" >pointer &&
	is_pointer pointer &&
	! is_pointer a &&
	not_pointer a &&
	! not_pointer pointer &&
	! not_pointer nothing-there
'

# A filter of the name that is_clean looks for, which only copies.
test_expect_success 'setup: a repository with a filter' '
	mkdir fake &&
	printf "#!/bin/sh\nexec cat\n" >fake/git-dvx-filter &&
	chmod +x fake/git-dvx-filter &&
	git init -q repo &&
	git -C repo config filter.dvx.clean "$TRASH/fake/git-dvx-filter clean" &&
	echo "data filter=dvx" >repo/.gitattributes &&
	echo data >repo/data &&
	touch -d "1 minute ago" repo/data repo/.gitattributes &&
	git -C repo add . &&
	git -C repo commit -q -m one &&
	is_clean repo
'

test_expect_success 'is_clean fails when the status is not empty' '
	test_when_finished "rm repo/new" &&
	>repo/new &&
	! is_clean repo
'

test_expect_success 'is_clean fails when the status is empty but a filter ran for it' '
	touch repo/data &&
	! is_clean repo >why &&
	grep "started a filter" why &&
	git -C repo update-index -q --refresh &&
	touch -d "1 minute ago" repo/.git/index
'

test_expect_success 'is_clean fails outside a repository' '
	! is_clean "$TRASH"
'

test_expect_success 'a failing case shows what was printed, and the file fails' '
	mkdir failing && mkdir failing/tests && ln -s "$dvx_top/tests/lib.sh" failing/tests/lib.sh &&
	printf "%s\n" "test_description=x" ". \"$dvx_top/tests/lib.sh\"" \
		"test_expect_success fails \"echo what went wrong && false\"" test_done >failing/tests/failing.sh &&
	(cd failing && test_expect_code 1 env DVX_TRASH="$TRASH/failing" sh tests/failing.sh >out) &&
	grep "^not ok 1 - fails" failing/out &&
	grep "^# what went wrong" failing/out
'

test_expect_success 'skip_all_unless skips the file, visibly' '
	printf "%s\n" "test_description=x" ". \"$dvx_top/tests/lib.sh\"" \
		"skip_all_unless NEVER \"there is none\"" test_done >failing/tests/skipped.sh &&
	(cd failing && env DVX_TRASH="$TRASH/failing" sh tests/skipped.sh >out) &&
	grep "^1..0 # SKIP there is none (missing NEVER)" failing/out
'

test_expect_success 'run-tests counts cases, and fails when one does' '
	printf "%s\n" "#!/bin/sh" "echo 1..3; echo ok 1; echo ok 2 \# skip no; echo not ok 3; exit 1" >some.sh &&
	printf "%s\n" "#!/bin/sh" "echo 1..2; echo ok 1; exit 0" >short.sh &&
	test_expect_code 1 "$dvx_top/scripts/run-tests" "$TRASH/taps" some.sh short.sh >out &&
	test "$(tail -n 1 out)" = "2 passed, 2 failed, 1 skipped"
'

test_expect_success REFLINK 'on_fs: a file system with reflinks' '
	on_fs btrfs sh -c "echo data >a && cp --reflink=always a b && cmp a b"
'

test_expect_success REFLINK 'on_fs hands the exit status back and leaves nothing mounted' '
	test_expect_code 3 on_fs btrfs sh -c "exit 3" &&
	! grep dvx-fs /proc/mounts
'

test_done
