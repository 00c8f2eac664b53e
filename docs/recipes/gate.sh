#!/bin/sh
# gate.sh MODEL STAGE METRIC: promote the newest version of a model to a stage, or say why not.
# It has to be as good as what is in that stage now, and no source table may have columns that its data did not have.
set -eu
model=$1 stage=$2 metric=$3
metric_of() {
	git dvx trace --json "$1" | jq -e --arg m "$metric" '[.metrics[][$m] | values] | first'
}

version=$(git dvx model show --json "$model@latest" | jq -r .version)
if git dvx model show --json "$model#$stage" >/dev/null 2>&1; then
	old=$(metric_of "$model#$stage") new=$(metric_of "$model@$version")
	jq -en "$new >= $old" >/dev/null || {
		echo "no: $metric is $new, and $old in $stage" >&2
		exit 1
	}
	# a clone has the data of one commit only; whether columns are new can be told of both
	git dvx fetch "$(git dvx model show --json "$model#$stage" | jq -r .tag)" "$model@$version" >&2
	changes=$(git dvx trace --diff --json "$model#$stage" "$model@$version")
	columns=$(echo "$changes" | jq -r '[.data[] | select(.role == "source") | .path as $p | .table.columns[]? | select(.change == "added") | "\($p): \(.new)"] | join(", ")')
	[ -z "$columns" ] || {
		echo "no: the data have columns that they did not have in $stage: $columns" >&2
		exit 1
	}
fi
git dvx model promote "$model" "$version" "$stage" --push
