#!/bin/sh
# shellcheck disable=SC2034
test_description='the registry: 10,000 tags, and what an answer costs'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/model-lib.sh"

TZ=UTC
export TZ

test_expect_success 'setup: 3,333 versions of 20 models, each promoted twice' '
	git init -q repo && cd repo && python3 - <<-\END | git fast-import --quiet && test "$(git tag | wc -l)" = 9999
	import sys
	out = []
	for i in range(3333):
	    out.append(f"commit refs/heads/main\nmark :{i + 1}\ncommitter A <a@x> {1600000000 + i * 1000} +0000\ndata 1\nc")
	    out.append(f"\nM 100644 inline f\ndata {len(str(i))}\n{i}\n")
	for i in range(3333):
	    m = f"model{i % 20}"
	    for k, name in enumerate((f"{m}@v1.{i}.0", f"{m}#staging#{i * 2 + 1}", f"{m}#production#{i * 2 + 2}")):
	        out.append(f"tag {name}\nfrom :{i + 1}\ntagger Ann <a@x> {1600000000 + i * 1000 + 1 + k} +0100\ndata 3\nabc\n")
	sys.stdout.write("".join(out))
	END
'

test_expect_success 'right answers: loose, packed, with and without the cache' '
	git dvx model at production --date @1600500000 model5 >expect && grep "^model5 v1.485.0 (since 2020-09-19 by Ann; code $(git rev-parse "model5@v1.485.0^{commit}" | cut -c1-7))$" expect && git dvx model list >list && sed -n 2p list | grep "^model0  *v1.3320.0  *v1.3320.0  *v1.3320.0" && test "$(wc -l <list)" = 21 &&
	git pack-refs --all && git dvx model list >out && test_cmp list out && rm .git/dvx/registry && git dvx model list >out && test_cmp list out && git dvx model at production --date @1600500000 model5 >out && test_cmp expect out
'

test_expect_success 'one process, no tag object read' '
	GIT_TRACE="$TRASH/trace" git-dvx model history >out && test "$(grep -c "trace: built-in" "$TRASH/trace")" = 1 && grep "for-each-ref" "$TRASH/trace" && test "$(wc -l <out)" = 10000
'

test_expect_success 'one new tag: only that one is read' '
	gto_tag "model0#production#99999" "2024-01-01T00:00:00Z" && rm -f "$TRASH/trace" && GIT_TRACE="$TRASH/trace" git-dvx model list >out && test "$(grep -c "trace: built-in" "$TRASH/trace")" = 2 && rm -f "$TRASH/trace" && GIT_TRACE="$TRASH/trace" git-dvx model list >out && test "$(grep -c "trace: built-in" "$TRASH/trace")" = 1
'

test_expect_success 'memory is bounded' '
	/usr/bin/time -f %M -o "$TRASH/rss" git-dvx model history >out && test "$(cat "$TRASH/rss")" -lt 131072
'

test_done
