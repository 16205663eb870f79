/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: probe KEY=VALUE... [only NAME]. Prints "NAME safe", "NAME broken" or "NAME absent" a line.
 * Each probe has a process of its own, so that what it changes of itself is gone with it.
 */
#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum probe_result
probe_call(long r)
{
	if (r >= 0)
		return PROBE_BROKEN;
	if (errno == ENOSYS)
		return PROBE_ABSENT;
	return errno == EPERM || errno == EACCES || errno == EAFNOSUPPORT ? PROBE_SAFE
									  : PROBE_BROKEN;
}

static void
run(const struct probe *probe, const struct probe_host *host)
{
	static const char *const words[] = {"safe", "broken", "absent"};
	int status = 0;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)alarm(10);
		_exit((int)probe->fn(host));
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) > PROBE_ABSENT)
		(void)printf("%s died\n", probe->name);
	else
		(void)printf("%s %s\n", probe->name, words[WEXITSTATUS(status)]);
}

static void
set(struct probe_host *host, const char *arg)
{
	const char *value = strchr(arg, '=');
	const struct {
		const char *key;
		const char **text;
		int *number;
	} keys[] = {
	    {"pid", NULL, &host->pid},
	    {"marker", &host->marker, NULL},
	    {"abstract", &host->abstract, NULL},
	    {"link", &host->link, NULL},
	    {"name", &host->name, NULL},
	    {"domain", &host->domain, NULL},
	    {"shm", NULL, &host->shm_key},
	    {"queue", &host->queue, NULL},
	    {"disk", &host->disk, NULL},
	    {"key", &host->key, NULL},
	    {"inherited", &host->inherited, NULL},
	    {"terminal", &host->terminal, NULL},
	    {"hold", NULL, &host->hold},
	};

	for (size_t i = 0; value && i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i].key) != (size_t)(value - arg) ||
		    strncmp(keys[i].key, arg, (size_t)(value - arg)) != 0)
			continue;
		if (keys[i].text)
			*keys[i].text = value + 1;
		else
			*keys[i].number = atoi(value + 1);
		return;
	}
	(void)fprintf(stderr, "probe: what is '%s'?\n", arg);
	exit(2);
}

int
main(int argc, char **argv)
{
	static const struct probe *const all[] = {probes_calls, probes_files, probes_nested,
						  probes_reach};
	struct probe_host host = {0};
	const char *only = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "only") && i + 1 < argc)
			only = argv[++i];
		else
			set(&host, argv[i]);
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (const struct probe *probe = all[i]; probe->name; probe++) {
			if (!only || !strcmp(only, probe->name))
				run(probe, &host);
		}
	}
	return 0;
}
