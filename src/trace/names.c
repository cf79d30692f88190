/* SPDX-License-Identifier: MIT */
/* Enumerators of the kernel's types, kept by their numbers. */
#include "trace/names.h"
#include <string.h>

void trace_names_open(struct trace_names *names, const struct btf *types, const char *type,
		      const char *prefix)
{
	struct btf_lookup want = { .name = type, .kinds = BTF_KIND_BIT(ENUM) };
	size_t skip = strlen(prefix);

	btf_resolve(types, &want, 1);
	for (uint32_t i = 0; want.id && i < sizeof(names->at) / sizeof(*names->at); i++) {
		const char *name = btf_enum_name(types, want.id, i);

		if (!name)
			continue;
		if (!names->text.len)
			buf_char(&names->text, '\0');
		names->at[i] = (uint32_t)names->text.len;
		buf_str(&names->text, strncmp(name, prefix, skip) ? name : name + skip);
		buf_char(&names->text, '\0');
	}
}

const char *trace_comm(const struct trace_who *who, char comm[TRACE_COMM + 1])
{
	memcpy(comm, who->comm, TRACE_COMM);
	comm[TRACE_COMM] = '\0';
	return comm;
}

const char *trace_name(const struct trace_names *names, uint32_t number)
{
	if (number >= sizeof(names->at) / sizeof(*names->at) || !names->at[number] ||
	    names->text.nomem)
		return NULL;
	return names->text.data + names->at[number];
}
