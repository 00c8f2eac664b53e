/*
 * The message of an experiment's commit, whose last paragraph says how it was made, and the commit
 * itself.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pipeline/experiment_internal.h"
#include "lib/repo/staged.h"

static int add_lines(struct buf *out, const char *key, const struct strvec *values)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < values->n; i++)
		rc = strchr(values->v[i], '\n')
			     ? err_set(ERR_INVALID, "'%s' has a newline in it", values->v[i])
			     : buf_addf(out, "%s: %s\n", key, values->v[i]);
	return rc;
}

int exp_recipe_format(
	struct buf *out, const char *name, const char *message, const struct experiment_recipe *r)
{
	int rc = message ? buf_addf(out, "%s\n", message) : buf_addf(out, "exp: %s\n", name);

	if (rc == 0)
		rc = buf_addf(out, "\nDvx-Experiment: %s\n", name);
	if (rc == 0 && r->dir && *r->dir)
		rc = buf_addf(out, "Dvx-Prefix: %s\n", r->dir);
	if (rc == 0)
		rc = buf_addf(out, "Dvx-Made: %" PRId64 "\n", r->made);
	if (rc == 0 && r->start)
		rc = buf_addf(out, "Dvx-Start: %s\n", r->start);
	if (rc == 0)
		rc = add_lines(out, "Dvx-Set", &r->set);
	if (rc == 0)
		rc = add_lines(out, "Dvx-Target", &r->targets);
	if (rc == 0)
		rc = add_lines(out, "Dvx-Copy", &r->copies);
	if (rc == 0 && r->force)
		rc = buf_addstr(out, "Dvx-Force: true\n");
	return rc;
}

static int replace(char **field, const char *value, size_t len)
{
	free(*field);
	*field = strndup(value, len);
	return *field ? 0 : err_set(ERR_NOMEM, "out of memory");
}

/* 1 for a path that stays below where it starts: the message may come from anybody, by a fetch. */
static int is_below(const char *path, size_t len)
{
	size_t part;

	if (len > 0 && path[0] == '/')
		return 0;
	for (; len > 0; path += part, len -= part) {
		part = strcspn(path, "/\n");
		part = part < len ? part : len;
		if (part == 2 && path[0] == '.' && path[1] == '.')
			return 0;
		if (part < len) /* the slash */
			part++;
	}
	return 1;
}

static int parse_line(struct experiment_recipe *r, const char *line, size_t len)
{
	static const char made[] = "Dvx-Made: ", force[] = "Dvx-Force: true";
	const struct {
		const char *key;
		char **one; /* or */
		struct strvec *many;
		int is_path;
	} fields[] = {{"Dvx-Prefix: ", &r->dir, NULL, 1}, {"Dvx-Start: ", &r->start, NULL, 0},
		{"Dvx-Set: ", NULL, &r->set, 0}, {"Dvx-Target: ", NULL, &r->targets, 0},
		{"Dvx-Copy: ", NULL, &r->copies, 1}};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t n = strlen(fields[i].key);

		if (len < n || memcmp(line, fields[i].key, n) != 0)
			continue;
		line += n;
		len -= n;
		if (fields[i].is_path && !is_below(line, len))
			return 0;
		return fields[i].one ? replace(fields[i].one, line, len)
				     : strvec_pushn(fields[i].many, line, len);
	}
	if (len >= sizeof(made) - 1 && memcmp(line, made, sizeof(made) - 1) == 0)
		r->made = strtoll(line + sizeof(made) - 1, NULL, 10);
	if (len == sizeof(force) - 1 && memcmp(line, force, len) == 0)
		r->force = 1;
	return 0;
}

int exp_recipe_parse(struct experiment_recipe *r, const char *message)
{
	const char *line = strstr(message, "\n\nDvx-Experiment: "), *later;
	int rc = replace(&r->dir, "", 0);

	/* the last such paragraph: the user's own text stands before it */
	while (line && (later = strstr(line + 1, "\n\nDvx-Experiment: ")) != NULL)
		line = later;
	for (; rc == 0 && line && *line; line += strcspn(line, "\n")) {
		line += strspn(line, "\n");
		rc = parse_line(r, line, strcspn(line, "\n"));
	}
	return rc;
}

void exp_recipe_release(struct experiment_recipe *r)
{
	free(r->dir);
	free(r->start);
	strvec_release(&r->set);
	strvec_release(&r->targets);
	strvec_release(&r->copies);
	*r = (struct experiment_recipe){0};
}

/* ---- the commit ---- */

/* Make the objects durable that a tree names and another does not, as the pre-commit hook does for
 * the user's own commits.  What is not here was not here before. */
static int make_durable(
	const struct repo *repo, struct store *s, const char *old, const char *new_tree)
{
	struct staged changes = STAGED_INIT;
	struct pointers *p = NULL;
	struct oid *oids = NULL;
	size_t n = 0;
	int rc = staged_list_between(&changes, repo, old, new_tree);

	if (rc < 0 || changes.n == 0)
		goto done;
	rc = pointers_open(&p, repo);
	if (rc == 0)
		rc = staged_resolve(&changes, p);
	oids = rc == 0 ? calloc(changes.n, sizeof(*oids)) : NULL;
	if (rc == 0 && !oids)
		rc = err_set(ERR_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < changes.n; i++) {
		const struct pointers_query *q = &changes.v[i].new;

		if (pointers_is_pointer(q) && q->size > 0 && store_has(s, &q->oid, q->size))
			oids[n++] = q->oid;
	}
	if (rc == 0 && n > 0)
		rc = store_sync(s, oids, n);
done:
	free(oids);
	pointers_close(p);
	staged_release(&changes);
	return rc;
}

int exp_commit(struct buf *out, const struct repo *repo, struct store *s, const char *tree,
	const char *base, const struct buf *message)
{
	int rc = make_durable(repo, s, base, tree);

	if (rc == 0)
		rc = exp_git(repo, NULL, buf_str(message), message->len, out, "commit-tree", "-p",
			base, "-F", "-", tree, (char *)NULL);
	buf_rtrim(out);
	return rc;
}
