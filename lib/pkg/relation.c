/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	enum dpkg_op op;
} ops[] = {
    /* The longer ones first; "<" and ">" are the old spellings of "<=" and ">=". */
    {"<<", DPKG_LT}, {"<=", DPKG_LE}, {">>", DPKG_GT}, {">=", DPKG_GE},
    {"=", DPKG_EQ},  {"<", DPKG_LE},  {">", DPKG_GE},
};

static const char *const op_names[] = {"", "<<", "<=", "=", ">=", ">>"};

/* ---- versions ---- */

static int
order_of(char c)
{
	if (c == '~')
		return -1;
	if (isalpha((unsigned char)c))
		return (unsigned char)c;
	return c && !isdigit((unsigned char)c) ? (unsigned char)c + 256 : 0;
}

/* Compare two upstream versions or two revisions: text by letters, then numbers by value. */
static int
compare_part(const char *a, const char *a_end, const char *b, const char *b_end)
{
	int first_diff, oa, ob;

	while (a < a_end || b < b_end) {
		while ((a < a_end && !isdigit((unsigned char)*a)) ||
		       (b < b_end && !isdigit((unsigned char)*b))) {
			oa = a < a_end ? order_of(*a) : 0;
			ob = b < b_end ? order_of(*b) : 0;
			if (oa != ob)
				return oa - ob;
			a++;
			b++;
		}
		while (a < a_end && *a == '0')
			a++;
		while (b < b_end && *b == '0')
			b++;
		first_diff = 0;
		while (a < a_end && isdigit((unsigned char)*a) && b < b_end &&
		       isdigit((unsigned char)*b)) {
			if (!first_diff)
				first_diff = *a - *b;
			a++;
			b++;
		}
		if (a < a_end && isdigit((unsigned char)*a))
			return 1;
		if (b < b_end && isdigit((unsigned char)*b))
			return -1;
		if (first_diff)
			return first_diff;
	}
	return 0;
}

struct version {
	const char *epoch, *epoch_end;
	const char *upstream, *upstream_end;
	const char *revision, *end;
};

static struct version
version_split(const char *s)
{
	struct version v = {.epoch = s, .epoch_end = s, .upstream = s, .end = s + strlen(s)};
	const char *colon = strchr(s, ':'), *dash;

	if (colon) {
		v.epoch_end = colon;
		v.upstream = colon + 1;
	}
	dash = strrchr(v.upstream, '-');
	v.upstream_end = dash ? dash : v.end;
	v.revision = dash ? dash + 1 : v.end;
	return v;
}

int
dpkg_version_compare(const char *a, const char *b)
{
	struct version va = version_split(a), vb = version_split(b);
	int r;

	r = compare_part(va.epoch, va.epoch_end, vb.epoch, vb.epoch_end);
	if (!r)
		r = compare_part(va.upstream, va.upstream_end, vb.upstream, vb.upstream_end);
	if (!r)
		r = compare_part(va.revision, va.end, vb.revision, vb.end);
	return r;
}

bool
dpkg_version_satisfies(const char *version, enum dpkg_op op, const char *wanted)
{
	int r = op == DPKG_ANY ? 0 : dpkg_version_compare(version, wanted);

	switch (op) {
	case DPKG_ANY:
		return true;
	case DPKG_LT:
		return r < 0;
	case DPKG_LE:
		return r <= 0;
	case DPKG_EQ:
		return r == 0;
	case DPKG_GE:
		return r >= 0;
	case DPKG_GT:
		return r > 0;
	}
	return false;
}

/* ---- relations ---- */

struct parser {
	struct arena *arena;
	const char *p, *end;
	struct err *err;
};

static void
skip_blanks(struct parser *ps)
{
	while (ps->p < ps->end && isspace((unsigned char)*ps->p))
		ps->p++;
}

/* The bytes up to one of @stops or a blank. */
static const char *
take_word(struct parser *ps, const char *stops, size_t *ret_len)
{
	const char *start = ps->p;

	while (ps->p < ps->end && !isspace((unsigned char)*ps->p) && !strchr(stops, *ps->p))
		ps->p++;
	*ret_len = (size_t)(ps->p - start);
	return start;
}

