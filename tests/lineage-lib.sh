# shellcheck shell=sh
# What the tests of lineage start from; read after lib.sh and repro-lib.sh.

# on DAY: commits and tags are of that day, ten in the morning.
on() {
	GIT_AUTHOR_DATE=$1T10:00:00Z GIT_COMMITTER_DATE=$1T10:00:00Z
	export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
}

# customers N [COLUMN]: a table of N customers, maybe with a column more.
customers() {
	awk -v n="$1" -v more="${2:-}" 'BEGIN {
		print "id,name,city" (more ? "," more : "")
		for (i = 1; i <= n; i++)
			print i ",name" i ",city" i % 7 (more ? "," i % 3 : "")
	}'
}

# churn_project NAME: a pipeline prepare -> train -> evaluate, committed as "the project", trained
# and committed as "train the first model" on 2023-12-01; current directory in it.
churn_project() {
	new_project "$1" && on 2023-12-01 && git dvx track 'data/*.csv' '*.pkl' >/dev/null && mkdir data models code || return
	cat >dvx.yaml <<-'END'
	stages:
	  prepare:
	    cmd: sh code/prepare.sh
	    deps: [code/prepare.sh, data/customers.csv]
	    outs: [data/features.csv]
	  train:
	    cmd: sh code/train.sh
	    deps: [code/train.sh, data/features.csv]
	    params: [train.epochs, train.lr]
	    outs: [models/churn.pkl]
	  evaluate:
	    cmd: sh code/evaluate.sh
	    deps: [code/evaluate.sh, models/churn.pkl]
	    metrics: [{metrics.json: {cache: false}}]
	END
	printf 'train:\n  epochs: 10\n  lr: 0.1\n' >params.yaml
	echo 'cat data/customers.csv >data/features.csv' >code/prepare.sh
	echo 'cksum data/features.csv params.yaml >models/churn.pkl' >code/train.sh
	# shellcheck disable=SC2016
	echo 'echo "{\"acc\": 0.$(wc -c <data/features.csv), \"n\": 3}" >metrics.json' >code/evaluate.sh
	customers 100 >data/customers.csv && git add -A && git commit -q -m "the project" && retrain "train the first model"
}

# retrain SUBJECT: run what is stale, commit everything.
retrain() {
	git dvx repro >/dev/null && git add -A && git commit -q -m "$1"
}

# sha FILE: its SHA-256.
sha() {
	sha256sum <"$1" | cut -c 1-64
}

# git_commands TRACE: the Git commands that were started, in their order.
git_commands() {
	sed -n -e 's/, "-c", "[^"]*"//g' -e 's/.*execve("[^"]*", \["git", "\([a-z-]*\)".*/\1/p' "$1" | tr '\n' ' ' | sed 's/ $//'
}
