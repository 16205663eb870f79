/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zoneadm list: reads the index and /run/zones, and the configuration of each zone only where the
 * brand or the kind of its network is shown. Anybody may ask; who may not see what runs is told
 * what the index says.
 */
#include "zoneadm.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "runtime/runtime.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
	const struct config_entry *entry;
	enum zone_state state;
	int id; /* -1: no kernel objects */
	char *brand;
	bool exclusive;
};

struct list {
	bool configured, installed, verbose, parsable, no_global;
	struct line *lines;
	size_t n;
};

/* ---- what is listed -------------------------------------------------------------------------- */

static bool
is_wanted(const struct list *list, const struct line *line, const char *only)
{
	if (only)
		return !strcmp(line->entry->name, only);
	if (list->no_global && line->id == 0)
		return false;
	if (line->state >= ZONE_STATE_READY || list->configured)
		return true;
	return list->installed && line->state == ZONE_STATE_INSTALLED;
}

static const struct runtime_status *
find_live(const struct runtime_status *live, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(live[i].name, name))
			return &live[i];
	return NULL;
}

/* Zones with an ID first, by ID; the others in the order of the index. */
static int
by_id(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	unsigned i = (unsigned)x->id, j = (unsigned)y->id; /* -1 becomes the largest */

	if (i != j)
		return i < j ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* What runs: one look at all of them, or at the only one that is wanted. */
static int
find_live_zones(const char *only, struct runtime_status **ret, size_t *ret_n, struct err *err)
{
	int r;

	if (only) {
		*ret = calloc(1, sizeof(**ret));
		if (!*ret)
			return err_nomem(err);
		r = runtime_status(only, *ret, err);
		*ret_n = r == 0;
	} else {
		r = runtime_list(ret, ret_n, err);
	}
	return r == -ZE_NOENT || r == -ZE_PERM ? 0 : r;
}

static int
collect(struct list *list, const struct config_index *index, const char *only,
	const struct runtime_status *live, size_t n_live)
{
	const struct runtime_status *status;
	struct line line;

	list->lines = calloc(index->n + 1, sizeof(*list->lines));
	if (!list->lines)
		return -1;
	for (size_t i = 0; i < index->n; i++) {
		line = (struct line){.entry = &index->entries[i], .id = -1};
		line.state = line.entry->state;
		status = find_live(live, n_live, line.entry->name);
		if (status) {
			line.state = status->state;
			line.id = status->id;
		}
		if (!strcmp(line.entry->name, "global")) {
			line.state = ZONE_STATE_RUNNING;
			line.id = 0;
		}
		if (is_wanted(list, &line, only))
			list->lines[list->n++] = line;
	}
	qsort(list->lines, list->n, sizeof(*list->lines), by_id);
	return 0;
}

/* ---- how it is printed ----------------------------------------------------------------------- */

/* Brand and network of a zone; false when its configuration cannot be read. */
static bool
describe(const char *root, struct line *line, struct err *err)
{
	auto_config struct config *cfg = NULL;

	if (line->id == 0 || (!*root && zoneadm_in_zone())) {
		line->brand = strdup("native");
		return line->brand || err_nomem(err) == 0;
	}
	if (config_load(root, line->entry->name, &cfg, err) < 0)
		return false;
	line->brand = strdup(config_brand(cfg));
	line->exclusive = str_eq(config_get(cfg, CONFIG_IP_TYPE), "exclusive");
	return line->brand || err_nomem(err) == 0;
}

static const char *
id_text(const struct line *line, char buf[16])
{
	if (line->id < 0)
		return "-";
	(void)snprintf(buf, 16, "%d", line->id);
	return buf;
}

static void
print_verbose(const struct line *line)
{
	char id[16];

	(void)printf("%4s %-16s %-14s %-30s %-10s\n", id_text(line, id), line->entry->name,
		     zone_state_name(line->state), line->entry->zonepath, line->brand);
}

static void
print_parsable(const struct line *line)
{
	char id[16];

	(void)printf("%s:%s:%s:", id_text(line, id), line->entry->name,
		     zone_state_name(line->state));
	for (const char *p = line->entry->zonepath; *p; p++)
		(void)printf(*p == ':' ? "\\%c" : "%c", *p);
	(void)printf(":%s:%s:%s\n", line->entry->uuid, line->brand,
		     line->exclusive ? "excl" : "shared");
}

static void
print_line(const struct list *list, const struct line *line)
{
	if (list->verbose)
		print_verbose(line);
	else if (list->parsable)
		print_parsable(line);
	else
		(void)puts(line->entry->name);
}

/* Returns an exit code: one broken zone hides no others, but is no answer when it was asked for. */
static int
print_list(const struct zoneadm *za, struct list *list)
{
	bool describing = list->verbose || list->parsable;
	struct err err;

	for (size_t i = 0; describing && i < list->n; i++)
		if (!describe(za->root, &list->lines[i], &err) && za->zone)
			return zoneadm_fail(za, &err);
	if (list->verbose)
		(void)printf("%4s %-16s %-14s %-30s %-10s\n", "ID", "NAME", "STATUS", "PATH",
			     "BRAND");
	for (size_t i = 0; i < list->n; i++) {
		if (!describing || list->lines[i].brand)
			print_line(list, &list->lines[i]);
		free(list->lines[i].brand);
	}
	return ZONEADM_OK;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int
read_options(struct zoneadm *za, int argc, char **argv, struct list *list)
{
	int opt;

	while ((opt = getopt(argc, argv, "+:cinpv")) != -1) {
		switch (opt) {
		case 'c':
			list->configured = true;
			break;
		case 'i':
			list->installed = true;
			break;
		case 'n':
			list->no_global = true;
			break;
		case 'p':
			list->parsable = true;
			break;
		case 'v':
			list->verbose = true;
			break;
		default:
			return zoneadm_bad_option(za, opt);
		}
	}
	if (argc != optind)
		return zoneadm_operands(za, argc, argv, 0);
	if (list->parsable && list->verbose) {
		(void)zoneadm_error(za, "list: -p and -v exclude each other");
		return zoneadm_usage(za, false);
	}
	if (za->zone && (list->configured || list->installed)) {
		(void)zoneadm_error(za, "list: -c and -i make no sense with -z");
		return zoneadm_usage(za, false);
	}
	return ZONEADM_OK;
}

/* A zone sees itself, and its root as what it is from there. */
static int
list_myself(struct zoneadm *za, const struct list *list)
{
	struct config_entry self = {.zonepath = strdup("/")};
	auto_free char *text = NULL, *uuid = NULL;
	struct line line = {.entry = &self, .state = ZONE_STATE_RUNNING};
	struct list one = *list;
	size_t size;
	struct err err;
	int r;

	r = path_file_read("/run/host/zone", 4096, &text, &size, &err);
	if (r == 0)
		r = path_file_read("/run/host/container-uuid", 4096, &uuid, &size, &err);
	if (r < 0 || !self.zonepath || sscanf(text, "name=%63s\nid=%d", self.name, &line.id) != 2) {
		free(self.zonepath);
		return r < 0
			   ? zoneadm_fail(za, &err)
			   : zoneadm_error(za, "'/run/host/zone' does not say which zone this is");
	}
	(void)sscanf(uuid, "%36s", self.uuid);
	one.lines = &line;
	one.n = !za->zone || !strcmp(za->zone, self.name);
	if (one.n)
		r = print_list(za, &one);
	else
		r = zoneadm_error(za, "%s: No such zone configured", za->zone);
	free(self.zonepath);
	return r;
}

int
zoneadm_list(struct zoneadm *za, int argc, char **argv)
{
	auto_index struct config_index index = {0};
	auto_free struct runtime_status *live = NULL;
	struct list list = {0};
	size_t n_live = 0;
	struct err err;
	int r;

	r = read_options(za, argc, argv, &list);
	if (r != ZONEADM_OK || za->asked)
		return r;
	if (!*za->root && zoneadm_in_zone())
		return list_myself(za, &list);
	if (config_index_load(za->root, &index, &err) < 0)
		return zoneadm_fail(za, &err);
	if (za->zone && !config_index_find(&index, za->zone))
		return zoneadm_error(za, "%s: No such zone configured", za->zone);
	/* Another root's zones do not run here. */
	if (!*za->root && find_live_zones(za->zone, &live, &n_live, &err) < 0)
		return zoneadm_fail(za, &err);
	if (collect(&list, &index, za->zone, live, n_live) < 0)
		return zoneadm_error(za, "out of memory");
	r = print_list(za, &list);
	free(list.lines);
	return r;
}
