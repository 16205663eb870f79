/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zone made live: a plan, computed from its configuration and facts of the host by reading only,
 * and the engine that executes it step by step and can take every step back. Also entering a
 * running zone, and throw-away namespaces for package scripts.
 */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct strv;

/* ---- what runs
 * ------------------------------------------------------------------------------------- */

struct runtime_status {
	char name[CONFIG_NAME_MAX + 1];
	enum zone_state state; /* ready, running, shutting_down or down */
	int id;                /* zone ID, 1..9999 */
	pid_t init_pid;        /* in the host's view */
	uint64_t init_start;   /* its start time, see proc_start_time() */
	bool daemon_alive;     /* its zoneadmd answers */
};

/**
 * runtime_status - the live state of one zone, from /run/zones/NAME and the kernel
 *
 * A record whose process is gone counts as not running; so does one that cannot be understood,
 * unless something lives in the zone's cgroup: then it is down, with -1 as its ID. Needs no
 * privilege beyond reading /run/zones; a caller who may not read it gets -ZE_PERM. -ZE_NOENT: the
 * zone is not ready or above.
 */
int runtime_status(const char *name, struct runtime_status *ret, struct err *err);

/**
 * runtime_list - all live zones, by ID
 * @ret: an array to free()
 */
int runtime_list(struct runtime_status **ret, size_t *ret_n, struct err *err);

/* ---- plan
 * ------------------------------------------------------------------------------------------ */

struct runtime_plan; /* every mount, id map, link, cgroup setting, device, limit: pure data */
struct runtime;      /* a live zone, as its zoneadmd holds it */

struct runtime_plan_req {
	const struct config *config;
	const char *uuid; /* from the index */
	const char *const
	    *bootargs; /* NULL-terminated, already split; NULL: the bootargs property */
	bool ready_only;
};

/**
 * runtime_plan_make - compute what booting the zone would do; reads only
 * @problems: a line for each thing that stops it; @warnings: a line for each that does not
 *
 * Returns 0, or -ZE_VERIFY when there are problems (then *@ret is not set).
 */
int runtime_plan_make(const struct runtime_plan_req *req, struct strv *problems,
		      struct strv *warnings, struct runtime_plan **ret, struct err *err);
void runtime_plan_free(struct runtime_plan *plan);
void runtime_plan_freep(struct runtime_plan **plan);
#define auto_runtime_plan __attribute__((cleanup(runtime_plan_freep)))

/**
 * runtime_fs_check - whether an fs resource could be mounted here
 * @problems: a line for a type that is unknown, or for a special that is not what the type needs
 * @words: a line for each option that means nothing; may be the same vector
 *
 * runtime_plan_make() counts both as problems. Returns 0 or -ZE_NOMEM. Source: zonecfg(8), fs; a
 * mistyped option is no error before the mount, as on Solaris.
 */
int runtime_fs_check(const struct config_res *fs, struct strv *problems, struct strv *words,
		     struct err *err);

/**
 * runtime_plan_print - the plan as text, one line a step (boot -n, tests)
 */
int runtime_plan_print(const struct runtime_plan *plan, FILE *out);

/* ---- up and down (called by zoneadmd)
 * ------------------------------------------------------------------ */

/**
 * runtime_ready - execute a plan up to, not including, the exec of the zone's init
 *
 * On failure everything is taken back. The record in /run/zones/NAME is written before the first
 * side effect and says what exists, so that another process can take it down after a crash.
 */
int runtime_ready(const struct runtime_plan *plan, struct runtime **ret, struct err *err);

/**
 * runtime_start - let the zone's init be executed; returns when exec has succeeded or failed
 */
int runtime_start(struct runtime *rt, struct err *err);

/**
 * runtime_adopt - take over a running zone whose zoneadmd has died
 *
 * -ZE_NOENT: it does not run. A zone that was ready only counts as such: nobody can start it any
 * more; runtime_down() takes it away. -ZE_FORMAT: its record cannot be read.
 */
int runtime_adopt(const char *name, struct runtime **ret, struct err *err);

/**
 * runtime_init_fd - the pidfd of the zone's init, readable once it has ended; borrowed
 * runtime_console_fd - the master side of the console; borrowed; -EBADF when there is none
 */
int runtime_init_fd(const struct runtime *rt);
int runtime_console_fd(const struct runtime *rt);

enum runtime_end { RUNTIME_END_HALT, RUNTIME_END_REBOOT };

/**
 * runtime_reap - how the zone's init ended, after runtime_init_fd() became readable: by itself, by
 * halt or by reboot (reboot(2) in a pid namespace kills its init with SIGINT or SIGHUP)
 */
enum runtime_end runtime_reap(struct runtime *rt);

/**
 * runtime_down - kill every process of a zone and take back all that was made; may run twice
 *
 * Works from what it finds on the system and in /run/zones/NAME. Goes on past failures and reports
 * the first.
 */
