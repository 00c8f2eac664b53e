#!/bin/sh
# shellcheck disable=SC2034
test_description='which files of a directory count: those that Git keeps or would keep'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

changed() {
	git dvx status >../out && grep -q "^	changed deps:" ../out
}
unchanged() {
	git dvx status >../out && grep -q "^Data and pipelines are up to date.$" ../out || { cat ../out; return 1; }
}

test_expect_success 'setup' '
	new_project repo && printf "stages:\n  s: {cmd: find d -type f >out, deps: [d], outs: [out]}\n" >dvx.yaml && mkdir -p d/sub && echo 1 >d/a && echo 2 >d/sub/b &&
	git dvx repro >/dev/null && git add -A && git commit -q -m one && git init -q --bare ../o.git && git remote add origin ../o.git && git dvx remote add -d storage ../blobs && git commit -q -a -m remote && git push -q origin HEAD && unchanged
'

test_expect_success 'new and removed files, empty directories' '
	echo 3 >d/new && changed && rm d/new && unchanged && mkdir d/empty && unchanged && mkdir d/empty/more && unchanged && rm -r d/empty && mv d/sub/b . && changed && mv b d/sub/ && unchanged
'

test_expect_success 'what is ignored does not count: .gitignore here and above, info/exclude, the user'\''s file, .dvcignore' '
	echo "*.pyc" >.gitignore && echo x >d/x.pyc && unchanged && mkdir d/__pycache__ && echo x >d/__pycache__/y.pyc && unchanged &&
	echo "/d/sub/tmp/" >.git/info/exclude && mkdir d/sub/tmp && echo x >d/sub/tmp/x && unchanged &&
	git config core.excludesFile ../ignored && echo "*~" >../ignored && echo x >d/a~ && unchanged && rm ../ignored && changed && rm d/a~ && unchanged &&
	echo "*.log" >.dvcignore && echo x >d/x.log && unchanged && rm .dvcignore && changed && rm d/x.log && unchanged
'

test_expect_success 'rules inside the directory are part of it, and count' '
	echo "*.tmp" >d/.gitignore && changed && git dvx repro >/dev/null && git add -A && git commit -q -m rules && git push -q origin HEAD && unchanged && echo x >d/sub/y.tmp && unchanged &&
	echo "!y.tmp" >d/sub/.gitignore && changed && rm d/sub/.gitignore d/sub/y.tmp && unchanged
'

test_expect_success 'what is tracked counts although it is ignored' '
	echo x >d/z.pyc && unchanged && git add -f d/z.pyc && changed && git rm -q -f d/z.pyc && unchanged
'

test_expect_success 'a directory that is ignored altogether counts whole' '
	echo "/raw/" >>.gitignore && mkdir raw && echo 1 >raw/a.pyc && printf "  r: {cmd: cat raw/* >rout, deps: [raw], outs: [rout]}\n" >>dvx.yaml && git dvx repro >/dev/null &&
	git add -A && git commit -q -m raw && git push -q origin HEAD && unchanged && echo 2 >raw/b && changed && rm raw/b && echo 2 >raw/a.pyc && changed && echo 1 >raw/a.pyc && unchanged
'

test_expect_success 'repositories inside, .git never' '
	git init -q d/nested && unchanged && echo x >d/nested/x && changed && rm -rf d/nested && unchanged
'

test_expect_success 'links: by their target inside, followed where they are declared' '
	ln -s a d/link && changed && git dvx repro >/dev/null && ln -sf sub/b d/link && changed && rm d/link && git dvx repro >/dev/null && unchanged &&
	mkdir ../elsewhere && echo 1 >../elsewhere/f && ln -s ../elsewhere e && printf "  e: {cmd: cat e/f >eout, deps: [e/f, e], outs: [eout]}\n" >>dvx.yaml && git dvx repro >/dev/null && git add -A && git commit -q -m e && git push -q origin HEAD &&
	unchanged && echo 2 >../elsewhere/f && changed && echo 1 >../elsewhere/f && unchanged && rm e && changed && ln -s ../elsewhere e && unchanged && rm e && ln -s e e && test_expect_code 128 git dvx status >/dev/null 2>../err && grep "cannot look at .e" ../err && rm e && ln -s ../elsewhere e
'

test_expect_success 'odd names: blanks, newlines, leading dashes, UTF-8' '
	for f in "a b" "-x" "$(printf "new\nline")" "\"quoted\"" "späße" "*" "[a]" "\\back"; do
		echo 1 >"d/$f" && changed && git dvx repro >/dev/null && git dvx status >../out && ! grep "changed deps" ../out && echo 2 >"d/$f" && changed && rm "d/$f" || { echo "$f"; return 1; }
	done
'

test_expect_success 'a dependency outside of the project' '
	echo 1 >../outside && printf "  o: {cmd: cat ../outside >oout, deps: [../outside], outs: [oout]}\n" >>dvx.yaml && git dvx repro >/dev/null && git dvx status o >../out && echo "Data and pipelines are up to date." | test_cmp - ../out && echo 2 >../outside && changed
'

# Our reading of ignore rules, and Git'"'"'s own: the same files, for rules of all kinds.
test_expect_success 'the files that count are those that git ls-files names' '
	new_project rules && mkdir -p d/a/b/c d/build d/x/build d/doc/frotz d/foo/bar && (cd d && for f in a/1.o a/b/2.o a/b/c/3.txt build/x x/build/y doc/frotz/z frotz foo/bar/q foo/abc.html foo/x.html important.html "trail " a/.hidden \#hash !bang data.csv.gz sub.log; do echo "$f" >"$f" || exit; done) &&
	cat >.gitignore <<-\END && printf "/2.o\n!abc.html\n*.log\n" >d/a/b/.gitignore && printf "*.html\n!x.html\n" >d/foo/.gitignore && printf "\357\273\277*.gz\r\nsub.log\r\n" >d/.gitignore &&
	# comment
	*.o
	!1.o
	build/
	d/doc/frotz/
	/frotz
	foo/bar
	**/c/*.txt
	\#hash
	\!bang
	trail\ 
	important.htm[kl]
	/d/**/z?
	/d/a/**
	!/d/a/
	!/d/a/b/
	END
	printf "stages:\n  s: {cmd: echo >out, deps: [d], outs: [out]}\n" >dvx.yaml && git dvx repro >/dev/null && git dvx status >/dev/null &&
	oid=$(sed -n "s/.*path: d, sha256: \([0-9a-f]*\),.*/\1/p" dvx.lock) && size=$(git ls-files -o --exclude-standard -z d | tr "\0" "\n" | sed "s|^d/||" | LC_ALL=C sort >../expect && wc -l <../expect) &&
	grep "path: d,.* nfiles: $size}" dvx.lock && echo changed >d/never.o && echo new >d/new && git dvx status --explain >../out && grep "^	    A new$" ../out && ! grep never ../out
'

test_done
