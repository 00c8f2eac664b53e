/*
 * The index of history against a naive model: random histories with merges, reverts, deletions,
 * roots of their own and commits that nothing reaches; and `git log` for the last change of a path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/lineage/history.h"
#include "tests/unit/git_repo.h"

enum { COMMITS = 160, PATHS = 4, OBJECTS = 5, BRANCHES = 5, PARENTS = 3, NONE = -1 };
enum { ABSENT = 0, TEXT = OBJECTS + 1 }; /* states of a path; 1…OBJECTS: the pointer to that one */

static const char *const paths[PATHS] = {"dir/p0", "dir.p1", "dir/sub/p2", "dir-p3/p"};

struct model_commit {
	int parents[PARENTS], n_parents;
	int state[PATHS];
	char hex[REPO_HEX_MAX + 1];
};
static struct model_commit model[COMMITS];
static int tips[BRANCHES];
static uint64_t randomness;

static int choose(int n)
{
	randomness = randomness * 6364136223846793005u + 1442695040888963407u;
	return (int)((randomness >> 33) % (uint64_t)n);
}

static void object_id(struct oid *oid, int object)
{
	char text[16];

	oid_of(oid, text, (size_t)snprintf(text, sizeof text, "object %d", object));
}

/* ---- making one ---- */

static void put_file(struct buf *b, int path, int state)
{
	char text[POINTER_CANONICAL_MAX] = "just text";
	struct oid oid;
	size_t len = strlen(text);

	if (state == ABSENT) {
		buf_addf(b, "D %s\n", paths[path]);
		return;
	}
	if (state != TEXT) {
		object_id(&oid, state);
		len = pointer_format(text, &oid, 8);
	}
	buf_addf(b, "M 100644 inline %s\ndata %zu\n%s\n", paths[path], len, text);
}

static int has_parent(const struct model_commit *m, int c)
{
	for (int k = 0; k < m->n_parents; k++)
		if (m->parents[k] == c)
			return 1;
	return 0;
}

/* Commit number c goes to a branch of its own choice. */
static void make_commit(struct buf *b, int c)
{
	struct model_commit *m = &model[c];
	int branch = choose(BRANCHES), other;
	const int *from;

	memset(m, 0, sizeof *m);
	if (tips[branch] != NONE && choose(20))
		m->parents[m->n_parents++] = tips[branch];
	for (int more = choose(3) ? 0 : choose(PARENTS); m->n_parents && more > 0; more--) {
		other = tips[choose(BRANCHES)];
		if (other != NONE && m->n_parents < PARENTS && !has_parent(m, other))
			m->parents[m->n_parents++] = other;
	}
	/* A clock that goes backwards now and then. */
	buf_addf(b, "commit refs/heads/b%d\nmark :%d\ncommitter C <c@example.org> %d +0000\n",
		branch, c + 1, 1500000000 + c * 60 - choose(4) * 500);
	buf_addf(b, "data 2\nc\n");
	if (m->n_parents)
		buf_addf(b, "from :%d\n", m->parents[0] + 1);
	for (int k = 1; k < m->n_parents; k++)
		buf_addf(b, "merge :%d\n", m->parents[k] + 1);
	from = m->n_parents ? model[m->parents[0]].state : NULL;
	if (!from)
		buf_addf(b, "deleteall\n");
	for (int p = 0; p < PATHS; p++) {
		m->state[p] = from ? from[p] : ABSENT;
		if (m->n_parents > 1 && choose(2))
			m->state[p] = model[m->parents[choose(m->n_parents)]].state[p];
		else if (choose(3) == 0)
			m->state[p] = choose(OBJECTS + 2);
		if (m->state[p] != (from ? from[p] : ABSENT))
			put_file(b, p, m->state[p]);
	}
	buf_addch(b, '\n');
	tips[branch] = c;
}

