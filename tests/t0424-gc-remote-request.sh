#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='git dvx gc --remote: what is asked of git-dvx-transfer, and when it is not'
. "$(dirname "$0")/lib.sh"

# A git-dvx whose git-dvx-transfer only writes down what it is told.
test_expect_success 'setup' '
	mkdir bin && cp "$DVX_BIN/git-dvx" bin/ && cat >bin/git-dvx-transfer <<-EOF &&
	#!/bin/sh
	printf "%s\n" "\$@" >"$TRASH/argv"
	cat >"$TRASH/requests"
	[ ! -e "$TRASH/fatal" ] || { echo "fatal denied no%0Aaccess"; exit 128; }
	printf "packs 3\nbytes 3000\nobjects 2\nlive-bytes 2000\nunknown-key 7\nnoticed-packs 1\nnoticed-bytes 1000\nremoved-packs 0\ndue 1000000000\n"
	[ -e "$TRASH/cut" ] || echo done
	EOF
	chmod +x bin/git-dvx-transfer &&
	dvx_repo repo && cd repo && git dvx remote add -d storage "$TRASH/blobs" && git dvx track "*.bin" &&
	random_file a.bin 100K a && git add -A && git commit -q -m one && random_file a.bin 100K a2 && git commit -q -a -m two && random_file a.bin 100K a3 && git add a.bin &&
	for s in a a2 a3; do random_file x 100K $s && sha256sum x | cut -d" " -f1 || return 1; done | sort >expect && rm x &&
	gc() { "$TRASH/bin/git-dvx" gc --remote "$@"; }
'

test_expect_success 'all that any commit or index needs is asked for, and the answer told' '
	gc >out && sed "$ d" "$TRASH/requests" | cut -d" " -f1 | sort >actual && test_cmp expect actual && test "$(tail -n 1 "$TRASH/requests")" = "done" &&
	echo gc | cmp - "$TRASH/argv" && grep "1 pack and 0 fragments (1000 B) put under notice" out && grep "can be removed from 2001-09-0" out &&
	gc --json >out && python3 -c "import json; j = json.load(open(\"out\")); assert j[\"remote\"][\"noticed_packs\"] == 1 and j[\"local\"][\"removed\"] == 0"
'

test_expect_success 'a scope is about the local store only; options are handed on' '
	gc -w -r other --grace=60 --repack --dry-run >out && printf "gc\n--remote=other\n--grace=60\n--repack\n--dry-run\n" | cmp - "$TRASH/argv" &&
	sed "$ d" "$TRASH/requests" | cut -d" " -f1 | sort >actual && test_cmp expect actual
'

test_expect_success 'failures of git-dvx-transfer' '
	: >"$TRASH/fatal" && test_expect_code 128 gc 2>err && grep "error: no" err && rm "$TRASH/fatal" && : >"$TRASH/cut" && test_expect_code 128 gc 2>err && grep "before it was done" err && rm "$TRASH/cut"
'

test_expect_success 'projects add what they need' '
	dvx_repo "$TRASH/project" && (cd "$TRASH/project" && git dvx track "*.bin" && random_file p.bin 50K p && git add -A && git commit -q -m p && sha256sum p.bin | cut -d" " -f1) >p &&
	gc -p "$TRASH/project" >out && sed "$ d" "$TRASH/requests" | cut -d" " -f1 | sort >actual && tail -n 1 p | sort - expect >both && test_cmp both actual &&
	rm -f "$TRASH/requests" && test_expect_code 128 gc -p "$TRASH/nowhere" 2>err && grep "no Git repository" err && test ! -e "$TRASH/requests"
'

test_expect_success 'refuses when a Git remote has commits that are not here' '
	git init -q --bare "$TRASH/origin.git" && git remote add origin "$TRASH/origin.git" && git -c core.hooksPath=/dev/null push -q origin main && gc && rm -f "$TRASH/requests" &&
	git clone -q "$TRASH/origin.git" "$TRASH/other" 2>err && (cd "$TRASH/other" && echo x >x && git add x && git commit -q -m other && git -c core.hooksPath=/dev/null push -q origin HEAD:refs/heads/side) &&
	test_expect_code 128 gc 2>err && grep "run .git fetch --all --tags. first" err && test ! -e "$TRASH/requests" && git fetch -q --all && gc && test -e "$TRASH/requests"
'

test_expect_success 'refuses when a Git remote cannot be asked' '
	git remote set-url origin "$TRASH/no-such.git" && rm -f "$TRASH/requests" && test_expect_code 128 gc 2>err && grep "Git remote .origin. cannot be asked" err && test ! -e "$TRASH/requests" && git remote rm origin
'

test_expect_success 'refuses in a shallow and in a partial clone' '
	git -C "$TRASH/origin.git" config uploadpack.allowFilter true && rm -f "$TRASH/requests" &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q --depth 1 "file://$TRASH/origin.git" "$TRASH/shallow" && (cd "$TRASH/shallow" && test_expect_code 128 gc -r x 2>err && grep "shallow clone" err) &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q --filter=blob:none "file://$TRASH/origin.git" "$TRASH/partial" && (cd "$TRASH/partial" && test_expect_code 128 gc -r x 2>err && grep "partial clone" err) && test ! -e "$TRASH/requests"
'

test_done
