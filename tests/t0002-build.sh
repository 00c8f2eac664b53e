#!/bin/sh
test_description='make install, uninstall and dist; the checks complain when they should'
. "$(dirname "$0")/lib.sh"

in_tree() { # make in the tree of sources, as the user who built it
	make --no-print-directory -C "$dvx_top" "$@" >"$TRASH/make.out" 2>&1 || { cat "$TRASH/make.out"; return 1; }
}
programs='git-dvx git-dvx-filter git-dvx-transfer'
git -C "$dvx_top" rev-parse HEAD >/dev/null 2>&1 && test_set_prereq CLONE
command -v clang >/dev/null && test_set_prereq CLANG # headers are checked with both compilers

test_expect_success 'install below a home, without root: what is there runs, and has its man pages' '
	in_tree install prefix="$HOME/.local" && for p in $programs; do test -x "$HOME/.local/bin/$p" || return 1; done &&
	PATH=$HOME/.local/bin:/usr/bin:/bin git dvx version && test -s "$HOME/.local/share/man/man1/git-dvx-add.1"
'

test_expect_success 'uninstall leaves nothing, and only takes its own' '
	>"$HOME/.local/bin/other" && in_tree uninstall prefix="$HOME/.local" && find "$HOME/.local" -type f >left &&
	echo "$HOME/.local/bin/other" >expect && test_cmp expect left
'

test_expect_success 'DESTDIR goes before the prefix' '
	in_tree install DESTDIR="$TRASH/stage" prefix=/usr && test -x stage/usr/bin/git-dvx && test -s stage/usr/share/man/man1/git-dvx.1 &&
	in_tree uninstall DESTDIR="$TRASH/stage" prefix=/usr && test -z "$(find stage -type f)"
'

test_expect_success CLONE 'dist holds the sources, and nothing that was built' '
	in_tree dist && tar -tzf "$dvx_top/$(tail -n 1 make.out)" >names && grep -q "^git-dvx-[0-9.]*/Makefile$" names &&
	grep -q "/lib/store/chunker.c$" names && ! grep -q "/build/\|\.o$" names
'

# A tree of its own with the real table, scripts and man pages, for sources that break a rule.
test_expect_success 'setup of the checks' '
	git init -q tree && mkdir -p tree/lib/base tree/lib/repo tree/filter tree/docs && cp "$dvx_top/lib/DEPS" tree/lib &&
	cp -r "$dvx_top/scripts" tree && cp -r "$dvx_top/docs/man" tree/docs && BUILD=$(dirname "$DVX_BIN") && export BUILD &&
	echo "int repo_x(void);" >tree/lib/repo/x.h && echo "#include \"lib/repo/x.h\"" >tree/lib/repo/x.c && tree/scripts/check layers help
'

test_expect_success 'an upward include is named' '
	echo "#include \"lib/repo/x.h\"" >tree/lib/base/y.c && test_must_fail tree/scripts/check layers 2>err &&
	grep "lib/base/y.c:1:.*base may not include repo" err && rm tree/lib/base/y.c
'

test_expect_success 'so is a program that includes another, and a folder that the table lacks' '
	echo "#include \"transfer/remote/remote.h\"" >tree/filter/y.c && mkdir tree/lib/new && echo "int z;" >tree/lib/new/z.c &&
	test_must_fail tree/scripts/check layers 2>err && grep "filter may not include transfer" err && grep "\"new\" is not in lib/DEPS" err &&
	rm -r tree/filter/y.c tree/lib/new
'

test_expect_success CLANG 'a header that leans on another include is named' '
	tree/scripts/check headers && echo "size_t base_y(void);" >tree/lib/base/y.h && test_must_fail tree/scripts/check headers 2>err && grep "lib/base/y.h: does not compile alone" err &&
	rm tree/lib/base/y.h
'

test_expect_success 'man pages and help: more or less on either side is named' '
	page=tree/docs/man/git-dvx-add.1.scd && cp $page good &&
	sed "/^\*--unignore/d" good >$page && test_must_fail tree/scripts/check help 2>err && grep "OPTIONS lacks --unignore" err &&
	sed "s/^\*--unignore/*--frob*\n\tx\n\n&/" good >$page && test_must_fail tree/scripts/check help 2>err && grep "OPTIONS has --frob" err &&
	sed "s/^git dvx add .*/git dvx add --frob/" good >$page && test_must_fail tree/scripts/check help 2>err &&
	grep "SYNOPSIS lacks" err && grep "SYNOPSIS has.*--frob" err &&
	{ cat good && echo "--frob opens no list"; } >$page && test_must_fail tree/scripts/check help 2>err && grep "scdoc cannot read" err &&
	rm $page && test_must_fail tree/scripts/check help 2>err && grep "is not there" err
'

test_done
