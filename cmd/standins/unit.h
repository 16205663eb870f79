/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The [Install] section of a unit file, as far as plain ones need it: known keys at the start of
 * their lines and words without quotes, escapes or specifiers. Everything else is -ZE_NOTSUP, which
 * sends the request to the real program.
 */
#ifndef STANDINS_UNIT_H
#define STANDINS_UNIT_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct strv;

enum unit_key {
	UNIT_ALIAS,
	UNIT_ALSO,
	UNIT_DEFAULT_INSTANCE,
	UNIT_REQUIRED_BY,
	UNIT_WANTED_BY,
	UNIT_KEY_COUNT,
};

struct unit_line {
	enum unit_key key;
	char *text; /* all that stands behind "=" */
};

struct unit {
	char *name; /* foo.service */
	struct unit_line *lines;
	size_t n_lines;
};

/**
 * unit_load - find and read a unit file
 * @scope: "system" or "user"
 *
 * -ZE_NOTSUP when anything about it is not plain: not in /lib/systemd/SCOPE, a link, empty, with
 * drop-ins, with quotes or specifiers. Source: systemd.unit(5).
 */
int unit_load(const char *scope, const char *name, struct unit *ret, struct err *err);
void unit_free(struct unit *unit);
#define auto_unit __attribute__((cleanup(unit_free)))

/**
 * unit_target_name - the name that a link in a .wants directory gets: that of the unit, with the
 * default instance in a template's
 *
 * Returns 0 with a string to free(); -ZE_NOTSUP for a template without a default instance.
 */
int unit_target_name(const struct unit *unit, char **ret, struct err *err);

/**
 * unit_words - the words of a line, appended to @ret
 */
int unit_words(const struct unit_line *line, struct strv *ret);

/**
 * unit_wants_dir - "NAME.wants" or "NAME.requires" for a word of a WantedBy or RequiredBy line, to
 * free(); NULL when memory runs out
 */
char *unit_wants_dir(const struct unit_line *line, const char *word);

#endif
