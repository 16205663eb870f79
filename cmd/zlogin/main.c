/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zlogin: run a program in a zone, or log in to it. This file reads the command line.
 */
#include "zlogin.h"

#include "base/fd.h"
#include "config/config.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
usage(const char *why)
{
	if (why)
		(void)fprintf(stderr, "zlogin: %s\n", why);
	(void)fprintf(stderr,
		      "usage: zlogin [-nQES] [-e c] [-l user] zone [utility [argument ...]]\n"
		      "       zlogin [-iQE] [-e c] [-l user] zone utility [argument ...]\n"
		      "       zlogin -C [-dQE] [-e c] zone\n");
	return ZLOGIN_USAGE;
}

/* A character, or \ooo in octal, or \c for the character c; returns -1 for anything else. */
static int
escape_char(const char *s)
{
	char *end;
	long n;

	if (s[0] != '\0' && s[1] == '\0')
		return (unsigned char)s[0];
	if (s[0] != '\\')
		return -1;
	if (s[2] == '\0' && (s[1] < '0' || s[1] > '7'))
		return (unsigned char)s[1];
	n = strtol(s + 1, &end, 8);
	return s[1] >= '0' && s[1] <= '7' && !*end && n <= 255 ? (int)n : -1;
}

static const char *
conflict(const struct zlogin *zl, bool has_user, bool has_utility)
{
	const struct {
		bool is;
		const char *why;
	} conflicts[] = {
	    {zl->console && has_user, "-C and -l exclude each other"},
	    {zl->console && zl->safe, "-C and -S exclude each other"},
	    {zl->console && zl->no_stdin, "-C and -n exclude each other"},
	    {zl->console && zl->pty, "-C and -i exclude each other"},
	    {zl->console && has_utility, "-C takes no utility"},
	    {zl->safe && has_user, "-S and -l exclude each other"},
	    {zl->leave_at_halt && !zl->console, "-d needs -C"},
	    {zl->pty && zl->no_stdin, "-i and -n exclude each other"},
	    {zl->pty && !has_utility, "-i needs a utility"},
	    {zl->user[0] == '\0' || zl->user[0] == '-', "that is not a user name"},
	};

	for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++) {
		if (conflicts[i].is)
			return conflicts[i].why;
	}
	return NULL;
}

/* Returns 0 or ZLOGIN_USAGE. */
static int
parse(int argc, char **argv, struct zlogin *zl)
{
	bool has_user = false;
	const char *why;
	int opt;

	/* "+": what follows the zone belongs to the utility. */
	while ((opt = getopt(argc, argv, "+CdEe:inl:QS")) != -1) {
		switch (opt) {
		case 'C':
			zl->console = true;
			break;
		case 'd':
			zl->leave_at_halt = true;
			break;
		case 'E':
			zl->escape = -1;
			break;
		case 'e':
			zl->escape = escape_char(optarg);
			if (zl->escape < 0)
				return usage("-e takes one character");
			break;
		case 'i':
			zl->pty = true;
			break;
		case 'n':
			zl->no_stdin = true;
			break;
		case 'l':
			zl->user = optarg;
			has_user = true;
			break;
		case 'Q':
			zl->quiet = true;
			break;
		case 'S':
			zl->safe = true;
			break;
		default:
			return usage(NULL);
		}
	}
	if (optind == argc)
		return usage("no zone is named");
	zl->zone = argv[optind++];
	why = conflict(zl, has_user, optind < argc);
	if (why)
		return usage(why);
	if (optind == argc)
		return 0;
	zl->text = command_quote(argv + optind, argc - optind);
	if (zl->text)
		return 0;
	/* Without its text it would be a login. */
	(void)fprintf(stderr, "zlogin: out of memory\n");
	return ZLOGIN_FAILED;
}

/*
 * A name that was mistyped is no zone to wait for. An index that cannot be read says nothing: a
 * zone that runs can be entered without it.
 */
static int
check_zone(const struct zlogin *zl, enum zone_state *ret_state, struct err *err)
{
	auto_index struct config_index index = {0};
	const struct config_entry *entry;
	int r;

	r = config_index_load("", &index, NULL);
	if (r < 0)
		return 0;
	entry = config_index_find(&index, zl->zone);
	if (!entry)
		return err_set(err, ZE_NOENT, 0, "%s: No such zone configured", zl->zone);
	*ret_state = entry->state;
	return 0;
}

/* What to do about a zone that does not run. */
static void
not_running(const struct zlogin *zl, struct err *err)
{
	enum zone_state state = ZONE_STATE_INSTALLED;

	if (check_zone(zl, &state, err) < 0)
		return;
	if (state == ZONE_STATE_INSTALLED)
		(void)err_set(err, ZE_STATE, 0,
			      "zone '%s' is not running; boot it with 'zoneadm -z %s boot'",
			      zl->zone, zl->zone);
	else
		(void)err_set(err, ZE_STATE, 0, "zone '%s' is not running: it is %s", zl->zone,
			      zone_state_name(state));
}

static int
check_caller(const struct zlogin *zl, struct err *err)
{
	enum zone_state state = ZONE_STATE_INSTALLED;
	int r;

	if (access("/run/host/zone", F_OK) == 0)
		return err_set(err, ZE_PERM, 0, "can only be used in the global zone");
	if (!strcmp(zl->zone, "global"))
		return err_set(err, ZE_INVAL, 0, "'global' is this zone: no login is needed");
	r = config_name_check(zl->zone, err);
	if (r < 0)
		return err_add(err, "'%s'", zl->zone);
	if (geteuid() != 0)
		return err_set(err, ZE_PERM, 0, "only root may log in to a zone");
	/* A console may be watched before the zone runs; all else finds out whether it does. */
	r = zl->console ? check_zone(zl, &state, err) : 0;
	if (r == 0 && state < ZONE_STATE_INSTALLED)
		return err_set(err, ZE_STATE, 0, "not installed"); /* not_running() has the words */
	return r;
}

int
main(int argc, char **argv)
{
	struct zlogin zl = {.user = "root", .escape = '~'};
	struct err err = {0};
	int status;

	if (fd_std_ensure() < 0)
		return ZLOGIN_FAILED;
	status = parse(argc, argv, &zl);
	if (status)
		return status;
	/* A reader that has gone is a failed write, not an end. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (check_caller(&zl, &err) < 0)
		status = ZLOGIN_FAILED;
	else if (zl.console)
		status = session_console(&zl, &err);
	else if (zl.pty || (!zl.text && isatty(STDIN_FILENO)))
		status = session_run(&zl, &err);
	else
		status = stream_run(&zl, &err);
	free(zl.text);
	if (err.code == ZE_STATE)
		not_running(&zl, &err);
	if (err.code != ZE_OK)
		(void)fprintf(stderr, "zlogin: %s\n", err.msg);
	return status;
}
