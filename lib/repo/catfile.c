/*
 * Talking to `git cat-file --batch-command`.  Requests run ahead of the answers, but never by more
 * than one pipe holds, so neither side can wait for the other to read.  Git answers at a "flush",
 * many requests in few writes.
 */
#include "lib/repo/catfile.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

enum { SKIP_STEP = 64 * 1024 };

struct catfile {
	const struct repo *repo;
	struct git_reader *r; /* NULL: not running */
	uint64_t left;	      /* bytes of the content at hand that nobody took */
	int open;	      /* its final newline is not read yet */
};

static const char contents[] = "contents ", answer_now[] = "flush\n";

struct questions {
	const char *word; /* what is asked for */
	int has_content;  /* in the answer, behind its first line */
	const uint8_t *(*id)(size_t i, void *data);
	void *data;
};
/* How far they are ahead of their answers. */
struct asked {
	size_t n, open;
};

int catfile_open(struct catfile **out, const struct repo *repo)
{
	*out = calloc(1, sizeof **out);
	if (!*out)
		return err_set(ERR_NOMEM, "out of memory");
	(*out)->repo = repo;
	return 0;
}

/* A low threshold: what is larger, Git passes on in pieces, too.  A name that a branch and a tag
 * have is no matter to warn of here. */
static int start(struct catfile *c)
{
	struct run run = RUN_INIT;
	int rc = git_prepare(&run, c->repo, "-c", "core.bigFileThreshold=16m", "-c",
		"core.warnAmbiguousRefs=false", "cat-file", "--buffer",
		"--batch-command=%(objecttype) %(objectsize) %(objectname)", (char *)NULL);

	if (rc == 0)
		rc = git_reader_open(&c->r, &run);
	run_release(&run);
	return rc;
}

static int ask(struct catfile *c, const void *questions, size_t len)
{
	int rc = c->r ? 0 : start(c);

	return rc == 0 ? git_reader_ask(c->r, questions, len) : rc;
}

/* Behind an answer that ended with `rc`, which may be half read: the next question starts Git
 * again. Returns rc, or, where Git ended by itself and the work for that, why Git did. */
static int end_answer(struct catfile *c, int rc)
{
	int end;

	if (rc == 0)
		return 0;
	end = git_reader_finish(c->r);
	*c = (struct catfile){.repo = c->repo};
	return end < 0 ? end : rc;
}

void catfile_close(struct catfile *c)
{
	if (!c)
		return;
	(void)git_reader_finish(c->r);
	free(c);
}

int catfile_take(struct catfile *c, size_t most, struct buf *out)
{
	size_t n = c->left < most ? (size_t)c->left : most;
	int rc = git_reader_bytes(c->r, n, out);

	c->left -= n;
	return rc;
}

/* Read what is left of the content at hand, and the newline behind it. */
static int skip_rest(struct catfile *c)
{
	struct buf waste = BUF_INIT;
	int rc = 0;

	while (rc == 0 && c->left) {
		buf_reset(&waste);
		rc = catfile_take(c, SKIP_STEP, &waste);
	}
	if (rc == 0 && c->open)
		rc = git_reader_bytes(c->r, 1, &waste);
	c->open = 0;
	buf_release(&waste);
	return rc;
}

/* "tree 123 <id>"; anything else ("<name> missing") is an object that is not here.  `id` may be
 * NULL. */
static int read_head(struct catfile *c, struct catfile_head *head, uint8_t *id)
{
	static const struct {
		const char *word;
		enum git_type type;
	} types[] = {{"commit ", GIT_COMMIT}, {"tree ", GIT_TREE}, {"blob ", GIT_BLOB},
		{"tag ", GIT_TAG}};
	char *line, *end;
	size_t len, i, word;
	int rc = git_reader_next(c->r, '\n', &line, &len);

	if (rc <= 0)
		return rc < 0 ? rc : err_set(ERR_CORRUPT, "'git cat-file' ended too early");
	head->type = GIT_MISSING;
	head->size = 0;
	for (i = 0; i < sizeof types / sizeof types[0]; i++) {
		word = strlen(types[i].word);
		if (strncmp(line, types[i].word, word) != 0)
			continue;
		head->type = types[i].type;
		head->size = strtoull(line + word, &end, 10);
		if (id && (*end != ' ' || repo_id_parse(id, c->repo, end + 1) < 0))
			return err_set(ERR_CORRUPT, "unexpected output of 'git cat-file'");
	}
	c->left = head->size;
	c->open = head->type != GIT_MISSING;
	return 0;
}

