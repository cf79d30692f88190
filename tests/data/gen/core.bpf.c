// SPDX-License-Identifier: MIT
/* CO-RE records of every supported kind, in a program and in a subprogram. */
#include "kern.h"

struct inner {
	int first;
	short words[4];
} CORE;

struct outer___v2 {
	int a;
	union {
		struct {
			int b;
			struct inner list[3];
		};
		long d;
	};
	struct {
		union {
			char tail[2][5];
			long wide;
		};
	} named;
} CORE;

typedef struct {
	int x, y;
} CORE point;

struct ns_common {
	u32 inum;
} CORE;

/* For the address of a member, computed by an ADD instead of a load. */
struct far {
	u64 gap[3];
	struct ns_common ns;
} CORE;

enum color { RED = 1, BLUE = 70000 };
enum big___old { HUGE = 3 };

static long (*const probe_read)(void *to, u32 size, const void *from) = (void *)113;

u64 out;

static NOINLINE int read_nested(struct outer___v2 *o)
{
	return o->list[1].words[2] + o->named.tail[1][3];
}

SEC("tp_btf/sched_switch") int paths(u64 *args)
{
	struct outer___v2 *o = (void *)args[0];
	point *p = (void *)args[1];
	struct far *far = (void *)args[2];
	u32 inum = 0;

	out += o->a;
	out += o->d;
	out += p->y;
	probe_read(&inum, sizeof(inum), &far->ns.inum);
	out += inum;
	o->b = 4;
	return read_nested(o);
}

SEC("raw_tp/sys_enter") int infos(u64 *args)
{
	struct outer___v2 *o = (void *)args[0];

	out += __builtin_preserve_field_info(o->list, FIELD_EXISTS);
	out += __builtin_preserve_field_info(o->list[2].words, FIELD_SIZE);
	out += __builtin_preserve_field_info(o->named.tail, FIELD_OFFSET);
	out += __builtin_preserve_type_info(*(struct inner *)0, 0);
	out += __builtin_preserve_type_info(*(struct outer___v2 *)0, 1);
	out += __builtin_preserve_enum_value(*(typeof(enum color) *)BLUE, 1);
	out += __builtin_preserve_enum_value(*(typeof(enum big___old) *)HUGE, 0);
	return 0;
}

LICENSE;
