/* SPDX-License-Identifier: MIT */
/* Any text as rules: an error has a position and leaves no rules. Printed rules parse to the same
 * rules. Ids are unique. */
#include "tests/fuzz/fuzz.h"
#include <errno.h>
#include "gate/rules.h"

static int set_text(void *arg, const char *file, struct buf *text, struct diag *why)
{
	(void)arg;
	(void)file;
	(void)why;
	buf_str(text, "10.0.0.0/8\n::1");
	return 0;
}

static const struct filter_names names = { .set = set_text };

static void print_rules(const struct rules *r, struct buf *out)
{
	rules_print(r, GATE_IN, out);
	rules_print(r, GATE_OUT, out);
	buf_char(out, '\0');
	MUST(!out->nomem);
}

static void check_ids(const struct rules *r)
{
	bool seen[GATE_RULES_MAX] = { false };

	for (size_t i = 0; i < r->n; i++) {
		uint16_t id = r->at[i].id;

		MUST(id >= 1 && id < GATE_RULES_MAX && !seen[id]);
		seen[id] = true;
	}
}

static void check_again(const struct rules *r)
{
	struct buf once = { 0 }, twice = { 0 };
	struct rules again = { 0 };
	struct diag diag = { 0 };

	print_rules(r, &once);
	MUST(!rules_parse(&again, once.data, once.len - 1, GATE_OUT, &names, &diag));
	MUST(again.n == r->n);
	print_rules(&again, &twice);
	MUST(!strcmp(once.data, twice.data));
	rules_close(&again);
	buf_free(&once);
	buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1); /* exactly its size */
	struct rules r = { 0 };
	struct diag diag = { 0 };
	unsigned int line, column;
	int rc;

	MUST(text);
	if (size)
		memcpy(text, data, size);
	rc = rules_parse(&r, text, size, GATE_IN, &names, &diag);
	MUST(!rc || rc == -EINVAL);
	if (rc) {
		MUST(!r.n && !r.drops[GATE_IN] && !r.drops[GATE_OUT]);
		MUST(diag.pos <= size && sscanf(diag.msg, "%u:%u: ", &line, &column) == 2);
	} else if (!rules_assign_ids(&r, 0)) {
		check_ids(&r);
		check_again(&r);
	}
	rules_close(&r);
	free(text);
	return 0;
}
