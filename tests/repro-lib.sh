# shellcheck shell=sh
# What the tests of stages share; read after lib.sh.

SHELL=/bin/sh
export SHELL

# new_project NAME: an empty project, current directory in it.
new_project() {
	rm -rf "${TRASH:?}/$1" && cd "$TRASH" && dvx_repo "$1" && cd "$1"
}

# holds FILE TEXT: the file consists of this one line.
holds() {
	test "$(cat "$1" 2>&1)" = "$2" || { echo "$1: '$(cat "$1" 2>&1)' instead of '$2'"; return 1; }
}

# no_traces: no claim and nothing that was set aside is left, in the Git directory or beside outputs.
no_traces() {
	test -z "$(find .git/dvx/running -name '*.claim' 2>/dev/null)" &&
		test -z "$(find .git/dvx/aside -mindepth 1 2>/dev/null)" &&
		test -z "$(find . -name '.dvx-aside*')" && return
	find .git/dvx/running .git/dvx/aside . -name '*.claim' -o -path '*/aside/*' -o -name '.dvx-aside*'
	return 1
}

# wait_for COMMAND...: until it succeeds, for a minute at least.
wait_for() {
	dvx_tries=0
	until "$@"; do
		dvx_tries=$((dvx_tries + 1))
		[ $dvx_tries -lt 3000 ] || { echo "waited in vain for: $*"; return 1; }
		sleep 0.02
	done
}

# gone PID: no such process (or it is a zombie).
gone() {
	! grep -q '^State:.*[^ZX] (' "/proc/$1/status" 2>/dev/null
}

# absent PATH: nothing is there.
absent() {
	if [ -e "$1" ] || [ -L "$1" ]; then
		echo "$1 exists"
		return 1
	fi
}
