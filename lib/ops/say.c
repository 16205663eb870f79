/* SPDX-License-Identifier: Apache-2.0 */
#include "ops_priv.h"

#include <stdarg.h>
#include <stdio.h>

void
op_sayf(const struct op_say *to, enum op_line kind, const char *fmt, ...)
{
	char line[1280]; /* a struct err's message and some words fit */
	va_list ap;

	if (!to->fn)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	to->fn(to->arg, kind, line);
}
