/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An installation, inside the library: install.c is the order of things, install_scripts.c runs
 * what the packages want to run, install_log.c keeps the log that the last line of an installation
 * names.
 */
#ifndef OPS_INSTALL_PRIV_H
#define OPS_INSTALL_PRIV_H

#include "base/str.h"
#include "ops_priv.h"
#include "pkg/pkg.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* Where the log is, in the zone. */
#define INSTALL_LOG_PATH "/var/sadm/system/logs/install_log"

#define INSTALL_LOG_TIMES 32

/* How long something took. */
struct install_time {
	char what[64];
	double seconds;
};

/* The log: kept in memory until there is a root to put it in. */
struct install_log {
	int fd; /* -EBADF until install_log_open() */
	struct str early;
	struct install_time phases[INSTALL_LOG_TIMES]; /* in the order they began */
	size_t n_phases;
	struct install_time *phase; /* the one that is going on, since @begun */
	double begun;
	struct install_time slow[8]; /* the slowest scripts, the slowest first */
	size_t n_scripts;
	double scripts_seconds;
};

/**
 * install_log_line - a line for the log
 *
 * A log that cannot be written does not stop an installation.
 */
void install_log_line(struct install_log *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * install_log_open - put the log into the zone and go on there
 */
int install_log_open(struct install_log *log, int root_fd, struct err *err);

/**
 * install_log_phase - everything until the next call, or the end, belongs to a phase
 *
 * The times of phases of one name are added up.
 */
void install_log_phase(struct install_log *log, const char *what);

/**
 * install_log_script - remember how long a script took
 */
void install_log_script(struct install_log *log, const char *what, double seconds);

/**
 * install_log_section - begin the section of a script; its output follows
 *
 * Returns where its output begins, for install_log_warned().
 */
off_t install_log_section(struct install_log *log, const char *package, const char *what);

/**
 * install_log_warned - whether the output since @from has a line that warns
 */
bool install_log_warned(struct install_log *log, off_t from);

/**
 * install_log_end - write where the time went, and close
 */
void install_log_end(struct install_log *log);

/**
 * install_log_now - seconds, for differences
 */
double install_log_now(void);

struct install {
	const struct op_install_req *req;
	struct config *config;
	struct config_entry entry;
	struct config_lock lock;
	struct pkg_host *host; /* locked; closed once nothing of the host is copied any more */
	struct pkg_plan *plan;
	struct pkg_plan_facts facts;
	const char **inherit_dirs;           /* NULL-terminated; NULL for a whole root */
	struct strv missing, changed, notes; /* what pkg has to tell */
	struct strv warned;                  /* packages whose scripts warned */
	int root_fd;
	char *log_path;                  /* as seen from here */
	char cache_key[PKG_KEY_LEN + 1]; /* "": the root is not kept for the next zone */
	struct install_log log;
};

/**
 * install_cache_use - make the zone's root from one that was kept, if there is one
 *
 * Returns whether there is a root now. Sets the key under which it is kept.
 */
int install_cache_use(struct install *in);

/**
 * install_cache_keep - keep the finished root, which has no identity yet, for the next zone
 */
void install_cache_keep(struct install *in);

/**
 * install_log_reopen - go on with the log that came with a kept root, below a new head
 */
int install_log_reopen(struct install_log *log, int root_fd, struct err *err);

/**
 * install_scripts - run all steps of the plan inside the zone
 *
 * -ZE_PKG names the package and the log; -ZE_INTR when a stop was asked for.
 */
int install_scripts(struct install *in, struct err *err);

#endif
