# shellcheck shell=bash disable=SC2016
# What the server scripts of this folder have in common; each is
#
#	SCRIPT start DIR    start in DIR (made if missing), print shell assignments for the caller to eval
#	SCRIPT stop DIR     end every process that was started in DIR
#
# Servers run in the background as the caller's user, on 127.0.0.1, any number at once, logs in DIR/*.log.  When
# DVX_SERVER_OWNER is the id of a process, they end soon after it did, however it did, and DIR goes, too.
# Exit: 0; 77 when something that is needed is not installed (the reason is on stderr); 128.

server_die() {
	echo "error: $*" >&2
	for log in "$dir"/*.log; do
		[ -s "$log" ] && sed "s|^|$(basename "$log"): |" "$log" | tail -n 5 >&2
	done
	"$server_script" stop "$dir"
	exit 128
}

# server_needs PROGRAM...: all are there, or the script ends.
server_needs() {
	local program
	for program do
		command -v "$program" >/dev/null || {
			echo "$program is not installed; scripts/install-deps test" >&2
			exit 77
		}
	done
}

# server_enter start|stop|… DIR: common beginning.  Sets `dir`, absolute.
server_enter() {
	PATH=$PATH:/usr/sbin:/sbin
	umask 077
	[ $# -eq 2 ] || { echo "usage: $(basename "$0") start|stop DIR" >&2; exit 129; }
	[ "$1" != start ] || mkdir -p "$2" || exit 128
	dir=$(cd "$2" 2>/dev/null && pwd -P) || exit 0 # nothing to stop
	trap 'server_die "interrupted"' INT TERM
	# Descriptors of the caller (locks, pipes) are not for the servers.
	local fd
	for fd in "/proc/$$/fd"/*; do
		fd=${fd##*/}
		if [ "$fd" -gt 2 ] && [ "$fd" -lt 255 ]; then
			eval "exec $fd>&-"
		fi
	done
}

# server_port [N]: the first of N (1) ports in a row that nobody listens on, below those that the kernel hands out.  Another
# may still take it first: who binds to it must see to that (server_up tells).
server_port() {
	perl -MSocket -e '
		my $n = shift;
		TRY: for (1 .. 200) {
			my $first = 10000 + int(rand(22000 - $n));
			for my $port ($first .. $first + $n - 1) {
				socket(my $s, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
				setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
				bind($s, sockaddr_in($port, INADDR_LOOPBACK)) or next TRY;
			}
			print "$first\n";
			exit 0;
		}
		die "no free port\n"' "${1:-1}"
}

# server_run NAME COMMAND...: in the background, its id in DIR/NAME.pid, its output in DIR/NAME.log.  The command line
# must hold DIR: server_signal knows the process by that.
server_run() {
	local name=$1
	shift
	setsid "$@" >>"$dir/$name.log" 2>&1 </dev/null &
	echo $! >"$dir/$name.pid"
}

# server_pid NAME: its process id if it runs.  A process that is becoming another program has no command line for a moment.
server_pid() {
	local pid line i
	pid=$(cat "$dir/$1.pid") && [ -n "$pid" ] || return
	for ((i = 0; i < 20; i++)); do
		[ "$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" || echo Z)" != Z ] || return
		line=$(tr '\0' ' ' <"/proc/$pid/cmdline") || return
		[ -z "$line" ] || break
		sleep 0.02
	done
	[[ $line == *"$dir"* ]] && echo "$pid"
} 2>/dev/null

# server_up NAME COMMAND...: wait until COMMAND succeeds; fails at once when the server has ended (a port was taken), and
# after a minute.
server_up() {
	local name=$1 end=$((SECONDS + 60))
	shift
	until "$@" >/dev/null 2>&1; do
		server_pid "$name" >/dev/null && [ $SECONDS -lt $end ] || return 1
		sleep 0.03
	done
	server_pid "$name" >/dev/null
}

# server_listens PORT
server_listens() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# server_end NAME SIGNAL: signal it, then wait until it is gone; with force after three seconds.
server_end() {
	local pid i
	pid=$(server_pid "$1") || { rm -f "$dir/$1.pid"; return 0; }
	kill -"$2" "$pid" 2>/dev/null
	for ((i = 0; i < 100; i++)); do
		server_pid "$1" >/dev/null || break
		[ $i -lt 60 ] || kill -KILL "$pid" 2>/dev/null
		sleep 0.05
	done
	rm -f "$dir/$1.pid"
}

# server_watch: when the owner ends, end everything in DIR, and remove it.
server_watch() {
	[ -n "${DVX_SERVER_OWNER:-}" ] || return 0
	server_run watch bash -c '
		while kill -0 "$1" 2>/dev/null; do sleep 1; done
		rm -f "$3/watch.pid"
		"$2" stop "$3"
		rm -rf "$3"
		rmdir "$(dirname "$3")" 2>/dev/null' watch "$DVX_SERVER_OWNER" "$server_script" "$dir"
}

# server_export NAME VALUE: an assignment for the caller.
server_export() {
	printf "export %s='%s'\n" "$1" "${2//\'/\'\\\'\'}"
}

server_script=$(cd "$(dirname "$0")" && pwd -P)/$(basename "$0")
