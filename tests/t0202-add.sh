#!/bin/sh
test_description='git dvx add: tracks, stores and stages past the pipe'
. "$(dirname "$0")/lib.sh"

# staged_pointer PATH [FILE]: the index has a pointer for PATH, to the content of FILE (default: PATH).
staged_pointer() {
	git cat-file -p ":$1" >"$TRASH/.ptr" && is_pointer "$TRASH/.ptr" &&
		test "$(sed -n 's/^oid sha256://p' "$TRASH/.ptr")" = "$(sha256sum <"${2:-$1}" | cut -d' ' -f1)"
}

# no_filter COMMAND...: runs it and fails if Git started our filter for it.
no_filter() {
	GIT_TRACE=$TRASH/.trace2 "$@" || return
	! grep git-dvx-filter "$TRASH/.trace2"
	dvx_rc=$?
	rm -f "$TRASH/.trace2"
	return $dvx_rc
}

test_expect_success 'setup' 'dvx_repo r && cd r && git commit -q -m init && printf "out\nerr\nexpect\n" >>.git/info/exclude'

test_expect_success 'a file: tracked by its path, staged as a pointer' '
	mkdir -p data && random_file data/projects.json 100K p && no_filter git dvx add data/projects.json >out &&
	echo "added 1 file (100.0 KiB) as pointer" >expect && test_cmp expect out &&
	echo "/data/projects.json filter=dvx diff=dvx merge=dvx -text" >expect && test_cmp expect .gitattributes &&
	staged_pointer data/projects.json && git diff --cached --name-only >out &&
	printf ".gitattributes\ndata/projects.json\n" >expect && test_cmp expect out && rm out expect
'

test_expect_success 'clean for Git, without a filter, before and after the commit' '
	no_filter git diff --quiet && no_filter git status --porcelain && git commit -q -m data && is_clean
'

test_expect_success 'again: nothing changed' '
	cp .git/index before && git dvx add data/projects.json >out && grep "nothing changed" out &&
	test_cmp_bin before .git/index && rm before out
'

test_expect_success 'a changed file, and a deleted one' '
	random_file data/projects.json 200K p2 && random_file data/two.bin 70K two && git dvx add data >out &&
	staged_pointer data/projects.json && staged_pointer data/two.bin && git commit -q -m two &&
	rm data/two.bin && git dvx add data >out && grep "removed 1 file" out && git diff --cached --name-status >out &&
	printf "D\tdata/two.bin\n" >expect && test_cmp expect out && rm out expect && git commit -q -m gone && is_clean
'

test_expect_success 'a directory: what is not data goes by plain Git' '
	mkdir -p d/sub && random_file d/big.bin 1M b && random_file d/sub/small 10 s && : >d/empty && : >d/.gitkeep &&
	echo "*.tmp" >d/.gitignore && touch -d "1 hour ago" d/empty d/.gitkeep d/.gitignore && ln -s big.bin d/link && echo junk >d/x.tmp && random_file d/run.sh 100 r && chmod +x d/run.sh &&
	git dvx add d >out && cat out && grep "^added 3 files" out && grep "4 files as they are" out &&
	staged_pointer d/big.bin && staged_pointer d/sub/small && staged_pointer d/run.sh &&
	git ls-files -s d >out && grep "^100755 .*d/run.sh" out && grep "^120000 .*d/link" out && ! grep x.tmp out &&
	test "$(git cat-file -s :d/empty)" = 0 && rm out && git commit -q -m d && is_clean
'

test_expect_success 'what was committed is pushed, cloned and read back' '
	git init -q --bare ../remote.git && git remote add origin ../remote.git && git push -q origin main &&
	git clone -q ../remote.git ../clone && cmp d/big.bin ../clone/d/big.bin && cmp d/sub/small ../clone/d/sub/small && git -C ../clone status --porcelain >out && test_must_be_empty out
'

test_expect_success 'a pattern' '
	mkdir -p p/q && random_file p/a.h5 1K a && random_file p/q/b.h5 1K b && git dvx add "*.h5" &&
	grep "^\*.h5 filter=dvx" .gitattributes && staged_pointer p/a.h5 && staged_pointer p/q/b.h5
'

test_expect_success 'a pattern that reaches further in pathspecs than in attributes' '
	mkdir -p deep/er/est && random_file deep/er/est/c.npy 1K c && git dvx add "deep/*.npy" &&
	grep "^/deep/er/est/c.npy " .gitattributes && staged_pointer deep/er/est/c.npy
'

test_expect_success 'from a subdirectory' '
	mkdir -p s/t && random_file s/t/f.bin 2K f && random_file s/g.npz 2K g && (cd s/t && git dvx add f.bin ../g.npz) &&
	staged_pointer s/t/f.bin && staged_pointer s/g.npz && grep "^/s/t/f.bin " .gitattributes && test ! -e s/.gitattributes
'

