/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for dpkg-maintscript-helper, a shell script that starts four more programs each time.
 * Its actions change something only on an upgrade from an older version, which shows by the second
 * parameter of the maintainer script; on a first installation there is none.
 *
 * Source: dpkg-maintscript-helper(1).
 */
#include "covered.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAME "dpkg-maintscript-helper"

struct action {
	const char *name;
	int paths;      /* how many of the operands name files; the first is absolute */
	bool two_paths; /* the second operand is absolute as well */
	bool staged;    /* goes on with what an interrupted upgrade left at PATH.dpkg-backup */
};

static const struct action actions[] = {
    {"rm_conffile", 1, false, false},
    {"mv_conffile", 2, true, false},
    {"symlink_to_dir", 2, false, true},
    {"dir_to_symlink", 2, false, true},
};

static const struct action *
action_find(const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

static bool
env_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static int
supports(const char *name)
{
	static const char *const needed[] = {"DPKG_MAINTSCRIPT_NAME", "DPKG_MAINTSCRIPT_PACKAGE"};
	int status = name && action_find(name) ? 0 : 1;

	for (size_t i = 0; i < 2; i++) {
		if (env_set(needed[i]))
			continue;
		(void)fprintf(stderr, NAME ": warning: environment variable %s missing\n",
			      needed[i]);
		status = 1;
	}
	return status;
}

/* A version that nobody would refuse; others are for the covered program to judge. */
static bool
version_plain(const char *version)
{
	return *version >= '0' && *version <= '9' &&
	       version[strspn(version,
			      "0123456789"
			      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+~-:")] == '\0';
}

static bool
backup_left(const char *path)
{
	char backup[4096];
	struct stat st;

	if (snprintf(backup, sizeof(backup), "%s.dpkg-backup", path) >= (int)sizeof(backup))
		return true;
	return lstat(backup, &st) == 0;
}

/* Whether this call is a well-formed one that has nothing to do on a first installation. */
static bool
nothing_to_do(int argc, char **argv)
{
	const struct action *act = action_find(argv[1]);
	const char *script = getenv("DPKG_MAINTSCRIPT_NAME");
	int dash = 2, path_end;

	while (dash < argc && strcmp(argv[dash], "--") != 0)
		dash++;
	if (!act || dash + 1 >= argc || !env_set("DPKG_MAINTSCRIPT_PACKAGE") || !script ||
	    env_set("DPKG_ROOT") || env_set("DPKG_DEBUG"))
		return false;
	path_end = 2 + act->paths;
	if (dash < path_end || dash > path_end + 2 || argv[2][0] != '/' || !argv[path_end - 1][0] ||
	    (act->two_paths && argv[3][0] != '/') || argv[2][strlen(argv[2]) - 1] == '/')
		return false;
	if (dash > path_end && *argv[path_end] && !version_plain(argv[path_end]))
		return false;
	if (argc > dash + 2 && *argv[dash + 2])
		return false; /* an older version: an upgrade */
	if (strcmp(script, "preinst") == 0)
		return strcmp(argv[dash + 1], "install") == 0;
	return strcmp(script, "postinst") == 0 && strcmp(argv[dash + 1], "configure") == 0 &&
	       !(act->staged && backup_left(argv[2]));
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "supports") == 0)
		return supports(argc > 2 ? argv[2] : NULL);
	if (argc > 1 && nothing_to_do(argc, argv))
		return 0;
	return covered_exec(NAME, argv);
}
