/* SPDX-License-Identifier: MIT */
/* The messages are those of tests/vm/require. */
#include "tests/lib/require.h"
#include "sys/btf.h"
#include "sys/priv.h"
#include "tests/lib/test.h"

void require_types(void)
{
	struct btf btf = { 0 };

	if (btf_open_kernel(&btf))
		SKIP("this kernel has no type information");
	btf_close(&btf);
}

void require_memory(void)
{
	require_types();
	if (priv_lockdown() == LOCKDOWN_CONFIDENTIALITY)
		SKIP("this kernel does not let programs read its memory");
}
