#!/bin/bash
# shellcheck disable=SC2317,SC2329 # functions that sweep calls
test_description='merging under fire: each call of the driver fails or kills it, stores that cannot be written, two merges at once, submodules'
. "$(dirname "$0")/lib.sh"
: "${FAULTS_MAX:=6}"
. "$dvx_top/tests/faults-lib.sh"

# Who merges has to be told of a conflict.
said_something() {
	[ "$code" = 0 ] || grep -q '^\(error\|fatal\|warning\|conflict\): .' "$err" || { echo "exit $code without a message"; return 1; }
}

both='id,v\n1,A\n2,b\n3,C\n'
is() { printf '%b' "$2" | cmp - "$1"; }

test_expect_success 'setup' '
	dvx_repo tmpl && cd tmpl && git dvx track "*.csv" "*.bin" && echo "dvx.lock merge=dvx" >>.gitattributes &&
	table() { printf "id,v\n1,$1\n2,b\n3,$2\n" >t.csv; } && lock() { printf "schema: dvx/1\nstages:\n  a:\n    cmd: $1\n  b:\n    cmd: $2\n" >dvx.lock; } &&
	table a c && lock a b && random_file m.bin 5000 base && cp m.bin ../base && git add -A && git commit -q -m base &&
	git checkout -q -b rows && table a C && lock a B && git commit -q -a -m rows &&
	git checkout -q -b both && table Z C && lock Z B && random_file m.bin 5000 theirs && cp m.bin ../theirs && git commit -q -a -m both &&
	git checkout -q main && table A c && lock A b && random_file m.bin 5000 ours && cp m.bin ../ours && git commit -q -a -m ours && cd .. &&
	cp tmpl/t.csv ours.csv && cp tmpl/dvx.lock ours.lock
'

fresh() { rm -rf r && cp -a tmpl r; }
objects_are_whole() { whole_objects_good r/.git/dvx/packs; }

# The data of a file, also where only its pointer could be written.
data_is() { git -C r dvx smudge <"r/$1" 2>/dev/null | cmp - "$2" 2>/dev/null || cmp "r/$1" "$2"; }

# ---- rows and stages that merge ----

prepare_rows() { fresh; }
act_rows() { git -C r merge -q --no-edit rows; }
judge_rows() {
	objects_are_whole || return
	if [ "$code" = 0 ]; then
		git -C r rev-parse -q --verify HEAD^2 >/dev/null && git -C r cat-file --filters HEAD:t.csv >t && is t "$both" && data_is t.csv t &&
			grep -q "cmd: A" r/dvx.lock && grep -q "cmd: B" r/dvx.lock && git -C r diff --quiet
		return
	fi
	[ -n "$(git -C r ls-files -u)" ] || [ "$(git -C r status --porcelain)" = "" ] || { git -C r status --short; return 1; }
	for side in 2:ours.csv 3:t; do # what was merged is there
		! git -C r cat-file -e ":${side%:*}:t.csv" 2>/dev/null || git -C r cat-file --filters ":${side%:*}:t.csv" >/dev/null || return
	done
}
again_rows() {
	[ "$code" = 0 ] || { git -C r merge --abort 2>/dev/null; git -C r reset -q --hard; git -C r dvx checkout; data_is t.csv ours.csv && data_is m.bin ours && cmp ours.lock r/dvx.lock &&
		git -C r merge -q --no-edit rows 2>"$err" && is r/t.csv "$both"; }
}

# ---- what does not merge ----

prepare_both() { fresh; }
act_both() { git -C r merge -q --no-edit both; [ $? = 1 ]; }
judge_both() {
	objects_are_whole && ! git -C r rev-parse -q --verify HEAD^2 >/dev/null || return
	[ "$(git -C r ls-files -u | cut -f 2 | sort -u | tr "\n" " ")" = "dvx.lock m.bin t.csv " ] || { git -C r status --short; return 1; }
	data_is m.bin ours || return
	for side in ours theirs; do
		! sed -n "/data of .m.bin/,/git add m.bin/p" "$err" | grep -q "  $side version: not put beside it: " || [ ! -e r/m.bin.$side ] || { echo "m.bin.$side is there"; return 1; }
	done
	{ [ ! -e r/m.bin.ours ] || cmp r/m.bin.ours ours; } && { [ ! -e r/m.bin.theirs ] || cmp r/m.bin.theirs theirs; } || return
	data_is t.csv ours.csv 2>/dev/null || { git -C r dvx smudge <r/t.csv 2>/dev/null || cat r/t.csv; } | grep -q "^<<<<<<<" || { cat r/t.csv; return 1; }
}
again_both() {
	git -C r merge --abort && git -C r dvx checkout && data_is t.csv ours.csv && data_is m.bin ours && cmp ours.lock r/dvx.lock && { git -C r merge -q --no-edit both 2>"$err"; [ $? = 1 ]; } &&
		cmp r/m.bin.ours ours && cmp r/m.bin.theirs theirs && grep -q "^<<<<<<<" r/t.csv && grep -q "^<<<<<<<" r/dvx.lock
}

