#!/bin/sh
# shellcheck disable=SC2034
test_description='clean and smudge: what becomes a pointer, what passes through, what comes back'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup' '
	dvx_repo repo &&
	cd repo &&
	git dvx track "*.bin" &&
	git add -A && git commit -q -m start
'

for size in 1 127 1023 1024 16K 65535 65536 65537 1M 4194303 4194304 4194305 9M; do
	test_expect_success "$size bytes: a pointer in Git, the data in the worktree" "
		random_file f-$size.bin $size $size &&
		sha256sum <f-$size.bin >expect &&
		git add f-$size.bin &&
		git cat-file blob :f-$size.bin >pointer && is_pointer pointer &&
		grep \"^oid sha256:\$(cut -c1-64 expect)$\" pointer &&
		grep \"^size \$(wc -c <f-$size.bin)$\" pointer &&
		git cat-file --filters :f-$size.bin | sha256sum >actual && test_cmp expect actual &&
		rm f-$size.bin && git checkout -- f-$size.bin &&
		sha256sum <f-$size.bin >actual && test_cmp expect actual &&
		git commit -q -m $size && rm expect actual pointer && is_clean
	"
done

test_expect_success 'the empty file is the empty blob' '
	>empty.bin && git add empty.bin &&
	test "$(git rev-parse :empty.bin)" = "$(git hash-object -t blob /dev/null)" &&
	rm empty.bin && git checkout -- empty.bin && test -f empty.bin && ! test -s empty.bin &&
	git rm -q -f empty.bin
'

test_expect_success 'a pointer passes through byte for byte, canonical or not' '
	git cat-file blob :f-1M.bin >p.bin && git add p.bin &&
	test "$(git rev-parse :p.bin)" = "$(git rev-parse :f-1M.bin)" &&
	{ cat p.bin && echo; } >q.bin && git add q.bin &&
	test "$(git rev-parse :q.bin)" = "$(git hash-object --no-filters q.bin)" &&
	git rm -qf p.bin q.bin
'

test_expect_success 'a non-canonical pointer is rehydrated as well' '
	{ git cat-file blob :f-1M.bin | sed "s/\$/\r/"; } >crlf &&
	blob=$(git hash-object --no-filters -w crlf) && rm crlf &&
	git update-index --add --cacheinfo 100644,$blob,crlf.bin &&
	git checkout -- crlf.bin && cmp crlf.bin f-1M.bin && git commit -q -m crlf && is_clean
'

test_expect_success 'names with spaces, quotes, newlines, UTF-8, a leading dash' '
	i=0 &&
	for name in "with space.bin" "qu\"ote.bin" "new
line.bin" "größe.bin" "-dash.bin" "back\\slash.bin" "d i r/a.bin"; do
		i=$((i + 1)) && mkdir -p "d i r" &&
		random_file "./$name" 200K "name$i" && git add -- "./$name" || return 1
	done &&
	git commit -q -m names &&
	git ls-files -z | xargs -0 sha256sum -- | sort >expect &&
	git checkout -q HEAD~1 && git checkout -q main &&
	git ls-files -z | xargs -0 sha256sum -- | sort >../actual && mv expect ../expect &&
	test_cmp ../expect ../actual && is_clean
'

test_expect_success 'the executable bit stays' '
	random_file run.bin 300K run && chmod +x run.bin && git add run.bin && git commit -q -m run &&
	rm run.bin && git checkout -- run.bin && test -x run.bin && is_clean
'

test_expect_success 'a file committed without the filter is left as it is' '
	random_file raw.bin 6M raw &&
	blob=$(git hash-object --no-filters -w raw.bin) &&
	git update-index --add --cacheinfo 100644,$blob,raw.bin && git commit -q --no-verify -m raw &&
	mv raw.bin ../raw && git checkout -- raw.bin && cmp raw.bin ../raw &&
	git rm -q -f raw.bin && git commit -q -m "no raw"
'

test_expect_success 'min-size: smaller files stay ordinary blobs' '
	git dvx track --min-size 10K "*.csv" &&
	random_file small.csv 10239 s && random_file large.csv 10240 l && touch -d yesterday .gitattributes && git add -A &&
	test "$(git rev-parse :small.csv)" = "$(git hash-object --no-filters small.csv)" &&
	git cat-file blob :large.csv >../pointer && is_pointer ../pointer &&
	git commit -q -m csv && sha256sum *.csv >../sums && rm *.csv && git checkout -- . &&
	sha256sum -c ../sums && is_clean
'

test_expect_success 'dvx.minSize holds for all' '
	random_file tiny.bin 500 t && git -c dvx.minSize=1K add tiny.bin &&
	test "$(git rev-parse :tiny.bin)" = "$(git hash-object --no-filters tiny.bin)" &&
	git rm -q -f tiny.bin
'

test_expect_success 'GIT_LFS_SKIP_SMUDGE leaves pointers, and the status is clean' '
	rm f-1M.bin f-16K.bin && GIT_LFS_SKIP_SMUDGE=1 git checkout -- . &&
	is_pointer f-1M.bin && is_pointer f-16K.bin && is_clean &&
	git dvx checkout && not_pointer f-1M.bin f-16K.bin && is_clean
'

test_expect_success 'one-shot clean and smudge' '
	git-dvx-filter clean -- f-1M.bin <f-1M.bin >../p && is_pointer ../p &&
	git-dvx-filter smudge -- f-1M.bin <../p >../back && cmp ../back f-1M.bin &&
	git config --global --unset filter.dvx.process && git checkout -q HEAD~3 && git checkout -q main && test -z "$(git status --porcelain)" &&
	sha256sum -c ../sums && git config --global filter.dvx.process git-dvx-filter
'

test_expect_success 'unknown arguments are refused' '
	test_expect_code 129 git-dvx-filter frob 2>../err && grep usage ../err &&
	test_expect_code 128 git-dvx-filter </dev/null 2>../err
'

test_expect_success 'filter=lfs files go the same way when filter.lfs is ours' '
	git config filter.lfs.process git-dvx-filter && git config filter.lfs.required true &&
	echo "*.lfs filter=lfs -text" >>.gitattributes && random_file x.lfs 1M x &&
	git add -A && git cat-file blob :x.lfs >../pointer && is_pointer ../pointer
'

test_done
