#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx diff: data that differs between revisions and the work tree'
. "$(dirname "$0")/lib.sh"

oid() {
	sha256sum <"$1" | cut -d " " -f 1
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx track "*.bin" && random_file a.bin 100K a && random_file b.bin 2K b && mkdir d &&
	random_file d/c.bin 10 c && random_file d/e.bin 3K e && echo text >text.txt && git add -A && git commit -q -m one && git tag one &&
	random_file a.bin 1M a2 && git rm -q b.bin && mkdir f && git mv d/e.bin f/e.bin && random_file n.bin 20 n && echo more >>text.txt &&
	git add -A && git commit -q -m two
'

test_expect_success 'two revisions, for people' '
	cat >../expect <<-\END &&
	Added:
	    n.bin (20 B)

	Deleted:
	    b.bin (2.0 KiB)

	Renamed:
	    d/e.bin -> f/e.bin (3.0 KiB)

	Modified:
	    a.bin (100.0 KiB -> 1.0 MiB, 100 % changed)

	files summary: 1 added, 1 deleted, 1 renamed, 1 modified
	END
	git dvx diff one HEAD >../out && test_cmp ../expect ../out &&
	git dvx diff one..HEAD >../out && test_cmp ../expect ../out &&
	git dvx diff one.. >../out && test_cmp ../expect ../out &&
	git dvx diff "one^{tree}" main -- >../out && test_cmp ../expect ../out &&
	git dvx diff ..one >../out && grep "1.0 MiB -> 100.0 KiB, 100 % changed" ../out
'

test_expect_success 'a clean work tree: nothing, or the same as HEAD' '
	git dvx diff >../out && test_must_be_empty ../out && git dvx diff --md >../out && test_must_be_empty ../out &&
	git dvx diff --json >../out && json ../out "j == dict(added=[], deleted=[], renamed=[], modified=[])" &&
	git dvx diff one >../out && test_cmp ../expect ../out
'

test_expect_success 'JSON' '
	git dvx diff --json one HEAD >../out && python3 -m json.tool <../out >../tool && git show one:a.bin >../a.ptr &&
	json ../out "j[\"added\"] == [dict(path=\"n.bin\", oid=\"$(oid n.bin)\", size=20)]" &&
	json ../out "[(x[\"path\"], x[\"size\"]) for x in j[\"deleted\"]] == [(\"b.bin\", 2048)]" &&
	json ../out "j[\"renamed\"] == [dict(path=dict(old=\"d/e.bin\", new=\"f/e.bin\"), oid=\"$(oid f/e.bin)\", size=3072)]" &&
	json ../out "j[\"modified\"] == [dict(path=\"a.bin\", oid=dict(old=\"$(sed -n "s/^oid sha256://p" ../a.ptr)\", new=\"$(oid a.bin)\"), size=dict(old=102400, new=1048576), changed_bytes=1048576)]"
'

test_expect_success 'Markdown and names' '
	cat >../expect <<-\END &&
	| Status   | Path | Size |
	|----------|------|------|
	| added    | n.bin | 20 B |
	| deleted  | b.bin | 2.0 KiB |
	| renamed  | d/e.bin -> f/e.bin | 3.0 KiB |
	| modified | a.bin | 100.0 KiB -> 1.0 MiB, 100 % changed |
	END
	git dvx diff --md one HEAD >../out && test_cmp ../expect ../out &&
	printf "a.bin\nb.bin\nf/e.bin\nn.bin\n" >../expect && git dvx diff --name-only one HEAD >../out && test_cmp ../expect ../out &&
	test_expect_code 129 git dvx diff --md --json
'

test_expect_success 'paths and patterns' '
	git dvx diff -n one HEAD f n.bin >../out && printf "f/e.bin\nn.bin\n" >../expect && test_cmp ../expect ../out &&
	git dvx diff -n one HEAD -I "*.bin" -X "f,a.bin" >../out && printf "b.bin\nd/e.bin\nn.bin\n" >../expect && test_cmp ../expect ../out &&
	(cd f && git dvx diff -n one .. && git dvx diff -n one . && git dvx diff -n one -- ../b.bin) >../out &&
	printf "a.bin\nb.bin\nf/e.bin\nn.bin\nf/e.bin\nb.bin\n" >../expect && test_cmp ../expect ../out &&
	git dvx diff one HEAD -- b.bin >../out && grep "1 deleted" ../out && git dvx diff -- b.bin >../out && test_must_be_empty ../out
'

test_expect_success 'what is neither a revision nor a file is an error' '
	test_expect_code 128 git dvx diff nosuch 2>../err && grep "^error: .nosuch. is neither" ../err &&
	test_expect_code 128 git dvx diff HEAD nosuch && test_expect_code 128 git dvx diff one..nosuch &&
	test_expect_code 128 git dvx diff nosuch -- 2>../err && grep "^error: unknown revision .nosuch." ../err &&
	test_expect_code 128 git dvx diff HEAD -- ../../outside && test_expect_code 129 git dvx diff one HEAD main 2>../err &&
	grep "^error: two revisions" ../err
'

test_expect_success 'a name that is a revision and a file is the file, before -- the revision' '
	random_file one 5 one-file && git dvx diff one >../out && test_must_be_empty ../out &&
	git dvx diff one -- >../out && grep "1 renamed" ../out && rm one
'

test_expect_success 'the work tree: changed, deleted, staged and moved back' '
	random_file a.bin 7 a3 && rm n.bin && random_file d/s.bin 9 s && git add d/s.bin &&
	git dvx diff --json >../out && json ../out "j[\"modified\"][0][\"oid\"][\"new\"] is None and j[\"modified\"][0][\"size\"] == dict(old=1048576, new=7)" &&
	json ../out "j[\"deleted\"][0][\"path\"] == \"n.bin\" and j[\"added\"][0][\"oid\"] == \"$(oid d/s.bin)\"" &&
	git dvx diff >../out && grep "^    a.bin (1.0 MiB -> 7 B, 100 % changed)$" ../out &&
	random_file a.bin 100K a && git dvx diff --name-only one >../out && ! grep a.bin ../out &&
	git add a.bin && random_file a.bin 1M a2 && git dvx diff --name-only >../out && ! grep a.bin ../out &&
	git reset -q --hard && git dvx diff >../out && test_must_be_empty ../out
'

test_expect_success 'the same size: another time is no change, other bytes are' '
	touch -d 2001-01-01 a.bin && git dvx diff >../out && test_must_be_empty ../out &&
	random_file a.bin 1M a4 && git dvx diff >../out && grep "a.bin (1.0 MiB -> 1.0 MiB, 100 % changed)" ../out && git checkout -q a.bin
'

test_expect_success 'data on one side, a file in Git on the other' '
	git tag before && git rm -q --cached text.txt && git dvx track text.txt && git add -A && git commit -q -m to-data &&
	git dvx diff before HEAD >../out && grep "^    text.txt (10 B in Git -> 10 B)$" ../out && git dvx diff before >../out2 && test_cmp ../out ../out2 &&
	git dvx diff HEAD before --json >../out && json ../out "j[\"modified\"][0][\"oid\"][\"new\"] is None and j[\"modified\"][0][\"size\"] == dict(old=10, new=10)" &&
	git checkout -q before && echo longer >>text.txt && git dvx diff main >../out && grep "^    text.txt (10 B -> 17 B in Git)$" ../out &&
	rm text.txt && git dvx diff main >../out && grep "1 deleted" ../out && git checkout -q -f main
'

test_expect_success 'only the pointer is here: no difference, and nothing is fetched' '
	GIT_LFS_SKIP_SMUDGE=1 git clone -q "$TRASH/repo" ../clone && cd ../clone && is_pointer a.bin && git dvx diff >../out && test_must_be_empty ../out &&
	git dvx diff --name-only origin/main~2 >../out && grep a.bin ../out && is_pointer a.bin && cd ../repo
'

test_expect_success 'a conflict' '
	git checkout -q -b side one && random_file a.bin 30 side && git commit -q -a -m side && test_must_fail git merge main &&
	git dvx diff --name-only -- a.bin >../out && echo a.bin >../expect && test_cmp ../expect ../out && git merge --abort && rm -f a.bin.ours a.bin.theirs && git checkout -q main
'

test_expect_success 'odd names' '
	nl=$(printf "new\nline.bin") && random_file "$nl" 5 nl && random_file "ü|ß.bin" 6 u && random_file "s p.bin" 7 sp && random_file "q\"\\.bin" 8 q && git add -A &&
	git dvx diff --name-only >../out && printf "%s\n" "\"new\\nline.bin\"" "\"q\\\"\\\\.bin\"" "s p.bin" "ü|ß.bin" >../expect && test_cmp ../expect ../out &&
	git dvx diff --md >../out && grep -F "ü\\|ß.bin" ../out && test $(wc -l <../out) = 6 &&
	git dvx diff --json >../out && python3 -m json.tool <../out >../tool &&
	json ../out "[x[\"path\"] for x in j[\"added\"]] == [\"new\\nline.bin\", \"q\\\"\\\\.bin\", \"s p.bin\", \"ü|ß.bin\"]"
'

test_expect_success 'few processes, and no data is needed' '
	git commit -q -m odd && GIT_TRACE="$TRASH/trace" git dvx diff one HEAD >../out && GIT_TRACE="$TRASH/trace2" git dvx diff one HEAD >../out &&
	test "$(grep -c "trace: built-in\|trace: exec" "$TRASH/trace2")" -le 6 && ! grep filter "$TRASH/trace" &&
	mv .git/lfs ../lfs && mv .git/dvx/packs ../packs && git dvx diff one HEAD >../out2 && git dvx diff >../out3 && mv ../lfs .git/lfs && mv ../packs .git/dvx/packs &&
	sed "s/, 100 % changed//" ../out >../out1 && test_cmp ../out1 ../out2 && test_must_be_empty ../out3
'

test_expect_success 'before the first commit all is added; a bare repository needs two revisions' '
	dvx_repo ../fresh && cd ../fresh && git dvx track "*.bin" && random_file a.bin 10 a && git add -A && git dvx diff >../out && grep "1 added" ../out &&
	git clone -q --bare ../repo ../bare.git && cd ../bare.git && git dvx diff one main >../out && grep "1 renamed" ../out &&
	test_expect_code 128 git dvx diff one 2>../err && grep "bare repository" ../err && test_expect_code 128 git dvx diff && cd ../repo
'

test_expect_success 'a SHA-256 repository' '
	dvx_repo ../sha256 --object-format=sha256 && cd ../sha256 && git dvx track "*.bin" && random_file a.bin 10 a && git add -A && git dvx diff >../out && grep "1 added" ../out &&
	git commit -q -m one && git mv a.bin b.bin && git dvx diff >../out && grep "^    a.bin -> b.bin (10 B)$" ../out &&
	git commit -q -m two && git dvx diff HEAD~1 HEAD >../out2 && test_cmp ../out ../out2
'

test_done