static void read_marks(const char *name)
{
	struct buf text = BUF_INIT;
	char path[64], *line, *save = NULL;
	int c;

	snprintf(path, sizeof path, "%s/marks", name);
	assert_int_equal(buf_read_file(&text, scratch_path(path)), 0);
	for (line = strtok_r(text.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		c = atoi(line + 1) - 1;
		snprintf(model[c].hex, sizeof model[c].hex, "%s", strchr(line, ' ') + 1);
	}
	buf_release(&text);
}

static void import(const char *name, const struct buf *stream)
{
	struct run r = RUN_INIT;

	strvec_pushl(
		&r.argv, "git", "fast-import", "--quiet", "--force", "--export-marks=marks", NULL);
	r.dir = scratch_path(name);
	assert_int_equal(run_capture(&r, stream->p, stream->len, NULL), 0);
	run_release(&r);
	read_marks(name);
}

static void set_branch(const char *name, int branch, int commit)
{
	char ref[32];

	snprintf(ref, sizeof ref, "refs/heads/b%d", branch);
	scratch_git(name, "update-ref", ref, model[commit].hex, NULL);
	tips[branch] = commit;
}

/* Some branches are then set back, so that nothing reaches what they had. */
static void make_history(const char *name, const char *format, uint64_t seed)
{
	struct buf stream = BUF_INIT;

	randomness = seed;
	for (int i = 0; i < BRANCHES; i++)
		tips[i] = NONE;
	/* A branch whose commit has no parents starts anew. */
	for (int c = 0; c < COMMITS; c++) {
		struct buf one = BUF_INIT;

		make_commit(&one, c);
		if (model[c].n_parents == 0)
			for (int i = 0; i < BRANCHES; i++)
				if (tips[i] == c)
					buf_addf(&stream, "reset refs/heads/b%d\n\n", i);
		buf_add(&stream, one.p, one.len);
		buf_release(&one);
	}
	scratch_git(".", "init", "-q", format, name, NULL);
	import(name, &stream);
	for (int i = 0; i < 2; i++)
		if (tips[i] != NONE)
			set_branch(name, i, choose(COMMITS / 2));
	scratch_git(name, "symbolic-ref", "HEAD", "refs/heads/b2", NULL);
	buf_release(&stream);
}

/* ---- what it should say ---- */

static void reached_by(uint8_t *reach, int c)
{
	reach[c] = 1;
	for (int k = 0; k < model[c].n_parents; k++)
		if (!reach[model[c].parents[k]])
			reached_by(reach, model[c].parents[k]);
}

static void find_reach(uint8_t reach[static COMMITS])
{
	memset(reach, 0, COMMITS);
	for (int i = 0; i < BRANCHES; i++)
		if (tips[i] != NONE)
			reached_by(reach, tips[i]);
}

static int origin_of(int c, int path, int object)
{
	if (model[c].state[path] != object)
		return NONE;
	for (int k = 0; k < model[c].n_parents; k++)
		if (model[model[c].parents[k]].state[path] == object)
			return origin_of(model[c].parents[k], path, object);
	return c;
}

struct expected {
	int count[COMMITS][PATHS];
	int object, n;
};

static int number_of(const uint8_t *id, const struct repo *repo)
{
	char hex[REPO_HEX_MAX + 1];

	repo_id_hex(hex, repo, id);
	for (int c = 0; c < COMMITS; c++)
		if (strcmp(model[c].hex, hex) == 0)
			return c;
	return NONE;
}

static struct git_repo r;

static int check_place(const struct history_place *p, void *data)
{
	struct expected *e = data;
	int path = 0, c = number_of(p->since, &r.repo);

	while (strcmp(p->path, paths[path]) != 0)
		assert_true(++path < PATHS);
	assert_int_not_equal(c, NONE);
	assert_int_equal(p->size, 8);
	assert_int_equal(p->commits, e->count[c][path]);
	assert_int_equal(p->at_head, tips[2] != NONE && origin_of(tips[2], path, e->object) == c);
	e->count[c][path] = 0;
	e->n--;
	return 0;
}

static void check_places(struct history *h)
{
	static struct expected e;
	uint8_t reach[COMMITS];
	char hex[OID_HEX_LEN + 1];
	struct oid oid;

	find_reach(reach);
	for (int object = 1; object <= OBJECTS; object++) {
		memset(&e, 0, sizeof e);
		e.object = object;
		for (int c = 0; c < COMMITS; c++)
			for (int p = 0; reach[c] && p < PATHS; p++)
				if (model[c].state[p] == object)
					e.n += e.count[origin_of(c, p, object)][p]++ == 0;
		object_id(&oid, object);
		oid_to_hex(hex, &oid);
		hex[object % 2 ? OID_HEX_LEN : 9] = '\0';
		assert_int_equal(history_places(h, hex, check_place, &e), 0);
		assert_int_equal(e.n, 0);
	}
}

static void check_last_changes(struct history *h)
{
	uint8_t reach[COMMITS], id[REPO_ID_MAX], last[REPO_ID_MAX];
	struct buf out = BUF_INIT;

	find_reach(reach);
	for (int c = 0; c < COMMITS; c++) {
		int p = choose(PATHS), rc;

		if (!reach[c])
			continue;
		repo_id_parse(id, &r.repo, model[c].hex);
		rc = history_last_change(h, id, paths[p], last);
		assert_int_equal(rc, model[c].state[p] != ABSENT && model[c].state[p] != TEXT);
		if (!rc)
			continue;
		buf_reset(&out);
		git_run(&r.repo, NULL, 0, &out, "rev-list", "-1", model[c].hex, "--", paths[p],
			(char *)NULL);
		buf_rtrim(&out);
		assert_string_equal(out.p, model[number_of(last, &r.repo)].hex);
	}
	buf_release(&out);
}

static struct objcache *objects;

static struct history *open_history(void)
{
	struct history *h = NULL;

	assert_int_equal(objcache_new(&objects, &r.repo), 0);
	assert_int_equal(history_open(&h, &r.repo, objects, 0), 0);
	return h;
}

static void close_history(struct history *h)
{
	history_close(h);
	objcache_free(objects);
}

static void check_all(void)
{
	struct history *h = open_history();

	check_places(h);
	check_last_changes(h);
	assert_int_equal(history_is_cut(h), 0);
	close_history(h);
}

/* ---- tests ---- */

/* From the beginning again, in steps of a few commits and of many. */
static void grow(const char *name)
{
	char index[64];

	snprintf(index, sizeof index, "%s/.git/dvx/history", name);
	assert_int_equal(remove(scratch_path(index)), 0);
	for (int i = 0; i < BRANCHES; i++)
		set_branch(name, i, i);
	for (int c = BRANCHES; c < COMMITS; c += 1 + choose(choose(4) ? 10 : 100)) {
		struct history *h = open_history();

		check_places(h);
		close_history(h);
		set_branch(name, choose(BRANCHES), c);
	}
	check_all();
}

static void check_history(const char *name, const char *format, uint64_t seed)
{
	int branch = 3;

	make_history(name, format, seed);
	git_repo_open(&r, name);
	check_all(); /* made */
	check_all(); /* read */
	set_branch(name, branch, COMMITS - 1);
	check_all(); /* extended, or shortened */
	set_branch(name, 0, COMMITS - 2);
	check_all();
	grow(name);
	git_repo_close(&r);
}

static void test_random_histories(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "random%d", i);
		check_history(name, i % 3 ? "--object-format=sha1" : "--object-format=sha256",
			(uint64_t)i * 77 + 5);
	}
}

