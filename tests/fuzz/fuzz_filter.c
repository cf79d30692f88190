/* SPDX-License-Identifier: MIT */
/* Any text as a filter and as a set, any bytes as a packet: a filter and its negation never both
 * match, and emitted jumps stay in the program. */
#include "tests/fuzz/fuzz.h"
#include <errno.h>
#include "filter/emit.h"
#include "filter/view.h"

enum { TEXT_MAX = 600, SET_MAX = 400 };

static int set_text(void *arg, const char *file, struct buf *text, struct diag *why)
{
	(void)file;
	(void)why;
	buf_str(text, arg);
	return 0;
}

static int resolve_host(void *arg, const char *name, struct filter_addr *addrs, int max,
			struct diag *why)
{
	(void)arg;
	(void)why;
	MUST(max >= 2 && *name);
	addrs[0] = (struct filter_addr){ 4, { 10, 0, 0, 1 } };
	addrs[1] = (struct filter_addr){ 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	return 2;
}

static bool is_jump(uint8_t code)
{
	return (BPF_CLASS(code) == BPF_JMP || BPF_CLASS(code) == BPF_JMP32) &&
	       BPF_OP(code) != BPF_CALL && BPF_OP(code) != BPF_EXIT;
}

static void check_code(const struct filter *f, enum filter_target target)
{
	struct filter_code code = { 0 };
	struct diag diag = { 0 };
	struct buf out = { 0 };
	int rc = filter_emit(f, target, &code, &diag);

	MUST(!rc || (rc == -E2BIG && *diag.msg));
	for (size_t i = 0; i < code.n; i++) {
		const struct bpf_insn *insn = &code.insns[i];

		/* Jumps only go forward, so the program ends. */
		if (is_jump(insn->code))
			MUST(insn->off >= 0 && i + 1 + (size_t)insn->off < code.n);
		i += BPF_CLASS(insn->code) == BPF_LD;
	}
	for (size_t i = 0; i < code.nrelocs; i++)
		MUST(code.relocs[i].insn < code.n && code.relocs[i].set < f->nsets);
	filter_print(&code, &out);
	buf_free(&out);
	filter_code_close(&code);
}

static bool match_bytes(const struct filter *f, const uint8_t *data, size_t len, uint16_t link)
{
	struct frame frame = {
		.data = data, .caplen = (uint32_t)len, .len = (uint32_t)len, .link = link
	};
	struct view views[VIEW_LAYERS];
	struct filter_packet p = { views, data, frame.caplen };

	view_frame(views, &frame);
	return filter_match(f, &p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t links[] = { FRAME_ETHERNET, FRAME_RAW_IP, FRAME_LINUX_SLL,
					  FRAME_NULL };
	struct feed in = { data, size };
	uint16_t link = links[feed_u8(&in) % 4];
	char *text = feed_str(&in, TEXT_MAX), *set = feed_str(&in, SET_MAX), *negation;
	struct filter_names names = { .host = resolve_host, .set = set_text, .arg = set };
	struct filter f = { 0 }, not = { 0 };
	struct diag diag = { 0 };
	uint8_t *packet = malloc(in.left + 1);
	int rc = filter_parse(&f, text, &names, &diag);

	MUST(packet && (!rc || (rc == -EINVAL && *diag.msg && diag.pos <= strlen(text))));
	negation = malloc(strlen(text) + 7);
	MUST(negation);
	sprintf(negation, "not (%s)", text);
	if (!rc && !filter_parse(&not, negation, &names, &diag)) {
		size_t left = in.left;

		if (left)
			memcpy(packet, in.at, left);
		packet = realloc(packet, left ? left : 1); /* exactly its size */
		MUST(!match_bytes(&f, packet, left, link) ||
		     !match_bytes(&not, packet, left, link));
		check_code(&f, FILTER_XDP);
		check_code(&not, FILTER_SKB);
	}
	filter_close(&f);
	filter_close(&not );
	free(packet);
	free(negation);
	free(set);
	free(text);
	return 0;
}
