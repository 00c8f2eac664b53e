# shellcheck shell=sh disable=SC2034,SC2154 # variables shared with sharness and the test scripts
# What every shell test starts from; a test is
#
#	#!/bin/sh
#	test_description='what is shown here'
#	. "$(dirname "$0")/lib.sh"
#	test_expect_success 'one behaviour' '…commands joined by &&…'
#	test_done
#
# It runs in its own trash directory below $DVX_TRASH with its own HOME, configuration and TMPDIR, finds our programs first
# in PATH, and speaks TAP (sharness).  By hand: sh tests/t0000-harness.sh [-v] [-i] [-d (keep the trash)] [-x (trace)].
#
# Environment: DVX_BIN (the programs, default build/bin), DVX_TRASH (default build/trash), DVX_VARIANT ("asan").
#
# Prerequisites: GITLFS ROOT REFLINK STRACE, and !ASAN for what the sanitizers would distort (time, memory).
#
# A test whose every case needs another file system sets test_fs=btrfs|xfs|ext4|tmpfs (and test_fs_size) before
# it reads this file; it then runs with its trash directory there.

dvx_top=$(cd "$(dirname "$0")/.." && pwd -P) || exit 1
while [ ! -e "$dvx_top/tests/lib.sh" ]; do # tests in subdirectories
	dvx_top=$(dirname "$dvx_top")
	[ "$dvx_top" != / ] || { echo "Bail out! tests/lib.sh is not above $0"; exit 1; }
done
: "${DVX_BIN:=$dvx_top/build/bin}"
: "${DVX_TRASH:=$dvx_top/build/trash}"
export DVX_BIN DVX_TRASH

# Nothing of the caller's Git leaks in.
for dvx_var in $(env | sed -n 's/^\(GIT_[A-Za-z0-9_]*\)=.*/\1/p'); do
	unset "$dvx_var"
done
# Nor of the make that runs us: its job server is not ours.
unset MAKEFLAGS MFLAGS MAKELEVEL
umask 022

dvx_can_mount() {
	[ "$(id -u)" = 0 ] && [ -e /dev/loop-control ] && command -v "mkfs.$1" >/dev/null &&
		unshare -m --propagation private true 2>/dev/null
}

if [ -n "${test_fs:-}" ] && [ -z "${DVX_ON_FS:-}" ]; then
	if dvx_can_mount "$test_fs"; then
		DVX_ON_FS=$test_fs
		export DVX_ON_FS
		dvx_self=$(cd "$(dirname "$0")" && pwd -P)/$(basename "$0")
		exec "$dvx_top/tests/servers/reflink-fs.sh" -t "$test_fs" -s "${test_fs_size:-512M}" \
			sh -c 'DVX_TRASH=$PWD/trash; export DVX_TRASH; exec "$@"' sh "${BASH:-/bin/sh}" "$dvx_self" "$@"
	fi
	echo "1..0 # SKIP needs root, loop devices and mkfs.$test_fs to mount a $test_fs file system"
	exit 0
fi

dvx_trace=
for dvx_arg do
	shift
	case $dvx_arg in
	-x) dvx_trace=t ;;
	*) set -- "$@" "$dvx_arg" ;;
	esac
done

# The same test may be running twice: the second gets another trash directory.
mkdir -p "$DVX_TRASH" || exit 1
exec 9>"$DVX_TRASH/$(basename "$0").lock"
if ! flock -n 9; then
	DVX_TRASH=$DVX_TRASH/$$
	mkdir -p "$DVX_TRASH" || exit 1
fi
SHARNESS_TEST_EXTENSION='sh'
SHARNESS_TEST_SRCDIR=$dvx_top/tests
SHARNESS_TEST_DIRECTORY=$DVX_TRASH
SHARNESS_BUILD_DIRECTORY=$DVX_BIN
# shellcheck disable=SC1090,SC1091
. "${SHARNESS:-/usr/share/sharness/sharness.sh}" || exit 1

# --- environment of the tests ------------------------------------------------------------------------------------

