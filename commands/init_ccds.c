/*
 * The layout of Cookiecutter Data Science: data/{raw,interim,processed,external}, models/, secrets
 * in .env.  Its .gitignore hides data/, since plain Git cannot hold data; here it can.
 *
 * Nothing but lines of .gitattributes and .gitignore is written: directories, Makefile and .gitkeep
 * files are the template's.
 */
#include "commands/init_ccds.h"

#include <stdio.h>

#include "commands/ignored.h"
#include "lib/base/err.h"
#include "lib/repo/attrs.h"
#include "lib/repo/git.h"
#include "lib/repo/ignore.h"
#include "lib/repo/textfile.h"

static const char attributes[] = ".gitattributes";
static const char *const tracked[] = {"data", "models"};
enum { N_TRACKED = sizeof(tracked) / sizeof(tracked[0]) };

/* 1 if the text changed. */
static int add_attributes(struct buf *text)
{
	struct buf pattern = BUF_INIT;
	int changed = 0, rc = 0;

	for (size_t i = 0; rc >= 0 && i < N_TRACKED; i++) {
		buf_truncate(&pattern, 0);
		rc = attrs_quote_path(&pattern, tracked[i], 1);
		if (rc >= 0)
			rc = attrs_text_track(text, pattern.p, NULL);
		changed |= rc > 0;
		if (rc >= 0)
			rc = buf_addstr(&pattern, "/.git*");
		if (rc >= 0)
			rc = attrs_text_spare(text, pattern.p);
		changed |= rc > 0;
	}
	if (rc >= 0)
		rc = attrs_text_give(text, "/data/raw/**", "dvx-guard=immutable");
	changed |= rc > 0;
	if (rc >= 0)
		rc = attrs_text_give(text, ".env", "dvx-guard=never");
	changed |= rc > 0;
	buf_release(&pattern);
	return rc < 0 ? rc : changed;
}

static int write_attributes(const struct repo *repo, int quiet)
{
	struct buf text = BUF_INIT;
	int rc = textfile_read(&text, repo, attributes);

	if (rc == 0)
		rc = add_attributes(&text);
	if (rc > 0) {
		rc = textfile_write(&text, repo, attributes);
		if (rc == 0 && !quiet)
			printf("'%s' now tracks data/ and models/, and guards data/raw (immutable) "
			       "and .env (never committed).\n",
				attributes);
	}
	buf_release(&text);
	return rc;
}

/* Secrets stay out of version control, whatever the template's .gitignore says. */
static int ignore_env(const struct repo *repo, int quiet)
{
	static const char *const path[] = {".env"};
	struct ignore_hit hit = {0};
	struct buf text = BUF_INIT;
	int rc = ignore_check(repo, path, 1, &hit);

	if (rc == 0 && !hit.hidden) {
		rc = textfile_read(&text, repo, ".gitignore");
		if (rc == 0)
			rc = textfile_add_line(&text, path[0]);
		if (rc == 0)
			rc = textfile_write(&text, repo, ".gitignore");
		if (rc == 0 && !quiet)
			puts("Added to '.gitignore':\n    .env");
	}
	ignore_hits_release(&hit, 1);
	buf_release(&text);
	return rc;
}

int init_ccds(const struct repo *repo, int quiet)
{
	int rc = write_attributes(repo, quiet);

	for (size_t i = 0; rc >= 0 && i < N_TRACKED; i++)
		rc = ignored_handle(repo, tracked[i], 1, 1, NULL);
	if (rc >= 0)
		rc = ignore_env(repo, quiet);
	if (rc == 0 && !quiet)
		puts("To make it part of the next commit: git add .gitattributes .gitignore");
	return rc < 0 ? rc : 0;
}
