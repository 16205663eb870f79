/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages.conf: which packages zones get. One statement a line, described in packages.conf(5).
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_MAX_BYTES ((size_t)1024 * 1024)
#define DEPTH_MAX        8

/* The shipped file, for hosts that have none. */
static const char builtin_policy[] =
#include "packages_conf.inc"
    ;

static const char *const builtin_sets[] = {"essential", "protected", "required", "important",
					   "standard",  "all",       NULL};

struct line {
	struct dpkg_policy *policy;
	unsigned number;
	char *rest; /* what is not yet read of it */
	struct err *err;
};

static int
bad(const struct line *line, const char *what, const char *word)
{
	return err_set(line->err, ZE_INVAL, 0, "%s:%u: %s '%s'", line->policy->file, line->number,
		       what, word);
}

/* The next word; NULL at the end of the line. */
static char *
next_word(struct line *line)
{
	char *word = line->rest, *p;

	while (isspace((unsigned char)*word))
		word++;
	if (!*word)
		return NULL;
	for (p = word; *p && !isspace((unsigned char)*p); p++)
		;
	line->rest = *p ? p + 1 : p;
	*p = '\0';
	return word;
}

/* A package name with glob characters, or @set. */
static bool
is_package_word(const char *word)
{
	if (*word == '@')
		word++;
	if (!*word)
		return false;
	for (; *word; word++)
		if (!isalnum((unsigned char)*word) && !strchr("+-.:_*?[]!^", *word))
			return false;
	return true;
}

static const char *
keep(struct line *line, const char *word)
{
	return arena_strndup(&line->policy->arena, word, strlen(word));
}

static int
parse_rule(struct line *line, enum dpkg_verb verb)
{
	struct dpkg_policy *policy = line->policy;
	struct dpkg_rule *bigger;
	const char *word = next_word(line);
	size_t room;

	if (!word)
		return bad(line, "a package name is missing after", "include, exclude or global");
	for (; word; word = next_word(line)) {
		if (!is_package_word(word))
			return bad(line, "not a package name:", word);
		if (policy->n_rules == policy->room_rules) {
			room = policy->room_rules ? policy->room_rules * 2 : 128;
			bigger = reallocarray(policy->rules, room, sizeof(*bigger));
			if (!bigger)
				return err_nomem(line->err);
			policy->rules = bigger;
			policy->room_rules = room;
		}
		word = keep(line, word);
		if (!word)
			return err_nomem(line->err);
		policy->rules[policy->n_rules++] =
		    (struct dpkg_rule){.verb = verb, .word = word, .line = line->number};
	}
	return 0;
}

const struct dpkg_set *
dpkg_policy_set(const struct dpkg_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_sets; i++)
		if (!strcmp(policy->sets[i].name, name))
			return &policy->sets[i];
	return NULL;
}

static struct dpkg_set *
set_of(struct dpkg_policy *policy, const char *name)
{
	const struct dpkg_set *set = dpkg_policy_set(policy, name);

	return set ? &policy->sets[set - policy->sets] : NULL;
}

static struct dpkg_set *
set_slot(struct line *line, const char *name)
{
	struct dpkg_policy *policy = line->policy;
	struct dpkg_set *bigger, *old = set_of(policy, name);
	size_t room;

	if (old)
		return old;
	if (policy->n_sets == policy->room_sets) {
		room = policy->room_sets ? policy->room_sets * 2 : 8;
		bigger = reallocarray(policy->sets, room, sizeof(*bigger));
		if (!bigger)
			return NULL;
		policy->sets = bigger;
		policy->room_sets = room;
	}
	policy->sets[policy->n_sets] = (struct dpkg_set){.name = keep(line, name)};
	if (!policy->sets[policy->n_sets].name)
		return NULL;
	return &policy->sets[policy->n_sets++];
}

/* set NAME = WORD... */
static int
parse_set(struct line *line, int arg)
{
	struct dpkg_policy *policy = line->policy;
	const char *name = next_word(line), *equals = next_word(line), *word;
	const char **words;
	struct dpkg_set *set;
	size_t n = 0;

	(void)arg;
	if (!name || !equals || strcmp(equals, "=") != 0)
		return bad(line, "expected", "set NAME = PACKAGE...");
	if (!is_package_word(name) || *name == '@')
		return bad(line, "not a name for a set:", name);
	for (size_t i = 0; builtin_sets[i]; i++)
		if (!strcmp(builtin_sets[i], name))
			return bad(line, "a set of every host cannot be defined anew:", name);
	words = arena_alloc(&policy->arena, (strlen(line->rest) / 2 + 1) * sizeof(*words));
	if (!words)
		return err_nomem(line->err);
	while ((word = next_word(line))) {
		if (!is_package_word(word))
			return bad(line, "not a package name:", word);
		words[n] = keep(line, word);
		if (!words[n++])
			return err_nomem(line->err);
	}
	set = set_slot(line, name);
	if (!set)
		return err_nomem(line->err);
	set->words = words;
	set->n = n;
	set->line = line->number;
	return 0;
}

/* "conffile keep GLOB", "file exclude GLOB": globs of absolute paths. */
static int
parse_glob(struct line *line, const char *verb, struct strv *to)
{
	const char *word = next_word(line);

	if (!word || strcmp(word, verb) != 0)
		return bad(line, "expected the word", verb);
	word = next_word(line);
	if (!word)
		return bad(line, "a path is missing after", verb);
	for (; word; word = next_word(line)) {
		if (*word != '/' && *word != '*')
			return bad(line, "not an absolute path:", word);
		if (strv_add(to, word) < 0)
			return err_nomem(line->err);
	}
	return 0;
}

