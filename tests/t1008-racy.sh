#!/bin/bash
test_description='racy entries: an edit of the same size in the second of a checkout is always seen; without one no filter is asked'
. "$(dirname "$0")/lib.sh"

rounds=${DVX_RACY_ROUNDS:-100} # of each kind

# Three files that a checkout touches, all versions of the same size: late, inline, and Git's own.
files='large.bin small.bin code.txt'
make_version() { # N
	for name in large small; do
		size=150000 && test $name = large || size=900
		{ echo "version $1" && seq 40000; } | head -c $size >$name.bin || return
	done
	echo "code of version $1" >code.txt
}

# edit FILE HOW: other content of the same size, at once.
edit() {
	case $2 in
	0) printf E | dd of="$1" conv=notrunc status=none ;;
	1) cp "$1" ../new && printf E | dd of=../new conv=notrunc status=none && mv ../new "$1" ;; # as many editors do
	esac
}

# rounds_of NAME COMMAND: COMMAND brings version $v, coming from the other one; then one file is edited, or none.
rounds_of() {
	local name=$1 v=1 i file
	for i in $(seq "$rounds"); do
		v=$((3 - v))
		git -c advice.detachedHead=false checkout -q -f v$((3 - v)) && eval "$2" || return
		file=$(cut -d" " -f$((i % 4 + 1)) <<<"$files none")
		if [ "$file" = none ]; then
			is_clean || { echo "$name, round $i: not clean"; return 1; }
			continue
		fi
		edit $file $((i / 4 % 2)) || return
		git status --porcelain >../status
		[ "$(cat ../status)" = " M $file" ] || {
			echo "$name, round $i: edited $file, but status says:"
			cat ../status
			stat -c '%n %y %z' $files .git/index
			return 1
		}
	done
}

test_expect_success 'setup' '
	git init -q --bare remote.git && dvx_repo repo && cd repo && git remote add origin ../remote.git && git dvx track "*.bin" &&
	for v in 1 2; do make_version $v && git add -A && git commit -q -m v$v && git tag v$v || return 1; done &&
	git push -q origin main
'

test_expect_success 'git checkout' 'rounds_of checkout "git checkout -q v\$v"'
test_expect_success 'git reset --hard' 'rounds_of reset "git reset -q --hard v\$v"'
test_expect_success 'git dvx checkout of pointers that an earlier checkout left' '
	rounds_of "dvx checkout" "GIT_LFS_SKIP_SMUDGE=1 git checkout -q v\$v && git dvx checkout >/dev/null"
'
test_expect_success 'git dvx pull of missing data' '
	rounds=$((rounds / 3 + 1)) &&
	rounds_of "dvx pull" "GIT_LFS_SKIP_SMUDGE=1 git checkout -q v\$v && rm -rf .git/lfs/objects .git/dvx/packs .git/dvx/sums &&
		git dvx pull >/dev/null 2>&1 && cmp -s large.bin <(git cat-file --filters v\$v:large.bin)"
'
test_expect_success 'data that is fetched after Git has ended' '
	rounds=$((rounds / 3 + 1)) &&
	rounds_of "late" "rm -rf .git/lfs/objects .git/dvx/packs .git/dvx/sums && git checkout -q v\$v && not_pointer large.bin small.bin"
'

# The index gets patched in a later second than Git wrote it in: it must not look younger for that.  Rounds in which the
# edit came too late for the same second do not count.
test_expect_success STRACE 'an edit while the data is on its way, patched in the next second' '
	printf "#!/bin/sh\nexec strace -f -o \"%s\" -e trace=renameat2 -e inject=renameat2:delay_enter=1100000 git-dvx-filter\n" "$TRASH/trace" >../slow &&
	chmod +x ../slow && counted=0 && v=1 &&
	for i in $(seq 30); do
		v=$((3 - v)) && git checkout -q -f v$((3 - v)) && >../trace &&
		{ git -c filter.dvx.process="\"$TRASH/slow\"" checkout -q v$v 2>../err & } &&
		pid=$! && while ! grep -q renameat2 ../trace; do kill -0 $pid || return 1; sleep 0.005; done &&
		edit code.txt $((i % 2)) && edit small.bin $((i % 2)) && edited=$(stat -c %Y code.txt) && written=$(stat -c %Y .git/index) && wait $pid &&
		git status --porcelain >../status && printf " M code.txt\n M small.bin\n" >../expect && test_cmp ../expect ../status &&
		not_pointer large.bin || return 1
		[ $edited != $written ] || counted=$((counted + 1))
		[ $counted -lt 6 ] || break
	done &&
	test $counted = 6
'

test_done
