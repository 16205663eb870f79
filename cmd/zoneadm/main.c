/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zoneadm - administer zones. This file reads the options before the subcommand and holds the table
 * of subcommands; each has a file of its own.
 */
#include "zoneadm.h"

#include "base/err.h"
#include "base/fd.h"

#include <ctype.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct zoneadm_command zoneadm_commands[] = {
    {"boot", "boot [-ns] [-- boot_arguments]",
     "Boot an installed or ready zone; -s to single-user mode. -n only prints what would be done.",
     zoneadm_boot, 0, ZONEADM_NEED_INSTALLED},
    {"clone", "clone [-m copy] source",
     "Make a configured zone a copy of an installed one, which must not be running. The file "
     "system makes the copy if it can; -m copy copies every byte.",
     zoneadm_clone, ZONEADM_OFFLINE | ZONEADM_STOPS, ZONEADM_NEED_CONFIGURED},
    {"halt", "halt",
     "Stop a zone at once: its processes are killed, its scripts for shutting down do not run.",
     zoneadm_halt, 0, ZONEADM_NEED_INSTALLED},
    {"help", "help [subcommand]", "Print how zoneadm or one of its subcommands is used.",
     zoneadm_help, ZONEADM_ANYONE | ZONEADM_NO_ZONE | ZONEADM_ROOT_OPT, ZONEADM_NEED_NOTHING},
    {"install",
     "install [-n] [-p package,...] [-x package=package,...] [--all] [--keep-edited pattern] "
     "[--no-cache] [--offline] [--refuse-changed]",
     "Fill a configured zone from the packages of this host. -p adds packages, --all takes every "
     "one that can be in a zone, -x leaves some out. -n only prints the plan.",
     zoneadm_install, ZONEADM_OFFLINE | ZONEADM_STOPS, ZONEADM_NEED_CONFIGURED},
    {"list", "list [-cinpv]",
     "List zones: those that run; with -i the installed ones too, with -c all; -n leaves out the "
     "global zone; -v prints a table, -p lines for programs. With -z, only that zone.",
     zoneadm_list, ZONEADM_ANYONE | ZONEADM_NO_ZONE | ZONEADM_ROOT_OPT, ZONEADM_NEED_NOTHING},
    {"mark", "mark incomplete",
     "Mark an installed zone as damaged, so that nothing but uninstall can be done with it.",
     zoneadm_mark, ZONEADM_ROOT_OPT, ZONEADM_NEED_ZONE},
    {"ready", "ready",
     "Make everything that a zone runs in, but start no process; a running zone is halted first.",
     zoneadm_ready, 0, ZONEADM_NEED_INSTALLED},
    {"reboot", "reboot [-- boot_arguments]", "Halt a running zone and boot it again.",
     zoneadm_reboot, 0, ZONEADM_NEED_RUNNING},
    {"shutdown", "shutdown [-t seconds] [-r [-- boot_arguments]]",
     "Shut a running zone down cleanly and wait until it has ended; -r boots it again.",
     zoneadm_shutdown, 0, ZONEADM_NEED_RUNNING},
    {"uninstall", "uninstall [-F]",
     "Remove the files of an installed or incomplete zone, after a question; -F asks none. Its "
     "configuration stays.",
     zoneadm_uninstall, ZONEADM_OFFLINE | ZONEADM_ANY_CONFIG, ZONEADM_NEED_FILES},
    {"verify", "verify",
     "Check whether the zone can be installed or booted on this host as it is configured.",
     zoneadm_verify, 0, ZONEADM_NEED_COMPLETE},
    {0},
};

int
zoneadm_usage_all(bool asked)
{
	FILE *out = asked ? stdout : stderr;

	(void)fprintf(out, "usage: zoneadm [-R root] [-z zone | -u uuid] subcommand [options] "
			   "[operands]\n");
	for (const struct zoneadm_command *c = zoneadm_commands; c->name; c++)
		(void)fprintf(out, "\tzoneadm %s%s\n", c->flags & ZONEADM_NO_ZONE ? "" : "-z zone ",
			      c->usage);
	return asked ? ZONEADM_OK : ZONEADM_USAGE;
}

int
zoneadm_usage(const struct zoneadm *za, bool asked)
{
	const struct zoneadm_command *c = za->command;

	(void)fprintf(asked ? stdout : stderr, "usage: zoneadm %s%s\n%s\n",
		      c->flags & ZONEADM_NO_ZONE ? "" : "-z zone ", c->usage, c->help);
	return asked ? ZONEADM_OK : ZONEADM_USAGE;
}

int
zoneadm_bad_option(struct zoneadm *za, int opt)
{
	if (opt == '?' && optopt == '?') {
		za->asked = true;
		return zoneadm_usage(za, true);
	}
	if (opt == ':')
		(void)zoneadm_error(za, "%s: option -%c needs a value", za->command->name, optopt);
	else if (optopt)
		(void)zoneadm_error(za, "%s: unknown option -%c", za->command->name, optopt);
	else
		(void)zoneadm_error(za, "%s: unknown option", za->command->name);
	return zoneadm_usage(za, false);
}

