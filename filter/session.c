/*
 * Git's long-running filter protocol (gitattributes(5), gitprotocol-long-running-process(5)):
 * handshake, then one request after the other until Git closes the pipe.  A failed request is
 * answered "status=error" and reported on stderr; the session goes on.  When Git has closed the
 * pipe it waits for this process to exit: that is when late rehydration happens.
 */
#include "filter/filter.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/store/pointer.h"
#include "lib/wire/pktline.h"

enum { WIDE_PIPE = 1 << 20, KEEP_MAX = 4 << 20 };

struct session {
	struct filter *f;
	struct pkt_reader in;
	struct pkt_writer out;
	struct buf content;	  /* a smudged blob, or clean's answer */
	struct buf command, path; /* the request at hand */
	int can_delay;
	struct smudge_request request;
	int widened;
};

/* ---- pkt-lines as source and sink ---- */

struct pkt_source {
	struct source base;
	struct session *s;
	int ended;
	uint64_t total;
};

static int pkt_source_next(struct source *base, const uint8_t **data, size_t *len)
{
	struct pkt_source *p = (struct pkt_source *)base;
	int kind;

	if (p->ended)
		return 0;
	kind = pkt_read(&p->s->in, data, len);
	if (kind < 0)
		return kind;
	if (kind == PKT_DATA) {
		p->total += *len;
		if (p->total > PKT_PAYLOAD_MAX &&
			!p->s->widened) { /* large content: fewer wake-ups */
			p->s->widened = 1;
			(void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, WIDE_PIPE);
			(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, WIDE_PIPE);
		}
		return 1;
	}
	p->ended = 1;
	return kind == PKT_FLUSH ? 0 : err_set(ERR_CORRUPT, "Git ended in the middle of a file");
}

struct pkt_sink {
	struct sink base;
	struct session *s;
};

static int pkt_sink_put(struct sink *base, const void *data, size_t len)
{
	return pkt_write(&((struct pkt_sink *)base)->s->out, data, len);
}

/* ---- handshake ---- */

static int expect_text(struct session *s, const char *want)
{
	const uint8_t *data;
	size_t len;
	int kind = pkt_read(&s->in, &data, &len);

	if (kind < 0)
		return kind;
	if (kind != PKT_DATA || len < strlen(want) || memcmp(data, want, strlen(want)) != 0)
		return err_set(ERR_INVALID,
			"expected '%s' from Git; is this run by Git as filter.dvx.process?", want);
	return 0;
}

static int skip_to_flush(struct session *s, const char *must_see, int *seen)
{
	const uint8_t *data;
	size_t len;
	int kind;

	while ((kind = pkt_read(&s->in, &data, &len)) == PKT_DATA) {
		if (len && data[len - 1] == '\n')
			len--;
		if (len == strlen(must_see) && memcmp(data, must_see, len) == 0)
			*seen = 1;
	}
	if (kind < 0)
		return kind;
	return kind == PKT_FLUSH ? 0 : err_set(ERR_CORRUPT, "Git ended during the handshake");
}

static int handshake(struct session *s)
{
	int version2 = 0, unused = 0, rc;

	if ((rc = expect_text(s, "git-filter-client")) < 0 ||
		(rc = skip_to_flush(s, "version=2", &version2)) < 0)
		return rc;
	if (!version2)
		return err_set(
			ERR_UNSUPPORTED, "Git does not offer version 2 of the filter protocol");
	if ((rc = pkt_write_line(&s->out, "git-filter-server")) < 0 ||
		(rc = pkt_write_line(&s->out, "version=2")) < 0 ||
		(rc = pkt_write_flush(&s->out)) < 0 || (rc = pkt_out_flush(&s->out)) < 0)
		return rc;
	if ((rc = skip_to_flush(s, "capability=delay", &unused)) < 0)
		return rc;
	if ((rc = pkt_write_line(&s->out, "capability=clean")) < 0 ||
		(rc = pkt_write_line(&s->out, "capability=smudge")) < 0 ||
		(rc = pkt_write_line(&s->out, "capability=delay")) < 0 ||
		(rc = pkt_write_flush(&s->out)) < 0)
		return rc;
	return pkt_out_flush(&s->out);
}

