/*
 * pipeline.h: every key and form of a file of stages, paths, what targets mean, addresses.  What
 * templates resolve to is in test_pipeline_examples.c, mistakes are in t0705.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "tests/unit/git_repo.h"
#include "tests/unit/pipeline_text.h"

static int read_fixed(void *data, const char *path, struct buf *out)
{
	(void)data;
	if (strcmp(path, "params.yaml") == 0)
		return buf_addstr(out, "lr: 0.1\n");
	if (strcmp(path, "conf/a.json") == 0)
		return buf_addstr(out, "{\"x\": {\"y\": [1, 2]}, \"z\": 3}");
	return err_set(ERR_NOTFOUND, "no file '%s'", path);
}

static const struct pipeline_reader reader = {.read = read_fixed, .top = "/home/u/project"};

static struct pipeline *parse(const char *path, const char *text)
{
	struct pipeline *p = NULL;

	if (pipeline_parse(&p, path, text, strlen(text), &reader) < 0)
		fail_msg("%s", err_msg());
	return p;
}

static void check_stages(const char *path, const char *text, const char *expected)
{
	struct pipeline *p = parse(path, text);
	struct buf found = BUF_INIT;

	print_pipeline(&found, p);
	assert_string_equal(buf_str(&found), expected);
	buf_release(&found);
	pipeline_free(p);
}

static void test_forms(void **state)
{
	(void)state;
	check_stages("dvx.yaml", "", "");
	check_stages("dvx.yaml", "stages:\n", "");
	check_stages("dvx.yaml", "stages: {a: {cmd: x}}\n", "a\n\t$ x\n");
	check_stages("dvx.yaml",
		"stages:\n"
		"  a:\n"
		"    cmd: |\n"
		"      one\n"
		"\n"
		"      two \\\n"
		"        three\n"
		"      four\n",
		"a\n\t$ one\n\t$ two \\\\n  three\n\t$ four\n");
	check_stages("dvx.yaml",
		"stages:\n"
		"  a:\n"
		"    cmd: x\n"
		"    params: [lr, {o.json: [a, b.c, 3]}, {all.yaml: }, {none.toml: []}, epochs, "
		"lr]\n"
		"    outs:\n"
		"    - plain\n"
		"    - one: {cache: false}\n"
		"      two: {persist: true, push: false, desc: d, type: t, labels: [l], meta: "
		"[1]}\n"
		"    - three:\n"
		"    frozen: true\n"
		"    always_changed: true\n",
		"a\n\t$ x\n"
		"\t? params.yaml: lr epochs\n\t? o.json: a b.c 3\n\t? all.yaml:\n\t? none.toml:\n"
		"\t> plain\n\t> one no-cache\n\t> two persist no-push\n\t> three\n"
		"\t! frozen always_changed\n");
	check_stages("dvx.yaml",
		"stages:\n"
		"  a:\n"
		"    cmd: x\n"
		"    deps: [b, b, r.txt]\n"
		"    env: {set: {N: 4, S: 'a b'}, vars: V, files: [r.txt, q.txt], facts: [os, "
		"gpu]}\n"
		"    resources: {gpu: 2, memory: 64}\n"
		"    mutex: [db, net]\n",
		"a\n\t$ x\n\t< b\n\t< r.txt\n\t< q.txt env\n"
		"\t! set N=4 S=a b\n\t! vars V\n\t! facts os gpu\n\t! gpu=2\n\t! memory=64\n"
		"\t! mutex db net\n");
}

/* All of a file wins over keys of it, whatever the order. */
static void test_whole_file(void **state)
{
	(void)state;
	check_stages("dvx.yaml", "stages: {a: {cmd: x, params: [{f.json: [k]}, {f.json: }]}}\n",
		"a\n\t$ x\n\t? f.json:\n");
	check_stages("dvx.yaml", "stages: {a: {cmd: x, params: [{f.json: }, {f.json: [k]}]}}\n",
		"a\n\t$ x\n\t? f.json:\n");
}