PATH=$DVX_BIN:$(dirname "$DVX_BIN")/tools:${PATH#"$DVX_BIN:"}
TRASH=$PWD
HOME=$TRASH/.home
XDG_CONFIG_HOME=$HOME/.config
TMPDIR=$TRASH/.tmp
mkdir -p "$XDG_CONFIG_HOME" "$TMPDIR" || exit 1
GIT_CONFIG_NOSYSTEM=1
GIT_CEILING_DIRECTORIES=$(dirname "$TRASH")
GIT_TERMINAL_PROMPT=0
GIT_EDITOR=:
GIT_AUTHOR_NAME='A U Thor'
GIT_AUTHOR_EMAIL=author@example.com
GIT_COMMITTER_NAME='C O Mitter'
GIT_COMMITTER_EMAIL=committer@example.com
LC_ALL=C.UTF-8
LANG=C.UTF-8
export TRASH HOME XDG_CONFIG_HOME TMPDIR GIT_CONFIG_NOSYSTEM GIT_CEILING_DIRECTORIES GIT_TERMINAL_PROMPT GIT_EDITOR
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL LC_ALL LANG
cat >"$HOME/.gitconfig" <<\END || exit 1
[user]
	name = C O Mitter
	email = committer@example.com
[init]
	defaultBranch = main
[protocol "file"]
	allow = always
[advice]
	detachedHead = false
END

chain_lint=t # a case whose commands are not all joined by && is an error of the test

# A failing case shows what its commands printed: sharness alone would only show the script.
if [ -z "$verbose" ]; then
	dvx_log=$TRASH/.log
	: >"$dvx_log"
	exec 3>>"$dvx_log" 4>&3
fi
if [ -n "$dvx_trace" ]; then
	eval "$(printf '%s\n' 'test_eval_() { eval </dev/null >&3 2>&4 "set -x; $*
		dvx_ret=\$?; { set +x; } 2>/dev/null; (exit \$dvx_ret)"; }')"
fi
test_failure_() {
	test_failure=$((test_failure + 1))
	say_color error "not ok $test_count - $1"
	shift
	if [ -n "${dvx_log:-}" ]; then # its commands are there, and what they printed
		awk '/^expecting success: / { text = "" } { text = text "# " $0 "\n" } END { printf "%s", text }' "$dvx_log"
	else
		printf '%s\n' "$@" | sed -e 's/^/#	/'
	fi
	[ -z "$immediate" ] || { EXIT_OK=t; exit 1; }
}

[ "${DVX_VARIANT:-}" != asan ] || test_set_prereq ASAN
! command -v git-lfs >/dev/null || test_set_prereq GITLFS
[ "$(id -u)" != 0 ] || test_set_prereq ROOT
! dvx_can_mount btrfs || test_set_prereq REFLINK
# The leak checker of the sanitizers cannot run below ptrace.
if [ "${DVX_VARIANT:-}" != asan ] && strace -qq -o /dev/null true 2>/dev/null; then
	test_set_prereq STRACE
fi

# --- helpers -----------------------------------------------------------------------------------------------------

# skip_all_unless PREREQ REASON: leave the whole test file out, visibly, before its first case.
skip_all_unless() {
	test_have_prereq "$1" && return
	skip_all="$2 (missing $1)"
	test_done
}

# dvx_repo NAME [GIT-INIT-OPTION...]: a repository that uses dvx (`git dvx install` once, `git dvx init` there).
# .dvxconfig is staged, nothing is committed.
dvx_repo() {
	dvx_name=$1
	shift
	if ! grep -q git-dvx "$HOME/.gitconfig"; then
		git dvx install || return
	fi
	git init -q "$@" "$dvx_name" && (cd "$dvx_name" && git dvx init)
}

# json FILE EXPRESSION: what the file holds is j, of which this Python expression is true.
json() {
	python3 -c "import json, sys; j = json.load(open(sys.argv[1])); sys.exit(0 if ($2) else print(j) or 1)" "$1"
}

# random_file PATH SIZE SEED: SIZE (as `head -c`: 10, 64K, 1M) bytes that do not compress, the same for the same seed.
# Hours old, because Git looks inside a file that is as young as its index (is_clean would see the filter), and each of another
# second, because Git tells two states of a file apart by it.
dvx_started=$(date +%s)
dvx_age=0
random_file() {
	head -c "$2" /dev/zero |
		openssl enc -aes-256-ctr -nosalt -pbkdf2 -iter 1 -pass "pass:$3" -out "$1" &&
		dvx_age=$((dvx_age + 1)) &&
		touch -d "@$((dvx_started - 100000 + dvx_age))" "$1"
}

# test_cmp_bin EXPECTED ACTUAL: the same bytes.
test_cmp_bin() {
	cmp "$1" "$2"
}

# is_pointer FILE: it holds a pointer, not data.
is_pointer() {
	if [ "$(wc -c <"$1")" -lt 1024 ] && head -n 1 "$1" | grep -q '^version https://git-lfs.github.com/spec/v1$' &&
		grep -q '^oid sha256:[0-9a-f]\{64\}$' "$1" && grep -q '^size [0-9][0-9]*$' "$1"; then
		return 0
	fi
	echo "$1: not a pointer ($(wc -c <"$1") bytes)"
	return 1
}

# not_pointer FILE...: each exists and holds data.
not_pointer() {
	for dvx_file do
		[ -f "$dvx_file" ] || { echo "$dvx_file: no such file"; return 1; }
		! head -c 64 "$dvx_file" | grep -aq '^version https://git-lfs' || { echo "$dvx_file: is a pointer"; return 1; }
	done
}

# is_clean [DIR]: `git status` reports nothing, and needed no filter to find that out.
is_clean() {
	dvx_status=$(GIT_TRACE="$TRASH/.trace" git -C "${1:-.}" status --porcelain) || return
	dvx_filters=$(grep -e git-dvx-filter -e 'git-lfs' "$TRASH/.trace")
	rm -f "$TRASH/.trace"
	if [ -n "$dvx_status" ]; then
		printf 'not clean:\n%s\n' "$dvx_status"
		return 1
	fi
	if [ -n "$dvx_filters" ]; then
		printf 'git status started a filter:\n%s\n' "$dvx_filters"
		return 1
	fi
}

# on_fs TYPE COMMAND...: run the command in the root of a fresh file system of that type (needs REFLINK for btrfs).
on_fs() {
	dvx_type=$1
	shift
	"$dvx_top/tests/servers/reflink-fs.sh" -t "$dvx_type" "$@"
}
