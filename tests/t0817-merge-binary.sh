#!/bin/sh
# shellcheck disable=SC2317,SC2329 # functions that merge_case calls
test_description='what cannot be merged: both versions beside, one side checked out, data that is not here'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/merge-lib.sh"

base() { mkdir -p m && random_file m/m.bin 100K base && echo a >code.py; }
ours() { random_file m/m.bin 100K ours && cp m/m.bin ../ours; }
theirs() { random_file m/m.bin 100K theirs && cp m/m.bin ../theirs; }

test_expect_success 'setup' 'merge_team && base && cp m/m.bin base && rm -r m'

test_expect_success 'both versions are beside the file, theirs is fetched for it, Git does not see them' '
	merge_case binary && test_expect_code 1 merge_theirs && unmerged m/m.bin && test_cmp_bin ../ours m/m.bin && test_cmp_bin ../ours m/m.bin.ours && test_cmp_bin ../theirs m/m.bin.theirs &&
	grep "^conflict: both sides changed the data of .m/m.bin.: ours (100.0 KiB, [0-9a-f]*), theirs (100.0 KiB, [0-9a-f]*)" ../err && grep "git dvx checkout --ours m/m.bin" ../err && grep "git add m/m.bin" ../err &&
	git status --porcelain >../status && echo "UU m/m.bin" | test_cmp - ../status
'

test_expect_success 'checkout --ours, --theirs, --base: in place, the index stays unmerged' '
	git dvx checkout --theirs m/m.bin >../out && grep "m/m.bin" ../out && test_cmp_bin ../theirs m/m.bin && unmerged m/m.bin &&
	git dvx checkout --base m && test_cmp_bin ../base m/m.bin && (cd m && git dvx checkout --ours m.bin) && test_cmp_bin ../ours m/m.bin && unmerged m/m.bin
'

test_expect_success 'checkout --to: elsewhere, from any directory' '
	(cd m && git dvx checkout --theirs --to ../../there m.bin) && test_cmp_bin ../theirs ../there && echo old >../here && git dvx checkout --base --to ../here m/m.bin && test_cmp_bin ../base ../here && test_cmp_bin ../ours m/m.bin
'

test_expect_success 'checkout of a side: what is refused' '
	test_expect_code 128 git dvx checkout --ours code.py 2>../err && grep "^error: .code.py. is not in conflict" ../err &&
	test_expect_code 129 git dvx checkout --ours --theirs m/m.bin && test_expect_code 129 git dvx checkout --to x m/m.bin && test_expect_code 129 git dvx checkout --ours &&
	test_expect_code 129 git dvx checkout --ours --to x m/m.bin code.py && ! test -e x
'

test_expect_success 'add ends the conflict, the commit takes the versions beside away' '
	git dvx checkout --theirs m/m.bin && git add -A && git commit -q -m merged && test_cmp_bin ../theirs m/m.bin && ! test -e m/m.bin.ours && ! test -e m/m.bin.theirs && ! test -e .git/dvx/conflicts &&
	! grep m.bin .git/info/exclude && git status --porcelain >../status && test_must_be_empty ../status && git ls-files >../files && ! grep "ours\|theirs" ../files
'

test_expect_success 'a version that somebody changed stays; one that is in the way is not replaced' '
	git checkout -q -f -B work origin/binary-ann && echo mine >m/m.bin.ours && test_expect_code 1 merge_theirs && echo mine | test_cmp - m/m.bin.ours && grep "m/m.bin.ours. exists" ../err &&
	echo more >>m/m.bin.theirs && git add m/m.bin && git commit -q -m kept && grep -a more m/m.bin.theirs && echo mine | test_cmp - m/m.bin.ours && rm m/m.bin.ours m/m.bin.theirs
'

test_expect_success 'a version beside is not committed by mistake' '
	git checkout -q -f -B work origin/binary-ann && test_expect_code 1 merge_theirs && git add -f m/m.bin.theirs m/m.bin && test_must_fail git commit -q -m bad 2>../err && grep "^error: .m/m.bin.theirs. is a version that a merge put beside" ../err &&
	git rm -q -f m/m.bin.theirs && git commit -q -m good && ! test -e m/m.bin.ours
'

