/*
 * The page: a few lines of HTML, the style and script of lib/metrics/page/, and the data between
 * them as JSON.
 *
 * Names, labels and cells come from anybody's files.  In the data every '<', '>' and '&' is written
 * as an escape of JSON, so that nothing in them can end the element; the script puts texts into the
 * page as text; and the page's policy lets the browser load nothing at all.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/metrics/plots_internal.h"
#include "lib/base/err.h"

/* The assembler puts the files into the program: both compilers do this the same way. */
#define EMBED(name, path)                                                                          \
	__asm__(".pushsection .rodata\n.global " #name "\n" #name ":\n.incbin \"" path             \
		"\"\n.byte 0\n.popsection\n");                                                     \
	extern const char name[]

EMBED(dvx_plots_css, "lib/metrics/page/plots.css");
EMBED(dvx_plots_js, "lib/metrics/page/plots.js");

/* ---- JSON ---- */

static int add_member(struct buf *out, const char *key, const char *text)
{
	int rc = buf_addf(out, "\"%s\":", key);

	return rc < 0 ? rc : plot_json_string(out, text);
}

static int add_strings(struct buf *out, const struct strvec *v)
{
	int rc = buf_addch(out, '[');

	for (size_t i = 0; rc == 0 && i < v->n; i++) {
		if (i)
			rc = buf_addch(out, ',');
		if (rc == 0)
			rc = plot_json_string(out, v->v[i]);
	}
	return rc < 0 ? rc : buf_addch(out, ']');
}

static int add_series(struct buf *out, const struct plot_series *s)
{
	int rc = buf_addch(out, '{');

	if (rc == 0)
		rc = add_member(out, "revision", s->revision);
	if (rc == 0)
		rc = buf_addch(out, ',');
	if (rc == 0)
		rc = add_member(out, "name", s->name);
	if (rc == 0)
		rc = buf_addstr(out, ",\"x\":");
	if (rc == 0)
		rc = buf_add(out, s->x.p, s->x.len);
	if (rc == 0)
		rc = buf_addstr(out, ",\"y\":");
	if (rc == 0)
		rc = buf_add(out, s->y.p, s->y.len);
	return rc < 0 ? rc : buf_addch(out, '}');
}

/* "data:image/png;base64,…" */
static int add_data_url(struct buf *out, const struct plot_image *image)
{
	size_t len = (image->bytes.len + 2) / 3 * 4;
	int rc = buf_addf(out, ",\"src\":\"data:%s;base64,", image->type);

	if (rc == 0)
		rc = buf_grow(out, len + 1);
	if (rc < 0)
		return rc;
	EVP_EncodeBlock((unsigned char *)out->p + out->len,
		(const unsigned char *)buf_str(&image->bytes), (int)image->bytes.len);
	out->len += len;
	out->p[out->len] = '\0';
	return buf_addch(out, '"');
}

static int add_image(struct buf *out, const struct plot_image *image, int with_bytes)
{
	int rc = buf_addch(out, '{');

	if (rc == 0)
		rc = add_member(out, "revision", image->revision);
	if (rc == 0)
		rc = buf_addf(out, ",\"type\":\"%s\",\"size\":%zu", image->type, image->bytes.len);
	if (rc == 0 && with_bytes)
		rc = add_data_url(out, image);
	return rc < 0 ? rc : buf_addch(out, '}');
}

/* What the axes are called where nobody says it. */
static const char *label_of(const char *given, const char *name, const char *otherwise)
{
	if (given != NULL)
		return given;
	return name != NULL && *name ? name : otherwise;
}

