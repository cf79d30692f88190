/* SPDX-License-Identifier: MIT */
/* Every kind of event, once: what users type, what help adds to that, and how it is shown.
 *
 * A new kind takes a number (enum trace_kind) and a program in bpf/, the programs that src/trace
 * loads for it, a row here, and the functions that the row names:
 * KIND(NUMBER, LINE, ROW, name, text in help, JSON columns besides the common ones)
 * with append_LINE() in line.c and fill_ROW() in row.c. */
#ifndef CMD_TRACE_KINDS_H
#define CMD_TRACE_KINDS_H

/* clang-format off */
#define TRACE_KIND_LIST(KIND) \
	KIND(CONNECT, connect, event, "connect", "", \
	     OUTCOME | HAS_latency_ms) \
	KIND(ACCEPT, accept, event, "accept", "", \
	     OUTCOME | HAS_latency_ms | HAS_by_listener) \
	KIND(CLOSE, close, close, "close", "", \
	     HAS_seconds | HAS_sent | HAS_received | HAS_retransmits | HAS_rtt_ms | HAS_how | \
	     HAS_error | HAS_existed | HAS_accepted) \
	KIND(STATE, state, event, "state", "", \
	     HAS_from | HAS_to) \
	KIND(RETRANSMIT, retransmit, retransmit, "retransmit", "", \
	     HAS_reason | HAS_segment | HAS_retransmits | HAS_rtt_ms | HAS_to) \
	KIND(RESET, reset, reset, "reset", "", \
	     HAS_how | HAS_reason | HAS_from) \
	KIND(DROP, drop, drop, "drop", "", \
	     HAS_protocol | HAS_reason | HAS_place | HAS_length | HAS_packet | HAS_stack) \
	KIND(LISTEN, listen, event, "listen", " (a full queue)", \
	     HAS_queue | HAS_room) \
	KIND(BIND, bind, event, "bind", "", \
	     HAS_protocol | OUTCOME) \
	KIND(DNS, none, none, "dns", " (queries and answers)", \
	     HAS_protocol | HAS_name | HAS_type | HAS_result | HAS_answers | HAS_latency_ms | \
	     HAS_asked) \
	KIND(TLS, text, text, "tls", " (plain text, by OpenSSL)", \
	     HAS_how | HAS_length | HAS_offset | HAS_text) \
	KIND(OPEN, open, event, "open", " (existing ones)", \
	     HAS_to | HAS_existed)
/* clang-format on */

#endif
