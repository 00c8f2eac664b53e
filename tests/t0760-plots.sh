#!/bin/sh
# shellcheck disable=SC2016,SC2034
test_description='git dvx plots: one HTML file, which draws (looked at in headless Chromium)'
. "$(dirname "$0")/lib.sh"

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || :)
[ -z "$browser" ] || test_set_prereq CHROMIUM

# drawn <page>: the document as it is when its script has run, without the script itself; what the browser says to console.
# The script ends before the page counts as loaded, so nothing has to wait.  The browser makes a socket in its TMPDIR, and
# the address of a socket is at most 107 bytes long: a path below the trash directory can be longer.
drawn() {
	scratch=$(mktemp -d /tmp/dvx-browser.XXXXXX) || return 1
	TMPDIR=$scratch timeout 300 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking \
		--disable-breakpad --disable-extensions --no-first-run --user-data-dir="$scratch/profile" --enable-logging=stderr \
		--dump-dom "file://$1" >"$TRASH/dom" 2>"$TRASH/console"
	browser_status=$?
	rm -rf "$scratch"
	if [ "$browser_status" -ne 0 ]; then
		echo "$browser ended with status $browser_status:" >&2
		cat "$TRASH/console" >&2
		return 1
	fi
	awk '/<script/ { skip = 1 } !skip { print } /<\/script>/ { skip = 0 }' "$TRASH/dom"
}
# count <pattern> <file>: how often it is there, not in how many lines.
count() {
	grep -o -e "$1" "$2" | wc -l
}

test_expect_success 'setup: three states' '
	dvx_repo repo && cd repo && mkdir eval &&
	cat >dvx.yaml <<-\EOF &&
	stages:
	  evaluate:
	    cmd: "true"
	    plots:
	    - eval/loss.csv: {x: epoch, cache: false}
	    - eval/classes.csv: {template: confusion, x: predicted, y: actual, cache: false}
	    - eval/img: {cache: false}
	plots:
	- ROC:
	    x: fpr
	    y: {eval/train.json: tpr, eval/test.json: tpr}
	    title: "</script><b>ROC"
	- eval/bars.json: {template: bar_horizontal_sorted, x: size, y: name}
	- eval/dots.tsv: {template: scatter}
	EOF
	printf "epoch,loss\n0,0\n1,1\n2,0.5\n" >eval/loss.csv &&
	printf "actual,predicted\ncat,cat\ncat,dog\ndog,dog\ndog,dog\n" >eval/classes.csv &&
	printf "{\"roc\": [{\"fpr\": 0, \"tpr\": 0}, {\"fpr\": 1, \"tpr\": 1}]}" >eval/train.json && cp eval/train.json eval/test.json &&
	printf "[{\"name\": \"<img src=x>\", \"size\": 2}, {\"name\": \"b\", \"size\": 4}]" >eval/bars.json &&
	printf "a\tb\n1\t10\n2\t20\n3\tnan\n" >eval/dots.tsv && mkdir eval/img &&
	printf "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==" | base64 -d >eval/img/one.png &&
	git add -A && git commit -q -m one && git tag v1 &&
	printf "epoch,loss\n0,1\n1,0.5\n2,0\n" >eval/loss.csv && git commit -q -am two && git tag v2 &&
	printf "epoch,loss\n0,1\n1,0.25\n2,0.25\n" >eval/loss.csv
'

test_expect_success 'show: the data of the work tree as JSON, and no file' '
	git dvx plots show --json >../json && ! test -e dvx_plots &&
	grep "{\"revisions\":\[\"workspace\"\],\"plots\":\[" ../json &&
	grep "\"id\":\"eval/loss.csv\".*\"x_label\":\"epoch\",\"y_label\":\"loss\".*\"x\":\[0,1,2\],\"y\":\[1,0.25,0.25\]" ../json &&
	grep "\"id\":\"ROC\".*\"name\":\"eval/train.json: tpr\".*\"name\":\"eval/test.json: tpr\"" ../json &&
	grep "\"id\":\"eval/img/one.png\".*\"type\":\"image/png\",\"size\":70" ../json
