/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What zone roots are made of: the packages that the host has. A backend reads the host's package
 * database, chooses packages, plans files, copies them and writes the zone's own database; the
 * scripts of the packages are run by the caller (lib/ops), who owns the namespaces they run in. No
 * name, path or priority of a distribution appears outside the backend (dpkg.c and its neighbours)
 * and the policy file.
 */
#ifndef PKG_PKG_H
#define PKG_PKG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct strv;

struct pkg_host; /* the host's package database, read and locked */
struct pkg_plan; /* what one zone will be made of: packages, files, scripts; pure data */

/* ---- the host
 * -------------------------------------------------------------------------------------- */

/**
 * pkg_host_open - read the host's package database
 * @root: "" for the host itself; another root in tests
 *
 * Takes the package manager's own lock (shared with nobody who changes packages) and holds it until
 * pkg_host_close(). -ZE_BUSY: a package manager is at work; -ZE_PKG: the database is damaged or the
 * package manager was interrupted (the message says how to finish it); -ZE_NOTSUP: no known package
 * manager here. Closing gives the lock back; a plan made from the host keeps what it needs of it.
 */
int pkg_host_open(const char *root, struct pkg_host **ret, struct err *err);
void pkg_host_close(struct pkg_host *host);
void pkg_host_closep(struct pkg_host **host);
#define auto_pkg_host __attribute__((cleanup(pkg_host_closep)))

/* ---- the plan
 * -------------------------------------------------------------------------------------- */

struct pkg_request {
	const char *policy_path; /* /etc/zones/packages.conf; NULL or missing: the built-in one */
	const char *const
	    *inherit_dirs; /* NULL-terminated absolute paths of the zone; NULL: whole root */
	const char *const *packages; /* extra packages (globs, @sets) by name, host-only ones too;
					NULL-terminated */
	const char *const *exclude;  /* packages (globs) to leave out; NULL-terminated */
	const char *const *keep_edited; /* globs of configuration files to take as they are */
	bool all;                       /* every package but the host-only ones */
	bool offline;                   /* never ask a mirror for a .deb */
	bool refuse_changed; /* fail when a packaged file differs from what was delivered */
};

struct pkg_plan_facts {
	size_t packages; /* packages in the zone */
	size_t files;    /* files, links and directories to make ("Copying <N> files") */
	uint64_t bytes;  /* of regular files to copy */
	size_t skipped;  /* packages of the host that were asked for and cannot be in a zone */
	bool has_init;   /* some package provides /sbin/init */
};

/**
 * pkg_plan_make - choose packages and plan every file; changes nothing
 *
 * Messages name the package, policy line (file:line) or database entry at fault. -ZE_INVAL: the
 * request or the policy is wrong; -ZE_PKG: the host's packages are not as they must be, or one is
 * changed and req->refuse_changed is set. Source: packages.conf(5); the choice is ours.
 */
int pkg_plan_make(struct pkg_host *host, const struct pkg_request *req, struct pkg_plan **ret,
		  struct err *err);
void pkg_plan_free(struct pkg_plan *plan);
void pkg_plan_freep(struct pkg_plan **plan);
#define auto_pkg_plan __attribute__((cleanup(pkg_plan_freep)))

/**
 * pkg_plan_facts - the numbers of a plan, for the lines that install prints
 */
void pkg_plan_facts(const struct pkg_plan *plan, struct pkg_plan_facts *ret);

/**
 * pkg_plan_print - the plan as text, one line a package and one a file (zoneadm install -n)
 */
int pkg_plan_print(const struct pkg_plan *plan, int out_fd, struct err *err);

#define PKG_KEY_LEN 64

/**
 * pkg_plan_key - a digest of all that the root made by a plan depends on
 * @extra: what the caller's part of the work depends on
 * @ret: hexadecimal digits with a NUL
 *
 * Equal keys: the root would be the same, but for times. Call it before pkg_copy(). -ZE_NOTSUP: it
 * cannot be told yet what some file will hold.
 */
