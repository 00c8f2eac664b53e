#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx exp: data that only experiments name is kept, pushed and checked'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/exp-lib.sh"

model_of() { # model_of NAME: id of its model's data
	git show "$(exp_ref "$1"):model.bin" | sed -n 's/^oid sha256://p'
}
stored() { # stored OID: the local store has it
	find .git/lfs/objects -name "$1" | grep .
}

test_expect_success 'setup' '
	exp_project "$TRASH/repo" && git dvx remote add -d storage "$TRASH/blobs" && git add -A && git commit -q -m remote &&
	git init -q --bare "$TRASH/origin.git" && git remote add origin "$TRASH/origin.git" && git push -q origin main &&
	git dvx exp run -S lr=0.5 -n kept >"$TRASH/out" && git dvx exp run -S lr=0.6 -n removed >"$TRASH/out" && kept=$(model_of kept) && removed=$(model_of removed) && stored "$kept" && stored "$removed"
'

test_expect_success 'gc keeps what a ref of an experiment names' '
	git dvx push -A >"$TRASH/out" && git dvx gc --prune=now >"$TRASH/out" && stored "$kept" && stored "$removed" &&
	git dvx gc -w --prune=now >"$TRASH/out" && stored "$kept" && stored "$removed"
'

test_expect_success 'also with a scope, where no Git remote makes everything unpushed' '
	exp_project "$TRASH/alone" && git dvx remote add -d storage "$TRASH/blobs2" && git add -A && git commit -q -m remote && sed -i "s/lr: 0.1/lr: 0.2/" params.yaml && git dvx repro >"$TRASH/out" && old=$(git show HEAD:model.bin | sed -n "s/^oid sha256://p") &&
	git add -A && git commit -q -m newer && git dvx exp run -S lr=0.5 -n kept >"$TRASH/out" && id=$(model_of kept) && git dvx push -A >"$TRASH/out" && rm -rf .git/logs .git/dvx/runs &&
	stored "$old" && git dvx gc -w --prune=now >"$TRASH/out" && ! stored "$old" && stored "$id" && cd "$TRASH/repo"
'

test_expect_success 'a removed experiment gives its data free' '
	rm -rf .git/dvx/runs && git dvx exp remove removed && git dvx gc --prune=now >"$TRASH/out" 2>&1 && stored "$kept" && ! stored "$removed"
'

test_expect_success 'push -A carries experiments; a clone that fetches the ref has the data' '
	git push -q origin "refs/dvx/exps/*:refs/dvx/exps/*" && git dvx push -A >"$TRASH/out" &&
	git clone -q "$TRASH/origin.git" "$TRASH/clone" && cd "$TRASH/clone" && git dvx init >/dev/null 2>&1 && git fetch -q origin "refs/dvx/exps/*:refs/dvx/exps/*" &&
	git dvx exp list >"$TRASH/out" && grep "\[kept\]" "$TRASH/out" && git dvx exp apply kept 2>"$TRASH/err" && not_pointer model.bin && tail -n 1 model.bin >"$TRASH/tail" && grep -a 0.5 "$TRASH/tail" &&
	git dvx repro >"$TRASH/out" && grep "up to date" "$TRASH/out"
'

test_expect_success 'exp push and pull: by name, with data' '
	cd "$TRASH/repo" && git dvx exp run -S lr=0.7 -n traveller >"$TRASH/out" && git dvx exp run -S lr=0.8 -n homebody >"$TRASH/out" &&
	git dvx exp push traveller >"$TRASH/out" && grep "Pushed experiment .traveller." "$TRASH/out" && git ls-remote origin >"$TRASH/refs" && grep "/traveller$" "$TRASH/refs" && ! grep homebody "$TRASH/refs" &&
	cd "$TRASH/clone" && git reset -q --hard && git dvx exp pull origin traveller >"$TRASH/out" && grep "Pulled experiment .traveller." "$TRASH/out" && stored "$(model_of traveller)" &&
	git dvx exp apply traveller && grep 0.7 metrics.json && test_expect_code 128 git dvx exp pull homebody 2>"$TRASH/err" && grep "no experiment .homebody. at .origin." "$TRASH/err" && git reset -q --hard &&
	git dvx exp run -S lr=0.9 -n homebody >"$TRASH/out" && cd "$TRASH/repo" && git dvx exp push >"$TRASH/out" && grep homebody "$TRASH/out" &&
	cd "$TRASH/clone" && test_expect_code 128 git dvx exp pull 2>"$TRASH/err" && grep "another experiment .homebody. here" "$TRASH/err" && git dvx exp pull -f >"$TRASH/out" && git show "$(exp_ref homebody):metrics.json" >"$TRASH/m" && grep 0.8 "$TRASH/m"
'

test_expect_success 'exp pull and push: where HEAD is another commit, all of them by -A' '
	cd "$TRASH/clone" && git dvx exp remove -A >"$TRASH/out" && git commit -q --allow-empty -m later && git dvx exp pull >"$TRASH/out" && grep "No experiments made from HEAD; -A takes" "$TRASH/out" &&
	git dvx exp pull -A >"$TRASH/out" && grep traveller "$TRASH/out" && grep homebody "$TRASH/out" && git dvx exp push >"$TRASH/out" && grep "No experiments made from HEAD" "$TRASH/out" &&
	git dvx exp push -A >"$TRASH/out" && grep "Pushed experiment .homebody." "$TRASH/out"
'

test_done
