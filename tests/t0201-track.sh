#!/bin/sh
test_description='track and untrack: .gitattributes'
. "$(dirname "$0")/lib.sh"

is_ours() {
	test "$(git check-attr filter -- "$1")" = "$1: filter: dvx"
}

q="'"

test_expect_success 'setup' 'dvx_repo r && cd r && git commit -q -m init'

test_expect_success 'a pattern, once' '
	git dvx track "*.h5" >out 2>err && grep "^Tracking \"\*.h5\"$" out &&
	grep -x "run .git add .gitattributes. to make it part of the commit" err &&
	git dvx track "*.h5" >out 2>err && grep "already supported" out && ! test -s err &&
	echo "*.h5 filter=dvx diff=dvx merge=dvx -text" >expect && test_cmp expect .gitattributes
'

test_expect_success 'what was done is said before what to do next' '
	git dvx track "*.order" >out 2>&1 && printf "Tracking \"*.order\"\nrun %sgit add .gitattributes%s to make it part of the commit\n" "$q" "$q" | test_cmp - out && git dvx untrack "*.order"
'

test_expect_success 'plain git add makes a pointer then' '
	random_file m.h5 100K m && git add m.h5 && git cat-file -p :m.h5 >p && is_pointer p && rm p
'

test_expect_success 'listing' '
	mkdir -p sub && (cd sub && git dvx track "*.bin") && git dvx track --min-size 1M "*.csv" &&
	git dvx track >out &&
	cat >expect <<-\END &&
	Listing tracked patterns
	    *.h5 (.gitattributes)
	    *.csv (.gitattributes, from 1M)
	    *.bin (sub/.gitattributes)
	END
	test_cmp expect out && git dvx track --json | grep -q "\"pattern\""
'

test_expect_success 'in a subdirectory the file is there' '
	grep "^\*.bin filter=dvx" sub/.gitattributes && is_ours sub/a/b.bin && test_must_fail is_ours a.bin
'

test_expect_success 'a directory means all below it, but not the files of Git' '
	mkdir -p data/deep && git dvx track data/ && is_ours data/x && is_ours data/deep/y.z &&
	test_must_fail is_ours data/.gitkeep && test_must_fail is_ours data/deep/.gitignore && test_must_fail is_ours other/data/x
'

test_expect_success 'a directory that is not there yet, too' '
	git dvx track later/ && mkdir -p later/deep && echo 1 >later/deep/x && is_ours later/deep/x && test_must_fail is_ours later/.gitkeep &&
	rm -r later && git dvx untrack later/ && test_must_fail grep later .gitattributes
'

test_expect_success 'a pattern with a slash at its end: all below the directories that match, but not the files of Git' '
	git dvx track "*/data/" "gl ob*/" >out 2>&1 && grep -x "Tracking \"\*/data/\"" out && grep "^\*/data/\*\* filter=dvx" .gitattributes && ! grep "/ filter" .gitattributes &&
	is_ours a/data/x && is_ours a/data/deep/x && is_ours "gl ob1/x" && test_must_fail is_ours a/data && test_must_fail is_ours a/data/.gitkeep && test_must_fail is_ours a/b/data/x && test_must_fail is_ours b/glob/x &&
	git dvx track "*/data/" >out && grep already out && mkdir -p sub && (cd sub && git dvx track "o*//" && grep "^o\*/\*\* filter=dvx" .gitattributes) && is_ours sub/o1/x && test_must_fail is_ours o1/x &&
	git dvx untrack "*/data/" "gl ob*/" && test_must_fail is_ours a/data/x && ! grep -e "^[*]/data" -e ob .gitattributes
'

test_expect_success 'a path is anchored' '
	git dvx track models/final.pkl && is_ours models/final.pkl && test_must_fail is_ours a/models/final.pkl
'

test_expect_success 'names with blanks, quotes, UTF-8, glob characters' '
	for name in "a b.x" "#hash.x" "!bang.x" "\"quoted\".x" "übung.x" "br[1].x" "star*.x" "-dash.x" "back\\slash.x"; do
		git dvx track --filename -- "$name" && echo data >"./$name" &&
		git check-attr -z filter -- "$name" | tr "\0" " " >out && grep -q " filter dvx $" out ||
		{ echo "$name"; cat out; exit 1; }
	done && test_must_fail is_ours br1.x && test_must_fail is_ours starfish.x
