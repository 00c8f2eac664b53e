# shellcheck shell=sh disable=SC2154
# For tests of git-dvx called by the name git-lfs: source it after lib.sh.  Two users, each with a home and a
# directory of their own below $TRASH: "them" has Debian's git-lfs, "us" has the link.
#
#	lfs_users			make both, each with `git lfs install`
#	both COMMAND			a test case: COMMAND has the same output and status for both
#	both_out COMMAND		the same without standard error
#	both_sorted COMMAND		the same with sorted lines
#	both_status COMMAND		the exit status only
#	us COMMAND, them COMMAND	run it as one of them
#
# A command runs in the user's $repo (a directory below theirs, "r" at first).

repo=r

lfs_link() {
	mkdir -p "$TRASH/.lfsbin" && ln -sf "$DVX_BIN/git-dvx" "$TRASH/.lfsbin/git-lfs"
}

us() {
	(
		HOME=$TRASH/us/home XDG_CONFIG_HOME=$TRASH/us/home/.config PATH=$TRASH/.lfsbin:$PATH
		export HOME PATH
		mkdir -p "$TRASH/us/$repo" && cd "$TRASH/us/$repo" && eval "$1"
	)
}

them() {
	(
		HOME=$TRASH/them/home XDG_CONFIG_HOME=$TRASH/them/home/.config
		export HOME
		mkdir -p "$TRASH/them/$repo" && cd "$TRASH/them/$repo" && eval "$1"
	)
}

# Places, times and speeds differ.
lfs_mask() {
	sed -e "s#$TRASH/$1#TOP#g" -e 's#[0-9]\{8\}T[0-9]\{6\}\.[0-9]*\.log#LOG#' -e 's#| [0-9.]* [KMG]*B/s#| RATE#'
}

lfs_run() {
	"$1" "$2" >"$1.raw" 2>"$1.err" </dev/null
	echo "[$?]" >"$1.status"
	lfs_mask "$1" <"$1.raw" >"$1.out"
	lfs_mask "$1" <"$1.err" >"$1.errout"
}

lfs_same() {
	lfs_run them "$1"
	lfs_run us "$1"
	cat us.raw us.err
	test_cmp them.status us.status
}

both() {
	lfs_command=$1
	test_expect_success "$1" '
		lfs_same "$lfs_command" && cat them.out them.errout >them.all && cat us.out us.errout >us.all &&
		test_cmp them.all us.all'
}

both_out() {
	lfs_command=$1
	test_expect_success "$1" 'lfs_same "$lfs_command" && test_cmp them.out us.out'
}

both_sorted() {
	lfs_command=$1
	test_expect_success "$1" '
		lfs_same "$lfs_command" && sort them.out >them.sorted && sort us.out >us.sorted && test_cmp them.sorted us.sorted'
}

both_status() {
	lfs_command=$1
	test_expect_success "$1 (status)" 'lfs_same "$lfs_command"'
}

lfs_users() {
	lfs_link &&
		for user in us them; do
			mkdir -p "$TRASH/$user/home" && cp "$HOME/.gitconfig" "$TRASH/$user/home/" || return
			$user 'git init -q && git lfs install && git init -q --bare ../up.git' || return
		done
}
