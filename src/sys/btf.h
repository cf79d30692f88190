/* SPDX-License-Identifier: MIT */
/* The running kernel's own type information (BTF): types, members and enumerators by name. */
#ifndef SYS_BTF_H
#define SYS_BTF_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Type information in memory. Zeroed: closed. */
struct btf {
	const uint8_t *data; /* the whole blob */
	size_t len;
	bool mapped;        /* munmap() instead of free() */
	const char *source; /* where it was found, for people */
	const uint8_t *types;
	uint32_t types_len;
	const char *strings; /* ends with a NUL */
	uint32_t strings_len;
	uint32_t *index;  /* offset in types of each id, [0] unused */
	uint32_t n;       /* ids are 1 to n */
	uint32_t pointer; /* bytes of a pointer there */
};

/* The kernel's BTF: sysfs, a detached sysfs, or by id, in this order. -ENOENT: it has none. */
int btf_open_kernel(struct btf *b);
/* Index a blob that the caller keeps for as long as *b is used. Stops at a kind it does not know:
 * what stands before it is usable. -EINVAL: not BTF of this machine's byte order. */
int btf_open_blob(struct btf *b, const void *data, size_t len);
void btf_close(struct btf *b);

#define BTF_IS(kind) (1u << (BTF_KIND_##kind))

/* A name to look for among types of some kinds; id is set to the first that fits, or 0. */
struct btf_want {
	const char *name;
	uint32_t kinds; /* BTF_IS(STRUCT) | ... */
	uint32_t id;
	uint32_t next, same; /* btf_resolve()'s own */
};
/* All of them in one pass over the types. */
void btf_resolve(const struct btf *b, struct btf_want *want, size_t n);

struct btf_field {
	uint32_t off, size; /* bytes */
	uint32_t type;      /* id */
};
/* Follow a path ("a.b[2].c") from a struct or union; anonymous members are looked into. -ENOENT: no
 * such member; -EOPNOTSUPP: a bit field; -EINVAL: damaged BTF. */
int btf_field(const struct btf *b, uint32_t id, const char *path, struct btf_field *field);
/* Size in bytes of any type with one; -EINVAL. */
int64_t btf_size(const struct btf *b, uint32_t id);
/* The value of an enumerator of enum id. -ENOENT. */
int btf_enum_value(const struct btf *b, uint32_t id, const char *name, uint64_t *value);
/* The name of an enumerator of enum id; NULL: there is none of that value. */
const char *btf_enum_name(const struct btf *b, uint32_t id, uint64_t value);
/* How many arguments a function has; 0: there is no such function, or it has none. */
uint32_t btf_function_args(const struct btf *b, const char *name);
/* How many arguments a tracepoint's programs get; 0: there is no such tracepoint. */
uint32_t btf_tracepoint_args(const struct btf *b, const char *name);
/* A type's own name; "" if it has none. */
const char *btf_name(const struct btf *b, uint32_t id);

#endif
