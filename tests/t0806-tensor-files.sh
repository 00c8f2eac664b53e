#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx diff --tensors: what people read, metadata, limits, pickles and damaged files'
. "$(dirname "$0")/lib.sh"

tensors() {
	python3 "$dvx_top/tests/tools/tensors.py" write "$@"
}

# told NAME: what was printed of this file
told() {
	sed -n "/^$1: /,/^\$/p" ../out | sed '/^$/d'
}

cat >expect <<\END
m.safetensors: 1 tensor added, 1 removed, 1 renamed, 1 reshaped, 3 changed (of 7)
    metadata epoch: 3 -> 4
    metadata seed: 7 -> (none)
    + head.bias BF16 [10]
    - old.bias F32 [3]
    > norm -> encoder.norm F32 [16]
    ! fc.weight: F32 [10, 5] -> F32 [20, 5]
    ~ few F32 [50, 100]: 4 of 5,000 elements, |diff| 1 (norm 4115, largest 0.5)
    ~ part F32 [4, 4]: 25.0 % of elements, |diff| 1 (norm 248.7 -> 249.1, largest 0.5)
    ~ whole F32 [2]: all elements, |diff| 0.7071 (norm 52.2 -> 52.84, largest 0.5)
END

test_expect_success 'setup: two versions of a model, nothing but bytes' '
	dvx_repo repo && cd repo && git dvx remote add -d storage ../blobs && git dvx track "*.safetensors" "*.pkl" "*.npy" "*.gguf" && git add . &&
	tensors m.safetensors few=F32:50x100:1 part=F32:4x4:2 whole=F32:2:3 norm=F32:16:4 fc.weight=F32:10x5:5 old.bias=F32:3:6 same=I64:3:9 epoch==3 seed==7 &&
	git add . && git commit -q -m one && git tag one &&
	tensors m.safetensors few=F32:50x100:1:4 part=F32:4x4:2:4 whole=F32:2:3:2 encoder.norm=F32:16:4 fc.weight=F32:20x5:5 head.bias=BF16:10:8 same=I64:3:9 epoch==4 &&
	git add . && git commit -q -m two && git tag two
'

test_expect_success 'the whole of it' '
	git dvx diff --tensors one two >../out && told m.safetensors >../told && test_cmp ../expect ../told
'

test_expect_success 'without the option nothing of it' '
	git dvx diff one two >../out && grep "m.safetensors (20" ../out && ! grep "F32" ../out
'

test_expect_success 'Git says the same' '
	git diff one two >../out && told m.safetensors >../told && test_cmp ../expect ../told
'

test_expect_success '--limit, --md, --json' '
	git dvx diff --tensors --limit 2 one two >../out && told m.safetensors >../told && sed 5q ../expect >../start && echo "    ... and 5 more (--limit 0 shows all)" >>../start &&
	test_cmp ../start ../told && git dvx diff --tensors --md one two >../out && sed -n "/^\`\`\`/,/^\`\`\`/p" ../out | sed "/^\`/d" >../told && test_cmp ../expect ../told &&
	git dvx diff --tensors --json one two >../out && json ../out "[m[\"tensors\"] for m in j[\"modified\"]][0][\"metadata\"] == [dict(key=\"epoch\", old=\"3\", new=\"4\"),
		dict(key=\"seed\", old=\"7\", new=None)]" &&
	json ../out "[m[\"tensors\"] for m in j[\"modified\"]][0][\"changes\"][2] == dict(change=\"renamed\", name=\"encoder.norm\", old_name=\"norm\", dtype=\"F32\", shape=[16])" &&
	json ../out "[m[\"tensors\"] for m in j[\"modified\"]][0][\"changes\"][3] == dict(change=\"reshaped\", name=\"fc.weight\", old=dict(dtype=\"F32\", shape=[10, 5]), new=dict(dtype=\"F32\", shape=[20, 5]))"
'

test_expect_success 'only what is compared is fetched' '
	git dvx push -a >../err 2>&1 && cd .. && git clone -q repo clone && cd clone && rm -rf .git/lfs/objects && git dvx diff one two >../out && ! find .git/lfs/objects -type f 2>/dev/null | grep . &&
	git dvx diff --tensors one two >../out && told m.safetensors >../told && test_cmp ../expect ../told && cd ../repo
'

test_expect_success 'names of tensors and metadata cannot command a terminal' '
	e=$(printf "\033]0;x\007") && tensors m.safetensors "${e}a=F32:1:1" "k$e==v${e}1" && git add . && git commit -q -m odd &&
	tensors m.safetensors "${e}a=F32:1:2" "k$e==v${e}2" && git dvx diff --tensors >../out && grep "metadata k?\]0;x?: v?\]0;x?1 -> v?\]0;x?2" ../out &&
	grep "~ ?\]0;x?a F32 \[1\]: its value" ../out && ! grep "$e" ../out && git dvx diff --tensors --json >../out && ! grep "$e" ../out && git checkout -q .
'

test_expect_success 'a pickle is not opened, and says why' '
	printf "\200\004\225 one" >m.pkl && git add . && git commit -q -m pickle && printf "\200\004\225 two" >m.pkl &&
	git dvx diff --tensors >../out 2>../err && grep "m.pkl (7 B -> 7 B)" ../out && test $(wc -l <../err) = 1 &&
	grep "^warning: m.pkl: a pickle is a program that runs when it is opened" ../err && grep "safetensors.torch.save_file" ../err &&
	git dvx diff >../out 2>../err && test_must_be_empty ../err && git checkout -q .
'

test_expect_success 'a pickle by another name is not opened either' '
	printf "\200\004\225 one" >p.npy && git add . && git commit -q -m pickle && printf "\200\004\225 two" >p.npy &&
	test_expect_code 128 git dvx diff --tensors >../out 2>../err && grep "^error: p.npy: a pickle is a program" ../err && git checkout -q .
'

test_expect_success 'a damaged file is told, the others are shown' '
	tensors a.safetensors w=F32:100:1 && tensors z.safetensors w=F32:100:1 && git add . && git commit -q -m whole && truncate -s -1 a.safetensors &&
	tensors z.safetensors w=F32:100:1:1 && test_expect_code 128 git dvx diff --tensors >../out 2>../err &&
	grep "^error: a.safetensors: w: its data end at byte 400 of 399; the file is cut short$" ../err && test $(wc -l <../err) = 1 &&
	grep "~ w F32 \[100\]: 1.0 % of elements" ../out && git checkout -q .
'

test_expect_success 'a file that was only touched is not modified, whoever keeps it' '
	printf "id,x\n1,2\n" >t.csv && printf "id,x\n1,2\n" >u.csv && git add . && git commit -q -m tables && touch m.safetensors t.csv u.csv &&
	git dvx diff --rows --tensors >../out && test_must_be_empty ../out && printf "id,x\n1,3\n" >u.csv && mkdir -p sub && (cd sub && git dvx diff --rows) >../out &&
	grep "~ id=1: x 2 -> 3" ../out && ! grep t.csv ../out && git checkout -q .
'

test_expect_success 'a pointer that was never smudged is the object, not a broken model' '
	git dvx diff --tensors one two >../whole && GIT_LFS_SKIP_SMUDGE=1 git checkout -q one && git dvx diff --tensors one two >../out && test_cmp ../whole ../out
'

test_done
