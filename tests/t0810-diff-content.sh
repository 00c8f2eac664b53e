#!/bin/sh
# shellcheck disable=SC2034
test_description='who gets content from the filter, and who gets pointers: only our own diff drivers'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup: a large and a small object' '
	dvx_repo repo && cd repo && git dvx track "*.csv" && { echo id,x && seq 1 30000 | sed "s/$/,a/"; } >big.csv && printf "id,x\n1,a\n" >small.csv &&
	git add -A && git commit -q -m one && git tag one && cp big.csv ../big.one && cp small.csv ../small.one &&
	sed -i "s/^7,a/7,b/" big.csv && printf "id,x\n1,b\n" >small.csv && git commit -q -a -m two && git tag two &&
	printf "#!/bin/sh\ncat \"\$1\" >>\"%s/converted\"; cat \"\$1\"\n" "$TRASH" >../convert && chmod +x ../convert &&
	printf "#!/bin/sh\ncp \"\$2\" \"%s/old.\${1##*/}\" && cp \"\$5\" \"%s/new.\${1##*/}\"\n" "$TRASH" "$TRASH" >../driver && chmod +x ../driver
'

# given_content: both versions of both files came as content.
given_content() {
	test_cmp ../big.one ../old.big.csv && test_cmp ../small.one ../old.small.csv && cmp big.csv ../new.big.csv && cmp small.csv ../new.small.csv && rm ../old.* ../new.*
}

test_expect_success 'git difftool, file by file and by directories' '
	mkdir ../bin && cat >../bin/take <<-END &&
	#!/bin/sh
	for f in big.csv small.csv; do
		case \$1 in
		*/\$f) cp "\$1" "$TRASH/old.\$f"; cp "\$2" "$TRASH/new.\$f" ;;
		*) [ ! -d "\$1" ] || { cp "\$1/\$f" "$TRASH/old.\$f"; cp -L "\$2/\$f" "$TRASH/new.\$f"; } ;;
		esac
	done
	END
	chmod +x ../bin/take && PATH="$TRASH/bin:$PATH" git difftool -y -x take one two && given_content &&
	PATH="$TRASH/bin:$PATH" git difftool -d -x take one two && given_content
'

test_expect_success 'GIT_EXTERNAL_DIFF gets what Git gives it' '
	GIT_EXTERNAL_DIFF=../driver git diff one two && given_content &&
	GIT_EXTERNAL_DIFF="echo driven by" git diff one two -- small.csv >../out && grep "^driven by small.csv " ../out
'

test_expect_success 'a driver of the user, by attribute' '
	git config diff.mine.command ../driver && git config diff.mine.textconv ../convert && echo "*.csv diff=mine" >.git/info/attributes &&
	git diff one two && given_content && git show two >../out && grep "^30000,a" ../converted && grep "^+1,b" ../out && rm .git/info/attributes
'

test_expect_success 'diff.dvx set to something else' '
	git -c diff.dvx.command=../driver diff one two && given_content && : >../converted &&
	git -c diff.external=../driver diff one two >../out && grep "x a -> b" ../out && git config --global --unset diff.dvx.command && git -c diff.external=../driver diff one two && given_content &&
	git diff one two >../out && grep "^+7,b$" ../out && git dvx install && git -c diff.dvx.textconv=../convert show two >../out && grep -q "^30000,a" ../converted && grep "^+7,b" ../out
'

test_expect_success 'only the driver of the path counts, not that of others' '
	echo "small.csv diff=mine" >.git/info/attributes && git diff one two >../out && cmp ../small.one ../old.small.csv && grep "x a -> b" ../out && rm .git/info/attributes ../old.* ../new.*
'

test_expect_success 'other commands get content: archive, cat-file --filters, checkout-index, stash, worktree, restore' '
	git archive one | tar -xO big.csv >../out && cmp ../big.one ../out && git cat-file --filters one:big.csv >../out && cmp ../big.one ../out &&
	git checkout-index --temp big.csv >../out && cmp "$(cut -f 1 ../out)" big.csv && rm -f .merge_file_* &&
	cp big.csv ../keep && echo 30001,c >>big.csv && cp big.csv ../more && git stash -q && cmp big.csv ../keep && git stash show -p >../out && git stash pop -q && cmp big.csv ../more && git checkout -q big.csv &&
	git restore --source one big.csv && cmp big.csv ../big.one && git restore big.csv && cmp big.csv ../keep && git worktree add -q ../tree one && cmp ../tree/big.csv ../big.one
'

test_expect_success 'an alias, and a path with diff in its name, change nothing' '
	git config alias.d diff && git d one two >../out && grep "x a -> b" ../out && mkdir diff && git mv big.csv diff/ && git commit -q -m moved && git checkout -q one &&
	git checkout -q main && not_pointer diff/big.csv && git -c alias.diff=status status >../out && git --no-pager -c a.b=c diff one two -- small.csv >../out && grep "x a -> b" ../out
'

test_expect_success 'our own drivers: Git and the filter handle pointers only' '
	GIT_TRACE="$TRASH/trace" git show two >../out && grep "^+7,b$" ../out &&
	test $(grep -c "run_command: .git-dvx textconv --" ../trace) -ge 3 && test $(grep -c "check-attr" ../trace) = 1
'

test_done
