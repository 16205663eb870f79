/* SPDX-License-Identifier: Apache-2.0 */
/* Messages grow outward: the place of the failure writes the end of the line, callers put context
 * in front. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What the analyser is told of these is for their callers. */
#undef err_set
#undef err_add
#undef err_nomem

int
err_set(struct err *err, enum ze code, int os_errno, const char *fmt, ...)
{
	int saved_errno = errno;
	va_list ap;
	size_t len;

	if (err) {
		err->code = code;
		err->os_errno = os_errno;
		va_start(ap, fmt);
		(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
		va_end(ap);
		len = strlen(err->msg);
		if (os_errno)
			(void)snprintf(err->msg + len, sizeof(err->msg) - len, ": %s",
				       strerror(os_errno));
	}
	errno = saved_errno;
	return -(int)code;
}

int
err_add(struct err *err, const char *fmt, ...)
{
	char tail[sizeof(err->msg)];
	int saved_errno = errno;
	va_list ap;
	size_t len;

	if (!err)
		return -ZE_IO;
	memcpy(tail, err->msg, sizeof(tail));
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	(void)snprintf(err->msg + len, sizeof(err->msg) - len, ": %.*s", (int)(sizeof(tail) - 1),
		       tail);
	errno = saved_errno;
	return -(int)err->code;
}

int
err_nomem(struct err *err)
{
	return err_set(err, ZE_NOMEM, 0, "out of memory");
}

void
err_clear(struct err *err)
{
	if (!err)
		return;
	err->code = ZE_OK;
	err->os_errno = 0;
	err->msg[0] = '\0';
}
