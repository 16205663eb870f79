/* SPDX-License-Identifier: Apache-2.0 */
#include "zlogin.h"

static bool
begins_line(const struct escape *escape, unsigned char c)
{
	if (c == '\r' || c == '\n')
		return true;
	for (size_t i = 0; i < escape->n_ends; i++) {
		if (escape->ends[i] == c)
			return true;
	}
	return false;
}

size_t
escape_feed(struct escape *escape, const unsigned char *in, size_t n, unsigned char *out,
	    bool *ret_leave)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (escape->after_escape) {
			escape->after_escape = false;
			if (in[i] == '.' || in[i] == escape->eof) {
				*ret_leave = true;
				return len;
			}
		} else if (!escape->in_line && escape->ch == in[i]) {
			escape->after_escape = true;
			continue;
		}
		/* After an escape, anything is sent without it; the escape character itself once.
		 */
		escape->in_line = !begins_line(escape, in[i]);
		out[len++] = in[i];
	}
	return len;
}
