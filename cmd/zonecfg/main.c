/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zonecfg - write, read and change the configurations of zones. This file reads the options and
 * chooses how the commands come.
 */
#include "zonecfg.h"

#include "base/fd.h"
#include "base/path.h"

#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int complain(const struct zonecfg_opts *opts, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
complain(const struct zonecfg_opts *opts, int status, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "%s: ", opts->program);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	if (status == ZONECFG_USAGE)
		help_usage(stderr);
	return status;
}

static bool
is_uuid(const char *uuid)
{
	return strlen(uuid) == CONFIG_UUID_LEN &&
	       strspn(uuid, "0123456789abcdefABCDEF-") == CONFIG_UUID_LEN;
}

/* A zone found by its UUID wins over -z: scripts give both, and the zone may have been renamed. */
static int
choose_by_uuid(struct zonecfg_opts *opts, const char *uuid)
{
	static char name[CONFIG_NAME_MAX + 1]; /* lives as long as the options */
	auto_index struct config_index index = {0};
	const struct config_entry *entry;
	struct err err;

	if (!is_uuid(uuid))
		return complain(opts, ZONECFG_ERROR, "'%s' is not a UUID", uuid);
	if (config_index_load(opts->root, &index, &err) < 0)
		return complain(opts, ZONECFG_ERROR, "%s", err.msg);
	entry = config_index_find_uuid(&index, uuid);
	if (!entry && !opts->zone)
		return complain(opts, ZONECFG_ERROR, "no zone has the UUID '%s'", uuid);
	if (!entry)
		return ZONECFG_OK;
	(void)snprintf(name, sizeof(name), "%s", entry->name);
	opts->zone = name;
	return ZONECFG_OK;
}

static int
check_root(struct zonecfg_opts *opts)
{
	struct stat st;

	if (!*opts->root)
		return ZONECFG_OK;
	if (*opts->root != '/')
		return complain(opts, ZONECFG_USAGE, "-R takes an absolute path");
	if (!opts->root[strspn(opts->root, "/")])
		opts->root = "";
	if (*opts->root && stat(opts->root, &st) < 0)
		return complain(opts, ZONECFG_ERROR, "-R: '%s': %m", opts->root);
	if (*opts->root && !S_ISDIR(st.st_mode))
		return complain(opts, ZONECFG_ERROR, "-R: '%s' is not a directory", opts->root);
	return ZONECFG_OK;
}

/* Zones are configured from the host; what boots a zone leaves this mark in it. */
static bool
is_in_zone(void)
{
	auto_free char *manager = NULL;
	size_t size;

	return path_file_read("/run/host/container-manager", 64, &manager, &size, NULL) == 0 &&
	       !strcmp(manager, "zones\n");
}

/* ---- how the commands come ------------------------------------------------------------------- */

/* The words of the command line make one text, in which a newline ends a command as it does in a
 * file. */
static void
run_words(struct session *s, int argc, char **argv)
{
	auto_str struct str text = {0};
	size_t len;
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++)
		r = str_addf(&text, "%s%s", i ? " " : "", argv[i]);
	if (r < 0) {
		(void)session_error(s, "out of memory");
		s->failed = true;
		return;
	}
	for (char *line = text.s; !s->done && line < text.s + text.len; line += len + 1) {
		len = strcspn(line, "\n");
		line[len] = '\0';
		session_line(s, line, len);
	}
}

static int
run(const struct zonecfg_opts *opts, int argc, char **argv)
{
	bool from_stdin = !opts->file || !strcmp(opts->file, "-");
	auto_session struct session s = {0};
	auto_fclose FILE *file = NULL;
	enum session_mode mode;
	struct stat st;

	mode = argc > 0                                        ? SESSION_ONE_SHOT
	       : !from_stdin                                   ? SESSION_FILE
	       : isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? SESSION_TERMINAL
							       : SESSION_STREAM;
	if (session_open(&s, opts, mode) < 0)
		return complain(opts, ZONECFG_ERROR, "out of memory");
	if (mode == SESSION_FILE) {
		file = fopen(opts->file, "re");
		if (!file || fstat(fileno(file), &st) < 0)
			return complain(opts, ZONECFG_ERROR, "open '%s': %m", opts->file);
		if (S_ISDIR(st.st_mode))
			return complain(opts, ZONECFG_ERROR, "'%s' is a directory", opts->file);
	}
	session_greet(&s);
	switch (mode) {
	case SESSION_ONE_SHOT:
		run_words(&s, argc, argv);
		break;
	case SESSION_TERMINAL:
		shell_run(&s);
		break;
	case SESSION_FILE:
	case SESSION_STREAM:
		session_input(&s, file ? file : stdin);
		break;
	}
	return session_finish(&s);
}

/* `zonecfg help`: no zone is needed, and none is read. */
static int
run_help(struct zonecfg_opts *opts, int argc, char **argv)
{
	struct session s = {.opts = opts, .mode = SESSION_ONE_SHOT, .out = stdout, .errs = stderr};

	(void)snprintf(s.name, sizeof(s.name), "%s", "zonecfg");
	run_words(&s, argc, argv);
	return s.failed ? ZONECFG_ERROR : ZONECFG_OK;
}

static int
read_options(struct zonecfg_opts *opts, const char **ret_uuid, int argc, char **argv)
{
	int opt;

	opterr = 0;
	optopt = 0;
	while ((opt = getopt(argc, argv, "+:z:u:R:f:?")) != -1) {
		switch (opt) {
		case 'z':
			opts->zone = optarg;
			break;
		case 'u':
			*ret_uuid = optarg;
			break;
		case 'R':
			opts->root = optarg;
			break;
		case 'f':
			opts->file = optarg;
			break;
		case ':':
			return complain(opts, ZONECFG_USAGE, "option -%c needs a value", optopt);
		default:
			if (optopt) /* 0 for "-?" itself, which is an option of ours */
				return complain(opts, ZONECFG_USAGE, "unknown option -%c", optopt);
			help_usage(stdout);
			return ZONECFG_OK;
		}
	}
	return -1;
}

int
main(int argc, char **argv)
{
	struct zonecfg_opts opts = {.root = "", .program = "zonecfg"};
	const char *uuid = NULL;
	struct err err;
	int r;

	if (fd_std_ensure() < 0)
		return ZONECFG_ERROR;
	if (argc > 0)
		opts.program = basename(argv[0]);
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	r = read_options(&opts, &uuid, argc, argv);
	if (r >= 0)
		return r;
	argc -= optind;
	argv += optind;
	if (argc > 0 && !opts.zone && !uuid && (!strcmp(argv[0], "help") || !strcmp(argv[0], "?")))
		return run_help(&opts, argc, argv);
	if (is_in_zone())
		return complain(&opts, ZONECFG_ERROR,
				"zones can be configured only from the "
				"global zone, and this is a zone");
	r = check_root(&opts);
	if (r == ZONECFG_OK && uuid)
		r = choose_by_uuid(&opts, uuid);
	if (r != ZONECFG_OK)
		return r;
	if (!opts.zone)
		return complain(&opts, ZONECFG_USAGE, "no zone given: name it with -z");
	if (argc > 0 && opts.file)
		return complain(&opts, ZONECFG_USAGE, "-f and commands exclude each other");
	if (config_name_check(opts.zone, &err) < 0)
		return complain(&opts, ZONECFG_USAGE, "'%.64s': %s", opts.zone, err.msg);
	return run(&opts, argc, argv);
}
