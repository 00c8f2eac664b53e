# shellcheck shell=sh disable=SC2154
# What the tests of a shared run cache start from; read after lib.sh and repro-lib.sh.

# What a stage runs says so in this file, whoever's project it is in.
RAN=$TRASH/ran
export RAN
runs() {
	test "$(wc -l <"$RAN")" = "$1" || { echo "$(wc -l <"$RAN") runs instead of $1"; return 1; }
}

# new_team NAME COMMAND...: NAME/work, with a pipeline that has been run for three rates, the last of them committed, and its hub;
# COMMAND configures the blob remote in the current directory.
new_team() {
	rm -rf "${TRASH:?}/$1" && mkdir "$TRASH/$1" && cd "$TRASH/$1" && git init -q --bare hub.git && dvx_repo work && cd work &&
	git remote add origin ../hub.git && shift && "$@" && : >"$RAN" && echo data >in && printf 'out.log\n' >.git/info/exclude &&
	cat >dvx.yaml <<-\END && for rate in 1 2 3; do echo "rate: $rate" >params.yaml && git dvx repro >out.log || return 1; done &&
	stages:
	  train:
	    cmd:
	    - mkdir -p model/sub && cat in params.yaml >model/weights && cat params.yaml >model/sub/empty.txt && touch model/none
	    - grep -o '[0-9]*' params.yaml >metrics.txt && echo train >>"$RAN"
	    deps: [in]
	    params: [rate]
	    outs: [model]
	    metrics:
	    - metrics.txt: {cache: false}
	  report: {cmd: 'cat metrics.txt model/weights >report; echo report >>"$RAN"', deps: [model, metrics.txt], outs: [report]}
	END
	git add -A && git commit -qm work && git push -q origin HEAD && runs 6
}

# mate: another clone, current directory in it, with the rate that is given.
mate() {
	cd ../work && rm -rf ../mate && (git clone -q ../hub.git ../mate) && cd ../mate && printf 'out.log\n' >.git/info/exclude &&
		echo "rate: $1" >params.yaml
}

# same_as_run RATE: the outputs are those of a run.
same_as_run() {
	same_as_run_but_report "$1" && printf '%s\ndata\nrate: %s\n' "$1" "$1" | diff - report
}
same_as_run_but_report() {
	printf 'data\nrate: %s\n' "$1" | diff - model/weights && echo "rate: $1" | diff - model/sub/empty.txt && test -f model/none &&
	holds metrics.txt "$1" && test "$(find model -type f | wc -l)" = 3
}

local_blob() {
	git dvx remote add -d storage "${1:-$TRASH/blob}"
}