int pkg_plan_key(struct pkg_plan *plan, const char *extra, char ret[PKG_KEY_LEN + 1],
		 struct err *err);

/**
 * pkg_plan_is_fresh - whether nothing of the host that went into pkg_plan_key() has changed since
 *
 * Returns 1, 0 or a negative code.
 */
int pkg_plan_is_fresh(const struct pkg_plan *plan, struct err *err);

/* Things worth telling that did not stop the work. */
struct pkg_notes {
	struct strv
	    *missing; /* "PATH: reason" of configuration files that could not be had as delivered */
	struct strv *changed; /* packaged files of the host that differ from what was delivered;
				 copied as they are */
	struct strv *log;     /* other lines for the install log */
};

/* ---- making it
 * ------------------------------------------------------------------------------------- */

/* Returns false to stop; called in the caller's own thread. */
struct pkg_progress {
	bool (*fn)(void *arg, uint64_t done_bytes, size_t done_files);
	void *arg;
};

/**
 * pkg_copy - make directories, files and links of the plan beneath @root_fd, restore configuration
 * files as delivered, write base files that scripts need before they can run, and the zone's own
 * database with every package unpacked
 * @root_fd: an empty zone root
 *
 * May take seconds before it makes anything when configuration has to be downloaded. Uses a second
 * thread, which has ended when it returns. Returns 0 or a negative code, -ZE_INTR when @progress
 * stopped it; what was made stays for the caller to destroy, and nothing of it is synced.
 */
int pkg_copy(struct pkg_plan *plan, int root_fd, const struct pkg_progress *progress,
	     struct pkg_notes *notes, struct err *err);

/*
 * After pkg_copy(): what remains to be run inside the zone, in this order. A step with script ==
 * NULL asks for pkg_step_host() instead of running anything.
 */
struct pkg_step {
	const char *package; /* whose script it is; "" for steps of the database as a whole */
	const char *what; /* "preinst", "postinst", "triggers", ...: for the log and for messages */
	const char *const *argv; /* absolute path in the zone; NULL: call pkg_step_host() */
	const char *const *envp; /* the whole environment */
	unsigned timeout_ms;
};

/**
 * pkg_step_count, pkg_step_at - the steps of a plan; the strings live as long as the plan
 */
size_t pkg_step_count(const struct pkg_plan *plan);
const struct pkg_step *pkg_step_at(const struct pkg_plan *plan, size_t i);

/**
 * pkg_step_host - what the host has to do at step @i (files that may come only now, the database)
 */
int pkg_step_host(struct pkg_plan *plan, size_t i, int root_fd, struct pkg_notes *notes,
		  struct err *err);

/* A program of ours that stands in for a slow one of the packages while the scripts run. */
struct pkg_standin {
	const char *program; /* name of ours, for path_sibling_program() */
	const char *target;  /* path in the zone that it covers while the scripts run */
};

/**
 * pkg_standins - the stand-ins for this plan: their number, and the array in @ret
 */
size_t pkg_standins(const struct pkg_plan *plan, const struct pkg_standin **ret);

/**
 * pkg_finish - after the last step: see that every package of the plan is installed in its version,
 * and give files that had to be made as root's their owner, by name
 *
 * -ZE_PKG names the first package that is not installed.
 */
int pkg_finish(struct pkg_plan *plan, int root_fd, struct pkg_notes *notes, struct err *err);

/* ---- a zone's identity
 * ------------------------------------------------------------------------------- */

/**
 * pkg_unconfigure - take away what must differ between two copies of one root, and give it a new
 * identity
 * @root_fd: the root of a zone that does not run
 * @zonename: becomes the host name
 * @machine_id: 32 lower-case hexadecimal digits for /etc/machine-id
 *
 * Users, passwords, authorised keys, packages and their configuration stay. Source:
 * sys-unconfig(8).
 */
int pkg_unconfigure(int root_fd, const char *zonename, const char *machine_id, struct err *err);

#endif
