/* SPDX-License-Identifier: MIT */
/* Lines and capture files are laid out in one buffer and written in large pieces. */
#include "capture/output.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "filter/view.h"
#include "net/proto.h"
#include "sys/stdout.h"

enum { FULL = 1 << 16, NAME_MAX_HERE = 8 };

/* A packet as JSON has it. */
struct row {
	uint64_t time_ns, length, caplen, vlan, source_port, destination_port, pid;
	const char *interface, *direction, *verdict, *type, *protocol, *source, *destination;
	const char *process;
};

#define R struct row
static const struct col cols[] = {
	{ "time", .role = COL_INFO, COL_AT_TIME(R, time_ns) },
	{ "interface", .role = COL_INFO, COL_AT_STR(R, interface) },
	{ "direction", .role = COL_INFO, COL_AT_STR(R, direction) },
	{ "length_bytes", .role = COL_INFO, COL_AT_U64(R, length) },
	{ "captured_bytes", .role = COL_INFO, COL_AT_U64(R, caplen) },
	{ "ethertype", .role = COL_INFO, COL_AT_STR(R, type) },
	{ "protocol", .role = COL_INFO, COL_AT_STR(R, protocol) },
	{ "source", .role = COL_INFO, COL_AT_STR(R, source) },
	{ "source_port", .role = COL_INFO, COL_AT_U64(R, source_port) },
	{ "destination", .role = COL_INFO, COL_AT_STR(R, destination) },
	{ "destination_port", .role = COL_INFO, COL_AT_U64(R, destination_port) },
	{ "vlan", .role = COL_INFO, COL_AT_U64(R, vlan) },
	{ "pid", .role = COL_INFO, COL_AT_U64(R, pid) },
	{ "process", .role = COL_INFO, COL_AT_STR(R, process) },
	{ "verdict", .role = COL_INFO, COL_AT_STR(R, verdict) },
};
#undef R
const struct schema capture_packet_schema = SCHEMA("packet", cols);

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), e = strlen(end);

	return n >= e && !strcmp(name + n - e, end);
}

int capture_out_open(struct capture_out *out, const struct capture_out_opts *opts)
{
	struct capture_file_opts *file = &out->opts.file;

	out->opts = *opts;
	if (file->name) {
		file->ng = !opts->pcap && !ends_with(file->name, ".pcap");
		return capture_file_open(&out->file, file);
	}
	out->patient = fd_never_blocks(STDOUT_FILENO);
	if (opts->format == CAPTURE_JSON) {
		out->sink = sink_new(SINK_JSON, STDOUT_FILENO, false);
		if (!out->sink)
			return fail_errno(-ENOMEM, "standard output");
		sink_into(out->sink, &out->buf);
	}
	return 0;
}

int capture_out_begin(struct capture_out *out)
{
	return out->opts.file.name ? capture_file_begin(&out->file) : 0;
}

/* Bytes handed over, of which so many were kept. */
static int after_write(struct capture_out *out, int rc, const void *bytes, size_t len, size_t kept)
{
	if (rc)
		out->unsaved +=
			capture_file_packets(&out->file, (const char *)bytes + kept, len - kept);
	out->failed = out->failed || rc;
	return rc;
}

static int flush_file(struct capture_out *out)
{
	size_t kept = 0;
	int rc = capture_file_write(&out->file, out->buf.data, out->buf.len, &kept);

	return after_write(out, rc, out->buf.data, out->buf.len, kept);
}

int capture_out_flush(struct capture_out *out)
{
	int rc;

	if (!out->buf.len && !out->buf.nomem)
		return 0;
	rc = out->opts.file.name && !out->buf.nomem ? flush_file(out)
						    : stdout_write(&out->buf, out->patient);
	buf_clear(&out->buf);
	return rc;
}

int capture_out_turn(struct capture_out *out)
{
	int rc = out->failed ? 0 : capture_file_turn(&out->file);

	out->failed = out->failed || rc;
	return rc;
}

int capture_out_head(struct capture_out *out, const struct buf *head)
{
	int rc = capture_out_flush(out);

	return rc ? rc : capture_file_head(&out->file, head->data, head->len);
}

int capture_out_blocks(struct capture_out *out, const uint8_t *blocks, size_t len)
{
	size_t kept = 0;
	int rc;

	if (out->failed) {
		out->unsaved += capture_file_packets(&out->file, blocks, len);
		return 0;
	}
	if (len < FULL / 4) {
		buf_add(&out->buf, blocks, len);
		return out->buf.len < FULL ? 0 : capture_out_flush(out);
	}
	rc = capture_out_flush(out);
	if (rc) {
		out->unsaved += capture_file_packets(&out->file, blocks, len);
		return rc;
	}
	rc = capture_file_write(&out->file, blocks, len, &kept);
	return after_write(out, rc, blocks, len, kept);
}

int capture_out_whole(struct capture_out *out, uint8_t *blocks, size_t len)
{
	size_t kept = 0;
	int rc;

	if (out->buf.len || out->failed) {
		rc = capture_out_blocks(out, blocks, len);
		return rc ? rc : capture_out_flush(out);
	}
	rc = capture_file_whole(&out->file, blocks, len, &kept);
	return after_write(out, rc, blocks, len, kept);
}

