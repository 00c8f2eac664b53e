#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx model at: dates, zones, one second, clocks that went backwards'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/model-lib.sh"

TZ=UTC
export TZ

test_expect_success 'setup: three versions' '
	git init -q repo && cd repo && for i in 1 2 3; do echo $i >f && git add f && at "2023-11-0${i}T00:00:00Z" git commit -q -m $i || return 1; done &&
	gto_tag m@v1.0.0 "2023-11-10T00:00:00Z" HEAD~2 && gto_tag m@v2.0.0 "2023-11-10T00:00:00Z" HEAD~1 && gto_tag m@v3.0.0 "2023-11-10T00:00:00Z" HEAD
'

test_expect_success 'a day is a day where one is' '
	gto_tag "m#a#1" "2023-12-15T22:30:00Z" HEAD~2 && stage_holds a v1.0.0 2023-12-15 && ! stage_holds a v1.0.0 2023-12-14 && TZ=Asia/Tokyo && export TZ && TZ=JST-9 && test_expect_code 1 git dvx model at a --date 2023-12-15 2>err && grep "at the end of 2023-12-15; the first was m v1.0.0, since 2023-12-16$" err &&
	stage_holds a v1.0.0 2023-12-16 && TZ=EST5 && stage_holds a v1.0.0 2023-12-15 && grep "since 2023-12-15" "$TRASH/held" && TZ=UTC
'

test_expect_success 'to the second, in whatever zone' '
	stage_holds a v1.0.0 "2023-12-15T22:30:00Z" && stage_holds a v1.0.0 "2023-12-16T00:30:00+02:00" && stage_holds a v1.0.0 "2023-12-15 22:30" && stage_holds a v1.0.0 @1702679400 &&
	for t in "2023-12-15T22:29:59Z" "2023-12-15T22:30:00+00:30" "2023-12-15 22:29" @1702679399; do test_expect_code 1 git dvx model at a --date "$t" 2>err && grep "nothing was in .a. at 2023-12-15 2[12]:[0-9:]* +0000; the first was m v1.0.0" err || return 1; done
'

test_expect_success 'now, and ago' '
	now=$(date +%s) && gto_tag "m#b#2" "@$((now - 10 * 86400)) +0000" HEAD~2 && gto_tag "m#b#3" "@$((now - 5 * 86400)) +0000" HEAD~1 && stage_holds b v2.0.0 now && stage_holds b v2.0.0 && stage_holds b v2.0.0 today && stage_holds b v1.0.0 "1 week ago" && stage_holds b v1.0.0 7.days.ago && test_expect_code 1 git dvx model at b --date "2 months ago"
'

test_expect_success 'what is no date is an error, never some other day' '
	for t in "" yesterdy "last monday" 2023-12-15x 15.12.2023 2023-02-30x 2023-13-01; do test_expect_code 128 git dvx model at a --date "$t" 2>err && grep "is no date; one is .2023-12-15." err || { echo "$t"; return 1; }; done
'

test_expect_success 'what happened within one second is in the order of counters' '
	for i in 4 5 6 7 8 9 10 11 12; do rev=$((i % 3)) && gto_tag "m#c#$i" "2024-01-01T00:00:00Z" HEAD~$rev || return 1; done && stage_holds c v3.0.0 &&
	gto_tag "m#c!#13" "2024-01-01T00:00:00Z" HEAD && stage_holds c v1.0.0 && git dvx model history m >out 2>err && grep " c " out | head -n 1 | grep unassignment && test_must_be_empty err
'

test_expect_success 'registered and promoted in one second' '
	echo 4 >f && git commit -q -a -m 4 && at "2024-01-02T00:00:00Z" git dvx model register m && at "2024-01-02T00:00:00Z" git dvx model promote m 3.0.1 d && at "2024-01-02T00:00:00Z" git dvx model demote m d && at "2024-01-02T00:00:00Z" git dvx model promote m 2.0.0 d && stage_holds d v2.0.0 2024-01-02
'

test_expect_success 'a clock that went backwards: the times count, and it is said' '
	at "2024-03-10T00:00:00Z" git dvx model promote m 1.0.0 e && at "2024-03-09T00:00:00Z" git dvx model promote m 2.0.0 e >out 2>err && grep "^In .e. is v1.0.0, since 2024-03-10" out && grep "^warning: tag .m#e#[0-9]*. has an earlier time than tag .m#e#[0-9]*., which counts; is the clock right?" err &&
	git dvx model at e >out 2>err && grep "^m v1.0.0 " out && grep "^warning: tag .m#e#17. has a later time than tag .m#e#18., though a smaller number: a clock was wrong; the times are what counts" err && test "$(wc -l <err)" = 1 &&
	git dvx model at e --json >j && json j "len(j[\"notes\"]) == 1 and \"a clock was wrong\" in j[\"notes\"][0]" && git dvx model at d >out 2>err && test_must_be_empty err
'

test_expect_success 'an answer for a time at which the commit was not there yet' '
	echo 5 >f && at "2024-05-20T00:00:00Z" git commit -q -a -m 5 && gto_tag m@v9.0.0 "2024-05-21T00:00:00Z" && gto_tag "m#f#99" "2024-05-01T00:00:00Z" && git dvx model at f --date 2024-05-10 >out 2>err && grep "^m v9.0.0 (since 2024-05-01" out && grep "^warning: tag .m#f#99. names commit $(git rev-parse HEAD | cut -c1-10), which is of 2024-05-20, later than what was asked for" err &&
	git dvx model at f --date 2024-05-10 --json >j && json j "\"2024-05-20\" in j[\"models\"][0][\"doubt\"]" && git dvx model at f --date 2024-05-25 --json >j && json j "j[\"models\"][0][\"doubt\"] is None"
'

test_expect_success 'several models in one stage, one of them asked for' '
	gto_tag n@v1.0.0 "2024-06-01T00:00:00Z" HEAD && gto_tag "n#a#1" "2024-06-01T00:00:00Z" HEAD && git dvx model at a >out && cut -d" " -f1,2 out >names && printf "m v1.0.0\nn v1.0.0\n" >expect && test_cmp expect names && git dvx model at a n >out && test "$(wc -l <out)" = 1 && git dvx model at a --date 2024-05-31 >out && test "$(wc -l <out)" = 1 && test_expect_code 1 git dvx model at a --date 2024-05-31 --json n >j && json j "j[\"models\"] == [] and j[\"next\"][\"name\"] == \"n\""
'

test_done
