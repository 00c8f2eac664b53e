# shellcheck shell=bash disable=SC2154
# Rows for remotes that are servers, read by bench.sh: Ceph's S3 gateway over a store in memory, with rclone (16 transfers at once)
# as the peer, and an SSH server with scp.  Both sides send the same files to the same server, in turn.  A pull of ours ends with the
# files in the worktree, as the peer's does.

# repo_with NAME REMOTE-URL INPUT...: a repository with these inputs committed.
repo_with() {
	local dir=$work/$1 url=$2
	shift 2
	new dvx "$dir" 2>/dev/null && for input; do cp -r "$in/$input" "$dir/data/"; done
	git -C "$dir" config dvx.remote peer && git -C "$dir" config dvx-remote.peer.url "$url"
	commit_all "$dir" data
}
# to_store REPO URL: from now on that is its remote, of which it knows nothing.
to_store() {
	git -C "$1" config dvx-remote.peer.url "$2"
	rm -rf "$1/.git/dvx/remotes"
}
# bare_clone REPO DIR: a clone that has pointers only.
bare_clone() {
	rm -rf "$2"
	GIT_LFS_SKIP_SMUDGE=1 git clone -q "$1" "$2"
	git -C "$2" config dvx.remote peer && git -C "$2" config dvx-remote.peer.url "$(git -C "$1" config dvx-remote.peer.url)"
	[ -z "${S3_ENDPOINT:-}" ] || git -C "$2" config dvx-remote.peer.endpointurl "$S3_ENDPOINT"
}
peak() { # WORDS COMMAND...
	local words=$1
	shift
	command time -f %M -o "$work/rss" "$@" >/dev/null
	echo "    peak memory of $words: $(($(tail -n 1 "$work/rss") / 1024)) MiB (target: <= 256: $([ "$(tail -n 1 "$work/rss")" -le 262144 ] && echo met || echo MISSED))"
}

s3_round() { # INPUT NUMBER
	local repo=$work/s3-$1
	to_store "$repo" "s3://bench/dvx-$1-$2"
	timed "s3-push-$1" git -C "$repo" dvx push
	timed "s3-push-$1-peer" "${rclone[@]}" copy "$in/$1" "peer:bench/peer-$1-$2"
	bare_clone "$repo" "$work/s3-clone"
	timed "s3-pull-$1" git -C "$work/s3-clone" dvx pull
	diff -r "$repo/data" "$work/s3-clone/data"
	rm -rf "$work/peer-copy"
	timed "s3-pull-$1-peer" "${rclone[@]}" copy "peer:bench/peer-$1-$2" "$work/peer-copy"
	rm -rf "$work/peer-copy" "$work/s3-clone"
	[ "$1" = small ] || "${rclone[@]}" purge "peer:bench/peer-$1-$2" # the store is in memory
	[ "$1" = small ] || [ "$2" = "$runs" ] || "${rclone[@]}" purge "peer:bench/dvx-$1-$2"
}

s3_added() { # after the last round of big
	local before after repo=$work/s3-big
	before=$("${rclone[@]}" size --json "peer:bench/dvx-big-$runs" | sed 's/.*"bytes":\([0-9]*\).*/\1/')
	cp "$in/big2" "$repo/data/big" && commit_all "$repo" two && git -C "$repo" dvx push >/dev/null
	after=$("${rclone[@]}" size --json "peer:bench/dvx-big-$runs" | sed 's/.*"bytes":\([0-9]*\).*/\1/')
	echo "    bytes added on S3 by big v2: $((after - before)) (target: <= 200,000: $([ $((after - before)) -le 200000 ] && echo met || echo MISSED))"
	before=$(wc -l <"$S3_LOG")
	git -C "$repo" dvx push >/dev/null
	sleep 0.5
	after=$(tail -n "+$((before + 1))" "$S3_LOG" | grep -c ' beast: ' || true)
	echo "    requests of a push with nothing to do: $after (target: <= 3: $([ "$after" -le 3 ] && echo met || echo MISSED))"
	timed s3-push-nothing git -C "$repo" dvx push
	row "S3: push, nothing to do" s3-push-nothing "" "" "<= 50 ms" ms 50
}

