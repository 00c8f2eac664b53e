#!/bin/sh
test_description='merging pointers'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup: three versions' '
	dvx_repo r && cd r && for v in base ours theirs; do random_file ../$v.bin 10K $v && git dvx clean <../$v.bin >../$v.ptr || exit 1; done &&
	printf "1\n2\n3\n4\n5\n" >../t.base && sed s/1/one/ ../t.base >../t.ours && sed s/5/five/ ../t.base >../t.theirs && sed s/1/uno/ ../t.base >../t.uno
'

driver() {
	cp "../$1" O && cp "../$2" A && cp "../$3" B && git dvx merge-driver O A B 7 "${4:-some/path}"
}

test_expect_success 'only theirs changed' 'driver base.ptr base.ptr theirs.ptr && test_cmp ../theirs.ptr A'
test_expect_success 'only ours changed' 'driver base.ptr ours.ptr base.ptr && test_cmp ../ours.ptr A'
test_expect_success 'both changed alike' 'driver base.ptr ours.ptr ours.ptr && test_cmp ../ours.ptr A'

test_expect_success 'both changed: ours stays, and the message says how to choose' '
	test_expect_code 1 driver base.ptr ours.ptr theirs.ptr "dir/a b.bin" 2>err && test_cmp ../ours.ptr A &&
	grep "git dvx checkout --ours .dir/a b.bin." err && grep "git add .dir/a b.bin." err && ! test -e "dir/a b.bin.ours"
'

test_expect_success 'a path that begins with a dash' 'test_expect_code 1 driver base.ptr ours.ptr theirs.ptr --json 2>err && grep "conflict.*--json" err'

test_expect_success 'added on both sides' ': >../empty && test_expect_code 1 driver empty ours.ptr theirs.ptr 2>err && test_cmp ../ours.ptr A'

test_expect_success 'plain text is merged as text' '
	driver t.base t.ours t.theirs && printf "one\n2\n3\n4\nfive\n" >expect && test_cmp expect A &&
	test_expect_code 1 driver t.base t.ours t.uno 2>err && grep "^<<<<<<< ours" A && grep "^>>>>>>> theirs" A
'

test_expect_success 'wrong number of arguments' 'test_expect_code 129 git dvx merge-driver a b'

test_expect_success 'git merge: data follows' '
	rm -f O A B err expect && printf "out\nerr\n" >>.git/info/exclude && random_file a.bin 20K a && random_file b.bin 20K b && git dvx add a.bin b.bin && git commit -q -m base &&
	git checkout -q -b side && random_file a.bin 20K a2 && git dvx add a.bin && git commit -q -m side && cp a.bin ../a2 &&
	git checkout -q main && random_file b.bin 20K b2 && git dvx add b.bin && git commit -q -m main && git merge -q --no-edit side &&
	cmp ../a2 a.bin && is_clean
'

test_expect_success 'git merge: conflict, and choosing theirs' '
	git checkout -q -b c1 && random_file a.bin 20K c1 && git dvx add a.bin && git commit -q -m c1 && cp a.bin ../c1 &&
	git checkout -q -b c2 HEAD^ && random_file a.bin 20K c2 && git dvx add a.bin && git commit -q -m c2 && cp a.bin ../c2 &&
	test_must_fail git merge c1 2>err && grep "conflict: both sides changed the data of .a.bin" err && rm err &&
	git ls-files -u >out && test $(wc -l <out) = 3 && rm out &&
	cmp ../c2 a.bin.ours && cmp ../c1 a.bin.theirs && rm a.bin.ours a.bin.theirs &&
	git checkout --theirs -- a.bin && cmp ../c1 a.bin && git add a.bin && git commit -q -m merged && git status --porcelain >out && test_must_be_empty out && rm out && cmp ../c1 a.bin
'

test_done
