/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole operations on zones: what each zoneadm subcommand that changes files does. Each takes the
 * zone's lock, writes the state incomplete before its first side effect and the final state last,
 * and can be repeated or undone after a kill at any instruction. Nothing prints here: lines for the
 * user go through op_say.
 */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct strv;

enum op_line {
	OP_LINE_OUT,      /* a result or progress line for stdout */
	OP_LINE_WARN,     /* for stderr, as it is */
	OP_LINE_PROBLEM,  /* for stderr, with the zone's name in front; the operation will fail */
	OP_LINE_PROGRESS, /* rewritten in place on a terminal, else dropped */
};

/* Where an operation's lines go while it works. */
struct op_say {
	void (*fn)(void *arg, enum op_line kind, const char *line);
	void *arg;
};

/**
 * op_find - the configuration and index entry of a zone, or the error that zoneadm prints
 * @ret_config: may be NULL; config_free() it
 * @ret_entry: free() its zonepath
 *
 * -ZE_NOENT: no such zone configured. -ZE_FORMAT: its configuration cannot be read.
 */
int op_find(const char *name, struct config **ret_config, struct config_entry *ret_entry,
	    struct err *err);

/**
 * op_state - a zone's state, the kernel's word before the index's
 * @ret_id: zone ID, or -1
 */
int op_state(const struct config_entry *entry, enum zone_state *ret, int *ret_id, struct err *err);

struct op_verify_req {
	const struct config *config;
	const struct config_entry *entry;
	bool make_zonepath; /* install, clone, attach: a missing zonepath is no warning */
	bool boot;          /* boot, ready: what stops only these is a problem, not a warning */
	bool plan_follows;  /* what the plan would tell is told by who makes it */
};

/**
 * op_verify - all that `zoneadm verify` checks
 *
 * Appends to @problems and @warnings, a line each. Returns 0 or -ZE_VERIFY, or a negative code when
 * the checks themselves failed.
 */
int op_verify(const struct op_verify_req *req, struct strv *problems, struct strv *warnings,
	      struct err *err);

struct op_install_req {
	const char *zone;
	const char *const *packages;    /* -p, NULL-terminated */
	const char *const *exclude;     /* -x package=..., NULL-terminated */
	const char *const *keep_edited; /* --keep-edited */
	bool all;                       /* --all */
	bool offline;                   /* --offline */
	bool dry_run;                   /* -n: print the plan to stdout */
	bool refuse_changed;
	bool no_cache;
	struct op_say say;
};

/**
 * op_install - fill a configured zone from the host's packages
 *
 * -ZE_VERIFY after problems were said; -ZE_STATE; -ZE_PKG with package and log named. A signal
 * (op_stop) leaves the zone incomplete.
 */
int op_install(const struct op_install_req *req, struct err *err);

struct op_clone_req {
	const char *target, *source;
	bool copy; /* -m copy */
	struct op_say say;
};

/**
 * op_clone - make a configured zone a copy of an installed one and give it an identity of its own
 */
int op_clone(const struct op_clone_req *req, struct err *err);

struct op_uninstall_req {
	const char *zone;
	struct op_say say;
};

/**
 * op_uninstall - remove a zone's files; from incomplete too
 */
int op_uninstall(const struct op_uninstall_req *req, struct err *err);

/**
 * op_mark_incomplete - `zoneadm mark incomplete`
 * @root: where /etc/zones is; "" is this host
 */
int op_mark_incomplete(const char *root, const char *zone, struct err *err);

/**
 * op_stop - called from a signal handler: the running operation ends at its next safe point with
 * -ZE_INTR
 */
void op_stop(void);

/**
 * op_stop_wanted - whether op_stop() was called
 */
bool op_stop_wanted(void);

#endif
