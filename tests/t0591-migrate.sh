#!/bin/sh
test_description='git dvx migrate: there and back, refusals, being stopped'
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/migrate-lib.sh
. "$dvx_top/tests/migrate-lib.sh"
git dvx install >/dev/null

# seed_as NAME: a fresh copy of the history.
seed_as() {
	rm -rf "$1" && cp -r seed "$1"
}
# unchanged REPO: its refs and files are those of the history.
unchanged() {
	all_refs seed >before && all_refs "$1" >after && test_cmp before after && [ -z "$(git -C "$1" status --porcelain)" ]
}

test_expect_success 'import of everything' '
	history seed && seed_as r &&
	(cd r && git dvx migrate import --everything) &&
	git -C r fsck && (cd r && git dvx fsck) &&
	shape_of seed >before && shape_of r >after && test_cmp before after &&
	same_files seed r && [ -z "$(git -C r status --porcelain)" ] &&
	git -C r cat-file blob main:big.bin >pointer && is_pointer pointer && not_pointer r/big.bin && test_cmp_bin seed/big.bin r/big.bin &&
	git -C r show main:.gitattributes | grep -qx "\*.bin filter=dvx diff=dvx merge=dvx -text"
'
test_expect_success 'what was in .gitattributes stays byte for byte' '
	git -C seed show main:.gitattributes >was && git -C r show main:.gitattributes | head -c "$(wc -c <was)" | cmp - was
'
test_expect_success 'odd headers and messages stay, a link stays a link, modes stay' '
	odd=$(git -C r rev-parse main~1) && git -C r cat-file commit "$odd" | grep -v -e ^tree -e ^parent >after &&
	git -C seed cat-file commit main~1 | grep -v -e ^tree -e ^parent >before && test_cmp before after &&
	git -C r ls-tree -r main | grep "^120000.*link.bin" && git -C r ls-tree -r light | grep "^100755.*noext" && git -C r ls-tree main | grep "^160000.*module"
