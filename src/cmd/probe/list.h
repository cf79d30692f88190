/* SPDX-License-Identifier: MIT */
/* sonde probe list: what can be probed here. */
#ifndef CMD_PROBE_LIST_H
#define CMD_PROBE_LIST_H

/* All that fit a pattern, one a line. 0 or -errno, said; -ENOENT: there are none. */
int probe_list(const char *pattern);

#endif
