# Part of bench.sh: pipelines.  The floor of looking at a work tree is `git status`; the peer is DVC (pip install dvc), where it
# is in PATH.

# pipeline_repo DIR FILES: a stage that depends on FILES small files in ten folders, run and committed.
pipeline_repo() {
	git init -q "$1"
	mkdir -p "$1/src"
	awk -v n="$2" -v dir="$1/src" 'BEGIN {
		for (i = 0; i < 10; i++) system("mkdir " dir "/" i)
		for (i = 0; i < n; i++) { f = dir "/" i % 10 "/" i; print i >f; close(f) } }'
	printf 'stages:\n  count:\n    cmd: find src -type f | wc -l >out\n    deps: [src]\n    outs: [out]\n' >"$1/dvx.yaml"
	(cd "$1" && git dvx init && git dvx repro && git add -A && git commit -q -m start) >/dev/null
}

# The peer's own project: the same files, not in Git.
pipeline_peer() {
	git init -q "$2"
	cp -r "$1/src" "$2/src"
	cp "$1/dvx.yaml" "$2/dvc.yaml"
	(cd "$2" && dvc init && dvc config core.analytics false && dvc repro) >/dev/null 2>&1
}

bench_noop() {
	local r=$work/noop peer=
	pipeline_repo "$r" "$files"
	if command -v dvc >/dev/null; then
		peer=noop-dvc
		pipeline_peer "$r" "$work/noop-dvc"
	else
		echo "dvc is not in PATH: its column stays empty (pip install dvc)"
	fi
	sleep 1.1 # the index is older than this second from now on
	git -C "$r" status >/dev/null
	for _ in $(seq "$runs"); do
		timed noop-repro git -C "$r" dvx repro
		timed noop-status git -C "$r" dvx status
		timed noop-floor git -C "$r" status
		[ -z "$peer" ] || timed noop-dvc sh -c "cd '$work/noop-dvc' && dvc repro"
		[ -z "$peer" ] || timed noop-dvc-status sh -c "cd '$work/noop-dvc' && dvc status"
	done
	row "repro, nothing to do, $files files" noop-repro "$peer" noop-floor "<= 50 ms" ms 50
	row "dvx status, nothing to do, $files files" noop-status "${peer:+noop-dvc-status}" noop-floor "<= 50 ms" ms 50
	rm -rf "$r" "$work/noop-dvc"
}

# Eight stages that each wait for a while: with -j, as long as one.
bench_jobs() {
	local r=$work/jobs
	git init -q "$r"
	{ echo stages: && for i in 1 2 3 4 5 6 7 8; do printf '  s%s:\n    cmd: sleep 0.2 && echo done >out%s\n    outs: [out%s]\n' $i $i $i; done; } >"$r/dvx.yaml"
	for _ in $(seq "$runs"); do
		timed jobs-8 git -C "$r" dvx repro -f -j 8
		timed jobs-1 git -C "$r" dvx repro -f
		timed jobs-floor sleep 0.2
	done
	row "repro -f -j 8, 8 stages of 200 ms (peer: -j 1)" jobs-8 jobs-1 jobs-floor "-" - 0
	rm -rf "$r"
}

# What a stage costs besides its command.
bench_stage() {
	local r=$work/stage
	git init -q "$r"
	{ echo stages: && for i in $(seq 100); do printf '  s%s:\n    cmd: echo %s >out%s\n    outs: [out%s]\n' "$i" "$i" "$i" "$i"; done; } >"$r/dvx.yaml"
	for _ in $(seq "$runs"); do
		timed stage-ours git -C "$r" dvx repro -f
		timed stage-floor sh -c 'cd "$1" && for i in $(seq 100); do sh -c "echo $i >out$i"; done' sh "$r"
	done
	row "repro -f, 100 stages that do nothing" stage-ours "" stage-floor "-" - 0
	rm -rf "$r"
}

bench_pipeline() {
	bench_noop
	bench_jobs
	bench_stage
}
