#!/bin/sh
# shellcheck disable=SC2317,SC2329 # functions that merge_case calls
test_description='merging tables: rows and cells that two sides changed'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/merge-lib.sh"

test_expect_success 'setup: three clones of one remote' 'merge_team'

is_pointer_in_git() { git cat-file blob "HEAD:$1" >../blob && is_pointer ../blob; }
base() { printf 'id,name,city\n1,Ann,Paris\n2,Bob,London\n3,Cid,Rome\n4,Dan,Oslo\n' >t.csv; }

test_expect_success 'different rows: changed, removed and added on both sides' '
	ours() { sed -i "s/Ann/Anna/; /^4/d" t.csv && echo "5,Eve,Bonn" >>t.csv; } &&
	theirs() { sed -i "s/Cid/Sid/; /^2/d" t.csv && echo "6,Fay,Bern" >>t.csv; } &&
	merge_case rows && merge_theirs && merged_is t.csv "id,name,city\n1,Anna,Paris\n3,Sid,Rome\n5,Eve,Bonn\n6,Fay,Bern\n" &&
	grep "t.csv. merged by rows: 1 added, 1 removed, 1 changed by theirs" ../err && is_pointer_in_git t.csv && is_clean
'

test_expect_success 'what was merged is pushed, and a clone gets it' '
	is_pointer_in_git t.csv && cp t.csv ../merged && git push -q origin HEAD:merged && cd ../ann && git fetch -q && git checkout -q origin/merged && test_cmp_bin ../merged t.csv
'

test_expect_success 'the same row, the same change' '
	ours() { sed -i "s/Ann/Anna/" t.csv && echo "5,Eve,Bonn" >>t.csv; } && theirs() { sed -i "s/Ann/Anna/; s/Rome/Roma/" t.csv; } &&
	merge_case same && merge_theirs && merged_is t.csv "id,name,city\n1,Anna,Paris\n2,Bob,London\n3,Cid,Roma\n4,Dan,Oslo\n5,Eve,Bonn\n"
'

test_expect_success 'the same row, different cells' '
	ours() { sed -i "s/Ann/Anna/" t.csv; } && theirs() { sed -i "s/Paris/Lyon/" t.csv; } &&
	merge_case cells && merge_theirs && merged_is t.csv "id,name,city\n1,Anna,Lyon\n2,Bob,London\n3,Cid,Rome\n4,Dan,Oslo\n"
'

test_expect_success 'the same cell, changed differently: the row is shown, and stands between markers' '
	ours() { sed -i "s/Paris/Lyon/; s/Dan/Don/" t.csv; } && theirs() { sed -i "s/Paris/Nice/; s/Cid/Sid/" t.csv; } &&
	merge_case conflict && test_expect_code 1 merge_theirs && unmerged t.csv &&
	merged_is t.csv "id,name,city\n<<<<<<< ours\n1,Ann,Lyon\n||||||| base\n1,Ann,Paris\n=======\n1,Ann,Nice\n>>>>>>> theirs\n2,Bob,London\n3,Sid,Rome\n4,Don,Oslo\n" &&
	cat >../expect <<-\END && sed -n "/^conflict:/,/^all other/p" ../err | head -n 5 >../actual && test_cmp ../expect ../actual && grep "git dvx checkout --ours t.csv" ../err && grep "git add t.csv" ../err
	conflict: 1 row of '\''t.csv'\'' was changed on both sides:
	  id=1
	    base:   1,Ann,Paris
	    ours:   1,Ann,Lyon
	    theirs: 1,Ann,Nice
	END
'

test_expect_success 'markers are not committed; resolved, they are' '
	git add t.csv && test_must_fail git commit -q -m bad 2>../err && grep "^error: t.csv:2: .*conflict markers" ../err &&
	sed -i "/^[<|=>]\{7\}/d; /Lyon/d; /Ann,Paris/d" t.csv && git add t.csv && git commit -q -m good && merged_is t.csv "id,name,city\n1,Ann,Nice\n2,Bob,London\n3,Sid,Rome\n4,Don,Oslo\n" &&
	! test -e .git/dvx/conflicts && is_pointer_in_git t.csv
'

test_expect_success 'a row removed here and changed there, both ways' '
	ours() { sed -i "/^1/d; s/Rome/Roma/" t.csv; } && theirs() { sed -i "/^3/d; s/Paris/Nice/" t.csv; } &&
	merge_case removed && test_expect_code 1 merge_theirs && grep "2 rows of .t.csv. were changed on both sides" ../err && grep "ours:   (no such row)" ../err && grep "theirs: (no such row)" ../err &&
	merged_is t.csv "id,name,city\n<<<<<<< ours\n||||||| base\n1,Ann,Paris\n=======\n1,Ann,Nice\n>>>>>>> theirs\n2,Bob,London\n<<<<<<< ours\n3,Cid,Roma\n||||||| base\n3,Cid,Rome\n=======\n>>>>>>> theirs\n4,Dan,Oslo\n" &&
	git merge --abort && is_clean