static void test_paths(void **state)
{
	(void)state;
	check_stages("sub/dvx.yaml",
		"stages:\n"
		"  a:\n"
		"    cmd: x\n"
		"    wdir: work/../w\n"
		"    deps: [in, ./in2//x/, ../../top, /etc/hosts, /home/u/project/abs, "
		"../../../out,\n"
		"      'src/**/*.py', 'x[0-9]', 'odd[']\n"
		"    params: [lr]\n"
		"    outs: [out/]\n",
		"a in sub/w\n\t$ x\n"
		"\t< sub/w/in\n\t< sub/w/in2/x\n\t< top\n\t< /etc/hosts\n\t< abs\n\t< /home/u/out\n"
		"\t< sub/w/src/**/*.py glob\n\t< sub/w/x[0-9] glob\n\t< sub/w/odd[\n"
		"\t? sub/w/params.yaml: lr\n"
		"\t> sub/w/out\n");
}

static void test_details(void **state)
{
	struct pipeline *p = parse("dvx.yaml", "stages:\n"
					       "  a:\n"
					       "    cmd: x\n"
					       "    desc: what it does\n"
					       "    meta: {by: me}\n"
					       "    plots:\n"
					       "    - p.csv: {x: epoch, cache: false}\n"
					       "    - q.csv\n"
					       "    metrics:\n"
					       "    - m.json\n");
	const struct stage *s = p->v[0];

	(void)state;
	assert_int_equal(s->line, 2);
	assert_string_equal(s->file, "dvx.yaml");
	assert_string_equal(s->desc, "what it does");
	assert_string_equal(node_get(s->meta, "by")->text, "me");
	assert_int_equal(s->n_outs, 3);
	assert_string_equal(s->outs[0].path, "m.json"); /* outs, metrics, plots */
	assert_int_equal(s->outs[0].line, 10);
	assert_string_equal(node_get(s->outs[1].options, "x")->text, "epoch");
	assert_null(s->outs[2].options);
	assert_string_equal(p->files[0].lock, "dvx.lock");
	pipeline_free(p);
}

static void test_top(void **state)
{
	struct pipeline *p =
		parse("sub/dvx.yaml", "vars: [../conf/a.json]\n"
				      "metrics: [m.json, '${z}.json']\n"
				      "params: [p.toml]\n"
				      "plots:\n"
				      "- logs.csv\n"
				      "- logs2.csv: {x: epoch, y: [a, b]}\n"
				      "- train vs test:\n"
				      "    y: {train.csv: [acc], ../test.csv: acc}\n"
				      "artifacts: {m: {path: model.bin, type: model}}\n"
				      "stages:\n"
				      "  a: {cmd: 'x ${x.y[1]} ${z} ${x.y[1]}'}\n");

	(void)state;
	assert_int_equal(p->n_metrics, 2);
	assert_string_equal(p->metrics[1].path, "sub/3.json");
	assert_int_equal(p->n_plots, 3);
	assert_string_equal(p->plots[0].path, "sub/logs.csv");
	assert_null(p->plots[0].options);
	assert_string_equal(p->plots[1].path, "sub/logs2.csv");
	assert_int_equal(node_get(p->plots[1].options, "y")->n, 2);
	assert_string_equal(p->plots[2].path, "train vs test");
	assert_non_null(node_get(node_get(p->plots[2].options, "y"), "test.csv"));
	assert_non_null(node_get(node_get(p->plots[2].options, "y"), "sub/train.csv"));
	/* what is declared, then what templates put in */
	assert_int_equal(p->n_params, 2);
	assert_string_equal(p->params[0].file, "sub/p.toml");
	assert_int_equal(p->params[0].keys.n, 0);
	assert_string_equal(p->params[1].file, "conf/a.json");
	assert_int_equal(p->params[1].keys.n, 2);
	assert_string_equal(p->params[1].keys.v[0], "x.y.1");
	assert_string_equal(p->params[1].keys.v[1], "z");
	assert_string_equal(p->v[0]->cmd.v[0], "x 2 3 2");
	pipeline_free(p);
}

/* --- targets ---------------------------------------------------------------------------------- */

/* The addresses of what a target means, seen from a directory; or the message. */
static void find(struct buf *out, const struct pipeline *p, const char *dir, const char *target)
{
	struct stage_list list = {0};

	buf_reset(out);
	if (pipeline_find(p, dir, target, &list) < 0)
		buf_addstr(out, err_msg());
	for (size_t i = 0; i < list.n; i++) {
		buf_addstr(out, i > 0 ? " " : "");
		assert_int_equal(stage_address(out, list.v[i], dir), 0);
	}
	stage_list_release(&list);
}