test_expect_success 'odd names' '
	mkdir odd && for name in "a b" " lead" "trail " "#h" "!b" "\"q\"" "ü" "[1]" "s*r" "-d" "b\\s" "new
line" "tab	x"; do printf "content of %s" "$name" >"odd/$name" && touch -d "1 hour ago" "odd/$name" || exit 1; done &&
	(cd odd && git dvx add -- "a b" " lead" "trail " "#h" "!b" "\"q\"" "ü" "[1]" "s*r" -d "b\\s" "new
line" "tab	x") >out && grep "added 13 files" out && rm out &&
	for name in "a b" " lead" "trail " "#h" "!b" "\"q\"" "ü" "[1]" "s*r" "-d" "b\\s" "new
line" "tab	x"; do staged_pointer "odd/$name" || { echo "<$name>"; exit 1; }; done && git commit -q -m odd && is_clean
'

test_expect_success 'a file that plain Git holds becomes a pointer, though it did not change' '
	random_file plain.dat 5K pl && git add plain.dat && git commit -q -m plain && git dvx add plain.dat &&
	staged_pointer plain.dat && git commit -q -m ptr && is_clean
'

test_expect_success '--min-size' '
	mkdir m && random_file m/small 1K 1 && random_file m/large 1M 2 && git dvx add --min-size 64K m >out &&
	grep "^/m/\*\* .* dvx-min-size=64K" .gitattributes && staged_pointer m/large && git cat-file -p :m/small >o && cmp o m/small && rm o out &&
	git commit -q -m m && is_clean && git dvx add m >out && grep "nothing changed" out && rm out &&
	git dvx add --min-size 128K m >../out && grep -x "updated .gitattributes; nothing else changed (2 files)" ../out &&
	git cat-file -p :.gitattributes | grep "^/m/\*\* .* dvx-min-size=128K" && git commit -q -m m2 && is_clean &&
	git dvx add --min-size 128K m >../out && grep -x "nothing changed (2 files)" ../out && is_clean
'

test_expect_success '--dry-run, --json, --verbose' '
	random_file j.bin 3K j && git dvx add --dry-run j.bin >out && grep "add .j.bin. as a pointer" out && ! grep j.bin .gitattributes &&
	git dvx add --json j.bin >out && grep -q "\"path\":[[:space:]]*\"j.bin\"" out && random_file k.bin 3K k && git dvx add -v k.bin >out && grep "  k.bin$" out &&
	rm out && git commit -q -m jk
'

test_expect_success 'a pointer in the worktree stays what it is' '
	git cat-file -p :j.bin >j.bin && git dvx add j.bin && git diff --cached --quiet && is_pointer j.bin && rm j.bin && git dvx checkout j.bin && is_clean
'

test_expect_success 'what is not there, or nothing given' '
	test_expect_code 128 git dvx add nothing.here 2>err && grep "nothing.here. does not match any file" err &&
	test_expect_code 129 git dvx add && test_expect_code 128 git dvx add ../outside 2>err && grep outside err && rm err
'

test_expect_success 'another filter is not pushed aside' '
	echo "secret.key filter=crypt" >>.gitattributes && echo k >secret.key && cp .gitattributes before &&
	test_expect_code 128 git dvx add secret.key 2>err && grep "another filter" err && test_cmp before .gitattributes && rm before err secret.key &&
	git checkout -q .gitattributes
'

test_expect_success 'ignored: told, and mended by --unignore' '
	echo "/raw/" >.gitignore && mkdir -p raw/x && random_file raw/x/data.csv 1K c && echo s >raw/other && touch -d "1 hour ago" raw/other &&
	test_expect_code 128 git dvx add raw/x/data.csv 2>err && grep "hidden by the ignore rule ./raw/. (.gitignore:1)" err && ! git ls-files raw | grep . &&
	git dvx add --unignore raw/x/data.csv && staged_pointer raw/x/data.csv && git status --porcelain -uall raw >out && ! grep other out && git diff --cached --quiet -- raw/other &&
	printf "/raw/\n!/raw/\n/raw/*\n!/raw/x/\n/raw/x/*\n!/raw/x/data.csv\n" >expect && test_cmp expect .gitignore && git commit -q -m raw && is_clean && rm err out expect
'

test_expect_success '--unignore of a directory brings back all in it' '
	git dvx add --unignore raw && git ls-files raw >out && printf "raw/other\nraw/x/data.csv\n" >expect && test_cmp expect out && git commit -q -m raw2 && rm out expect
'

test_expect_success 'a conflict is resolved by adding' '
	git checkout -q -b side && random_file k.bin 3K k2 && git dvx add k.bin && git commit -q -m side &&
	git checkout -q main && random_file k.bin 3K k3 && git dvx add k.bin && git commit -q -m main2 &&
	test_must_fail git merge side && random_file k.bin 3K k4 && git dvx add k.bin && test -z "$(git ls-files -u)" && staged_pointer k.bin &&
	git commit -q -m merged && is_clean
'

test_expect_success 'a held index.lock: an error, and doing it again completes' '
	random_file lock.bin 3K l && : >.git/index.lock && test_expect_code 128 git dvx add lock.bin 2>err && rm .git/index.lock err && git dvx add --dry-run lock.bin &&
	git dvx add lock.bin && staged_pointer lock.bin && git commit -q -m lock && is_clean
'

test_expect_success 'core.fileMode=false keeps the mode of the index' '
	git config core.fileMode false && random_file d/run.sh 120 r2 && chmod -x d/run.sh && git dvx add d/run.sh && git ls-files -s d/run.sh >out && grep ^100755 out &&
	git config core.fileMode true && chmod +x d/run.sh && git commit -q -m mode && is_clean && rm out
'

test_expect_success 'many new files: one pack, and nothing modified though just written' '
	mkdir many && for i in $(seq 300); do echo "content $i" >many/$i; done && git dvx add many >out && grep "added 300 files" out &&
	staged_pointer many/7 && test "$(git count-objects -v | sed -n "s/^packs: //p")" -ge 1 && git commit -q -m many && git fsck --strict && git status --porcelain >out && test_must_be_empty out && sleep 1 && git status && is_clean
'

test_expect_success 'a directory that became a link: its file is gone for Git, and nothing is read through the link' '
	mkdir real && random_file real/f 2K rf && git dvx add real/f && git commit -q -m real && mv real ../moved && ln -s ../moved real &&
	random_file real/f 3K rf2 && git dvx add real/f && git ls-files real >out && ! grep real/f out && git dvx add real >out && git ls-files -s real >out &&
	grep "^120000" out && git commit -q -m link && is_clean
'

test_expect_success 'intent to add, and a submodule' '
	git init -q ../sub && git -C ../sub commit -q --allow-empty -m s && git submodule --quiet add ../sub mod/sm && random_file mod/n 2K n && git add -N mod/n &&
	git dvx add mod && staged_pointer mod/n && git ls-files -s mod/sm >out && grep ^160000 out && git commit -q -m mod && is_clean
'

test_expect_success 'everything: but not the settings' '
	git init -q ../every && (cd ../every && git dvx init -q && random_file a 2K a && mkdir -p b && random_file b/c 1K c && touch -d "1 hour ago" .dvxconfig &&
	git dvx add . && staged_pointer a && staged_pointer b/c && git cat-file -p :.dvxconfig >../o && cmp ../o .dvxconfig &&
	test "$(git check-attr filter .dvxconfig)" = ".dvxconfig: filter: unspecified" && git commit -q -m all && git dvx add . >../o && grep "nothing changed" ../o)
'

test_expect_success 'attributes elsewhere: an error, and .gitattributes as it was' '
	mkdir own && echo "*.bin -filter" >own/.gitattributes && random_file own/x.bin 1K x && cp .gitattributes ../before &&
	test_expect_code 128 git dvx add own/x.bin 2>err && grep "attributes elsewhere" err && test_cmp ../before .gitattributes && rm -r own
'

test_expect_success 'sparse checkout: what is not checked out stays in the index' '
	git init -q ../sparse && (cd ../sparse && git dvx init -q && mkdir in out && random_file in/a 1K a && random_file out/b 1K b && git dvx add in out && git commit -q -m s &&
	git sparse-checkout set in && test ! -e out/b && random_file in/c 1K c && git dvx add . && git ls-files >../o && grep out/b ../o && git commit -q -m c && is_clean &&
	git sparse-checkout set --sparse-index in && random_file in/d 1K d && git dvx add in && git commit -q -m d && is_clean && git ls-files >../o && grep out/b ../o)
'

for variant in "sha256:--object-format=sha256" "v4:-c index.version=4" "split:-c core.splitIndex=true" "fsmonitor:-c core.fsmonitor=true"; do
	name=${variant%%:*} option=${variant#*:}
	test_expect_success "in a repository with $name" '
		cd "$TRASH" && case $option in
		--*) git init -q $option "v-$name" ;;
		*) git init -q "v-$name" &&
		   git -C "v-$name" config "$(echo "${option#-c }" | cut -d= -f1)" "$(echo "$option" | cut -d= -f2)" ;;
		esac && cd "v-$name" && test_when_finished "git fsmonitor--daemon stop 2>/dev/null || :" && git dvx init -q && mkdir a && for i in 1 2 3; do random_file a/$i 1K $i || return 1; done && random_file a/big 300K b &&
		git dvx add a && git status --porcelain >out && ! grep "^.M" out && rm out && git commit -q -m a && is_clean && staged_pointer a/1 && staged_pointer a/big &&
		random_file a/2 1K 22 && git dvx add a && git commit -q -m b && is_clean && git fsck
	'
done

test_done
