/* SPDX-License-Identifier: MIT */
/* Writes a packet's line: time, metadata of the frame, protocols. */
#include "net/dissect/internal.h"

/* room after the longest line for "...\n" */
enum { LINE_END = 4 };

/* "eth0  In  " */
static void put_iface(struct line *l, const struct frame *f)
{
	static const char *const dirs[] = { "?", "In", "Out" };
	const char *name = f->iface < l->opts->ifaces_n ? l->opts->ifaces[f->iface] : NULL;
	const char *dir = f->dir < ARRAY_LEN(dirs) ? dirs[f->dir] : "?";
	size_t n = name ? strlen(name) : 0;

	put_escaped(l, (const uint8_t *)(name ? name : "?"), name ? n : 1);
	for (n = name ? n : 1; n < 5; n++)
		put_char(l, ' ');
	put_char(l, ' ');
	put_str(l, dir);
	for (n = strlen(dir); n < 4; n++)
		put_char(l, ' ');
}

/* "[curl/1234] " */
static void put_owner(struct line *l, const struct frame *f)
{
	put_char(l, '[');
	put_escaped(l, (const uint8_t *)f->comm, strnlen(f->comm, sizeof(f->comm)));
	if (f->pid) {
		put_char(l, '/');
		put_u32(l, f->pid);
	}
	PUT(l, "] ");
}

static void show_frame(struct line *l, const struct frame *f)
{
	struct pdu p = { cursor_of(f->data, f->caplen), f->len > f->caplen ? f->len : f->caplen };

	put_time(l, f->time_ns);
	if (l->opts->ifaces)
		put_iface(l, f);
	if (f->verdict == FRAME_DROP)
		put_str(l, l->opts->dropped ? l->opts->dropped : "DROP ");
	if (f->comm[0] || f->pid)
		put_owner(l, f);
	if (!f->len && !f->caplen)
		PUT(l, "[Invalid header: caplen==0, len==0]");
	else
		show_link_layer(l, f->link, p);
}

/* Marks a truncated line; removes a final colon that nothing followed. Returns the length. */
static size_t finish_line(struct line *l, const char *text)
{
	char *at = l->at;

	while (!l->full && at > text && at[-1] == ' ')
		at--;
	if (at < l->at && at > text && at[-1] == ':')
		at--;
	if (l->full) {
		memcpy(at, "...", 3);
		at += 3;
	}
	*at++ = '\n';
	return (size_t)(at - text);
}

void dissect_line(struct buf *out, const struct frame *f, const struct dissect_opts *o,
		  struct dissect_state *s)
{
	char *text = buf_reserve(out, DISSECT_LINE_MAX);
	struct line l = { .at = text, .opts = o, .state = s };
	size_t skip;

	if (!text)
		return;
	l.end = text + DISSECT_LINE_MAX - LINE_END;
	show_frame(&l, f);
	out->len += finish_line(&l, text);
	if (o->dump == DISSECT_NO_DUMP)
		return;
	skip = o->dump_link || l.link_len > f->caplen ? 0 : l.link_len;
	if (f->caplen > skip)
		dissect_put_dump(out, f->data + skip, f->caplen - skip, o->dump);
}

bool enter_tunnel(struct line *l)
{
	if (l->depth >= DISSECT_TUNNELS_MAX) {
		PUT(l, "[nested too deep]");
		return false;
	}
	l->depth++;
	l->src = l->dst = NULL;
	l->fragment = false;
	return true;
}