struct target {
	const char *dir, *target, *found;
};

static void check_targets(const struct pipeline *p, const struct target *t, size_t n)
{
	struct buf found = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		find(&found, p, t[i].dir, t[i].target);
		if (strcmp(buf_str(&found), t[i].found) != 0)
			fail_msg("'%s' in '%s': '%s', not '%s'", t[i].target, t[i].dir,
				buf_str(&found), t[i].found);
	}
	buf_release(&found);
}

static void test_one_file(void **state)
{
	static const struct target targets[] = {
		{"", "load", "load"},
		{"", "train", "train@a train@b"},
		{"", "train@b", "train@b"},
		{"", "*l*", "load eval"},
		{"", "train@?", "train@a train@b"},
		{"", "data", "load"},
		{"", "./data/", "load"},
		{"", "dvx.yaml", "load train@a train@b eval"},
		{"", "dvx.yaml:train", "train@a train@b"},
		{"", ":eval", "eval"},
		{"", "eval.dvc", "eval"},
		{"src", "load", "../dvx.yaml:load"},
		{"src", "../data", "../dvx.yaml:load"},
		{"", "laod", "no stage 'laod' in 'dvx.yaml'; the most similar one is 'load'"},
		{"", "something/else",
			"no stage and no output 'something/else' in 'dvx.yaml'; 'git dvx stage "
			"list "
			"--all' shows the stages"},
	};
	struct pipeline *p = parse("dvx.yaml", "stages:\n"
					       "  load: {cmd: x, outs: [data]}\n"
					       "  train:\n"
					       "    foreach: [a, b]\n"
					       "    do: {cmd: x, outs: ['m-${item}']}\n"
					       "  eval: {cmd: x}\n");

	(void)state;
	check_targets(p, targets, sizeof(targets) / sizeof(targets[0]));
	assert_non_null(pipeline_file(p, ""));
	assert_null(pipeline_file(p, "src"));
	pipeline_free(p);
}

/* Several files, and a dvc.yaml that a dvx.yaml beside it hides: in a repository, since
 * pipeline_load asks Git. */
static void test_many_files(void **state)
{
	static const struct target targets[] = {
		{"", "a", "a"},
		{"", "b/dvx.yaml:a", "b/dvx.yaml:a"},
		{"b", "a", "a"},
		{"b", "../dvx.yaml:a", "../dvx.yaml:a"},
		{"b", "../c/d/dvc.yaml:z", "../c/d/dvc.yaml:z"},
		{"c/d", "z", "z"},
		{"", "c/d/dvc.yaml", "c/d/dvc.yaml:z"},
		{"c", "d/dvc.yaml:y",
			"no stage 'd/dvc.yaml:y' in 'any file of stages'; the most similar one is "
			"'a'"},
	};
	struct pipeline *p = NULL;
	struct source *src = NULL;
	struct git_repo r = {0};

	(void)state;
	scratch_write("p/dvx.yaml", "stages: {a: {cmd: x}}\n");
	scratch_write("p/b/dvx.yaml", "stages: {a: {cmd: x}}\n");
	scratch_write("p/b/dvc.yaml", "stages: {hidden: {cmd: x}}\n");
	scratch_write("p/c/d/dvc.yaml", "stages: {z: {cmd: x}}\n");
	scratch_git("p", "init", "-q", ".", NULL);
	scratch_git("p", "add", "-A", NULL);
	git_repo_open(&r, "p");
	assert_int_equal(source_worktree(&src, &r.repo, NULL), 0);
	assert_int_equal(pipeline_load(&p, src, NULL), 0);
	assert_int_equal(p->n, 3);
	assert_int_equal(p->n_files, 3);
	assert_string_equal(pipeline_file(p, "c/d")->lock, "c/d/dvx.lock");
	check_targets(p, targets, sizeof(targets) / sizeof(targets[0]));
	pipeline_free(p);
	source_free(src);
	git_repo_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_whole_file),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_one_file),
		cmocka_unit_test(test_many_files),
	};
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
