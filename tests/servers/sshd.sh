#!/bin/bash
# An SSH server that lets the caller in, with throw-away keys and a home directory of its own.
# usage: sshd.sh start DIR         SSHD_PATH: PATH of what runs there (the caller's)
#        sshd.sh stop DIR
#        sshd.sh kill-sessions DIR     the connections end, as if the network had; the server stays
# start prints SSH_HOST, SSH_PORT, SSH_USER, SSH_CONFIG, SSH_FAR_HOME (an empty home directory), GIT_SSH_COMMAND.
# "ssh -F $SSH_CONFIG testhost", and any URL with the host 127.0.0.1 through $GIT_SSH_COMMAND, log in without questions.
set -u
. "$(dirname "$0")/common.bash"

write_config() { # PORT
	cat >"$dir/sshd_config" <<-END
		Port $1
		ListenAddress 127.0.0.1
		HostKey $dir/host
		PidFile none
		AuthorizedKeysFile $dir/authorized
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		PermitRootLogin prohibit-password
		MaxStartups 100
		AllowUsers $user
		AcceptEnv GIT_PROTOCOL
		Subsystem sftp internal-sftp
		ForceCommand $dir/session
	END
	cat >"$dir/ssh_config" <<-END
		Host testhost 127.0.0.1
		  HostName 127.0.0.1
		  Port $1
		  User $user
		  IdentityFile $dir/id
		  IdentitiesOnly yes
		  UserKnownHostsFile $dir/known
		  GlobalKnownHostsFile /dev/null
		  StrictHostKeyChecking yes
		  BatchMode yes
	END
	printf '[127.0.0.1]:%s %s\n' "$1" "$(cut -d' ' -f1,2 "$dir/host.pub")" >"$dir/known"
}

# What a session runs in: not the caller's real home.
write_session() {
	mkdir -p "$dir/home" && cat >"$dir/session" <<-END && chmod 700 "$dir/session"
		#!/bin/sh
		HOME=$dir/home PATH='${SSHD_PATH:-$PATH}'
		export HOME PATH
		cd "\$HOME" || exit
		case \${SSH_ORIGINAL_COMMAND:-} in
		internal-sftp) exec /usr/lib/openssh/sftp-server ;;
		'') exec /bin/sh ;;
		*) exec /bin/sh -c "\$SSH_ORIGINAL_COMMAND" ;;
		esac
	END
}

make_keys() {
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host" && ssh-keygen -q -t ed25519 -N '' -f "$dir/id" &&
		cp "$dir/id.pub" "$dir/authorized"
}

server_enter "$@"
case $1 in
start)
	server_needs sshd ssh ssh-keygen perl pgrep
	user=$(id -un)
	server_watch
	rm -f "$dir/host" "$dir/id"
	make_keys && write_session || server_die "cannot make keys"
	[ "$(id -u)" != 0 ] || mkdir -p /run/sshd # its place for separated privileges; only root's sshd wants one
	for _ in 1 2 3 4 5; do
		port=$(server_port) && write_config "$port" || server_die "cannot configure"
		server_run sshd "$(command -v sshd)" -D -e -f "$dir/sshd_config"
		server_up sshd server_listens "$port" && break
		port=
	done
	[ -n "$port" ] || server_die "sshd did not start"
	ssh -F "$dir/ssh_config" testhost true 2>"$dir/login.log" || {
		echo "nobody can log in as $user here: $(tail -n 1 "$dir/login.log")" >&2
		"$server_script" stop "$dir"
		exit 77
	}
	server_export SSH_HOST 127.0.0.1
	server_export SSH_PORT "$port"
	server_export SSH_USER "$user"
	server_export SSH_CONFIG "$dir/ssh_config"
	server_export SSH_FAR_HOME "$dir/home"
	server_export GIT_SSH_COMMAND "ssh -F $dir/ssh_config"
	;;
stop | kill-sessions)
	server_needs pgrep
	# A session's processes are children of the server's; what they run ends with its pipes.
	pid=$(server_pid sshd) && sessions=$(pgrep -P "$pid")
	if [ "$1" = stop ]; then
		server_end watch KILL
		server_end sshd TERM
	fi
	for session in ${sessions:-}; do
		pkill -KILL -P "$session"
		kill -KILL "$session" 2>/dev/null || : # it has ended with its child
	done
	;;
*)
	echo "usage: $(basename "$0") start|stop|kill-sessions DIR" >&2
	exit 129
	;;
esac
