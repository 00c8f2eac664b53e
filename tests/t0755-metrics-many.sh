#!/bin/sh
# shellcheck disable=SC2034
test_description='metrics of 1,000 files over 100 tags: right, and few processes'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup: 100 tags, each changes 10 of 1,000 files' '
	git init -q repo && cd repo && awk "BEGIN {
		print \"blob\nmark :1\ndata <<END\nmetrics:\"
		for (i = 0; i < 1000; i++) printf \"- metrics/%04d.json\n\", i
		print \"END\n\"
		for (tag = 0; tag < 100; tag++) {
			print \"commit refs/heads/main\ncommitter B <b@example.org> \" 1700000000 + tag * 60 \" +0000\ndata 1\n.\"
			if (tag == 0) print \"M 100644 :1 dvx.yaml\"
			for (k = 0; k < (tag == 0 ? 1000 : 10); k++) {
				i = (tag * 10 + k) % 1000
				text = sprintf(\"{\\\"tag\\\": %d, \\\"file\\\": %d}\", tag, i)
				printf \"M 100644 inline metrics/%04d.json\ndata %d\n%s\n\", i, length(text), text
			}
			printf \"reset refs/tags/v%d\nfrom refs/heads/main\n\n\", tag
		} }" | git fast-import --quiet && git reset -q --hard
'

test_expect_success 'every value of every tag is right' '
	git dvx metrics show -T --json >out && python3 - <<-\END
	import json
	j = json.load(open("out"))
	assert list(j) == ["workspace"] + [f"v{t}" for t in range(100)], list(j)[:5]
	want = {i: 0 for i in range(1000)}
	for t in range(100):
	    if t:
	        want.update({(t * 10 + k) % 1000: t for k in range(10)})
	    data = j[f"v{t}"]["data"]
	    assert len(data) == 1000
	    for i, tag in want.items():
	        assert data[f"metrics/{i:04d}.json"]["data"] == {"tag": tag, "file": i}, (t, i)
	assert j["workspace"] == j["v99"]
	END
'

test_expect_success 'as a table' '
	git dvx metrics show -T >out && test "$(wc -l <out)" = 101001 && grep "^v5  *metrics/0057.json  *5  *57$" out && grep "^v4  *metrics/0057.json  *0  *57$" out
'

test_expect_success STRACE 'three processes: Git lists the tags, Git gives the objects' '
	strace -f -o trace -e trace=execve git-dvx metrics show -T >out && test "$(grep -c "execve(.* = 0$" trace)" -le 3
'

test_expect_success 'between two tags' '
	git dvx metrics diff v3 v4 >out && test "$(wc -l <out)" = 11 && grep "^metrics/0040.json  tag  *0  *4  *+4$" out
'

test_done
