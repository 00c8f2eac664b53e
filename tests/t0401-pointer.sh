#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx pointer, beside the command of Git LFS'
. "$(dirname "$0")/lib.sh"

# same_as_lfs ARGS...: exit status, stdout and stderr are those of git-lfs (whose words for errors differ).
same_as_lfs() {
	git lfs pointer "$@" >expect.out 2>expect.err <in
	expect=$?
	git dvx pointer "$@" >actual.out 2>actual.err <in
	actual=$?
	test "$expect" = "$actual" || { echo "exit $actual, expected $expect"; return 1; }
	test_cmp expect.out actual.out &&
		{ test "$expect" != 0 || test_cmp expect.err actual.err; }
}

test_expect_success 'setup' '
	git init -q repo && cd repo &&
	random_file data 100K a && random_file other 100K b && : >empty && : >in &&
	git dvx pointer --file=data >p 2>/dev/null && is_pointer p &&
	git dvx pointer --file=other >q 2>/dev/null &&
	sed "s/\$/\r/" p >crlf
'

test_expect_success 'the pointer has the hash and the size' '
	grep "^oid sha256:$(sha256sum <data | cut -c1-64)$" p && grep "^size 102400$" p
'

test_expect_success GITLFS 'make' 'same_as_lfs --file=data'
test_expect_success GITLFS 'make, the empty file' 'same_as_lfs --file=empty'
test_expect_success GITLFS 'compare, equal' 'same_as_lfs --file=data --pointer=p'
test_expect_success GITLFS 'compare, different' 'same_as_lfs --file=data --pointer=q'
test_expect_success GITLFS 'compare with standard input' 'cp p in && same_as_lfs --file=data --stdin && cp q in && same_as_lfs --file=data --stdin'
test_expect_success GITLFS 'show' 'same_as_lfs --pointer=p && same_as_lfs --pointer=data'
for file in p q crlf data empty; do
	test_expect_success GITLFS "check $file" "
		same_as_lfs --check --file=$file && same_as_lfs --check --strict --file=$file &&
		same_as_lfs --check --no-strict --file=$file &&
		cp $file in && same_as_lfs --check --stdin && same_as_lfs --check --strict --stdin
	"
done

test_expect_success 'check: 0, 1, 2' '
	git dvx pointer --check --strict --file=p &&
	test_expect_code 1 git dvx pointer --check --file=data &&
	test_expect_code 2 git dvx pointer --check --strict --file=crlf &&
	git dvx pointer --check --file=crlf
'

test_expect_success 'wrong command lines' '
	test_expect_code 129 git dvx pointer &&
	test_expect_code 129 git dvx pointer --check &&
	test_expect_code 129 git dvx pointer --check --file=p --stdin </dev/null &&
	test_expect_code 129 git dvx pointer --check --file=p --pointer=q &&
	test_expect_code 128 git dvx pointer --file=nosuch 2>err && grep "^error: .*nosuch" err
'

test_done