bench_s3() {
	local input n
	if ! command -v radosgw >/dev/null || ! command -v rclone >/dev/null; then
		echo "    S3: skipped (needs radosgw, ceph-mon, ceph-osd and rclone)"
		return
	fi
	export MEMSTORE_BYTES=$((8 << 30))
	DVX_SERVER_OWNER=$$ "$here/tests/servers/ceph-rgw.sh" start "$work/rgw" >"$work/rgw.env" || { echo "    S3: skipped (no server)"; return; }
	# shellcheck disable=SC1091
	. "$work/rgw.env"
	unset AWS_CA_BUNDLE AWS_PROFILE # rclone stumbles over the first
	export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION S3_ENDPOINT
	export RCLONE_CONFIG=$work/rclone.conf
	printf '[peer]\ntype = s3\nprovider = Ceph\nenv_auth = true\nendpoint = %s\n' "$S3_ENDPOINT" >"$RCLONE_CONFIG"
	rclone=(rclone --transfers=16 --checkers=16 --log-level=ERROR)
	"${rclone[@]}" mkdir peer:bench
	for input in small big; do
		wanted "s3-$input" || continue
		repo_with "s3-$input" none "$input"
		git -C "$work/s3-$input" config dvx-remote.peer.endpointurl "$S3_ENDPOINT"
		for n in $(seq "$runs"); do s3_round "$input" "$n"; done
	done
	if wanted s3-small; then
		row "S3: push small (peer: rclone, 16 at once)" s3-push-small s3-push-small-peer "" "<= 1/20 of rclone" peer 0.05
		row "S3: pull small" s3-pull-small s3-pull-small-peer "" "<= 1/15 of rclone" peer 0.0667
	fi
	if wanted s3-big; then
		row "S3: push big" s3-push-big s3-push-big-peer "" "<= 1/2 of rclone" peer 0.5
		row "S3: pull big" s3-pull-big s3-pull-big-peer "" "<= 1/2 of rclone" peer 0.5
		s3_added
		to_store "$work/s3-big" s3://bench/rss
		peak "a push of big v2 to S3" git -C "$work/s3-big" dvx push
		bare_clone "$work/s3-big" "$work/s3-clone"
		peak "a pull of it" git -C "$work/s3-clone" dvx pull
	fi
	"$here/tests/servers/ceph-rgw.sh" stop "$work/rgw"
	unset S3_ENDPOINT
	rm -rf "$work/s3-small" "$work/s3-big" "$work/s3-clone"
}

bench_ssh() {
	local input n repo
	if ! command -v /usr/sbin/sshd >/dev/null || ! command -v scp >/dev/null; then
		echo "    SSH: skipped (needs openssh-server and openssh-client)"
		return
	fi
	DVX_SERVER_OWNER=$$ SSHD_PATH=$PATH "$here/tests/servers/sshd.sh" start "$work/sshd" >"$work/sshd.env" || { echo "    SSH: skipped (no server)"; return; }
	# shellcheck disable=SC1091
	. "$work/sshd.env"
	export GIT_SSH_COMMAND
	for input in small big; do
		repo=$work/ssh-$input
		repo_with "ssh-$input" none "$input"
		for n in $(seq "$runs"); do
			to_store "$repo" "ssh://$SSH_USER@$SSH_HOST:$SSH_PORT$SSH_FAR_HOME/dvx-$input-$n"
			timed "ssh-push-$input" git -C "$repo" dvx push
			timed "ssh-push-$input-peer" scp -q -r -F "$SSH_CONFIG" "$in/$input" "testhost:$SSH_FAR_HOME/peer-$input-$n"
			bare_clone "$repo" "$work/ssh-clone"
			timed "ssh-pull-$input" git -C "$work/ssh-clone" dvx pull
			diff -r "$repo/data" "$work/ssh-clone/data"
			timed "ssh-pull-$input-peer" scp -q -r -F "$SSH_CONFIG" "testhost:$SSH_FAR_HOME/peer-$input-$n" "$work/peer-copy"
			rm -rf "$work/peer-copy" "$work/ssh-clone" "$SSH_FAR_HOME/peer-$input-$n" "$SSH_FAR_HOME/dvx-$input-$n"
		done
		row "SSH: push $input (peer: scp)" "ssh-push-$input" "ssh-push-$input-peer" "" "(no target)" - 0
		row "SSH: pull $input" "ssh-pull-$input" "ssh-pull-$input-peer" "" "(no target)" - 0
		rm -rf "$repo"
	done
	"$here/tests/servers/sshd.sh" stop "$work/sshd"
}
