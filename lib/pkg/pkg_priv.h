/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this library share: memory for a plan, a map of strings, the plan itself, and
 * the table that a backend fills.
 */
#ifndef PKG_PKG_PRIV_H
#define PKG_PKG_PRIV_H

#include "pkg/pkg.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

/* ---- arena.c: memory that is given back all at once ---- */

struct arena {
	struct arena_block *blocks;
};

/**
 * arena_alloc - zeroed memory that lives until arena_free(); NULL when there is none
 */
void *arena_alloc(struct arena *arena, size_t size_bytes);

/**
 * arena_strndup - a copy of @len bytes with a NUL behind them; NULL when memory runs out
 */
char *arena_strndup(struct arena *arena, const char *s, size_t len);

/**
 * arena_printf - formatted text; NULL when memory runs out
 */
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void arena_free(struct arena *arena);

/* ---- strmap.c: strings to numbers ---- */

#define STRMAP_NONE UINT32_MAX

struct strmap {
	struct strmap_slot *slots;
	size_t n, room;
};

/**
 * strmap_get - the number of a key, or STRMAP_NONE
 */
uint32_t strmap_get(const struct strmap *map, const char *key, size_t len);

/**
 * strmap_put - give a key a number unless it has one
 * @key: not copied: must live as long as the map
 * @ret_old: the number it has already, or STRMAP_NONE; may be NULL
 *
 * Returns 0 or -ZE_NOMEM.
 */
int strmap_put(struct strmap *map, const char *key, size_t len, uint32_t value, uint32_t *ret_old);

void strmap_free(struct strmap *map);

/* ---- cursor.c: many paths below one directory, each in little time ---- */

/* The directory of the last path is kept open. Zero all but root_fd, and set dir_fd to -EBADF. */
struct cursor {
	int root_fd;  /* borrowed */
	bool in_zone; /* links in directories resolve inside the root, whatever they say */
	int dir_fd;
	char *dir; /* the path it was opened by */
	size_t dir_len;
};

/**
 * cursor_open - the directory of a relative path as an O_PATH descriptor, and its last component
 *
 * The descriptor is the cursor's. Returns it; -ZE_NOENT when there is no such directory; -ZE_IO.
 */
int cursor_open(struct cursor *cursor, const char *path, const char **ret_name, struct err *err);

void cursor_close(struct cursor *cursor);
#define auto_cursor __attribute__((cleanup(cursor_close)))

/* ---- the plan ---- */

enum pkg_entry_flag {
	PKG_ENTRY_PARENT = 1,    /* something else of the plan is below it */
	PKG_ENTRY_CONFFILE = 2,  /* configuration: taken as delivered only */
	PKG_ENTRY_DATABASE = 4,  /* of the package database, not of a package: not counted */
	PKG_ENTRY_SKIP = 8,      /* not to be made after all: missing on the host, left out */
	PKG_ENTRY_DEMOTED = 16,  /* belongs to a user or group that the zone does not have yet */
	PKG_ENTRY_PENDING = 32,  /* configuration whose content as delivered is not yet known */
	PKG_ENTRY_IMPLICIT = 64, /* in no list: a directory that something else needs */
	PKG_ENTRY_MISSING = 128, /* the host does not have it */
};

#define PKG_NO_TWIN UINT32_MAX

/* One path of the zone. */
struct pkg_entry {
	const char *path;    /* in the zone, relative to its root, no link in its directories */
	const char *source;  /* on the host, relative to its root */
	const char *content; /* bytes of a file that are not read from @source, or a link's text */
	const char *md5;     /* of a configuration file as delivered: 32 digits */
	uint64_t size_bytes;
	struct timespec mtime, ctime;
	mode_t mode, host_mode;
	uid_t uid, host_uid;
	gid_t gid, host_gid;
	uint32_t package; /* whose file; index of the backend's */
	uint32_t twin;    /* entry that this is another name of, or PKG_NO_TWIN */
	uint16_t flags;
	uint8_t level; /* copied by this host step; 0: by pkg_copy() */
};

struct pkg_plan {
	const struct pkg_backend *backend;
	struct pkg_host *host; /* a reference */
	struct arena arena;
	struct pkg_entry *entries; /* sorted: a directory before what is in it */
	size_t n_entries;
	struct pkg_step *steps;
	size_t n_steps;
	const struct pkg_standin *standins;
	size_t n_standins;
	struct pkg_plan_facts facts;
	struct strv missing, changed, log; /* notes of the planning, handed out by pkg_copy() */
	uint8_t host_digest[32];           /* of the backend's key_paths, by pkg_plan_key() */
};

struct pkg_host {
	const struct pkg_backend *backend;
	unsigned refs;
	int root_fd;      /* the root that was opened, "/" for the host itself */
	const char *root; /* its name, for messages and programs; "" for the host */
	struct arena arena;
};

/* A package manager. Every member must be there. */
struct pkg_backend {
	const char *name;
	/* What of the host is read besides the files of a plan, relative to its root, for
	 * pkg_plan_key(): NULL-terminated; with "/" behind it, a directory and what is in it. */
	const char *const *key_paths;
	/* Fill a host whose root is open already; -ZE_NOENT: another manager's host. */
	int (*open)(const char *root, int root_fd, struct pkg_host **ret, struct err *err);
	/* Give the manager's lock back; what was read stays. */
	void (*unlock)(struct pkg_host *host);
	/* Free all but the common part. */
	void (*free)(struct pkg_host *host);
	int (*plan)(struct pkg_host *host, const struct pkg_request *req, struct pkg_plan **ret,
		    struct err *err);
	void (*plan_free)(struct pkg_plan *plan);
	/* Name of package @i, for the plan's text. */
	const char *(*plan_package)(const struct pkg_plan *plan, size_t i,
				    const char **ret_version);
	/* Before the files are copied: find content that took too long for planning. */
	int (*prepare)(struct pkg_plan *plan, struct pkg_notes *notes, struct err *err);
	/* After level 0 was copied: base files and the database. */
	int (*unpacked)(struct pkg_plan *plan, int root_fd, struct pkg_notes *notes,
			struct err *err);
	int (*step)(struct pkg_plan *plan, size_t i, int root_fd, struct pkg_notes *notes,
		    struct err *err);
	int (*finish)(struct pkg_plan *plan, int root_fd, struct pkg_notes *notes, struct err *err);
};

/**
 * pkg_plan_drop - free the common part of a plan (a backend's half-made one, or pkg_plan_free())
 */
void pkg_plan_drop(struct pkg_plan *plan);

/**
 * pkg_host_hold - another reference, given back by pkg_host_close() without unlocking
 */
struct pkg_host *pkg_host_hold(struct pkg_host *host);
void pkg_host_drop(struct pkg_host *host);

/* ---- copy.c ---- */

/**
 * pkg_copy_level - make the entries of one level beneath a zone root
 *
 * Returns 0, -ZE_IO or another negative code, with the path in the message.
 */
int pkg_copy_level(const struct pkg_plan *plan, unsigned level, int root_fd,
		   const struct pkg_progress *progress, struct err *err);

extern const struct pkg_backend pkg_dpkg;

#endif
