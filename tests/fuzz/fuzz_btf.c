/* SPDX-License-Identifier: MIT */
/* Any bytes as type information: indexed, and asked for everything in it. */
#include <stdlib.h>
#include <string.h>
#include "sys/btf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first bytes of most inputs would never make a header: make one of the input's, with the types
 * before a mark and the strings behind it. */
static size_t with_header(uint8_t *to, const uint8_t *data, size_t size)
{
	struct btf_header h = { .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h) };
	size_t types = size < 2 ? 0 : (size_t)data[0] << 8 | data[1];

	data += size < 2 ? size : 2;
	size -= size < 2 ? size : 2;
	h.type_len = (uint32_t)(types < size ? types : size);
	h.str_off = h.type_len;
	h.str_len = (uint32_t)size - h.type_len + 2; /* a NUL before and behind */
	memcpy(to, &h, sizeof(h));
	to += sizeof(h);
	memcpy(to, data, h.type_len);
	to[h.type_len] = 0;
	memcpy(to + h.type_len + 1, data + h.type_len, size - h.type_len);
	to[size + 1] = 0;
	return sizeof(h) + size + 2;
}

static void ask(const struct btf *b)
{
	static const char *const paths[] = {
		"a", "a.b", "a[1]", "a[0].b[4294967295].c", "", "[3]"
	};
	struct btf_want want[] = { { "a", UINT32_MAX, 0 }, { "b", BTF_IS(STRUCT), 0 } };
	uint32_t ids = b->n < 64 ? b->n : 64;
	struct btf_field f;
	uint64_t value;

	btf_resolve(b, want, 2);
	if (want[0].id > b->n || want[1].id > b->n)
		abort();
	for (uint32_t id = 0; id <= ids + 1; id++) {
		if (btf_size(b, id) > UINT32_MAX || strlen(btf_name(b, id)) > b->len)
			abort();
		btf_enum_value(b, id, "a", &value);
		for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
			if (!btf_field(b, id, paths[i], &f) && *paths[i] &&
			    (!f.type || f.type > b->n))
				abort();
	}
}

static void try(const uint8_t *data, size_t size)
{
	struct btf b = { 0 };

	if (!btf_open_blob(&b, data, size))
		ask(&b);
	btf_close(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *made = malloc(sizeof(struct btf_header) + size + 2);

	try(data, size);
	if (made)
		try(made, with_header(made, data, size));
	free(made);
	return 0;
}