/* ---- requests ---- */

static int set_if(struct buf *value, const char *key, const char *line, size_t len)
{
	size_t n = strlen(key);

	if (len < n || memcmp(line, key, n) != 0)
		return 0;
	buf_reset(value);
	return buf_add(value, line + n, len - n) == 0;
}

/* 1: a request is in s->command…; 0: Git has closed the pipe. */
static int read_request(struct session *s)
{
	const uint8_t *data;
	size_t len;
	int kind, any = 0;

	buf_reset(&s->command);
	buf_reset(&s->path);
	s->can_delay = 0;
	while ((kind = pkt_read(&s->in, &data, &len)) == PKT_DATA) {
		const char *line = (const char *)data;

		any = 1;
		if (len && line[len - 1] == '\n')
			len--;
		if (set_if(&s->command, "command=", line, len) ||
			set_if(&s->path, "pathname=", line, len))
			continue;
		if (len == strlen("can-delay=1") && !memcmp(line, "can-delay=1", len))
			s->can_delay = 1;
	}
	if (kind < 0)
		return kind;
	if (kind == PKT_EOF && any)
		return err_set(ERR_CORRUPT, "Git ended in the middle of a request");
	return kind == PKT_FLUSH;
}

static int answer_status(struct session *s, const char *status)
{
	int rc;

	if ((rc = pkt_write_line(&s->out, status)) < 0)
		return rc;
	return pkt_write_flush(&s->out);
}

static int answer_bytes(struct session *s, const void *data, size_t len)
{
	int rc;

	if ((rc = answer_status(s, "status=success")) < 0 ||
		(rc = pkt_write(&s->out, data, len)) < 0 || (rc = pkt_write_flush(&s->out)) < 0 ||
		(rc = pkt_write_flush(&s->out)) < 0)
		return rc;
	return pkt_out_flush(&s->out);
}

/* The request failed with err_msg(); the session goes on. */
static int answer_error(struct session *s)
{
	int rc;

	fprintf(stderr, "error: %s\n", err_msg());
	if ((rc = answer_status(s, "status=error")) < 0)
		return rc;
	return pkt_out_flush(&s->out);
}

static int drain(struct pkt_source *in)
{
	const uint8_t *data;
	size_t len;
	int rc;

	while ((rc = in->base.next(&in->base, &data, &len)) > 0)
		;
	return rc;
}

static const char *path_or_null(const struct session *s)
{
	return s->path.len ? s->path.p : NULL;
}

static int do_clean(struct session *s)
{
	struct pkt_source in = {.base = {pkt_source_next}, .s = s};
	int rc = clean_content(s->f, path_or_null(s), &in.base, &s->content);

	if (rc < 0) {
		char why[1024];
		int end;

		snprintf(why, sizeof why, "%s", err_msg());
		if ((end = drain(&in)) < 0)
			return end;
		err_set(rc, "%s", why);
		return answer_error(s);
	}
	return answer_bytes(s, s->content.p ? s->content.p : "", s->content.len);
}

static int answer_stream(struct session *s, const struct smudge_request *r)
{
	struct pkt_sink out = {.base = {pkt_sink_put}, .s = s};
	int rc, failed;

	if ((rc = answer_status(s, "status=success")) < 0)
		return rc;
	failed = smudge_stream(s->f, r, &out.base) < 0;
	if (failed)
		fprintf(stderr, "error: %s\n", err_msg());
	if ((rc = pkt_write_flush(&s->out)) < 0)
		return rc;
	/* The second list may take the success back: Git then throws away what it got. */
	if (failed && (rc = pkt_write_line(&s->out, "status=error")) < 0)
		return rc;
	if ((rc = pkt_write_flush(&s->out)) < 0)
		return rc;
	return pkt_out_flush(&s->out);
}

/* Git sends all of a blob before it reads the answer.  A pointer is small; anything else (a file
 * that was committed without the filter) is held in memory, or past KEEP_MAX in an unnamed file. */
