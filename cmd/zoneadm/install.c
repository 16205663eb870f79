/* SPDX-License-Identifier: Apache-2.0 */
#include "zoneadm.h"

#include "base/err.h"
#include "base/str.h"

#include <getopt.h>
#include <string.h>

enum {
	OPT_ALL = 256,
	OPT_KEEP_EDITED,
	OPT_NO_CACHE,
	OPT_OFFLINE,
	OPT_REFUSE_CHANGED,
};

static const struct option options[] = {
    {"all", no_argument, NULL, OPT_ALL},
    {"dry-run", no_argument, NULL, 'n'},
    {"keep-edited", required_argument, NULL, OPT_KEEP_EDITED},
    {"no-cache", no_argument, NULL, OPT_NO_CACHE},
    {"offline", no_argument, NULL, OPT_OFFLINE},
    {"refuse-changed", no_argument, NULL, OPT_REFUSE_CHANGED},
    {0},
};

struct lists {
	struct strv packages, exclude, keep_edited;
};

static void
lists_free(struct lists *lists)
{
	strv_free(&lists->packages);
	strv_free(&lists->exclude);
	strv_free(&lists->keep_edited);
}

/* "a,b" are two; an empty one in it is none. Returns 0 or -1. */
static int
split(const char *text, struct strv *ret)
{
	while (*text) {
		size_t len = strcspn(text, ",");

		if (len && strv_addf(ret, "%.*s", (int)len, text) < 0)
			return -1;
		text += len + (text[len] == ',');
	}
	return 0;
}

/* One option. Returns ZONEADM_OK or an exit code. */
static int
take(struct zoneadm *za, int opt, struct op_install_req *req, struct lists *lists)
{
	static const char exclude[] = "package=";
	int r = 0;

	switch (opt) {
	case 'n':
		req->dry_run = true;
		break;
	case 'p':
		r = split(optarg, &lists->packages);
		break;
	case 'x':
		if (strncmp(optarg, exclude, strlen(exclude)) != 0) {
			(void)zoneadm_error(
			    za, "install: '-x %s' is unknown; there is '-x package=NAME'", optarg);
			return zoneadm_usage(za, false);
		}
		r = split(optarg + strlen(exclude), &lists->exclude);
		break;
	case OPT_ALL:
		req->all = true;
		break;
	case OPT_KEEP_EDITED:
		r = strv_add(&lists->keep_edited, optarg);
		break;
	case OPT_NO_CACHE:
		req->no_cache = true;
		break;
	case OPT_OFFLINE:
		req->offline = true;
		break;
	case OPT_REFUSE_CHANGED:
		req->refuse_changed = true;
		break;
	default:
		return zoneadm_bad_option(za, opt);
	}
	return r < 0 ? zoneadm_error(za, "install: out of memory") : ZONEADM_OK;
}

int
zoneadm_install(struct zoneadm *za, int argc, char **argv)
{
	__attribute__((cleanup(lists_free))) struct lists lists = {0};
	struct op_install_req req = {.say = zoneadm_say(za)};
	struct err err;
	int opt, r;

	while ((opt = getopt_long(argc, argv, "+:np:x:", options, NULL)) != -1) {
		r = take(za, opt, &req, &lists);
		if (r != ZONEADM_OK || opt == '?')
			return r;
	}
	r = zoneadm_operands(za, argc, argv, 0);
	if (r < 0)
		r = zoneadm_check(za);
	if (r != ZONEADM_OK)
		return r;
	req.zone = za->zone;
	req.packages = (const char *const *)lists.packages.v;
	req.exclude = (const char *const *)lists.exclude.v;
	req.keep_edited = (const char *const *)lists.keep_edited.v;
	if (op_install(&req, &err) < 0)
		return zoneadm_fail(za, &err);
	return ZONEADM_OK;
}
