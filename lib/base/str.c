/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
str_reserve(struct str *str, size_t more)
{
	size_t room = str->room ? str->room : 64;
	char *bigger;

	if (more >= SIZE_MAX / 4 - str->len)
		return -ZE_NOMEM;
	while (room < str->len + more + 1)
		room *= 2;
	if (room == str->room)
		return 0;
	bigger = realloc(str->s, room);
	if (!bigger)
		return -ZE_NOMEM;
	str->s = bigger;
	str->room = room;
	return 0;
}

int
str_add(struct str *str, const char *bytes, size_t len)
{
	int r;

	r = str_reserve(str, len);
	if (r < 0)
		return r;
	memcpy(str->s + str->len, bytes, len);
	str->len += len;
	str->s[str->len] = '\0';
	return 0;
}

int
str_addf(struct str *str, const char *fmt, ...)
{
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ZE_NOMEM;
	r = str_reserve(str, (size_t)n);
	if (r < 0)
		return r;
	va_start(ap, fmt);
	(void)vsnprintf(str->s + str->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	str->len += (size_t)n;
	return 0;
}

char *
str_take(struct str *str)
{
	char *s;

	if (!str->s)
		return strdup("");
	s = str->s;
	*str = (struct str){0};
	return s;
}

void
str_free(struct str *str)
{
	fd_freep(&str->s);
	*str = (struct str){0};
}

static int
strv_own(struct strv *strv, char *s)
{
	size_t room;
	char **bigger;

	if (strv->n + 2 > strv->room) {
		room = strv->room ? strv->room * 2 : 8;
		bigger = reallocarray(strv->v, room, sizeof(*bigger));
		if (!bigger) {
			free(s);
			return -ZE_NOMEM;
		}
		strv->v = bigger;
		strv->room = room;
	}
	strv->v[strv->n++] = s;
	strv->v[strv->n] = NULL;
	return 0;
}

int
strv_add(struct strv *strv, const char *s)
{
	char *copy = strdup(s);

	return copy ? strv_own(strv, copy) : -ZE_NOMEM;
}

int
strv_addf(struct strv *strv, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return n < 0 ? -ZE_NOMEM : strv_own(strv, s);
}

bool
strv_has(const struct strv *strv, const char *s)
{
	for (size_t i = 0; i < strv->n; i++)
		if (!strcmp(strv->v[i], s))
			return true;
	return false;
}

void
strv_free(struct strv *strv)
{
	int saved_errno = errno;

	for (size_t i = 0; i < strv->n; i++)
		free(strv->v[i]);
	free(strv->v);
	*strv = (struct strv){0};
	errno = saved_errno;
}

int
str_to_u64(const char *s, uint64_t max, uint64_t *ret, struct err *err)
{
	uint64_t n = 0;
	unsigned digit;

	if (!*s)
		return err_set(err, ZE_INVAL, 0, "a number is missing");
	for (const char *p = s; *p; p++) {
		if (*p < '0' || *p > '9')
			return err_set(err, ZE_INVAL, 0, "'%s' is not a number", s);
		digit = (unsigned)(*p - '0');
		if (n > (max - digit) / 10 || digit > max)
			return err_set(err, ZE_INVAL, 0, "'%s' is larger than %ju", s,
				       (uintmax_t)max);
		n = n * 10 + digit;
	}
	*ret = n;
	return 0;
}

bool
str_eq(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

size_t
str_utf8_len(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	static const struct {
		unsigned char first, last, second_min, second_max;
		size_t len;
	} forms[] = {
	    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (*s < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (*s < forms[i].first || *s > forms[i].last)
			continue;
		if (s[1] < forms[i].second_min || s[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if (s[k] < 0x80 || s[k] > 0xbf)
				return 0;
		return forms[i].len;
	}
	return 0;
}
