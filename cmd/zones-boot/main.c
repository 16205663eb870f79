/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zones-boot - what zones.service runs. At the host's start it boots the installed zones whose
 * autoboot property is true; at its stop it shuts all running zones down, and halts those that have
 * not ended in time. All zones at once, each by a zoneadm of its own, so that one that is slow or
 * broken keeps none of the others.
 */
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "config/config.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <getopt.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Three quarters of the time that zones.service gives, TimeoutStopSec=120. */
#define CLEAN_SECONDS "90"

static int
complain(const char *zone, const char *text)
{
	if (zone)
		(void)fprintf(stderr, "zones-boot: zone '%s': %s\n", zone, text);
	else
		(void)fprintf(stderr, "zones-boot: %s\n", text);
	return 1;
}

/* In a build tree it is beside us; installed it is a command of the administrator's. */
static const char *
zoneadm_path(void)
{
	static char *path;

	if (!path && path_sibling_program("zoneadm", &path, NULL) < 0)
		return ZONEADM_PATH;
	return path;
}

/* Run `zoneadm -z ZONE WORDS...` for every zone at once; returns how many failed. */
static int
zoneadm_all(const struct strv *zones, const char *const *words, int n_words)
{
	const char *argv[8] = {zoneadm_path(), "-z"};
	int failed = 0, status, e;
	pid_t pid;

	for (int i = 0; i < n_words; i++)
		argv[3 + i] = words[i];
	for (size_t i = 0; i < zones->n; i++) {
		argv[2] = zones->v[i];
		e = posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
		if (e)
			failed += complain(zones->v[i], strerror(e));
	}
	for (;;) {
		pid = waitpid(-1, &status, 0);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return failed;
		failed += status != 0; /* it has said why */
	}
}

static bool
boots_with_host(const char *zone, int *failed)
{
	auto_config struct config *cfg = NULL;
	struct err err;

	if (config_load("", zone, &cfg, &err) < 0) {
		*failed += complain(zone, err.msg);
		return false;
	}
	return str_eq(config_get(cfg, CONFIG_AUTOBOOT), "true");
}

static int
start(void)
{
	static const char *const boot[] = {"boot"};
	auto_index struct config_index index = {0};
	auto_strv struct strv zones = {0};
	struct err err;
	int failed = 0;

	if (config_index_load("", &index, &err) < 0)
		return complain(NULL, err.msg);
	for (size_t i = 0; i < index.n; i++) {
		const struct config_entry *entry = &index.entries[i];

		if (entry->state != ZONE_STATE_INSTALLED || config_name_reserved(entry->name) ||
		    !boots_with_host(entry->name, &failed))
			continue;
		if (strv_add(&zones, entry->name) < 0)
			return complain(NULL, "out of memory");
	}
	failed += zoneadm_all(&zones, boot, 1);
	return failed > 0;
}

/* @state: only zones in it; ZONE_STATE_INSTALLED: all that are above it. */
static int
list_live(enum zone_state state, struct strv *ret)
{
	auto_free struct runtime_status *live = NULL;
	struct err err;
	size_t n;

	if (runtime_list(&live, &n, &err) < 0)
		return -complain(NULL, err.msg);
	for (size_t i = 0; i < n; i++) {
		if (state != ZONE_STATE_INSTALLED && live[i].state != state)
			continue;
		if (strv_add(ret, live[i].name) < 0)
			return -complain(NULL, "out of memory");
	}
	return 0;
}

static int
stop(const char *seconds)
{
	const char *const shutdown[] = {"shutdown", "-t", seconds};
	static const char *const halt[] = {"halt"};
	auto_strv struct strv running = {0}, rest = {0}, left = {0};

	if (list_live(ZONE_STATE_RUNNING, &running) < 0)
		return 1;
	(void)zoneadm_all(&running, shutdown, 3); /* who fails is halted next */
	if (list_live(ZONE_STATE_INSTALLED, &rest) < 0)
		return 1;
	(void)zoneadm_all(&rest, halt, 1);
	if (list_live(ZONE_STATE_INSTALLED, &left) < 0)
		return 1;
	for (size_t i = 0; i < left.n; i++)
		(void)complain(left.v[i], "cannot be halted");
	return left.n > 0;
}

static int
usage(FILE *out)
{
	(void)fprintf(out, "usage: zones-boot start | [-t seconds] stop\n"
			   "Boots the zones with autoboot=true; shuts all running zones down.\n");
	return out == stdout ? 0 : 2;
}

int
main(int argc, char **argv)
{
	const char *seconds = CLEAN_SECONDS;
	int opt;

	if (fd_std_ensure() < 0)
		return 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, "t:")) != -1) {
		if (opt != 't')
			return usage(optopt == '?' ? stdout : stderr);
		seconds = optarg;
	}
	if (optind + 1 != argc)
		return usage(stderr);
	if (!strcmp(argv[optind], "start"))
		return start();
	if (!strcmp(argv[optind], "stop"))
		return stop(seconds);
	return usage(stderr);
}