/* The next questions, as many as may be open. */
static int ask_ahead(struct catfile *c, const struct questions *q, size_t n, struct asked *asked)
{
	char lines[PIPE_BUF];
	size_t word = strlen(q->word), hex = 2 * (size_t)c->repo->hash_len, len = 0;
	size_t most = (sizeof lines - strlen(answer_now)) / (word + hex + 1);
	const uint8_t *want;

	if (asked->open > most / 2)
		return 0;
	for (; asked->n < n && asked->open < most; asked->n++) {
		want = q->id(asked->n, q->data);
		if (want == NULL)
			continue;
		memcpy(lines + len, q->word, word);
		repo_id_hex(lines + len + word, c->repo, want);
		len += word + hex;
		lines[len++] = '\n';
		asked->open++;
	}
	if (len == 0)
		return 0;
	memcpy(lines + len, answer_now, strlen(answer_now));
	return ask(c, lines, len + strlen(answer_now));
}

static int each(struct catfile *c, const struct questions *q, size_t n,
	int (*fn)(struct catfile *c, const struct catfile_head *head, void *data))
{
	struct asked asked = {0, 0};
	struct catfile_head head;
	int rc = 0;

	for (head.i = 0; rc == 0 && head.i < n; head.i++) {
		rc = ask_ahead(c, q, n, &asked);
		if (rc < 0 || q->id(head.i, q->data) == NULL)
			continue;
		rc = read_head(c, &head, NULL);
		if (!q->has_content)
			c->left = c->open = 0;
		if (rc == 0)
			rc = fn(c, &head, q->data);
		if (rc == 0)
			rc = skip_rest(c);
		asked.open--;
	}
	return end_answer(c, rc);
}

int catfile_each(struct catfile *c, size_t n, const uint8_t *(*id)(size_t i, void *data),
	int (*fn)(struct catfile *c, const struct catfile_head *head, void *data), void *data)
{
	return each(c, &(struct questions){contents, 1, id, data}, n, fn);
}

int catfile_info(struct catfile *c, size_t n, const uint8_t *(*id)(size_t i, void *data),
	int (*fn)(struct catfile *c, const struct catfile_head *head, void *data), void *data)
{
	return each(c, &(struct questions){"info ", 0, id, data}, n, fn);
}

int catfile_commit(struct catfile *c, const char *rev, size_t most, uint8_t id[static REPO_ID_MAX],
	struct buf *out)
{
	struct catfile_head head;
	struct buf line = BUF_INIT;
	int rc = buf_addf(&line, "%s%s^{commit}\n%s", contents, rev, answer_now);

	if (rc == 0)
		rc = ask(c, line.p, line.len);
	if (rc == 0)
		rc = read_head(c, &head, id);
	if (rc == 0 && head.type == GIT_COMMIT)
		rc = catfile_take(c, most, out);
	if (rc == 0)
		rc = skip_rest(c);
	buf_release(&line);
	rc = end_answer(c, rc);
	return rc < 0 ? rc : head.type == GIT_COMMIT;
}

struct one {
	const uint8_t *id;
	enum git_type type;
	size_t most;
	struct buf *out;
	const struct repo *repo;
};

static const uint8_t *one_id(size_t i, void *data)
{
	(void)i;
	return ((struct one *)data)->id;
}

static int one_take(struct catfile *c, const struct catfile_head *head, void *data)
{
	struct one *o = data;
	char hex[REPO_HEX_MAX + 1];

	repo_id_hex(hex, o->repo, o->id);
	if (head->type == GIT_MISSING)
		return err_set(ERR_NOTFOUND, "object %s is not in this repository", hex);
	if (head->type != o->type)
		return err_set(ERR_CORRUPT, "object %s is not of the type it should be", hex);
	if (head->size > o->most)
		return err_set(ERR_LIMIT, "object %s is too large (%llu bytes)", hex,
			(unsigned long long)head->size);
	return catfile_take(c, o->most, o->out);
}

int catfile_read(
	struct catfile *c, const uint8_t *id, enum git_type type, size_t most, struct buf *out)
{
	struct one o = {id, type, most, out, c->repo};

	return catfile_each(c, 1, one_id, one_take, &o);
}