'

test_expect_success 'diff: HEAD and the work tree; one revision and the work tree; those that are named' '
	git dvx plots diff --json >../json && grep "^{\"revisions\":\[\"HEAD\",\"workspace\"\]" ../json &&
	git dvx plots diff v1 --json >../json && grep "^{\"revisions\":\[\"v1\",\"workspace\"\]" ../json &&
	git dvx plots diff v1 v2 --json --targets eval/loss.csv >../json && grep "^{\"revisions\":\[\"v1\",\"v2\"\]" ../json &&
	grep "\"revision\":\"v1\",\"name\":\"loss\",\"x\":\[0,1,2\],\"y\":\[0,1,0.5\]" ../json &&
	grep "\"revision\":\"v2\",\"name\":\"loss\",\"x\":\[0,1,2\],\"y\":\[1,0.5,0\]" ../json && ! grep "\"id\":\"ROC\"" ../json
'

test_expect_success 'a file that nobody declares; fields and labels from the command line; from a subdirectory' '
	printf "x,y,z\n1,2,3\n4,5,6\n" >own.csv && mkdir -p sub &&
	(cd sub && git dvx plots show ../own.csv -x x -y y --title T --x-label X --y-label Y --json) >../json &&
	grep "\"id\":\"own.csv\",\"title\":\"T\",\"template\":\"linear\",\"x_label\":\"X\",\"y_label\":\"Y\"" ../json &&
	grep "\"x\":\[1,4\],\"y\":\[2,5\]" ../json &&
	git dvx plots show own.csv --json >../json && grep "\"x\":\[0,1\],\"y\":\[3,6\]" ../json &&
	printf "cat,1\ndog,2\n" >own.csv && git dvx plots show own.csv --no-header -x 0 --json >../json &&
	grep "\"x\":\[\"cat\",\"dog\"\],\"y\":\[1,2\]" ../json && cp dvx.yaml ../kept.yaml &&
	sed "s|.*eval/img:.*|&\n    - own.csv: {x: \"0\", header: false, cache: false}|" ../kept.yaml >dvx.yaml &&
	git dvx plots show own.csv --json >../json && cp ../kept.yaml dvx.yaml &&
	grep "\"x\":\[\"cat\",\"dog\"\],\"y\":\[1,2\]" ../json && rm own.csv
'

test_expect_success 'what is missing is told' '
	test_expect_code 128 git dvx plots show nosuch.csv 2>../err && grep "^error: nothing to draw of .nosuch.csv.: workspace: no file" ../err &&
	test_expect_code 128 git dvx plots show eval/loss.csv -y acc 2>../err && grep "no field .acc.; there are: epoch, loss" ../err &&
	test_expect_code 128 git dvx plots diff nosuch 2>../err && grep "^error: .*nosuch" ../err &&
	test_expect_code 129 git dvx plots show -t pie 2>../err && grep "there is no template .pie." ../err &&
	test_expect_code 129 git dvx plots 2>../err && test_expect_code 129 git dvx plots frob 2>../err &&
	mv eval/loss.csv ../kept && git dvx plots diff v1 --json >../json && mv ../kept eval/loss.csv &&
	grep "\"notes\":\[\"workspace: no file .eval/loss.csv. in workspace\"\]" ../json
'

