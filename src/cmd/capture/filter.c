/* SPDX-License-Identifier: MIT */
/* Joins a filter's words, parses them with this host's names or a file's, and reports mistakes. */
#include "cmd/capture/filter.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/err.h"
#include "cmd/common/cmd.h"
#include "cmd/common/expr.h"
#include "filter/emit.h"
#include "filter/view.h"
#include "resolve/names.h"

enum { TEXT_MAX = 1 << 20 };

/* Reads a whole file; its lines form one filter. */
static int read_text(const char *name, char **text)
{
	struct buf b = { 0 };
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : buf_read(&b, fd, TEXT_MAX);

	if (rc)
		fail_errno(rc, "%s", name);
	else if (b.len >= TEXT_MAX || (b.len && memchr(b.data, 0, b.len)))
		rc = fail(-EINVAL, "%s: too long, or not a text file", name);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; !rc && i < b.len; i++)
		if (b.data[i] == '\n')
			b.data[i] = ' ';
	buf_char(&b, '\0');
	*text = b.data;
	return rc || b.nomem ? -EINVAL : 0;
}

/* Numbers the interfaces of a capture file by name. 0: unknown name. */
static uint32_t name_number(const struct capture_filter *f, const char *name)
{
	for (uint32_t i = 0; i < f->nnames; i++)
		if (!strcmp(f->names[i], name))
			return i + 1;
	return 0;
}

static int name_of_file(void *arg, const char *name, uint32_t *number, struct diag *why)
{
	struct capture_filter *f = arg;

	if (!name_number(f, name)) {
		if (f->nnames == CAPTURE_FILTER_IFACES || strlen(name) >= CAPFILE_NAME_MAX) {
			snprintf(why->msg, sizeof(why->msg),
				 "too many interfaces, or a name is too long");
			return -ENOENT;
		}
		strcpy(f->names[f->nnames++], name);
	}
	*number = name_number(f, name);
	return 0;
}

static int parse_text(struct capture_filter *f)
{
	struct filter_names names = resolve_names;

	if (f->of_file) {
		names.iface = name_of_file;
		names.arg = f;
	}
	return cmd_expr_parse(&f->filter, f->text, &(struct cmd_expr_opts){ .names = &names });
}

int capture_filter_parse(struct capture_filter *f, char **words, int n)
{
	f->text = cmd_join(words, n);
	return parse_text(f);
}

int capture_filter_read(struct capture_filter *f, const char *file)
{
	int rc = read_text(file, &f->text);

	return rc ? rc : parse_text(f);
}

bool capture_filter_match(const struct capture_filter *f, const struct frame *frame,
			  const struct capfile_iface *iface)
{
	struct view views[VIEW_LAYERS];
	struct filter_packet p = { views, frame->data, frame->caplen };

	if (!f->filter.nodes)
		return true;
	view_frame(views, frame);
	views[0].ifindex = iface ? name_number(f, iface->name) : 0;
	return filter_match(&f->filter, &p);
}

int capture_filter_print(const struct capture_filter *f)
{
	struct filter_code code = { 0 };
	struct diag diag = { 0 };
	struct buf text = { 0 };
	int rc = filter_emit(&f->filter, FILTER_XDP, &code, &diag);

	if (rc)
		return fail(rc, "filter: %s", *diag.msg ? diag.msg : err_message(rc));
	filter_print(&code, &text);
	rc = buf_write(&text, STDOUT_FILENO);
	buf_free(&text);
	filter_code_close(&code);
	return rc ? fail_errno(rc, "standard output") : 0;
}

void capture_filter_close(struct capture_filter *f)
{
	filter_close(&f->filter);
	free(f->text);
	*f = (struct capture_filter){ 0 };
}