static int
parse_include(struct line *line, int verb)
{
	return parse_rule(line, (enum dpkg_verb)verb);
}

static int
parse_conffile(struct line *line, int arg)
{
	(void)arg;
	return parse_glob(line, "keep", &line->policy->keep_conffiles);
}

static int
parse_file(struct line *line, int arg)
{
	(void)arg;
	return parse_glob(line, "exclude", &line->policy->exclude_files);
}

static const struct {
	const char *name;
	int (*parse)(struct line *line, int arg);
	int arg;
} statements[] = {
    {"include", parse_include, DPKG_INCLUDE}, {"exclude", parse_include, DPKG_EXCLUDE},
    {"global", parse_include, DPKG_GLOBAL},   {"set", parse_set, 0},
    {"conffile", parse_conffile, 0},          {"file", parse_file, 0},
};

static int
parse_line(struct line *line)
{
	char *comment = strchr(line->rest, '#');
	const char *word;

	if (comment)
		*comment = '\0';
	word = next_word(line);
	if (!word)
		return 0;
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
		if (!strcmp(word, statements[i].name))
			return statements[i].parse(line, statements[i].arg);
	return bad(line, "unknown statement", word);
}

static int
check_word(const struct dpkg_policy *policy, const char *word, unsigned line, struct err *err)
{
	if (*word != '@' || dpkg_policy_set(policy, word + 1))
		return 0;
	for (size_t i = 0; builtin_sets[i]; i++)
		if (!strcmp(builtin_sets[i], word + 1))
			return 0;
	return err_set(err, ZE_INVAL, 0, "%s:%u: no set '%s' is defined", policy->file, line,
		       word + 1);
}

/* How deep sets are in sets; one that is met again while its own words are looked at contains
 * itself. */
static int
measure_set(struct dpkg_policy *policy, struct dpkg_set *set, unsigned above, struct err *err)
{
	struct dpkg_set *inner;
	unsigned depth = 0;
	int r;

	if (above + set->depth > DEPTH_MAX)
		return err_set(err, ZE_INVAL, 0, "%s:%u: set '%s' is more than %d sets deep",
			       policy->file, set->line, set->name, DEPTH_MAX);
	if (set->depth)
		return 0;
	set->open = true;
	for (size_t i = 0; i < set->n; i++) {
		inner = *set->words[i] == '@' ? set_of(policy, set->words[i] + 1) : NULL;
		if (!inner)
			continue;
		if (inner->open)
			return err_set(err, ZE_INVAL, 0, "%s:%u: set '%s' contains itself",
				       policy->file, inner->line, inner->name);
		r = measure_set(policy, inner, above + 1, err);
		if (r < 0)
			return r;
		depth = inner->depth > depth ? inner->depth : depth;
	}
	set->open = false;
	set->depth = depth + 1;
	return 0;
}

static int
check_policy(struct dpkg_policy *policy, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < policy->n_sets && r == 0; i++)
		for (size_t w = 0; w < policy->sets[i].n && r == 0; w++)
			r = check_word(policy, policy->sets[i].words[w], policy->sets[i].line, err);
	for (size_t i = 0; i < policy->n_sets && r == 0; i++)
		r = measure_set(policy, &policy->sets[i], 0, err);
	for (size_t i = 0; i < policy->n_rules && r == 0; i++)
		r = check_word(policy, policy->rules[i].word, policy->rules[i].line, err);
	if (r == 0 && !dpkg_policy_set(policy, "default"))
		r = err_set(err, ZE_INVAL, 0,
			    "%s: no line 'set default = ...' says what a zone gets", policy->file);
	return r;
}

static int
parse_text(struct dpkg_policy *policy, char *text, size_t len, struct err *err)
{
	struct line line = {.policy = policy, .err = err};
	char *end = text + len, *eol;
	int r;

	for (char *p = text; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		line.number++;
		if (memchr(p, '\0', (size_t)(eol - p)))
			return bad(&line, "a NUL byte after", p);
		*eol = '\0';
		line.rest = p;
		r = parse_line(&line);
		if (r < 0)
			return r;
	}
	return check_policy(policy, err);
}

int
dpkg_policy_parse(const char *file, const char *text, size_t len, struct dpkg_policy *ret,
		  struct err *err)
{
	struct dpkg_policy policy = {0};
	char *copy;
	int r;

	copy = arena_strndup(&policy.arena, text, len);
	policy.file = arena_strndup(&policy.arena, file, strlen(file));
	r = copy && policy.file ? parse_text(&policy, copy, len, err) : err_nomem(err);
	if (r < 0) {
		dpkg_policy_free(&policy);
		return r;
	}
	*ret = policy;
	return 0;
}

int
dpkg_policy_read(const char *path, struct dpkg_policy *ret, struct err *err)
{
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = path ? path_file_read(path, POLICY_MAX_BYTES, &text, &len, err) : -ZE_NOENT;
	if (r == -ZE_NOENT) {
		err_clear(err);
		return dpkg_policy_parse("the built-in packages.conf", builtin_policy,
					 sizeof(builtin_policy) - 1, ret, err);
	}
	if (r < 0)
		return r;
	return dpkg_policy_parse(path, text, len, ret, err);
}

void
dpkg_policy_free(struct dpkg_policy *policy)
{
	free(policy->rules);
	free(policy->sets);
	strv_free(&policy->keep_conffiles);
	strv_free(&policy->exclude_files);
	arena_free(&policy->arena);
	*policy = (struct dpkg_policy){0};
}
