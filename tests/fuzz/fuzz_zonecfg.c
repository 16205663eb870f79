/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command language: any input is a session on a zone that does not exist, below a root where
 * nothing can be read or written. What comes out of it must survive export and being read again.
 */
#include "base/fd.h"
#include "zonecfg/zonecfg.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NO_ROOT "/proc/no-such-root"

static const struct zonecfg_opts on_zone = {.program = "zonecfg", .zone = "z", .root = NO_ROOT};
static const struct zonecfg_opts on_global = {
    .program = "zonecfg", .zone = "global", .root = NO_ROOT};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run(struct session *s, const struct zonecfg_opts *opts, const void *text, size_t size, FILE *null)
{
	FILE *in;

	if (session_open(s, opts, SESSION_STREAM) < 0)
		abort();
	s->read_only = false;
	s->out = null;
	s->errs = null;
	in = fmemopen((void *)(uintptr_t)text, size, "r"); /* only read */
	if (!in)
		abort();
	session_input(s, in);
	(void)fclose(in);
}

static char *
exported(const struct config *cfg, size_t *ret_size)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_size);

	if (!f || config_export(cfg, f) < 0 || fclose(f) != 0)
		abort();
	return text;
}

static void
check_fixed_point(struct session *s, FILE *null)
{
	auto_free char *first = NULL, *second = NULL;
	auto_strv struct strv problems = {0};
	auto_session struct session again = {0};
	size_t first_size, second_size;

	if (!s->cfg || config_check(s->cfg, &problems) < 0)
		return;
	first = exported(s->cfg, &first_size);
	/* The global zone's text has no create: it is for a session on the global zone. */
	run(&again, strcmp(config_zonename(s->cfg), "global") ? &on_zone : &on_global, first,
	    first_size, null);
	if (again.failed || !again.cfg)
		abort();
	second = exported(again.cfg, &second_size);
	if (strcmp(first, second) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_session struct session s = {0};
	auto_fclose FILE *null = fopen("/dev/null", "we");
	auto_strv struct strv found = {0};
	auto_free char *line = NULL;
	size_t start;

	/* The one command that writes files anywhere. */
	if (!null || !data || !size || memmem(data, size, "export", 6))
		return 0;
	run(&s, &on_zone, data, size, null);
	line = strndup((const char *)data, size);
	if (!line || complete(&s, line, &found, &start) < 0 || start > strlen(line))
		abort();
	check_fixed_point(&s, null);
	return 0;
}