'
test_expect_success 'what is printed takes it back' '
	(cd r && cat .git/dvx/migrate/*.undo | git update-ref --stdin && git checkout -q --force) && unchanged r
'
test_expect_success 'migrations of one second leave a way back each' '
	seed_as r && (cd r && for i in 1 2 3; do
		git dvx migrate import -I "*.bin" main && git dvx migrate export -I "*.bin" main || exit
	done) && [ "$(find r/.git/dvx/migrate -name "*.undo" -size +0 | wc -l)" = 6 ]
'
test_expect_success 'export gives the trees back' '
	seed_as r && (cd r && git dvx migrate import --everything -I "*" && git dvx migrate export --everything -I "*") &&
	git -C r fsck && same_files seed r &&
	for ref in light side main end; do
		git -C seed ls-tree -r "$ref" | grep -v .gitattributes >before && git -C r ls-tree -r "$ref" | grep -v .gitattributes >after &&
			test_cmp before after || return 1
	done &&
	git -C r show main:.gitattributes | tail -n 1 | grep -Fx "* !text !filter !merge !diff"
'
test_expect_success 'export fetches what is not here' '
	seed_as r && (cd r && git dvx migrate import --everything -I "*.bin" && git dvx remote add -d blobs "$TRASH/blobs" && git dvx push -A) &&
	rm -rf r/.git/lfs r/.git/dvx/packs &&
	(cd r && git dvx migrate export --everything --yes -I "*.bin") && same_files seed r
'
test_expect_success 'export without a place to fetch from: told, nothing changed' '
	seed_as r && (cd r && git dvx migrate import --everything -I "*.bin") && all_refs r >before &&
	rm -rf r/.git/lfs r/.git/dvx/packs &&
	test_must_fail git -C r dvx migrate export --everything --yes -I "*.bin" 2>err && grep -i "missing\|fetched" err &&
	all_refs r >after && test_cmp before after
'
test_expect_success 'SHA-256' '
	history seed256 --object-format=sha256 && cp -r seed256 r256 &&
	(cd r256 && git dvx migrate import --everything -I "*.bin,noext" && git dvx fsck) && git -C r256 fsck &&
	same_files seed256 r256 && shape_of seed256 >before && shape_of r256 >after && test_cmp before after &&
	(cd r256 && git dvx migrate export --everything -I "*") && git -C r256 fsck && same_files seed256 r256
'
test_expect_success 'a second import changes nothing' '
	seed_as r && (cd r && git dvx migrate import --everything) && all_refs r >before &&
	(cd r && git dvx migrate import --everything) && all_refs r >after && test_cmp before after
'
test_expect_success 'the map of commits' '
	seed_as r && (cd r && git dvx migrate import --everything --object-map=../map) &&
	grep -qx "$(git -C seed rev-parse main),$(git -C r rev-parse main)" map && [ "$(wc -l <map)" -eq "$(git -C seed rev-list --branches --tags | wc -l)" ] &&
	test_must_fail git -C r dvx migrate export --everything -I "*" --object-map=../map 2>err && grep "object map" err
'
test_expect_success '--verbose names each converted file once' '
	seed_as r && (cd r && git dvx migrate import --everything --verbose -I "*.bin" >../out) &&
	grep -qx "migrate: commit $(git -C seed rev-parse light): a.bin" out && [ "$(wc -l <out)" -eq "$(sort -u out | wc -l)" ] &&
	test_must_fail grep empty.bin out
'
test_expect_success 'a bare repository' '
	rm -rf bare.git && git clone -q --mirror seed bare.git && (cd bare.git && git dvx migrate import --everything -I "*.bin" && git dvx fsck -A 2>/dev/null || git dvx fsck) &&
	same_files seed bare.git
'
test_expect_success 'a dirty working copy: asked, refused, overridden' '
	seed_as r && echo change >>r/read.me &&
	test_must_fail git -C r dvx migrate import --everything </dev/null 2>err && grep "must not be dirty" err &&
	echo n | test_must_fail git -C r dvx migrate import --everything && git -C r checkout -q read.me && unchanged r &&
	echo change >>r/read.me && echo y | git -C r dvx migrate import --everything && [ -z "$(git -C r status --porcelain)" ]
'
test_expect_success 'a ref that moves meanwhile: nothing is changed' '
	seed_as r && mkdir -p shim && git=$(command -v git) &&
	printf "#!/bin/sh\ncase \" \$* \" in *\" update-ref \"*) \"$git\" branch -f side main~1 ;; esac\nexec \"$git\" \"\$@\"\n" >shim/git && chmod +x shim/git &&
	(cd r && PATH=$TRASH/shim:$PATH && test_must_fail git-dvx migrate import --everything 2>../err) && grep "nothing was changed" err &&
	git -C r branch -f side "$(git -C seed rev-parse side)" && unchanged r
'
test_expect_success 'a shallow and a partial clone: refused with what to do' '
	git -C seed config uploadpack.allowFilter true && rm -rf shallow partial &&
	git clone -q --depth 1 --no-recurse-submodules "file://$TRASH/seed" shallow &&
	test_must_fail git -C shallow dvx migrate import --everything 2>err && grep unshallow err &&
	git clone -q --bare --filter=blob:none "file://$TRASH/seed" partial &&
	test_must_fail git -C partial dvx migrate import --everything 2>err && grep "partial clone" err
'
test_expect_success 'a symbolic link as .gitattributes' '
	git init -q linked && (cd linked && ln -s x .gitattributes && echo 1 >a.bin && git add -A && git commit -qm one) && all_refs linked >before &&
	test_must_fail git -C linked dvx migrate import --everything 2>err && grep "symbolic link" err && all_refs linked >after && test_cmp before after
'
test_expect_success '--fixup: what the commit itself says, at every depth, with macros' '
	git init -q fix && (
		cd fix && git config filter.dvx.process "" && git config filter.dvx.clean cat && git config filter.dvx.required false &&
		mkdir -p sub && echo 1 >a.bin && echo 2 >sub/b.bin && echo 3 >sub/c.txt && git add -A && git commit -qm one &&
		printf "[attr]data filter=dvx\n*.bin data\n" >.gitattributes && git add -A && git commit -qm two &&
		printf "b.bin -filter\nc.txt filter=dvx\n" >sub/.gitattributes && git add -A && git commit -qm three &&
		git config --remove-section filter.dvx &&
		git dvx migrate import --everything --fixup --yes &&
		pointers() { git ls-tree -r --name-only "$1" | while read -r f; do git cat-file blob "$1:$f" | grep -q ^oid && echo "$f"; done; } &&
		[ "$(pointers main~2)" = "" ] && [ "$(pointers main~1 | tr "\n" " ")" = "a.bin sub/b.bin " ] && [ "$(pointers main | tr "\n" " ")" = "a.bin sub/c.txt " ]
	)
'
test_expect_success '--no-rewrite: one commit on top' '
	seed_as r && (
		cd r && printf "*.bin filter=dvx diff=dvx merge=dvx -text\n" >.gitattributes && git -c filter.dvx.process= -c filter.dvx.clean=cat -c filter.dvx.required=false commit -qam attributes &&
		git rev-parse HEAD >../was && git dvx migrate import --no-rewrite --yes dir/../a.bin "sp ace/we ird*[1].bin" &&
		[ "$(git rev-parse HEAD~1)" = "$(cat ../was)" ] && git cat-file blob HEAD:a.bin | grep -q ^oid && ! git cat-file blob HEAD:big.bin | head -c 200 | grep -q ^oid &&
		[ "$(git diff --name-only HEAD~1 HEAD | wc -l)" -eq 2 ] && test_must_fail git dvx migrate import --no-rewrite --yes read.me && test_must_fail git dvx migrate import --no-rewrite --yes no.bin
	)
'
test_expect_success 'wrong usage' '
	for args in "" frob "export --everything" "import --everything main" "import --everything --include-ref=main" "import --above=1mb -I x" "import --fixup -I x" \
		"import --no-rewrite" "import --above=much" "info --unit=x" "info --pointers=x" "import --frob"; do
		test_expect_code 129 git -C seed dvx migrate $args 2>err && [ -s err ] || return 1
	done &&
	test_expect_code 128 git -C seed dvx migrate import nosuch
'
# In a session of its own, so that what it started can be waited for.
killed_after() { # SECONDS REPO
	(cd "$2" && exec setsid git-dvx migrate import --everything >/dev/null 2>&1 </dev/null) &
	dvx_pid=$!
	sleep "$1"
	kill -9 "$dvx_pid" 2>/dev/null
	wait "$dvx_pid" 2>/dev/null
	while ps -e -o sid= | grep -qw "$dvx_pid"; do sleep 0.05; done
}
test_expect_success 'killed at any moment: all refs are old or all are new, and the next run completes it' '
	seed_as r && (cd r && git dvx migrate import --everything) && all_refs r >new && all_refs seed >old &&
	for t in 0.005 0.02 0.03 0.04 0.05 0.06 0.07 0.08 0.1 0.12 0.15 0.2; do
		seed_as k && killed_after "$t" k && all_refs k >now && git -C k fsck --connectivity-only >/dev/null 2>&1 &&
			{ cmp -s now old || test_cmp new now; } &&
			(cd k && git dvx migrate import --everything --yes) && all_refs k >now && test_cmp new now && same_files seed k || return 1
	done
'

test_done
