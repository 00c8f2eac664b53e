/*
 * What answers of the far side do to the calls that wait for them (see ssh_link.h).  Called by the
 * reader thread under the lock.  Nothing is believed: an answer has to fit a request that is under
 * way.
 */
#include "lib/base/err.h"
#include "transfer/ssh/ssh_link_internal.h"

#include <string.h>

int ssh_link_breach(const struct ssh_link *l, const char *what)
{
	return err_set(ERR_REMOTE, "host '%s' does not keep to the protocol: %s", l->host, what);
}

static struct ssh_call *find_call(struct ssh_link *l, uint32_t id)
{
	struct ssh_call *c = l->calls;

	while (c && c->id != id)
		c = c->next;
	return c && !c->done ? c : NULL;
}

static int take_entries(struct ssh_link *l, struct ssh_call *c, const struct blobwire_answer *a)
{
	c->n_entries += a->data_len / BLOBWIRE_ENTRY_LEN;
	if (c->type != BLOBWIRE_LIST || c->n_entries > BLOBWIRE_LISTING_MAX ||
		buf_add(&c->entries, a->data, a->data_len) < 0)
		return ssh_link_breach(l, "a listing without end");
	return 0;
}

static int take_bytes(struct ssh_link *l, struct ssh_call *c, const struct blobwire_answer *a)
{
	if (c->type != BLOBWIRE_GET || a->data_len > c->room - c->got)
		return ssh_link_breach(l, "more bytes than were asked for");
	memcpy((char *)c->into + c->got, a->data, a->data_len);
	c->got += a->data_len;
	return 0;
}

static int take_received(struct ssh_link *l, struct ssh_call *c, const struct blobwire_answer *a)
{
	if (c->type != BLOBWIRE_PUT || a->value > c->sent || a->value < c->received)
		return ssh_link_breach(l, "it received what was not sent");
	c->received = a->value;
	return 0;
}

static int take_done(struct ssh_link *l, struct ssh_call *c, const struct blobwire_answer *a)
{
	if (c->type == BLOBWIRE_GET && a->value != c->got)
		return ssh_link_breach(l, "another number of bytes than it says");
	if (c->type == BLOBWIRE_PUT && (a->value > 1 || (a->value == 0 && !c->committed)))
		return ssh_link_breach(l, "it stored what was not sent");
	c->value = a->value;
	c->done = 1;
	return 0;
}

static int take_error(struct ssh_call *c, const struct blobwire_answer *a)
{
	c->rc = a->code;
	c->message = strndup((const char *)a->data, a->data_len);
	c->done = 1;
	return 0;
}

static int take_ready(struct ssh_link *l, struct ssh_call *c)
{
	if (c->type != BLOBWIRE_PUT || c->ready)
		return ssh_link_breach(l, "it is ready for what nobody sends");
	c->ready = 1;
	return 0;
}

static int goodbye(const struct ssh_link *l, const struct blobwire_answer *a)
{
	return err_set(a->code == ERR_CORRUPT ? ERR_REMOTE : a->code, "host '%s' hung up: %.*s",
		l->host, (int)a->data_len, (const char *)a->data);
}

int ssh_link_answer(struct ssh_link *l, const struct blobwire_frame *f)
{
	struct blobwire_answer a;
	struct ssh_call *c;
	int rc = blobwire_answer_parse(&a, f);

	if (rc < 0)
		return ssh_link_breach(l, err_msg());
	if (a.id == 0)
		return a.type == BLOBWIRE_ERROR ? goodbye(l, &a)
						: ssh_link_breach(l, "an answer to nobody");
	if (a.id == l->ping) {
		l->ping = 0;
		return 0;
	}
	c = find_call(l, a.id);
	if (!c) /* RECEIVED may come late */
		return a.type == BLOBWIRE_RECEIVED ? 0 : ssh_link_breach(l, "an answer to nobody");
	switch (a.type) {
	case BLOBWIRE_ENTRIES:
		rc = take_entries(l, c, &a);
		break;
	case BLOBWIRE_DATA:
		return take_bytes(l, c, &a); /* nothing to wake anybody for */
	case BLOBWIRE_RECEIVED:
		rc = take_received(l, c, &a);
		break;
	case BLOBWIRE_READY:
		rc = take_ready(l, c);
		break;
	case BLOBWIRE_ERROR:
		rc = take_error(c, &a);
		break;
	default:
		rc = take_done(l, c, &a);
	}
	pthread_cond_signal(&c->changed);
	return rc;
}
