/* SPDX-License-Identifier: MIT */
/* Calls the hooks of the output format and writes what they leave in s->out. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include "out/format.h"
#include "out/textfile.h"

const char *const sink_formats[] = { "text", "json", "prom", NULL };
const char *const sink_formats_no_prom[] = { "text", "json", NULL };

static const struct sink_hooks *const formats[] = {
	[SINK_TEXT] = &text_hooks,
	[SINK_JSON] = &json_hooks,
	[SINK_PROM] = &prom_hooks,
};

struct sink *sink_new(enum sink_format format, int fd, bool screen)
{
	struct sink *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->hooks = formats[format];
	s->fd = fd;
	s->screen = screen;
	return s;
}

void sink_free(struct sink *s)
{
	if (!s)
		return;
	if (s->hooks->close)
		s->hooks->close(s);
	for (size_t i = 0; i < sizeof(s->own) / sizeof(*s->own); i++)
		buf_free(&s->own[i]);
	buf_free(&s->out);
	free(s);
}

int sink_begin(struct sink *s, const struct schema *schema, const char *title)
{
	if (s->open)
		return -EINVAL;
	s->schema = schema;
	s->title = title;
	s->open = true;
	return s->hooks->begin ? s->hooks->begin(s) : 0;
}

int sink_row(struct sink *s, const void *rec)
{
	return s->open ? s->hooks->row(s, rec) : -EINVAL;
}

void sink_into(struct sink *s, struct buf *into)
{
	s->into = into;
}

void sink_to_file(struct sink *s, struct textfile *file)
{
	s->file = file;
}

static int write_out(struct sink *s)
{
	int err = 0;

	if (s->file)
		err = textfile_write(s->file, &s->out);
	else if (!s->into)
		err = buf_write(&s->out, s->fd);
	else if (s->out.nomem)
		err = -ENOMEM;
	else
		buf_add(s->into, s->out.data, s->out.len);
	buf_clear(&s->out);
	return err;
}

int sink_end(struct sink *s)
{
	int err;

	if (!s->open)
		return -EINVAL;
	s->open = false;
	err = s->hooks->end ? s->hooks->end(s) : 0;
	if (err)
		buf_clear(&s->out);
	return err ? err : write_out(s);
}

int sink_record(struct sink *s, const struct schema *schema, const void *rec)
{
	int rc = sink_begin(s, schema, NULL);

	if (!rc)
		rc = sink_row(s, rec);
	return rc ? rc : sink_end(s);
}

int sink_line(struct sink *s, const char *fmt, ...)
{
	struct buf words = { 0 };
	va_list ap;
	int err;

	if (!s->hooks->line)
		return 0;
	va_start(ap, fmt);
	buf_vprintf(&words, fmt, ap);
	va_end(ap);
	buf_char(&words, '\0');
	err = words.nomem ? -ENOMEM : 0;
	if (!err) {
		s->hooks->line(s, words.data);
		err = write_out(s);
	}
	buf_free(&words);
	return err;
}