for scenario in rows both; do
	test_expect_success "$scenario: killed at each call that writes" "sweep $scenario git-dvx \$writes KILL"
	test_expect_success "$scenario: every call fails" "sweep $scenario git-dvx io usual"
	test_expect_success "$scenario: the disk is full from some call on" "sweep $scenario git-dvx create,write,fsync,rename,link,mkdir,truncate,clone,copy ENOSPC+"
done

test_expect_success 'a version beside that cannot be noted is not left for git add -A' '
	fresh && ln -s nowhere/x r/.git/dvx/conflicts && cd r && test_expect_code 1 git merge -q --no-edit both 2>../said && ! test -e m.bin.ours && ! test -e m.bin.theirs && grep "ours version: not put beside it: .*conflicts" ../said &&
	git status --porcelain >../status && ! grep "^??" ../status && git merge --abort && test_cmp_bin ../ours m.bin
'
cd "$TRASH" || exit

test_expect_success 'rows that cannot be kept: a conflict, the reason and the way out; later they merge' '
	for k in 1 2 3 4; do
		prepare_rows && with_fault git-dvx write ENOSPC+ $k act_rows && test "$code" = 1 || return 1
		test -z "$(git -C r ls-files -u t.csv)" || { data_is t.csv ours.csv && grep "^conflict: both sides changed the data of .t.csv.: .*No space" "$err" && grep "git dvx checkout --ours t.csv" "$err"; } || return 1
		again_rows || return 1
	done
'

test_expect_success 'a disk that is full is not told as damage of what is read' '
	fresh && for side in both main; do git -C r checkout -q $side && random_file r/m.bin 2M $side && git -C r commit -q -a -m large || return 1; done &&
	with_fault git-dvx write,clone,copy ENOSPC+ 1 act_both && test "$code" = 0 && grep "theirs version: not put beside it: cannot copy .*No space" "$err" && ! grep damaged "$err" && git -C r merge --abort && git -C r dvx fsck >/dev/null
'

test_expect_success 'linked worktrees merge at the same time, and hide what is beside their files until the last is done' '
	fresh && cd r && for w in 1 2 3; do git worktree add -q ../w$w -b w$w main || return 1; done &&
	for w in 1 2 3; do git -C ../w$w merge -q --no-edit both >/dev/null 2>../err$w & done && wait &&
	for w in 1 2 3; do
		(cd ../w$w && git status --porcelain >../status && printf "UU dvx.lock\nUU m.bin\nUU t.csv\n" | test_cmp - ../status && test_cmp_bin ../ours m.bin.ours && test_cmp_bin ../theirs m.bin.theirs && grep -q "^<<<<<<<" t.csv &&
			git dvx checkout --theirs m.bin t.csv dvx.lock >/dev/null && git add -A && git commit -q -m merged && ! test -e m.bin.ours && git ls-files >../files && ! grep "ours\|theirs" ../files) || return 1
	done && ! grep m.bin .git/info/exclude && git dvx fsck >/dev/null
'
cd "$TRASH" || exit

test_expect_success 'in a submodule, from a directory of it' '
	git init -q --bare sub.git && git -C tmpl push -q ../sub.git main both 2>said && git init -q super && cd super && git submodule --quiet add -b main ../sub.git s 2>../said && mkdir s/x && cd s/x && git dvx init -q && git dvx pull >/dev/null &&
	test_expect_code 1 git merge -q --no-edit origin/both 2>../../../said && cd .. &&
	test_cmp_bin ../../theirs m.bin.theirs && grep "^<<<<<<<" t.csv && git status --porcelain >../../status && ! grep "^??" ../../status && (cd x && git dvx checkout --theirs ../t.csv ../m.bin ../dvx.lock) && git add -A && git commit -q -m merged && test_cmp_bin ../../theirs m.bin && ! test -e m.bin.theirs
'

test_done