static int read_blob(struct session *s, struct pkt_source *in, int *spool)
{
	const uint8_t *data;
	size_t len;
	int rc;

	buf_reset(&s->content);
	while ((rc = in->base.next(&in->base, &data, &len)) > 0) {
		if (*spool < 0 && s->content.len + len > KEEP_MAX) {
			if ((*spool = filter_spool(s->f)) < 0)
				return *spool;
			if ((rc = fs_write_full(*spool, s->content.p, s->content.len)) < 0)
				return rc;
		}
		rc = *spool < 0 ? buf_add(&s->content, data, len)
				: fs_write_full(*spool, data, len);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int answer_spool(struct session *s, int spool)
{
	int rc = answer_status(s, "status=success");
	uint64_t at = 0;
	ssize_t n = 1;

	while (rc == 0 && n > 0) {
		n = fs_pread_full(spool, s->content.p, s->content.cap - 1, at);
		if (n < 0)
			return (int)n;
		rc = pkt_write(&s->out, s->content.p, (size_t)n);
		at += (uint64_t)n;
	}
	if (rc == 0)
		rc = pkt_write_flush(&s->out);
	if (rc == 0)
		rc = pkt_write_flush(&s->out);
	return rc < 0 ? rc : pkt_out_flush(&s->out);
}

static int do_smudge(struct session *s)
{
	struct pkt_source in = {.base = {pkt_source_next}, .s = s};
	struct smudge_request *r = &s->request;
	int spool = -1, rc;

	rc = read_blob(s, &in, &spool);
	if (rc < 0)
		goto done;
	if (spool >= 0) {
		rc = answer_spool(s, spool);
		goto done;
	}
	r->path = path_or_null(s);
	r->can_delay = s->can_delay;
	r->text = buf_str(&s->content);
	r->text_len = s->content.len;
	rc = smudge_decide(s->f, r);
	if (rc < 0)
		rc = answer_error(s);
	else if (rc == SMUDGE_STREAM)
		rc = answer_stream(s, r);
	else if (rc == SMUDGE_CONTENT)
		rc = answer_bytes(s, r->content.p, r->content.len);
	else
		rc = answer_bytes(s, r->text, r->text_len);
done:
	if (spool >= 0)
		close(spool);
	return rc;
}

static int refuse(struct session *s)
{
	struct pkt_source in = {.base = {pkt_source_next}, .s = s};
	int rc = drain(&in);

	return rc < 0 ? rc : answer_error(s);
}

static int serve(struct session *s)
{
	int rc;

	while ((rc = read_request(s)) > 0) {
		if (filter_open_repository(s->f) < 0)
			rc = refuse(s);
		else if (!strcmp(buf_str(&s->command), "clean"))
			rc = do_clean(s);
		else if (!strcmp(buf_str(&s->command), "smudge"))
			rc = do_smudge(s);
		else if (!strcmp(buf_str(&s->command),
				 "list_available_blobs")) /* nothing is ever delayed */
			rc = answer_bytes(s, "", 0);
		else {
			err_set(ERR_UNSUPPORTED, "Git asks for an unknown command '%s'",
				buf_str(&s->command));
			rc = refuse(s);
		}
		if (rc < 0)
			return rc;
	}
	return rc;
}

int session_run(struct filter *f)
{
	struct session s = {.f = f};
	int rc, late = 0;

	if ((rc = pkt_reader_init(&s.in, STDIN_FILENO)) < 0 ||
		(rc = pkt_writer_init(&s.out, STDOUT_FILENO)) < 0)
		goto done;
	if ((rc = handshake(&s)) == 0)
		rc = serve(&s);
	if (rc < 0 && !filter_stop) /* after Ctrl-C Git is gone, and its pipe with it */
		fprintf(stderr, "error: %s\n", err_msg());
	/* Also when Git died: the pointers that it wrote are still pointers. */
	if (late_count(f->late)) {
		late = late_run(f->late, f->git, f->config, f->store, &filter_stop);
		if (late < 0)
			fprintf(stderr, "error: %s; run 'git dvx checkout' to complete\n",
				err_msg());
	}
done:
	pkt_reader_release(&s.in);
	pkt_writer_release(&s.out);
	buf_release(&s.content);
	buf_release(&s.command);
	buf_release(&s.path);
	buf_release(&s.request.content);
	return rc < 0 ? 128 : 0;
}
