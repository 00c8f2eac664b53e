# shellcheck shell=sh disable=SC2154
# For tests of what a bad network does to push and pull: to be read after servers-lib.sh.  Every clone's remote is a bucket
# seen through the proxy that fails (start_faults); the bucket itself is looked at past the proxy.

# network_repo: "origin", a repository with a large file, a middling one in two versions and 100 small ones, and the Git
# repository origin.git.  Nothing of the data is pushed.
network_repo() {
	dvx_repo origin && (
		cd origin && git dvx track '*.bin' && mkdir small &&
		for i in $(seq 100); do random_file "small/$i.bin" 700 "small $i" || exit 1; done &&
		random_file big.bin 9M big && random_file mid.bin 300000 mid && git add . && git commit -q -m one &&
		random_file mid.bin 400000 "mid two" && git commit -q -a -m two &&
		git init -q --bare ../origin.git && git push -q --no-verify ../origin.git main
	)
}

# network_setup: the same, an S3 server, and the proxy.
network_setup() {
	start_rgw && start_faults && network_repo
}

# fast_remote BUCKET: here, s3://BUCKET through the proxy is the remote; not patient, so that tests are quick.  $retries may be
# set where a fault strikes more often than that.
retries=2
fast_remote() {
	s3_remote "$1" "$FAULT_ENDPOINT" && git config dvx.retries "$retries" && git config dvx.stallSeconds 2
}

# fresh_clone BUCKET: "clone", pointers only.
fresh_clone() {
	rm -rf clone && GIT_LFS_SKIP_SMUDGE=1 git clone -q origin.git clone && (cd clone && fast_remote "$1")
}

# fresh_writer BUCKET: "writer", everything committed, nothing pushed, into a new bucket.
fresh_writer() {
	rm -rf writer && cp -a origin writer && rm -rf writer/.git/dvx/remotes && new_bucket "$1" && (cd writer && fast_remote "$1")
}

# next_bucket: a name that was not used yet, in $bucket.
buckets=0
next_bucket() {
	buckets=$((buckets + 1)) bucket=bucket$buckets
}

# struck RULE: the proxy did it at least once.
struck() {
	[ "$(fault_requests " $(echo "$1" | cut -d' ' -f4) [^ ]* [^ ]*$")" -gt 0 ] || {
		echo "no request met '$1'"
		fault_log
		return 1
	}
}

# all_right [DIR]: every file of the clone is as in origin.
all_right() {
	diff -r --exclude=.git origin "${1:-clone}"
}

# nothing_wrong [DIR]: every file of the clone is right or its pointer, every stored object is what it is called.
nothing_wrong() {
	for nw_path in $(git -C "${1:-clone}" ls-files '*.bin'); do
		cmp -s "origin/$nw_path" "${1:-clone}/$nw_path" || is_pointer "${1:-clone}/$nw_path" || return 1
	done
	find "${1:-clone}/.git/lfs/objects" -type f 2>/dev/null | while read -r nw_path; do
		[ "$(sha256sum <"$nw_path" | cut -d' ' -f1)" = "$(basename "$nw_path")" ] || { echo "bad: $nw_path"; exit 1; }
	done
}

# one_error FILE [REGEX...]: there is one error, the last word, in our words, and it says all of these.
one_error() {
	oe_file=$1
	shift
	cat "$oe_file"
	[ "$(grep -c '^error: ' "$oe_file")" = 1 ] || { echo "not one error"; return 1; }
	for oe_regex do
		grep -Eiq "$oe_regex" "$oe_file" || { echo "does not say: $oe_regex"; return 1; }
	done
	! grep -F -e "${AWS_SECRET_ACCESS_KEY:-no secret}" "$oe_file"
}

# pull_survives RULE: the fault strikes, the pull ends well, every byte is right.
pull_survives() {
	fresh_clone data && fault "$1" && (cd clone && git dvx pull >../out 2>../err) || { cat err; fault_log; return 1; }
	struck "$1" && all_right
}

# pull_fails RULE [REGEX...]: one error says these; nothing wrong is anywhere; without the fault the same clone is completed.
pull_fails() {
	pf_rule=$1
	shift
	fresh_clone data && fault "$pf_rule" &&
		(cd clone && test_must_fail git dvx pull >../out 2>../err) || { cat err; fault_log; return 1; }
	struck "$pf_rule" && nothing_wrong && one_error err "$@" &&
		fault && (cd clone && git dvx pull >../out 2>../err) && all_right
}

# pull_is_safe RULE: it may go well or not, but as above; a warning that names a damaged fragment will do for an error.
pull_is_safe() {
	fresh_clone data && fault "$1" || return 1
	if (cd clone && git dvx pull >../out 2>../err); then
		struck "$1" && all_right
	else
		struck "$1" && nothing_wrong && { one_error err || grep "^warning: damaged fragment" err; } &&
			fault && (cd clone && git dvx pull) && all_right
	fi
}

# push_survives RULE: the fault strikes, the push ends well, and a clone gets every byte.
push_survives() {
	next_bucket && fresh_writer "$bucket" && fault "$1" &&
		(cd writer && git dvx push >../out 2>../err) || { cat err; fault_log; return 1; }
	struck "$1" && fault && s3.py verify "$bucket" && fresh_clone "$bucket" && (cd clone && git dvx pull) && all_right
}

# push_fails RULE [REGEX...]: one error says these; what is in the bucket is whole, and no fragment promises more; without
# the fault the same push is completed.
push_fails() {
	pf_rule=$1
	shift
	next_bucket && fresh_writer "$bucket" && fault "$pf_rule" &&
		(cd writer && test_must_fail git dvx push >../out 2>../err) || { cat err; fault_log; return 1; }
	struck "$pf_rule" && one_error err "$@" && fault && bucket_is_sound &&
		(cd writer && git dvx push >../out 2>../err) && fresh_clone "$bucket" && (cd clone && git dvx pull) && all_right
}
bucket_is_sound() {
	s3.py verify "$bucket" && fresh_clone "$bucket" &&
		if [ -n "$(s3.py ls "$bucket/fragments/")" ]; then
			(cd clone && git dvx pull) && all_right
		else
			(cd clone && test_must_fail git dvx pull)
		fi
}

# each_fault FUNCTION LABEL: a case for each line "NAME | RULE [| REGEX...]" of standard input.
each_fault() {
	while IFS='|' read -r ef_name ef_rule ef_says; do
		ef_name=$(printf '%s' "$ef_name" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
		ef_rule=$(printf '%s' "$ef_rule" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
		[ -z "$ef_rule" ] || test_expect_success "$2: $ef_name" "$1 '$ef_rule' $ef_says"
	done
}
