// SPDX-License-Identifier: MIT
/* The programs of an object: functions in program sections, which their names identify. */
#include "gen/read.h"

static int read_prog(struct reader *r, const struct func *f, const struct prog_row *row,
		     const char *target, struct spec_prog *prog, struct gen_layout *layout)
{
	const char *sec = r->elf.secs[f->sec].name;

	if (f->local)
		return gen_fail(r, sec, f->name, "is a static function in a section of programs");
	if (strlen(f->name) > NAME_MAX_LEN)
		return gen_fail(r, sec, f->name, "name has more than %d characters", NAME_MAX_LEN);
	memcpy(prog->name, f->name, strlen(f->name));
	prog->type = row->type;
	prog->attach_type = row->attach_type;
	prog->returns = !strncmp(row->name + 1, "retprobe/", strlen("retprobe/"));
	prog->target = target ? gen_strdup(r, target) : NULL;
	if (target && !prog->target)
		return -EINVAL;
	return gen_link_prog(r, f, prog, layout);
}

static int check_names(struct reader *r)
{
	const struct spec *spec = &r->out->spec;

	for (uint32_t i = 0; i < spec->nprogs; i++)
		for (uint32_t k = 0; k < i; k++)
			if (gen_same_label(spec->progs[i].name, spec->progs[k].name))
				return gen_fail(
					r, NULL, spec->progs[i].name,
					"two programs have names that are the same in upper case");
	return 0;
}

int gen_read_progs(struct reader *r)
{
	struct spec_prog *progs = gen_alloc(r, PROGS_MAX, sizeof(*progs));
	struct gen_layout *layouts = gen_alloc(r, PROGS_MAX, sizeof(*layouts));
	uint32_t n = 0;

	if (!progs || !layouts)
		return -EINVAL;
	for (uint32_t i = 0; i < r->nfuncs; i++) {
		const struct func *f = &r->funcs[i];
		const struct prog_row *row;
		const char *target;

		row = gen_find_prog_row(r->elf.secs[f->sec].name, &target);
		if (!row)
			continue;
		if (n == PROGS_MAX)
			return gen_fail(r, NULL, f->name, "too many programs");
		if (read_prog(r, f, row, target, &progs[n], &layouts[n]))
			return -EINVAL;
		n++;
	}
	if (!n)
		return gen_fail(r, NULL, NULL, "has no programs");
	r->out->spec.progs = progs;
	r->out->spec.nprogs = n;
	r->out->spec.ninsns = r->ninsns;
	r->out->layouts = layouts;
	return check_names(r);
}