'

test_expect_success 'a pattern with a blank, and the negated one' '
	git dvx track "my model*.bin" && is_ours "my model 7.bin" &&
	test_expect_code 128 git dvx track "!x" 2>err && grep "negated" err
'

test_expect_success 'an existing file stays byte for byte, CRLF and all' '
	git init -q crlf && (cd crlf && git dvx init -q && printf "# mine\r\n*.txt\ttext   eol=lf\r\n*.dat -diff" >.gitattributes &&
	git dvx track "*.h5" && printf "# mine\r\n*.txt\ttext   eol=lf\r\n*.dat -diff\r\n*.h5 filter=dvx diff=dvx merge=dvx -text\r\n" >expect &&
	test_cmp_bin expect .gitattributes)
'

test_expect_success 'a Git LFS line counts as tracked; --min-size is added to it' '
	git init -q lfs && (cd lfs && git dvx init -q && echo "*.h5 filter=lfs diff=lfs merge=lfs -text lockable" >.gitattributes &&
	git dvx track "*.h5" >out && grep "already" out && git dvx track --min-size 10K "*.h5" &&
	echo "*.h5 filter=lfs diff=lfs merge=lfs -text lockable dvx-min-size=10K" >expect && test_cmp expect .gitattributes &&
	git dvx track --min-size 0 "*.h5" && ! grep min-size .gitattributes)
'

test_expect_success '--min-size leaves small files to Git' '
	random_file small.csv 10K s && random_file large.csv 2M l && git add small.csv large.csv .gitattributes &&
	git cat-file -p :small.csv >s && test_cmp_bin small.csv s && git cat-file -p :large.csv >l && is_pointer l && rm s l
'

test_expect_success 'a bad size is a usage error' '
	test_expect_code 129 git dvx track --min-size lots "*.x"
'

test_expect_success '* does not turn the files of Git into pointers' '
	git init -q all && (cd all && git dvx init -q && git dvx track "*" && is_ours a/b && test_must_fail is_ours .gitattributes &&
	test_must_fail is_ours .gitignore && test_must_fail is_ours .dvxconfig && test_must_fail is_ours a/.gitattributes)
'

test_expect_success 'files that are committed already are mentioned' '
	git init -q old && (cd old && git dvx init -q && random_file a.bin 10K a && git add a.bin && git commit -q -m a &&
	git dvx track "*.bin" >out && grep "1 committed file .* --renormalize" out && git add --renormalize . && git cat-file -p :a.bin >p && is_pointer p)
'

test_expect_success '--dry-run changes nothing' '
	cp .gitattributes before && git dvx track --dry-run "*.zzz" && test_cmp before .gitattributes
'

test_expect_success 'untrack' '
	git dvx untrack "*.h5" data >out && grep "Untracking \"\*.h5\"" out && ! grep -e h5 -e /data .gitattributes &&
	test_must_fail is_ours data/x && test_expect_code 1 git dvx untrack "*.none" 2>err && grep "no line" err
'

test_expect_success 'a symbolic link as .gitattributes is refused' '
	git init -q link && (cd link && git dvx init -q && ln -s elsewhere .gitattributes &&
	test_expect_code 128 git dvx track "*.x" 2>err && grep "not a regular file" err && test ! -e elsewhere)
'

test_expect_success 'an ignore rule in the way is told, and --unignore mends it' '
	git init -q ign && (cd ign && git dvx init -q && echo /data/ >.gitignore && mkdir data && echo 1 >data/projects.json && echo 2 >data/secret &&
	git dvx track data/projects.json 2>err && grep "hidden by the ignore rule ./data/. (.gitignore:1)" err && grep "!/data/projects.json" err &&
	printf "/data/\n" >expect && test_cmp expect .gitignore &&
	git dvx track --unignore data/projects.json && printf "/data/\n!/data/\n/data/*\n!/data/projects.json\n" >expect && test_cmp expect .gitignore &&
	git add data && git ls-files data >out && echo data/projects.json >expect && test_cmp expect out)
'

test_done