int runtime_down(const char *name, struct err *err);
void runtime_free(struct runtime *rt);

/**
 * runtime_ask_shutdown - ask the zone's init for a clean power-off (systemd: SIGRTMIN+4) or reboot
 *
 * Returns 0; -ZE_BUSY while init has just begun and does not hear it yet: ask again; a negative
 * code.
 */
int runtime_ask_shutdown(const struct runtime *rt, bool reboot, struct err *err);

/* ---- entering
 * ---------------------------------------------------------------------------------------- */

struct runtime_enter_req {
	const char *zone;
	const char *const *argv; /* path in the zone, or a name looked up in the PATH of @envp */
	const char *const *envp; /* the whole environment, but for what @passwd adds */
	const char *cwd;         /* in the zone; "/" if it cannot be entered or is NULL */
	int stdio[3];            /* what it gets as 0, 1 and 2; 0: the caller's own */
	int cancel_fd; /* readable: do not wait for a program that does not begin; 0: none */
	bool pty;      /* give it a terminal of the zone's own devpts as stdin, stdout, stderr */
	bool login_session; /* controlling terminal (with pty) */
	bool passwd; /* HOME, SHELL, USER, LOGNAME, MAIL and @cwd are those of root in the zone's
			passwd; an empty argv[0] stands for that shell, called as a login shell
			when nothing follows */
};

struct runtime_entered {
	pid_t pid;
	int pid_fd; /* yours to close */
	int pty_fd; /* master of the terminal, yours to close; -EBADF without pty */
};

/**
 * runtime_enter - start a program in a running zone: all namespaces, its cgroup, its capability
 * bound, its seccomp filter; nothing of the host but (without pty) descriptors 0, 1 and 2
 *
 * The child is this process's, and leads a session of its own; wait for it by the pidfd. Children
 * that the caller makes afterwards are in the zone's pid namespace too: for programs that do
 * nothing else. -ZE_STATE: the zone does not run; -ZE_NOENT: no such program in the zone;
 * -ZE_FORMAT: what the zone has at /dev/pts/ptmx is no terminal; -ZE_INTR: cancelled; -ZE_PERM:
 * the zone shares the host's ids, and a descriptor in @req is neither a pipe nor the null device.
 */
int runtime_enter(const struct runtime_enter_req *req, struct runtime_entered *ret,
		  struct err *err);

/* ---- throw-away namespaces for scripts
 * -------------------------------------------------------------------- */

struct runtime_scratch;

/* A program of the zone that a bind covers stays here, under the last component of its path. */
#define RUNTIME_SCRATCH_COVERED "/run/zones-covered"

struct runtime_bind {
	const char
	    *source; /* host path of a file; NULL: an executable that exits with @exit_status */
	const char
	    *target; /* path in the zone that it covers; made for the time if it is missing */
	int exit_status;
};

struct runtime_scratch_req {
	const char *name;      /* zone name: its cgroup and id range belong to it */
	const char *zone_root; /* ZONEPATH/root */
	const char *const
	    *inherit_dirs; /* host directories below a throw-away overlay; NULL-terminated */
	const struct runtime_bind *binds;
	size_t n_binds;
	bool shares_ids; /* as in a zone with idmap=shared; else a range, over an idmapped root */
	bool (*stop)(void); /* asked when a signal comes while a program runs; NULL: go on */
};

/**
 * runtime_scratch_start - a mount, pid, uts, ipc, net (only lo), cgroup and user namespace around a
 * zone root
 *
 * Process 1 stays outside the root and chroots each program that it is asked to run. Sync calls
 * return at once inside; the caller ends with one syncfs. Dies with this process and leaves
 * nothing.
 */
int runtime_scratch_start(const struct runtime_scratch_req *req, struct runtime_scratch **ret,
			  struct err *err);

/**
 * runtime_scratch_run - run one program in it
 * @output_fd: where its stdout and stderr are written to
 * @timeout_ms: then it and everything it started is killed
 * @ret_status: 0..255, or 128 + signal
 *
 * Returns 0 when it ran, whatever its status; -ZE_NOENT when there is no such program; -ZE_TIMEOUT;
 * -ZE_INTR when the stop function of the request said so. After a failure other than -ZE_NOENT
 * nothing runs in it any more and nothing can be run.
 */
int runtime_scratch_run(struct runtime_scratch *s, const char *const *argv, const char *const *envp,
			int output_fd, unsigned timeout_ms, int *ret_status, struct err *err);

/**
 * runtime_scratch_discarded - how many files below inherited directories were written and thrown
 * away that the host does not have; their paths are appended to @paths (at most 100)
 */
int runtime_scratch_discarded(struct runtime_scratch *s, struct strv *paths, struct err *err);

/**
 * runtime_scratch_end - kill what still runs in it and take it down; accepts NULL
 */
int runtime_scratch_end(struct runtime_scratch *s, struct err *err);

#endif
