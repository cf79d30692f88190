/* SPDX-License-Identifier: MIT */
/* Describes every kind of event once: its name, its help and how it is shown.
 *
 * A new kind takes a number (enum trace_kind) and a program in bpf/, the programs that src/trace
 * loads for it, a row here, and the functions of that row: KIND(NUMBER, LINE, ROW, name, text in
 * help, JSON columns) with append_LINE() in line.c and fill_ROW() in row.c, which also has the
 * columns. */
#ifndef CMD_TRACE_KINDS_H
#define CMD_TRACE_KINDS_H

/* clang-format off */
#define TRACE_KIND_LIST(KIND) \
	KIND(CONNECT, connect, event, "connect", "", \
	     HEAD | OUTCOME | HAS_latency_seconds) \
	KIND(ACCEPT, accept, event, "accept", "", \
	     HEAD | OUTCOME | HAS_latency_seconds | HAS_by_listener) \
	KIND(CLOSE, close, close, "close", "", \
	     HEAD | HAS_error | HAS_duration_seconds | HAS_sent_bytes | HAS_received_bytes | \
	     HAS_retransmits | HAS_rtt_seconds | HAS_how | HAS_existed | HAS_accepted) \
	KIND(STATE, state, event, "state", "", \
	     HEAD | HAS_old_state | HAS_new_state) \
	KIND(RETRANSMIT, retransmit, retransmit, "retransmit", "", \
	     HEAD | HAS_state | HAS_reason | HAS_segment_bytes | HAS_retransmits | \
	     HAS_rtt_seconds) \
	KIND(RESET, reset, reset, "reset", "", \
	     HEAD | HAS_state | HAS_how | HAS_reason) \
	KIND(DROP, drop, drop, "drop", "", \
	     HEAD | PROTOCOL | HAS_reason | HAS_location | HAS_length_bytes | HAS_packet | \
	     HAS_stack) \
	KIND(LISTEN, listen, event, "listen", " (a full queue)", \
	     HEAD | HAS_queue_length | HAS_queue_limit) \
	KIND(BIND, bind, event, "bind", "", \
	     OWNER | LOCAL | PROTOCOL | OUTCOME) \
	KIND(DNS, none, none, "dns", " (queries and answers)", \
	     (HEAD & ~CALLER) | PROTOCOL | HAS_name | HAS_type | HAS_type_number | HAS_result | \
	     HAS_rcode | HAS_answers | HAS_truncated | HAS_queries | HAS_latency_seconds) \
	KIND(TLS, text, text, "tls", " (plain text, by OpenSSL)", \
	     OWNER | HAS_how | HAS_length_bytes | HAS_offset_bytes | HAS_text) \
	KIND(OPEN, open, event, "open", " (existing ones)", \
	     HEAD | HAS_state)
/* clang-format on */

#endif
