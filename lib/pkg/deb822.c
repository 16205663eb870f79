/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"

#include <string.h>
#include <strings.h>

static bool
is_blank_line(const char *p, const char *eol)
{
	for (; p < eol; p++)
		if (*p != ' ' && *p != '\t')
			return false;
	return true;
}

static const char *
end_of_line(const struct deb822 *d, const char *p)
{
	const char *eol = memchr(p, '\n', (size_t)(d->end - p));

	return eol ? eol : d->end;
}

static void
skip_line(struct deb822 *d, const char *eol)
{
	d->p = eol < d->end ? eol + 1 : eol;
	d->line++;
}

int
deb822_next(struct deb822 *d)
{
	const char *eol;

	if (!d->line)
		d->line = 1;
	while (d->p < d->end) {
		eol = end_of_line(d, d->p);
		if (!is_blank_line(d->p, eol) && !(d->comments && *d->p == '#'))
			return 1;
		skip_line(d, eol);
	}
	return 0;
}

/* Take the lines that continue a field; a comment between them belongs to nothing. */
static void
take_continuation(struct deb822 *d)
{
	const char *eol;

	while (d->p < d->end) {
		eol = end_of_line(d, d->p);
		if (d->comments && *d->p == '#') {
			skip_line(d, eol);
			continue;
		}
		if ((*d->p != ' ' && *d->p != '\t') || is_blank_line(d->p, eol))
			return;
		skip_line(d, eol);
	}
}

int
deb822_field(struct deb822 *d, struct deb822_field *ret, struct err *err)
{
	const char *eol, *p;

	while (d->comments && d->p < d->end && *d->p == '#')
		skip_line(d, end_of_line(d, d->p));
	if (d->p >= d->end)
		return 0;
	eol = end_of_line(d, d->p);
	if (is_blank_line(d->p, eol))
		return 0;
	for (p = d->p; p<eol && * p> ' ' && *p < 0x7f && *p != ':'; p++)
		;
	if (p == d->p || p == eol || *p != ':')
		return err_set(err, ZE_FORMAT, 0, "%s:%u: not a field", d->file, d->line);
	*ret = (struct deb822_field){
	    .name = d->p, .name_len = (size_t)(p - d->p), .raw = d->p, .line = d->line};
	for (p++; p < eol && (*p == ' ' || *p == '\t'); p++)
		;
	ret->value = p;
	skip_line(d, eol);
	take_continuation(d);
	ret->raw_len = (size_t)(d->p - ret->raw);
	for (p = d->p; p > ret->value && (p[-1] == '\n' || p[-1] == ' ' || p[-1] == '\t'); p--)
		;
	ret->value_len = (size_t)(p - ret->value);
	if (memchr(ret->raw, '\0', ret->raw_len))
		return err_set(err, ZE_FORMAT, 0, "%s:%u: a NUL byte", d->file, ret->line);
	return 1;
}

bool
deb822_is(const struct deb822_field *field, const char *name)
{
	return strlen(name) == field->name_len && !strncasecmp(field->name, name, field->name_len);
}