/* A file of another's making, or a damaged one, is as good as none. */
static void test_every_byte_flipped(void **state)
{
	struct buf good = BUF_INIT;
	const char *file = "small/.git/dvx/history";
	struct history *h;

	(void)state;
	scratch_git(".", "init", "-q", "small", NULL);
	git_repo_pointer("small/a", "one");
	scratch_git("small", "add", "-A", NULL);
	scratch_git("small", "commit", "-q", "-m", "one", NULL);
	scratch_git("small", "tag", "-a", "-m", "v1", "v1", NULL);
	git_repo_open(&r, "small");
	h = open_history();
	assert_int_equal(history_searched(h, &(struct history_searched){0}), 0);
	close_history(h);
	assert_int_equal(buf_read_file(&good, scratch_path(file)), 0);
	for (size_t i = 0; i <= good.len; i++) {
		struct history_searched searched;
		uint8_t head[REPO_ID_MAX], changed[REPO_ID_MAX];

		if (i < good.len)
			good.p[i] ^= 0x40;
		assert_int_equal(fs_replace_file(scratch_path(file), good.p,
					 i < good.len ? good.len : good.len / 2, 0),
			0);
		if (i < good.len)
			good.p[i] ^= 0x40;
		h = open_history();
		assert_int_equal(history_searched(h, &searched), 0);
		assert_int_equal(searched.commits, 1);
		assert_int_equal(searched.refs, 2);
		assert_int_equal(git_resolve(&r.repo, "HEAD", head), 0);
		assert_int_equal(history_last_change(h, head, "a", changed), 1);
		assert_memory_equal(changed, head, r.repo.hash_len);
		close_history(h);
	}
	buf_release(&good);
	git_repo_close(&r);
}

static int no_place(const struct history_place *p, void *data)
{
	(void)p;
	(void)data;
	return 1;
}

static void test_odd_questions(void **state)
{
	static const char *const bad[] = {"", "abc", "abcg", "ABCD", "0x12345",
		"00000000000000000000000000000000000000000000000000000000000000000"};
	uint8_t id[REPO_ID_MAX] = {1};
	struct history *h;

	(void)state;
	scratch_git(".", "init", "-q", "unborn", NULL);
	git_repo_open(&r, "unborn");
	h = open_history();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(history_places(h, bad[i], no_place, NULL), ERR_INVALID);
	assert_int_equal(history_places(h, "0000", no_place, NULL), 0);
	assert_int_equal(history_last_change(h, id, "a", id), 0);
	close_history(h);
	git_repo_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_histories),
		cmocka_unit_test(test_every_byte_flipped),
		cmocka_unit_test(test_odd_questions),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