static int add_plot(struct buf *out, const struct plot *plot, int with_bytes)
{
	const struct {
		const char *key, *text;
	} members[] = {{"id", plot->id}, {"title", plot->title != NULL ? plot->title : plot->id},
		{"template", plot->template != NULL ? plot->template : "linear"},
		{"x_label", label_of(plot->x_label, plot->x_name, "step")},
		{"y_label", label_of(plot->y_label, plot->y_name, "value")}};
	int rc = buf_addch(out, '{');

	for (size_t i = 0; rc == 0 && i < sizeof members / sizeof *members; i++) {
		rc = add_member(out, members[i].key, members[i].text);
		if (rc == 0)
			rc = buf_addch(out, ',');
	}
	if (rc == 0)
		rc = buf_addstr(out, "\"series\":[");
	for (size_t i = 0; rc == 0 && i < plot->n_series; i++) {
		rc = i ? buf_addch(out, ',') : 0;
		if (rc == 0)
			rc = add_series(out, &plot->series[i]);
	}
	if (rc == 0)
		rc = buf_addstr(out, "],\"images\":[");
	for (size_t i = 0; rc == 0 && i < plot->n_images; i++) {
		rc = i ? buf_addch(out, ',') : 0;
		if (rc == 0)
			rc = add_image(out, &plot->images[i], with_bytes);
	}
	if (rc == 0)
		rc = buf_addstr(out, "],\"notes\":");
	if (rc == 0)
		rc = add_strings(out, &plot->notes);
	return rc < 0 ? rc : buf_addch(out, '}');
}

static int add_json(struct buf *out, const struct plots *p, int with_bytes)
{
	int rc = buf_addstr(out, "{\"revisions\":");

	if (rc == 0)
		rc = add_strings(out, &p->revisions);
	if (rc == 0)
		rc = buf_addstr(out, ",\"plots\":[");
	for (size_t i = 0; rc == 0 && i < p->n; i++) {
		rc = buf_addstr(out, i ? ",\n" : "\n");
		if (rc == 0)
			rc = add_plot(out, p->v[i], with_bytes);
	}
	return rc < 0 ? rc : buf_addstr(out, "]}\n");
}

int plots_json(struct buf *out, const struct plots *p)
{
	return add_json(out, p, 0);
}

/* ---- HTML ---- */

/* JSON has these characters in strings only. */
static int add_escaped_json(struct buf *out, const struct buf *json)
{
	const char *p = buf_str(json), *end = p + json->len;
	int rc = 0;

	while (rc == 0 && p < end) {
		size_t plain = strcspn(p, "<>&");

		rc = buf_add(out, p, plain);
		p += plain;
		if (rc == 0 && p < end)
			rc = buf_addf(out, "\\u%04x", (unsigned)*p++);
	}
	return rc;
}

static int add_html_text(struct buf *out, const char *text)
{
	int rc = 0;

	for (; rc == 0 && *text; text++) {
		if (*text == '<')
			rc = buf_addstr(out, "&lt;");
		else if (*text == '&')
			rc = buf_addstr(out, "&amp;");
		else
			rc = buf_addch(out, *text);
	}
	return rc;
}

int plots_html(struct buf *out, const struct plots *p, const char *title)
{
	static const char policy[] =
		"default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
		"script-src 'unsafe-inline'";
	struct buf json = BUF_INIT;
	int rc = add_json(&json, p, 1);

	if (rc == 0)
		rc = buf_addf(out,
			"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			"<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n"
			"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			"<title>",
			policy);
	if (rc == 0)
		rc = add_html_text(out, title);
	if (rc == 0)
		rc = buf_addf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>",
			dvx_plots_css);
	if (rc == 0)
		rc = add_html_text(out, title);
	if (rc == 0)
		rc = buf_addstr(out,
			"</h1>\n<div class=\"legend\" role=\"group\" "
			"aria-label=\"revisions\"></div>\n"
			"<button type=\"button\" class=\"theme\" title=\"colours\"></button>\n"
			"</header>\n<noscript>The plots are drawn by this page's own "
			"script.</noscript>\n"
			"<main></main>\n<svg hidden></svg>\n"
			"<script type=\"application/json\" id=\"data\">\n");
	if (rc == 0)
		rc = add_escaped_json(out, &json);
	if (rc == 0)
		rc = buf_addf(
			out, "</script>\n<script>\n%s</script>\n</body>\n</html>\n", dvx_plots_js);
	buf_release(&json);
	return rc;
}
