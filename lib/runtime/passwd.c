/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One user of a zone, from its passwd file. No name service: it would run code of the zone's
 * choice, and this is called on the way in.
 */
#include "runtime/runtime_priv.h"

#include <string.h>

#define FIELD_USER  0
#define FIELD_HOME  5
#define FIELD_SHELL 6

/* The field that begins at @p, not behind @end; returns its length. */
static size_t
field_len(const char *p, const char *end)
{
	const char *colon = memchr(p, ':', (size_t)(end - p));

	return (size_t)((colon ? colon : end) - p);
}

static void
take_path(const char *p, size_t len, char *ret, size_t size)
{
	if (len == 0 || len >= size || p[0] != '/' || memchr(p, '\0', len))
		return;
	memcpy(ret, p, len);
	ret[len] = '\0';
}

/* Returns whether the line is the user's. */
static bool
take_line(const char *line, const char *end, const char *user, struct passwd_entry *ret)
{
	const char *p = line;
	size_t len;

	for (int field = FIELD_USER; p <= end && field <= FIELD_SHELL; field++) {
		len = field_len(p, end);
		if (field == FIELD_USER && (len != strlen(user) || memcmp(p, user, len) != 0))
			return false;
		if (field == FIELD_HOME)
			take_path(p, len, ret->home, sizeof(ret->home));
		if (field == FIELD_SHELL)
			take_path(p, len, ret->shell, sizeof(ret->shell));
		p += len + 1;
	}
	return true;
}

void
passwd_find(const char *text, size_t size, const char *user, struct passwd_entry *ret)
{
	static const struct passwd_entry none = {.home = "/", .shell = "/bin/sh"};
	const char *end = text + size, *line = text, *nl;

	*ret = none;
	while (line < end) {
		nl = memchr(line, '\n', (size_t)(end - line));
		if (take_line(line, nl ? nl : end, user, ret))
			return;
		line = nl ? nl + 1 : end;
	}
}