'

test_expect_success 'rows added on both sides: the same, one key with other cells, in the middle and at the top' '
	ours() { sed -i "2i 10,Top,A" t.csv && printf "7,Gus,Graz\n8,Hal,Hull\n" >>t.csv; } && theirs() { sed -i "2i 11,Up,B" t.csv && sed -i "/^2/a 20,Mid,C" t.csv && printf "7,Gus,Graz\n8,Hal,York\n9,Ina,Ulm\n" >>t.csv; } &&
	merge_case added && test_expect_code 1 merge_theirs && grep "^  id=8" ../err &&
	merged_is t.csv "id,name,city\n10,Top,A\n11,Up,B\n1,Ann,Paris\n2,Bob,London\n20,Mid,C\n3,Cid,Rome\n4,Dan,Oslo\n7,Gus,Graz\n<<<<<<< ours\n8,Hal,Hull\n||||||| base\n=======\n8,Hal,York\n>>>>>>> theirs\n9,Ina,Ulm\n" && git merge --abort
'

test_expect_success 'a column added by ours, rows by theirs; and the other way round' '
	ours() { printf "id,name,city,zip\n1,Ann,Paris,75\n2,Bob,London,E1\n3,Cid,Rome,00\n4,Dan,Oslo,01\n" >t.csv; } &&
	theirs() { sed -i "s/Ann/Anna/; /^4/d" t.csv && echo "5,Eve,Bonn" >>t.csv; } &&
	merge_case column && merge_theirs && merged_is t.csv "id,name,city,zip\n1,Anna,Paris,75\n2,Bob,London,E1\n3,Cid,Rome,00\n5,Eve,Bonn,\n" &&
	git checkout -q -f -B work origin/column-bob && git merge -q --no-edit origin/column-ann 2>../err && merged_is t.csv "id,name,city,zip\n1,Anna,Paris,75\n2,Bob,London,E1\n3,Cid,Rome,00\n5,Eve,Bonn,\n"
'

test_expect_success 'a column removed by ours: a changed cell of it is a conflict, all else is merged' '
	ours() { printf "id,name\n1,Ann\n2,Bob\n3,Cid\n4,Dan\n" >t.csv; } && theirs() { sed -i "s/Paris/Nice/; s/Bob/Rob/" t.csv; } &&
	merge_case gone && test_expect_code 1 merge_theirs && grep "^  id=1$" ../err && grep "1 row of" ../err && grep "^2,Rob$" t.csv && git merge --abort
'

test_expect_success 'columns changed on both sides: both versions beside, and why' '
	ours() { sed -i "s/$/,x/" t.csv; } && theirs() { sed -i "s/$/,y/" t.csv; } &&
	merge_case columns && test_expect_code 1 merge_theirs && grep "both sides changed the columns" ../err && head -n 1 t.csv.ours | grep ",x$" && head -n 1 t.csv.theirs | grep ",y$" && git merge --abort
'

test_expect_success 'no key: both versions beside; a key that is declared' '
	base() { printf "name,city\nAnn,Paris\nAnn,Paris\nBob,Rome\nBob,Rome\n" >k.csv; } && ours() { sed -i "2s/Paris/Lyon/" k.csv; } && theirs() { sed -i "4s/Rome/Bari/" k.csv; } &&
	merge_case nokey && test_expect_code 1 merge_theirs && grep "no column identifies its rows" ../err && test -f k.csv.theirs && git merge --abort &&
	base() { echo "k.csv dvx-key=a,b" >>.gitattributes && printf "a,b,v\n1,1,x\n1,2,x\n2,1,x\n" >k.csv; } && ours() { sed -i "s/1,2,x/1,2,o/" k.csv; } && theirs() { sed -i "s/2,1,x/2,1,t/" k.csv; } &&
	merge_case key && merge_theirs && merged_is k.csv "a,b,v\n1,1,x\n1,2,o\n2,1,t\n"
'

test_expect_success 'a key that several rows have: refused, with the rows name' '
	base() { echo "k.csv dvx-key=a" >>.gitattributes && printf "a,b\n1,x\n1,y\n2,x\n" >k.csv; } && ours() { sed -i "s/1,y/1,o/" k.csv; } && theirs() { sed -i "s/1,x/1,t/" k.csv; } &&
	merge_case several && test_expect_code 1 merge_theirs && grep "several rows have a=1" ../err && git merge --abort
'

test_done
