#!/bin/sh
test_description='git-dvx-transfer as the standalone agent of Git LFS: how many requests many small files cost'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless GITLFS "needs Debian's git-lfs"
skip_all_unless RGW "needs Ceph's radosgw"

# use_agent REPO
use_agent() {
	git -C "$1" lfs install --local >/dev/null && git -C "$1" config lfs.standalonetransferagent dvx &&
	git -C "$1" config lfs.customtransfer.dvx.path git-dvx-transfer &&
	git -C "$1" config lfs.customtransfer.dvx.args "--store s3://data/lfs"
}
# bare_clone COPY: pointers only.
bare_clone() {
	GIT_LFS_SKIP_SMUDGE=1 git clone -q work.git "$1" && use_agent "$1"
}
# nothing_left REPO: neither temporary files nor neighbours that nobody asked for.
nothing_left() {
	test -z "$(find "$1/.git/lfs/tmp" -name "dvx-*" -type f 2>/dev/null)" &&
		test -z "$(find "$1/.git/dvx/agent" -type f -size +0 2>/dev/null)"
}

# Pushed in one go, by our own client: one pack.
test_expect_success '1,000 files of 20 KB on S3' '
	start_rgw && new_bucket data && export AWS_ENDPOINT_URL="$S3_ENDPOINT" && git init -q --bare work.git && git init -q work &&
	use_agent work && echo "*.bin filter=lfs diff=lfs merge=lfs -text" >work/.gitattributes && random_file noise 20000000 noise &&
	(cd work && split -b 20000 -a 3 -d --additional-suffix=.bin ../noise file && git add . && git commit -q -m data) &&
	{
		echo "{\"event\":\"init\",\"operation\":\"upload\",\"remote\":\"origin\",\"capabilities\":[\"pipelining\"]}" &&
			(cd work && git lfs ls-files --long) | while read -r oid _ _; do
				echo "{\"event\":\"upload\",\"oid\":\"$oid\",\"size\":20000,\"path\":\"$TRASH/work/.git/lfs/objects/$(printf %.2s "$oid")/$(echo "$oid" | cut -c3-4)/$oid\"}"
			done && echo "{\"event\":\"flush\"}" && echo "{\"event\":\"terminate\"}"
	} >in && (cd work && git-dvx-transfer --store s3://data/lfs) <in >out && test "$(grep -c "\"complete\"" out)" = 1000 &&
	git -C work push -q --no-verify "$TRASH/work.git" main
'

test_expect_success 'a pull costs few requests, whatever the agents share' '
	bare_clone copy && s3_mark && git -C copy lfs pull && n=$(s3_requests) && echo "$n requests" && test "$n" -le 60 &&
	diff -r -x .git work copy && nothing_left copy
'

test_expect_success 'one agent alone' '
	bare_clone one && git -C one config lfs.customtransfer.dvx.concurrent false && s3_mark && git -C one lfs pull &&
	n=$(s3_requests) && echo "$n requests" && test "$n" -le 30 && diff -r -x .git work one && nothing_left one
'

test_expect_success 'scattered objects: few bytes come in vain' '
	bare_clone few && s3_mark && git -C few lfs pull -I "file[0-9]50.bin" && n=$(s3_requests) && echo "$n requests" &&
	test "$n" -le 40 && test "$(find few/.git/lfs/objects -type f | wc -l)" = 10 && nothing_left few
'

test_expect_success 'kill -9 in the middle, then again' '
	bare_clone killed &&
	for delay in 0.1 0.3; do
		setsid git -C killed lfs pull 2>/dev/null & pid=$!
		sleep $delay; kill -9 -- -$pid 2>/dev/null; wait $pid || :
	done &&
	find killed/.git -name "*.lock" ! -path "*/dvx/*" -delete && # what a killed Git leaves
	git -C killed lfs pull && diff -r -x .git work killed && nothing_left killed
'

# One agent, held open: what came to the store after it was listed is found, and then without a listing for each.
test_expect_success 'an object that is pushed while the agent is there' '
	bare_clone late && o=$(printf late | sha256sum | cut -d" " -f1) && printf late >late.bin &&
	first=$(git -C work lfs ls-files --long | sed -n "1s/ .*//p") && mkfifo to && : >answers &&
	{ (cd late && git-dvx-transfer --store s3://data/lfs) <to >answers & agent=$!; } && exec 7>to &&
	echo "{\"event\":\"init\",\"operation\":\"download\",\"remote\":\"origin\",\"concurrent\":true}" >&7 &&
	echo "{\"event\":\"download\",\"oid\":\"$first\",\"size\":20000}" >&7 &&
	for i in $(seq 200); do grep -q complete answers && break; sleep 0.1; done &&
	printf "%s\n" "{\"event\":\"init\",\"operation\":\"upload\",\"remote\":\"origin\",\"concurrent\":false}" \
		"{\"event\":\"upload\",\"oid\":\"$o\",\"size\":4,\"path\":\"$TRASH/late.bin\"}" | (cd work && git-dvx-transfer --store s3://data/lfs) &&
	echo "{\"event\":\"download\",\"oid\":\"$o\",\"size\":4}" >&7 && exec 7>&- && wait $agent && cat answers &&
	test "$(grep -c "\"complete\".*\"path\"" answers)" = 2
'

test_done
