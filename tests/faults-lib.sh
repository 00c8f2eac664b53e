# shellcheck shell=bash disable=SC2034,SC2154
# For tests that make each call into the system fail in turn (tools/faultline.c).
#
# A scenario NAME is a set of functions; the current directory is the one it was begun in:
#
#	prepare_NAME    the state before
#	act_NAME        the command in which a call shall fail
#	judge_NAME      is it all right now?  $code is how act_NAME ended, $err names the file with its stderr
#	again_NAME      the same without a fault: it must complete, and all be right
#
# sweep NAME PROGRAMS CALLS FAULT runs it with k = 1, 2, … until no call is struck any more, and checks each time: no crash, no hang,
# an exit code other than 0 comes with a message.  By default long sweeps are thinned out to $FAULTS_MAX calls; FAULTS_FULL=1 takes each one.

fault_log=$TRASH/.fault
err=$TRASH/.fault.err
# Where a kill makes a difference.
writes=create,write,fsync,rename,link,unlink,copy,clone,truncate,mkdir,chmod,lock
fault_so=$(dirname "$DVX_BIN")/tools/faultline.so
: "${FAULTS_MAX:=16}"
[ -z "${FAULTS_FULL:-}" ] || FAULTS_MAX=1000000

# Sanitizers bring a malloc of their own and want to be loaded first.
test_have_prereq !ASAN || { skip_all='sanitizers and preloaded objects do not go together'; test_done; }

# with_fault PROGRAMS CALLS FAULT K COMMAND...: sets $code, $struck ("write call 17" or nothing), $calls, $unended
# (processes that were started and did not end by themselves), $crashed (a signal).
with_fault() {
	local spec="$1 $2 $3 $4 $fault_log" word a b
	shift 4
	: >"$fault_log" && : >"$fault_log.count" && code=0 && struck='' crashed='' calls=0 unended=0
	FAULTLINE=$spec LD_PRELOAD=$fault_so "$@" >"$fault_log.out" 2>"$err" || code=$?
	while read -r word a b; do
		case $word in
		fault) struck="$a call $b" ;;
		start) unended=$((unended + 1)) ;;
		end) unended=$((unended - 1)) calls=$b ;;
		signal) crashed=$a ;;
		esac
	done <"$fault_log"
}

# said_something FAULT: a command that failed has to say why; one that was interrupted, or got half, has no reason to fail.
said_something() {
	case $1:$code in
	*:0) return ;;
	EINTR:* | short:*) echo "exit $code"; return 1 ;;
	esac
	grep -q '^\(error\|fatal\|warning\|git-dvx\): .' "$err" || { echo "exit $code without a message"; return 1; }
}

ended_well() {
	[ -z "$crashed" ] || { echo "a program crashed with signal $crashed"; return 1; }
	[ "$unended" = 0 ] || { echo "$unended programs did not end by themselves"; return 1; }
	[ "$code" -lt 130 ] || { echo "exit $code"; return 1; }
}

sweep() {
	local name=$1 programs=$2 kinds=$3 fault=$4 k=1 step=1 runs=0 bad=0 total
	"prepare_$name" && with_fault "$programs" "$kinds" "$fault" 0 "act_$name" || return 1
	[ "$code" = 0 ] || { echo "$name fails without a fault:"; cat "$err"; return 1; }
	[ "$calls" -gt 0 ] || { echo "$name: no calls of $kinds in $programs"; return 1; }
	total=$calls step=$(((calls + FAULTS_MAX - 1) / FAULTS_MAX))
	while :; do
		"prepare_$name" >"$fault_log.said" 2>&1 || { echo "prepare_$name:"; cat "$fault_log.said"; return 1; }
		with_fault "$programs" "$kinds" "$fault" $k "act_$name"
		[ -n "$struck" ] || break
		runs=$((runs + 1))
		if ! { { [ "${fault#KILL}" != "$fault" ] || { ended_well && said_something "$fault"; }; } && "judge_$name" && "again_$name"; } >"$fault_log.said" 2>&1; then
			echo "--- $name, $fault at $struck (exit $code):" && cat "$err" && echo "--- but:" && cat "$fault_log.said"
			bad=$((bad + 1))
			[ $bad -lt "${FAULTS_SHOWN:-3}" ] || break
		fi
		k=$((k + step))
	done
	echo "$name, $fault: $runs of $total calls ($kinds), $bad bad"
	[ $bad = 0 ]
}

# no_temporaries DIR...: unless there was no chance to remove them.
no_temporaries() {
	case $fault:$struck in
	KILL:* | *:unlink*) return ;;
	esac
	[ -z "$(find "$@" -type f ! -name '*lock*' 2>/dev/null | tee /dev/stderr)" ] || { echo "temporary files are left"; return 1; }
}

# whole_objects_good DIR: what lies at a final path is what its name says (whole objects, packs, fragments).
whole_objects_good() {
	[ ! -d "$1" ] || find "$1" -type f ! -name 'open-*' ! -name 'format*' ! -path '*/tmp/*' -exec sha256sum {} + | awk '{
		n = split($2, part, "/")
		sub(/\..*/, "", part[n])
		if (part[n] != $1) {
			print "not what its name says: " $2
			bad = 1
		}
	} END { exit bad }'
}

# staged_is PATH...: what the index has gives back the file's content.
staged_is() {
	local path
	for path do
		git cat-file --filters ":$path" | cmp - "$path" || return 1
	done
}