int
zoneadm_operands(struct zoneadm *za, int argc, char **argv, int operands)
{
	if (argc - optind == operands)
		return -1;
	if (argc - optind > operands)
		(void)zoneadm_error(za, "%s: unexpected operand '%s'", argv[0],
				    argv[optind + operands]);
	else
		(void)zoneadm_error(za, "%s: an operand is missing", argv[0]);
	return zoneadm_usage(za, false);
}

int
zoneadm_no_options(struct zoneadm *za, int argc, char **argv, int operands)
{
	int opt;

	opt = getopt(argc, argv, "+:");
	if (opt != -1)
		return zoneadm_bad_option(za, opt);
	return zoneadm_operands(za, argc, argv, operands);
}

static bool
uuid_is_valid(const char *uuid)
{
	for (size_t i = 0; i < CONFIG_UUID_LEN; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23 ? uuid[i] != '-'
							    : !isxdigit((unsigned char)uuid[i]))
			return false;
	}
	return !uuid[CONFIG_UUID_LEN];
}

/*
 * A zone found by its UUID wins over -z: scripts give both, and the zone may have been renamed. Its
 * name is the caller's to free, who keeps it as long as @za.
 */
static int
choose_by_uuid(struct zoneadm *za, const char *uuid, char **ret_name)
{
	auto_index struct config_index index = {0};
	const struct config_entry *entry;
	struct err err;
	char *name;

	if (!*uuid)
		return ZONEADM_OK;
	if (!uuid_is_valid(uuid))
		return zoneadm_error(za, "'%s' is not a UUID", uuid);
	if (config_index_load(za->root, &index, &err) < 0)
		return zoneadm_fail(za, &err);
	entry = config_index_find_uuid(&index, uuid);
	if (!entry && !za->zone)
		return zoneadm_error(za, "no zone has the UUID '%s'", uuid);
	if (!entry)
		return ZONEADM_OK;
	name = strdup(entry->name);
	if (!name)
		return zoneadm_error(za, "out of memory");
	za->zone = name;
	*ret_name = name;
	return ZONEADM_OK;
}

static void
on_stop(int sig)
{
	(void)sig;
	op_stop();
}

/* Without SA_RESTART: a wait for a lock or for a script must end when a stop is asked for. */
static void
catch_signals(const struct zoneadm_command *command)
{
	struct sigaction stop = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN};

	(void)sigaction(SIGHUP, &ignore, NULL);
	if (!(command->flags & ZONEADM_STOPS))
		return;
	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
}

static int
run(struct zoneadm *za, int argc, char **argv)
{
	int r;

	for (const struct zoneadm_command *c = zoneadm_commands; c->name; c++)
		if (!strcmp(c->name, argv[0]))
			za->command = c;
	if (!za->command) {
		(void)zoneadm_error(za, "'%s' is not a subcommand", argv[0]);
		return zoneadm_usage_all(false);
	}
	if (*za->root && !(za->command->flags & ZONEADM_ROOT_OPT)) {
		(void)zoneadm_error(za, "%s: -R is only for list and mark", argv[0]);
		return ZONEADM_USAGE;
	}
	catch_signals(za->command);
	optind = 0; /* start again, with the subcommand's own options */
	r = za->command->run(za, argc, argv);
	config_free(za->config);
	free(za->entry.zonepath);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)zoneadm_error(za, "write to standard output: %m");
		return ZONEADM_ERROR;
	}
	return r;
}

int
main(int argc, char **argv)
{
	struct zoneadm za = {.root = "", .id = -1};
	auto_free char *name = NULL;
	const char *uuid = "";
	int opt, r;

	if (fd_std_ensure() < 0)
		return ZONEADM_ERROR;
	if (chdir("/") < 0)
		return zoneadm_error(&za, "change directory to '/': %m");
	(void)umask(022);
	opterr = 0;
	while ((opt = getopt(argc, argv, "+:z:u:R:")) != -1) {
		switch (opt) {
		case 'z':
			za.zone = optarg;
			break;
		case 'u':
			uuid = optarg;
			break;
		case 'R':
			za.root = strcmp(optarg, "/") != 0 ? optarg : "";
			if (*optarg != '/') {
				(void)zoneadm_error(&za, "-R takes an absolute path");
				return ZONEADM_USAGE;
			}
			break;
		case ':':
			(void)zoneadm_error(&za, "option -%c needs a value", optopt);
			return zoneadm_usage_all(false);
		default:
			if (optopt == '?')
				return zoneadm_usage_all(true);
			(void)zoneadm_error(&za, "unknown option -%c", optopt);
			return zoneadm_usage_all(false);
		}
	}
	if (optind == argc) {
		(void)zoneadm_error(&za, "a subcommand is missing");
		return zoneadm_usage_all(false);
	}
	r = choose_by_uuid(&za, uuid, &name);
	if (r != ZONEADM_OK)
		return r;
	return run(&za, argc - optind, argv + optind);
}
