#!/bin/sh
# shellcheck disable=SC2034
test_description='the run cache of a team: pushed to every kind of blob store, and used by repro --pull'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/runs-lib.sh"

test_expect_success 'a team mate reproduces what was run elsewhere, and runs nothing' '
	new_team plain local_blob && git dvx push --run-cache >out && grep "^6 runs pushed to the run cache" out &&
	test "$(find "$TRASH/blob/runs" -name "*.runs" | wc -l)" = 1 &&
	mate 1 && git dvx repro --pull >out.log && grep "train.* is cached" out.log && grep "report.* is cached" out.log && runs 6 &&
	same_as_run 1 && git dvx repro >out.log && grep "up to date" out.log &&
	echo "rate: 2" >params.yaml && git dvx repro --pull && runs 6 && same_as_run 2
'

test_expect_success 'the names of bundles are their hashes; pushed again, nothing travels' '
	for f in "$TRASH"/blob/runs/*; do test "$(sha256sum <"$f" | cut -d" " -f1).runs" = "$(basename "$f")" || return 1; done &&
	ls "$TRASH/blob/runs" >before && cd ../work && git dvx push --run-cache >out && ! grep "run cache" out &&
	cd ../mate && git dvx push --run-cache >out && ! grep "run cache" out && ls "$TRASH/blob/runs" | test_cmp before -
'

test_expect_success 'without --pull a clone runs; fetch and pull --run-cache get entries' '
	mate 1 && git dvx repro >out.log && runs 8 && same_as_run 1 &&
	mate 2 && git dvx fetch --run-cache >out && grep "^6 runs fetched of the run cache" out && git dvx repro --pull && runs 8 &&
	mate 2 && git dvx pull --run-cache >out && grep "^6 runs fetched" out && git dvx pull --run-cache >out && ! grep "runs fetched" out &&
	git dvx repro --pull && runs 8 && same_as_run 2
'

test_expect_success 'with the data of the committed outputs missing, --pull fetches it' '
	rm -rf ../lazy && GIT_LFS_SKIP_SMUDGE=1 git clone -q ../hub.git ../lazy && cd ../lazy && is_pointer model/weights &&
	git dvx repro --pull >out.log && runs 8 && git dvx pull && same_as_run 3 &&
	rm -rf model report .git/lfs/objects .git/dvx/packs .git/dvx/runs && git dvx repro --pull && runs 8 && same_as_run 3
'

test_expect_success 'a stage never reads the text of a pointer: data is placed, fetched by --pull, or asked for' '
	cd ../work && git add -A && git commit -qm more && git push -q origin HEAD && rm -rf ../lazy &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q ../hub.git ../lazy && cd ../lazy && is_pointer model/weights && is_pointer report &&
	sed -i "s/report; echo/report; grep -c sha256 model\/weights >>report; echo/" dvx.yaml && cp report before &&
	test_expect_code 128 git dvx repro 2>err && grep "needs the data of .model/sub/empty.txt., of which only the pointer" err && test_cmp before report && runs 8 &&
	git dvx repro --pull >out.log && runs 9 && tail -n 1 report | grep -x 0 && same_as_run_but_report 3 &&
	git checkout -q . && git dvx pull && rm model/weights && GIT_LFS_SKIP_SMUDGE=1 git checkout -q -- model && sed -i "s/report; echo/report; echo  /" dvx.yaml &&
	git dvx repro >out.log && runs 10 && grep -x data report
'

test_expect_success 'objects first: a push that cannot send them sends no bundle' '
	new_team order local_blob "$TRASH/order-blob" && find .git/lfs/objects .git/dvx/packs -type f | head -n 1 >one &&
	mkdir -p "$TRASH/order-blob" && rm -rf "$TRASH/order-blob/packs" && : >"$TRASH/order-blob/packs" &&
	test_expect_code 128 git dvx push --run-cache 2>err && grep "^error: " err && test ! -e "$TRASH/order-blob/runs" &&
	rm "$TRASH/order-blob/packs" && git dvx push --run-cache >out && grep "^6 runs pushed" out
'

test_expect_success 'push: false stays at home' '
	new_team home local_blob "$TRASH/home-blob" && sed -i "s/outs: .report./outs: [report: {push: false}]/" dvx.yaml &&
	git dvx push --run-cache >out && grep "^3 runs pushed" out && mate 1 && git dvx repro --pull >out.log &&
	grep "train.* is cached" out.log && ! grep "report.* is cached" out.log && runs 7
'

test_expect_success 'what another wrote into a bundle is checked: wrong keys, wrong texts, rubbish' '
	new_team hostile local_blob "$TRASH/hostile-blob" && git dvx push --run-cache && cat >forge.py <<-\END &&
	import hashlib, os, struct, sys
	store, how = sys.argv[1:]
	path = os.path.join(store, "runs", os.listdir(store + "/runs")[0])
	b = open(path, "rb").read()
	count = struct.unpack(">I", b[8:12])[0]
	at, entries = 12, []
	for i in range(count):
	    key, value, n = b[at:at + 32], b[at + 32:at + 64], struct.unpack(">I", b[at + 64:at + 68])[0]
	    entries.append([key, value, b[at + 68:at + 68 + n]])
	    at += 68 + n
	if how == "keys":        # each text under the key of another
	    keys = [e[0] for e in entries]
	    for e, k in zip(entries, keys[1:] + keys[:1]):
	        e[0] = k
	elif how == "texts":     # the outputs are changed, the value says so
	    for e in entries:
	        e[2] = e[2].replace(b"size: ", b"size: 1")
	elif how == "values":    # consistent in itself, of a stage that nobody has
	    for e in entries:
	        e[2] = b"schema: dvx/1\nstages: [" + e[2]
	        e[1] = hashlib.sha256(e[2]).digest()
	entries.sort(key=lambda e: (e[0], e[1]))
	out = b"DVXRUNS1" + struct.pack(">I", count) + b"".join(k + v + struct.pack(">I", len(t)) + t for k, v, t in entries)
	if how == "cut":
	    out = out[:-5]
	elif how == "version":
	    out = b"DVXRUNS9" + out[8:]
	os.remove(path)
	name = hashlib.sha256(out if how != "name" else b"other").hexdigest()
	open(os.path.join(store, "runs", name + ".runs"), "wb").write(out)
	END
	cp -r "$TRASH/hostile-blob" "$TRASH/good-blob" && n=6 && for how in keys texts values cut version name; do
		rm -rf "$TRASH/hostile-blob" && cp -r "$TRASH/good-blob" "$TRASH/hostile-blob" && cd ../work &&
		python3 forge.py "$TRASH/hostile-blob" $how && mate 1 && git dvx repro --pull >out.log 2>err && ! grep "is cached" out.log &&
		! grep "^error" err && n=$((n + 2)) && runs $n && same_as_run 1 || { echo "$how"; return 1; }
		case $how in cut | version | name) grep "^warning: 1 bundle is of the run cache left out: .*\.runs" err || return 1 ;; esac
	done
'

test_expect_success 'a bundle that was damaged here is fetched again' '
	new_team again local_blob "$TRASH/again-blob" && git dvx push --run-cache && mate 1 && git dvx fetch --run-cache &&
	for f in .git/dvx/runs/*.runs; do echo x >>"$f"; done && rm -rf .git/dvx/runs/?? && git dvx repro --pull && runs 6 && same_as_run 1
'

test_expect_success 'dvx.runCache = push: git push and git dvx push send it' '
	new_team config local_blob "$TRASH/config-blob" && test ! -e "$TRASH/config-blob/runs" && git config dvx.runCache push &&
	git dvx push >out && grep "^6 runs pushed" out && echo 2 >in && git dvx repro >out.log && git add -A && git commit -qm two &&
	git push -q origin HEAD 2>err && grep "^2 runs pushed" err && git dvx push >out && ! grep "run cache" out
'

test_expect_success 'a Git repository on this machine as remote' '
	new_team peer true && git dvx remote add -d storage "$TRASH/peer/hub.git" && git dvx push --run-cache >out && grep "^6 runs pushed" out &&
	mate 1 && git dvx remote add -d storage "$TRASH/peer/hub.git" && git dvx repro --pull && runs 6 && same_as_run 1
'

test_expect_success 'a remote that cannot be asked: repro --pull runs what it has to' '
	new_team away local_blob "$TRASH/away-blob" && git dvx push --run-cache && mate 1 && git dvx remote modify storage url "$TRASH/nowhere" &&
	git dvx repro --pull 2>err && runs 8 && same_as_run 1
'

test_expect_success SSHD 'by SSH' '
	start_sshd && new_team ssh local_blob "ssh://$SSH_USER@$SSH_HOST:$SSH_PORT$SSH_FAR_HOME/blob" && git dvx push --run-cache >out &&
	grep "^6 runs pushed" out && test -d "$SSH_FAR_HOME/blob/runs" && mate 1 && git dvx repro --pull && runs 6 && same_as_run 1
'

s3_team() {
	git dvx remote add -d storage s3://team && git dvx remote modify storage endpointurl "$S3_ENDPOINT"
}

test_expect_success RGW 'S3' '
	start_rgw && new_bucket team && new_team s3 s3_team && git dvx push --run-cache >out && grep "^6 runs pushed" out &&
	mate 1 && git dvx repro --pull && runs 6 && same_as_run 1
'

test_done