static const char *address(char *text, const struct view *v, const uint8_t *bytes)
{
	if (!v->addrs)
		return NULL;
	return inet_ntop(v->addrs == 4 ? AF_INET : AF_INET6, bytes, text, INET6_ADDRSTRLEN);
}

static const char *numbered(char *text, const char *name, unsigned int number)
{
	if (name)
		return name;
	snprintf(text, NAME_MAX_HERE, "%u", number);
	return text;
}

static int put_json(struct capture_out *out, const struct frame *f, const char *iface)
{
	static const char *const dirs[] = { NULL, "in", "out" };
	static const char *const verdicts[] = { NULL, "pass", "drop" };
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], type[NAME_MAX_HERE],
		proto[NAME_MAX_HERE];
	struct view views[VIEW_LAYERS], *v = views;
	struct row row;
	int rc;

	view_frame(views, f);
	row = (struct row){
		.time_ns = f->time_ns,
		.length = f->len,
		.caplen = f->caplen,
		.vlan = col_known(v->vlan[0]),
		.source_port = col_known(v->sport),
		.destination_port = col_known(v->dport),
		.pid = col_known(f->pid),
		.interface = *iface ? iface : NULL,
		.direction = dirs[f->dir],
		.verdict = verdicts[f->verdict],
		.type = numbered(type, net_ethertype_name(v->type), v->type),
		.source = address(src, v, v->src),
		.destination = address(dst, v, v->dst),
		.process = *f->comm ? f->comm : NULL,
	};
	if (v->proto != VIEW_NONE)
		row.protocol = numbered(proto, net_proto_name((uint8_t)v->proto), v->proto);
	rc = sink_begin(out->sink, &capture_packet_schema, NULL);
	rc = rc ? rc : sink_row(out->sink, &row);
	rc = rc ? rc : sink_end(out->sink);
	return rc ? fail_errno(rc, "standard output") : 0;
}

/* A classic file has one kind of link only. */
int capture_out_pcap(struct capture_out *out, uint16_t link)
{
	struct buf head = { 0 };
	int rc = 0;

	if (out->begun && link != out->link)
		return fail(-EINVAL, "%s: pcap holds one kind of link only: write pcapng",
			    out->file.path);
	if (out->begun)
		return 0;
	capfile_put_pcap(&head, link, 262144, true);
	rc = capture_out_head(out, &head);
	buf_free(&head);
	out->link = link;
	out->begun = true;
	return rc;
}

/* A file has its interfaces before their packets. */
static int put_heads(struct capture_out *out, const struct frame *f,
		     const struct capfile_iface *iface)
{
	static const struct capfile_iface unknown = { .snaplen = 0 };
	struct buf head = { 0 };
	int rc;

	if (!out->opts.file.ng)
		return capture_out_pcap(out, f->link);
	if (out->begun && out->ifaces > f->iface)
		return 0;
	if (!out->begun)
		capfile_put_section(&head, "sonde");
	out->begun = true;
	for (; out->ifaces <= f->iface; out->ifaces++) {
		struct capfile_iface copy = out->ifaces == f->iface && iface ? *iface : unknown;

		if (out->ifaces == f->iface)
			copy.link = f->link;
		capfile_put_iface(&head, &copy, NULL);
	}
	rc = capture_out_head(out, &head);
	buf_free(&head);
	return rc;
}

int capture_out_empty(struct capture_out *out, const struct capfile_iface *iface)
{
	struct frame none = { .link = iface ? iface->link : FRAME_ETHERNET };

	return out->begun || !out->opts.file.name ? 0 : put_heads(out, &none, iface);
}

static int put_file(struct capture_out *out, const struct frame *f,
		    const struct capfile_iface *iface)
{
	int rc = put_heads(out, f, iface);

	if (rc)
		return rc;
	if (out->opts.file.ng)
		capfile_put_packet(&out->buf, f);
	else
		capfile_put_record(&out->buf, f, true);
	return 0;
}

int capture_out_frame(struct capture_out *out, const struct frame *frame,
		      const struct capfile_iface *iface)
{
	const char *name = iface ? iface->name : "";
	const char *const *names = *name ? &name : NULL;
	struct frame line = *frame;
	int rc = 0;

	if (out->failed) {
		out->unsaved++;
		return 0;
	}
	if (out->opts.file.name) {
		rc = put_file(out, frame, iface);
	} else if (out->sink) {
		rc = put_json(out, frame, name);
	} else {
		out->opts.lines.ifaces = names;
		out->opts.lines.ifaces_n = names != NULL;
		line.iface = 0;
		dissect_line(&out->buf, &line, &out->opts.lines, &out->lines);
	}
	return rc || out->buf.len < FULL ? rc : capture_out_flush(out);
}

int capture_out_close(struct capture_out *out, int rc)
{
	int flushed = rc == -EPIPE ? 0 : capture_out_flush(out), closed;

	/* Nobody reads what would stand at its end. */
	out->file.broken = out->file.broken || rc == -EPIPE;
	closed = capture_file_close(&out->file);
	if (!rc)
		rc = flushed < 0 ? flushed : closed;
	buf_free(&out->buf);
	sink_free(out->sink);
	out->sink = NULL;
	return rc;
}