test_expect_success 'the page: one file that loads nothing, in a directory that Git ignores' '
	git dvx plots diff v1 v2 workspace >../out && echo "file://$PWD/dvx_plots/index.html" | sed "s/ /%20/g" >../expect &&
	test_cmp ../expect ../out && test "$(ls -A dvx_plots)" = "$(printf ".gitignore\nindex.html")" && test -z "$(git status --porcelain dvx_plots)" &&
	! grep -E "https?:|src=\"?/|@import|url\(|<link|<iframe" dvx_plots/index.html && grep "default-src .none." dvx_plots/index.html &&
	! grep "</script><b>" dvx_plots/index.html && ! grep "<img src=x>" dvx_plots/index.html &&
	test "$(grep -c "</script>" dvx_plots/index.html)" = 2 &&
	git dvx plots show -o ../there/page.html >../out && test -f ../there/page.html && test "$(ls -A ../there)" = page.html &&
	git dvx plots show -o "../a dir" >../out && test -f "../a dir/index.html" && grep "a%20dir/index.html" ../out
'

test_expect_success 'a link that a clone brings leads no page elsewhere' '
	mv dvx_plots ../dvx_plots.kept && mkdir ../elsewhere && ln -s ../elsewhere dvx_plots && test_expect_code 128 git dvx plots show >../out 2>../err &&
	grep "^error: .dvx_plots. is no directory; .* -o" ../err && test -z "$(ls -A ../elsewhere)" && git dvx plots show -o dvx_plots >../out &&
	test -f ../elsewhere/index.html && rm dvx_plots && mv ../dvx_plots.kept dvx_plots &&
	rm dvx_plots/index.html && ln -s ../../elsewhere/other dvx_plots/index.html && git dvx plots show >../out && test ! -e ../elsewhere/other && test ! -L dvx_plots/index.html
'

test_expect_success '--open starts the browser with the page' '
	printf "#!/bin/sh\necho \"\$*\" >\"%s/opened.new\" && mv \"%s/opened.new\" \"%s/opened\"\n" "$TRASH" "$TRASH" "$TRASH" >../browser-stub &&
	chmod +x ../browser-stub &&
	BROWSER=$TRASH/browser-stub git dvx plots show --open && i=0 &&
	while ! test -e ../opened && test $i -lt 900; do i=$((i + 1)); sleep 0.1; done &&
	echo "$PWD/dvx_plots/index.html" >../expect && test_cmp ../expect ../opened &&
	test_expect_code 128 env BROWSER=/nonexistent/browser git dvx plots show --open 2>../err && grep "the page is written" ../err
'

test_expect_success CHROMIUM 'Chromium draws it, without complaint' '
	git dvx plots diff v1 v2 workspace && drawn "$PWD/dvx_plots/index.html" >../drawn && ! grep -i "CONSOLE" ../console &&
	test "$(count "<section" ../drawn)" = 6 && test "$(count "aria-pressed=\"true\"" ../drawn)" = 3
'

test_expect_success CHROMIUM 'lines have the right coordinates' '
	grep -q "class=\"series\" d=\"M62,312L343,12L624,162\"" ../drawn && grep -q "class=\"series\" d=\"M62,12L343,162L624,312\"" ../drawn &&
	grep -q "class=\"series\" d=\"M62,12L343,237L624,237\"" ../drawn &&
	test "$(count "class=\"series\" d=\"M62,312L624,12\"" ../drawn)" = 6 && test "$(count "stroke-dasharray=\"7 4\"" ../drawn)" = 4
'

test_expect_success CHROMIUM 'matrices, bars, dots and images' '
	test "$(count "class=\"cell\"" ../drawn)" = 9 && test "$(count "class=\"cell-none\"" ../drawn)" = 3 &&
	test "$(count "<text class=\"count[^>]*>2</text>" ../drawn)" = 3 &&
	test "$(count "class=\"bar\"" ../drawn)" = 6 && test "$(count "<circle class=\"dots\"" ../drawn)" = 6 &&
	test "$(count "<img src=\"data:image/png;base64,iVBORw0KGgo" ../drawn)" = 3
'

test_expect_success CHROMIUM 'texts stay texts' '
	grep -q "<h2>&lt;/script&gt;&lt;b&gt;ROC</h2>" ../drawn && grep -q ">&lt;img src=x&gt;</text>" ../drawn
'

test_done
