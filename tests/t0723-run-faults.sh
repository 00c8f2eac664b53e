#!/bin/sh
# shellcheck disable=SC2034
test_description='every call of repro into the system fails once: a clear error, old or new outputs, and the next run completes it'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

test_have_prereq !ASAN || { skip_all='sanitizers and preloaded objects do not go together'; test_done; }

# Every call with LARGE=1, else some.
step=${LARGE:-13}

# faulty CALLS FAULT K COMMAND...
faulty() {
	rm -f "$TRASH/fault" "$TRASH/fault.count"
	dvx_fault="git-dvx $1 $2 $3 $TRASH/fault"
	shift 3
	FAULTLINE=$dvx_fault LD_PRELOAD="$(dirname "$DVX_BIN")/tools/faultline.so" "$@"
}

test_expect_success 'setup' '
	new_project repo && cat >dvx.yaml <<-\END &&
	stages:
	  s:
	    cmd: mkdir -p tree && cp in tree/a && cat in >>log && cp in out
	    deps: [in]
	    outs: [out, tree, {log: {persist: true}}]
	  t: {cmd: "cat out tree/a >last", deps: [out, tree], outs: [last]}
	END
	echo old >in && git dvx repro && echo "by hand" >out && echo new >in && cd .. && cp -a repo origin
'

old() {
	holds out "by hand" && holds tree/a old && holds log old
}
new() {
	holds out new && holds tree/a new && [ "$(cat log)" = "old
new" ] && cat .git/dvx/overwritten/*/out | grep -qx "by hand"
}

# what was set aside is still there, for the next command
pending() {
	holds out new && holds tree/a new && [ -n "$(find .git/dvx/running -name "*.claim")" ]
}

# try CALLS FAULT K: 2 when there is no such call any more.
try() {
	rm -rf repo && cp -a origin repo && cd repo || return 1
	faulty "$1" "$2" "$3" git-dvx repro >../log1 2>../err
	dvx_rc=$?
	if ! grep -q "^fault" ../fault; then
		cd .. && return 2
	fi
	case $dvx_rc in
	0) new ;; # a fault that costs nothing
	128 | 1) grep -q "^error: " ../err && { old >/dev/null || new >/dev/null 2>&1 || pending; } ;;
	*) false ;;
	esac || { echo "$1 $3: status $dvx_rc"; grep fault ../fault; cat ../err; return 1; }
	git-dvx repro >../log2 2>&1 && new && [ "$(cat last)" = "new
new" ] && no_traces || { echo "$1 $3: the next run"; grep fault ../fault; cat ../err ../log2; return 1; }
	cd ..
}

every() {
	cd "$TRASH" && k=1 || return 1
	while :; do
		try "$1" "$2" $k
		case $? in
		0) ;;
		2) break ;;
		*) return 1 ;;
		esac
		k=$((k + step))
	done
	echo "calls up to $k" && [ $k -gt $step ]
}

test_expect_success 'calls that change something' 'every create,write,fsync,rename,link,unlink,truncate,mkdir,chmod,clone,copy,send usual'
test_expect_success 'calls that start something' '(step=1 && every spawn,thread,lock usual)'
test_expect_success 'calls that read' 'every open,read,readdir,receive,mmap,close usual'
test_expect_success 'a disk that is full from some moment on' 'every create,write,mkdir ENOSPC+'

test_done