static int
copy_word(struct parser *ps, const char *stops, const char *what, const char **ret)
{
	size_t len;
	const char *word = take_word(ps, stops, &len);

	if (!len)
		return err_set(ps->err, ZE_FORMAT, 0, "%s is missing", what);
	*ret = arena_strndup(ps->arena, word, len);
	return *ret ? 0 : err_nomem(ps->err);
}

static int
parse_version(struct parser *ps, struct dpkg_alt *alt)
{
	size_t i, len;
	int r;

	ps->p++; /* the parenthesis */
	skip_blanks(ps);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		len = strlen(ops[i].text);
		if ((size_t)(ps->end - ps->p) >= len && !memcmp(ps->p, ops[i].text, len))
			break;
	}
	if (i == sizeof(ops) / sizeof(ops[0]))
		return err_set(ps->err, ZE_FORMAT, 0, "no relation to a version after '%s ('",
			       alt->name);
	ps->p += strlen(ops[i].text);
	alt->op = ops[i].op;
	skip_blanks(ps);
	r = copy_word(ps, "),|(", "a version", &alt->version);
	if (r < 0)
		return r;
	skip_blanks(ps);
	if (ps->p >= ps->end || *ps->p != ')')
		return err_set(ps->err, ZE_FORMAT, 0, "no ')' after version '%s'", alt->version);
	ps->p++;
	skip_blanks(ps);
	return 0;
}

static int
parse_alt(struct parser *ps, struct dpkg_alt *alt)
{
	int r;

	*alt = (struct dpkg_alt){.op = DPKG_ANY};
	skip_blanks(ps);
	r = copy_word(ps, ":(,|)", "a package name", &alt->name);
	if (r < 0)
		return r;
	if (ps->p < ps->end && *ps->p == ':') {
		ps->p++;
		r = copy_word(ps, "(,|):", "an architecture", &alt->arch);
		if (r < 0)
			return r;
	}
	skip_blanks(ps);
	return ps->p < ps->end && *ps->p == '(' ? parse_version(ps, alt) : 0;
}

/* Upper bound of what is separated by @sep. */
static size_t
count_parts(const char *p, const char *end, char sep)
{
	size_t n = 1;

	for (; p < end; p++)
		n += *p == sep;
	return n;
}

static int
parse_group(struct parser *ps, struct dpkg_group *group)
{
	const char *comma = memchr(ps->p, ',', (size_t)(ps->end - ps->p));
	size_t room = count_parts(ps->p, comma ? comma : ps->end, '|');
	struct dpkg_alt *alts = arena_alloc(ps->arena, room * sizeof(*alts));
	int r;

	if (!alts)
		return err_nomem(ps->err);
	group->alts = alts;
	for (group->n = 0; group->n < room;) {
		r = parse_alt(ps, &alts[group->n++]);
		if (r < 0)
			return r;
		if (ps->p >= ps->end || *ps->p != '|')
			break;
		ps->p++;
	}
	if (ps->p < ps->end && *ps->p != ',')
		return err_set(ps->err, ZE_FORMAT, 0, "unexpected '%.20s' after '%s'", ps->p,
			       alts[group->n - 1].name);
	return 0;
}

int
dpkg_relation_parse(struct arena *arena, const char *text, size_t len, struct dpkg_group **ret,
		    size_t *ret_n, struct err *err)
{
	struct parser ps = {.arena = arena, .p = text, .end = text + len, .err = err};
	size_t room = count_parts(text, text + len, ','), n = 0;
	struct dpkg_group *groups = arena_alloc(arena, room * sizeof(*groups));
	int r;

	if (!groups)
		return err_nomem(err);
	for (skip_blanks(&ps); ps.p < ps.end; skip_blanks(&ps)) {
		r = parse_group(&ps, &groups[n]);
		if (r < 0)
			return r;
		n++;
		if (ps.p < ps.end)
			ps.p++; /* the comma */
	}
	*ret = groups;
	*ret_n = n;
	return 0;
}

int
dpkg_alt_print(struct str *out, const struct dpkg_alt *alt)
{
	int r;

	r = str_addf(out, "%s%s%s", alt->name, alt->arch ? ":" : "", alt->arch ? alt->arch : "");
	if (r == 0 && alt->op != DPKG_ANY)
		r = str_addf(out, " (%s %s)", op_names[alt->op], alt->version);
	return r;
}
