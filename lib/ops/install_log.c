/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of an installation: what was done and why, a section for each script with all that it
 * printed, and where the time went.
 */
#include "install_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Of one script's output, for warnings. */
#define SCAN_MAX (1 << 20)

#define LOG_MAX_BYTES (64u << 20)

double
install_log_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
put(struct install_log *log, const char *text, size_t len)
{
	/* Neither failure stops an installation: the log is a help, not a part of the zone. */
	if (log->fd >= 0)
		(void)fd_write_all(log->fd, text, len);
	else
		(void)str_add(&log->early, text, len);
}

void
install_log_line(struct install_log *log, const char *fmt, ...)
{
	char line[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	put(log, line, (size_t)n);
}

int
install_log_open(struct install_log *log, int root_fd, struct err *err)
{
	auto_close int dir_fd = -EBADF;
	const char *name;
	int r;

	r = path_open_parent_in_root(root_fd, INSTALL_LOG_PATH, true, &name, err);
	if (r < 0)
		return r;
	dir_fd = r;
	/* Each write at the end: scripts write to it too. */
	log->fd = openat(dir_fd, name,
			 O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (log->fd < 0)
		return err_set(err, ZE_IO, errno, "make the log '%s' of the zone",
			       INSTALL_LOG_PATH);
	if (log->early.len && fd_write_all(log->fd, log->early.s, log->early.len) < 0)
		return err_set(err, ZE_IO, errno, "write the log '%s' of the zone",
			       INSTALL_LOG_PATH);
	str_free(&log->early);
	return 0;
}

int
install_log_reopen(struct install_log *log, int root_fd, struct err *err)
{
	auto_free char *old = NULL;
	size_t size;
	int r;

	r = path_file_read_in_root(root_fd, INSTALL_LOG_PATH, LOG_MAX_BYTES, &old, &size, err);
	if (r < 0)
		return r;
	r = install_log_open(log, root_fd, err);
	if (r < 0)
		return r;
	install_log_line(log, "\n==== a finished root of the same packages was copied; its log:\n");
	put(log, old, size);
	return 0;
}

static void
phase_end(struct install_log *log)
{
	if (log->phase)
		log->phase->seconds += install_log_now() - log->begun;
	log->phase = NULL;
}

void
install_log_phase(struct install_log *log, const char *what)
{
	size_t i = 0;

	phase_end(log);
	while (i < log->n_phases && strcmp(log->phases[i].what, what) != 0)
		i++;
	if (i == INSTALL_LOG_TIMES)
		i--; /* the last takes what has no room */
	else if (i == log->n_phases)
		(void)snprintf(log->phases[log->n_phases++].what, sizeof(log->phases[0].what), "%s",
			       what);
	log->phase = &log->phases[i];
	log->begun = install_log_now();
}

void
install_log_script(struct install_log *log, const char *what, double seconds)
{
	const size_t n = sizeof(log->slow) / sizeof(log->slow[0]);
	size_t i = n;

	log->n_scripts++;
	log->scripts_seconds += seconds;
	while (i > 0 && log->slow[i - 1].seconds < seconds)
		i--;
	if (i == n)
		return;
	memmove(&log->slow[i + 1], &log->slow[i], (n - 1 - i) * sizeof(log->slow[0]));
	(void)snprintf(log->slow[i].what, sizeof(log->slow[0].what), "%s", what);
	log->slow[i].seconds = seconds;
}

off_t
install_log_section(struct install_log *log, const char *package, const char *what)
{
	install_log_line(log, "\n==== %s%s%s", package, *package ? ": " : "", what);
	return lseek(log->fd, 0, SEEK_END);
}

static bool
line_warns(const char *line)
{
	/* About manual pages that this host leaves out by its own choice. */
	if (strstr(line, "warning: skip creation of "))
		return false;
	return strcasestr(line, "warning:") || strncmp(line, "W: ", 3) == 0;
}

bool
install_log_warned(struct install_log *log, off_t from)
{
	off_t end = lseek(log->fd, 0, SEEK_END);
	auto_free char *text = NULL;
	char *save = NULL;
	ssize_t n;

	if (from < 0 || end <= from)
		return false;
	text = malloc((size_t)(end - from < SCAN_MAX ? end - from : SCAN_MAX) + 1);
	if (!text)
		return false;
	n = pread(log->fd, text, (size_t)(end - from < SCAN_MAX ? end - from : SCAN_MAX), from);
	if (n <= 0)
		return false;
	text[n] = '\0';
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (line_warns(l))
			return true;
	return false;
}

void
install_log_end(struct install_log *log)
{
	double total = 0;

	phase_end(log);
	install_log_line(log, "\n==== time, in seconds");
	for (size_t i = 0; i < log->n_phases; i++) {
		install_log_line(log, "%9.3f  %s", log->phases[i].seconds, log->phases[i].what);
		total += log->phases[i].seconds;
	}
	install_log_line(log, "%9.3f  in all", total);
	if (log->n_scripts)
		install_log_line(log,
				 "\n%9.3f  in %zu programs, the slowest:", log->scripts_seconds,
				 log->n_scripts);
	for (size_t i = 0; i < sizeof(log->slow) / sizeof(log->slow[0]); i++)
		if (log->slow[i].seconds > 0)
			install_log_line(log, "%9.3f  %s", log->slow[i].seconds, log->slow[i].what);
	log->fd = fd_close(log->fd);
	str_free(&log->early);
	log->n_phases = 0;
}
