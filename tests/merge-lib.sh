# shellcheck shell=sh disable=SC2154 # variables of the harness
# Two people and a merger: ann and bob have a clone each of one bare remote, with one blob remote; mia merges in a third.
#
# merge_team                  make them, in the trash directory
# merge_case NAME             run the functions `base` and `ours` in ann's clone and `theirs` in bob's, which push; then mia's
#                             clone (the current directory afterwards) is on ann's version, and bob's is the branch origin/NAME-bob
# merge_theirs [OPTION...]    mia merges; stderr is in ../err, stdout in ../out

merge_team() {
	git init -q --bare hub.git && dvx_repo ann >/dev/null && (
		cd ann && git dvx remote add -d storage "$TRASH/blobs" >/dev/null &&
			git dvx track "*.csv" "*.tsv" "*.jsonl" "*.bin" >/dev/null && git add -A && git commit -q -m start &&
			git remote add origin ../hub.git && git push -q origin main
	) && for merge_name in bob mia; do
		git clone -q hub.git "$merge_name" 2>/dev/null && (cd "$merge_name" && git dvx init -q >/dev/null) || return
	done
}

# merge_commit BRANCH FUNCTION: what the function does, committed on the branch and pushed, with its data.
merge_commit() {
	"$2" && git add -A && git commit -q --allow-empty -m "$1" && git push -q -f origin "HEAD:$1" 2>../push.err || {
		cat ../push.err
		return 1
	}
}

merge_case() {
	cd "$TRASH/ann" && git checkout -q -f -B work main && merge_commit "$1-base" base && merge_commit "$1-ann" ours &&
		cd ../bob && git fetch -q && git checkout -q -f -B work "origin/$1-base" && merge_commit "$1-bob" theirs &&
		cd ../mia && git fetch -q && git checkout -q -f -B work "origin/$1-ann" && merge_name=$1
}

merge_theirs() {
	git merge --no-edit "$@" "origin/$merge_name-bob" >../out 2>../err
}

# The file is what this text says.
merged_is() {
	printf '%b' "$2" >../expect && test_cmp_bin ../expect "$1"
}

unmerged() {
	test "$(git ls-files -u -- "$1" | wc -l)" -gt 0
}