test_expect_success 'versions that an aborted merge left are not taken for those of the next' '
	git checkout -q -f -B work origin/binary-ann && test_expect_code 1 merge_theirs && git merge --abort && test_cmp_bin ../theirs m/m.bin.theirs &&
	random_file m/m.bin 100K newer && cp m/m.bin ../newer && git commit -q -a -m newer &&
	test_expect_code 1 merge_theirs && test_cmp_bin ../newer m/m.bin.ours && test_cmp_bin ../theirs m/m.bin.theirs && ! grep exists ../err &&
	git merge --abort && echo edited >>m/m.bin.ours && test_expect_code 1 merge_theirs && grep "m/m.bin.ours. exists" ../err && grep -a edited m/m.bin.ours && git add m/m.bin && git commit -q -m done && rm -f m/m.bin.*
'

test_expect_success 'the remote is gone: ours stays, the message says why, later the other side can be had' '
	git clone -q ../hub.git ../late 2>/dev/null && cd ../late && git dvx init -q >/dev/null && git checkout -q origin/binary-ann && mv ../blobs ../blobs.away && merge_name=binary &&
	test_expect_code 1 merge_theirs && test_cmp_bin ../ours m/m.bin && test_cmp_bin ../ours m/m.bin.ours && ! test -e m/m.bin.theirs && grep "theirs version: not put beside" ../err && grep blobs ../err &&
	test_expect_code 128 git dvx checkout --theirs m/m.bin 2>../err && grep "^error: " ../err && test_cmp_bin ../ours m/m.bin && mv ../blobs.away ../blobs && git dvx checkout --theirs m/m.bin && test_cmp_bin ../theirs m/m.bin
'

test_expect_success 'the remote is gone: a table is left to the user, its rows are not lost' '
	base() { printf "id,v\n1,a\n2,b\n" >t.csv; } && ours() { sed -i "s/a/A/" t.csv; } && theirs() { sed -i "s/b/B/" t.csv; } &&
	merge_case lost && cd ../late && git fetch -q && git checkout -q -f origin/lost-ann && merge_name=lost && mv ../blobs ../blobs.away &&
	test_expect_code 1 merge_theirs && unmerged t.csv && printf "id,v\n1,A\n2,b\n" | test_cmp - t.csv && grep "t.csv" ../err && mv ../blobs.away ../blobs &&
	git merge --abort && merge_theirs && printf "id,v\n1,A\n2,B\n" | test_cmp - t.csv
'

test_expect_success 'removed on one side, changed on the other: Git asks, the sides that are there can be had' '
	base() { random_file d.bin 5K dbase; } && ours() { git rm -q d.bin; } && theirs() { random_file d.bin 5K dtheirs && cp d.bin ../dtheirs; } &&
	merge_case deleted && test_expect_code 1 merge_theirs && git dvx checkout --theirs --to ../d d.bin && test_cmp_bin ../dtheirs ../d &&
	test_expect_code 128 git dvx checkout --ours d.bin 2>../err && grep "no version .ours." ../err && git dvx checkout --theirs d.bin && git add d.bin && git commit -q -m kept && test_cmp_bin ../dtheirs d.bin
'

test_expect_success 'paths that end alike are hidden each, and other lines of info/exclude stay' '
	base() { mkdir -p a/b b && random_file a/b/x.bin 3K x1 && random_file b/x.bin 3K x2; } && ours() { random_file a/b/x.bin 3K x3 && random_file b/x.bin 3K x4; } && theirs() { random_file a/b/x.bin 3K x5 && random_file b/x.bin 3K x6; } &&
	merge_case alike && cp .git/info/exclude ../exclude && test_expect_code 1 merge_theirs && ls a/b/x.bin.ours b/x.bin.ours && git status --porcelain >../status && printf "UU a/b/x.bin\nUU b/x.bin\n" | test_cmp - ../status &&
	git add -A && git commit -q -m alike && ! test -e b/x.bin.ours && test_cmp ../exclude .git/info/exclude
'

test_expect_success 'a path with blanks and quotes' '
	base() { random_file "a b'\''c.bin" 5K qbase; } && ours() { random_file "a b'\''c.bin" 5K qours; } && theirs() { random_file "a b'\''c.bin" 5K qtheirs; } &&
	merge_case odd && test_expect_code 1 merge_theirs && test -f "a b'\''c.bin.theirs" && sed -n "s/^  \(git dvx checkout.*c.bin[^ ]*\).*/\1/p" ../err >../command && sh ../command && sed -n "s/^  \(git add.*\)/\1/p" ../err >../command && sh ../command && ! unmerged "a b'\''c.bin" &&
	git commit -q -m odd && ! test -e "a b'\''c.bin.theirs"
'

test_done
