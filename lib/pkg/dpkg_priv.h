/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dpkg backend's own: the host's database in memory, and what its files offer one another.
 *
 * dpkg.c opens (lock, status), info.c reads what is beside status, policy.c and select.c choose
 * packages, paths.c lists paths, conffile.c finds configuration as delivered, steps.c orders
 * scripts, database.c writes the zone's database, ids.c its first users, sources.c its apt.
 */
#ifndef PKG_DPKG_PRIV_H
#define PKG_DPKG_PRIV_H

#include "pkg/pkg_priv.h"

#define DPKG_ADMINDIR "var/lib/dpkg"

/* No database of a real host comes near these. */
#define DPKG_STATUS_MAX_BYTES  ((size_t)256 * 1024 * 1024)
#define DPKG_FILE_MAX_BYTES    ((size_t)32 * 1024 * 1024)
#define DPKG_PACKAGES_MAX      100000
#define DPKG_CONFFILE_MAX_SIZE ((size_t)16 * 1024 * 1024)

/* ---- deb822.c: paragraphs of fields ---- */

struct deb822 {
	const char *file; /* for messages */
	const char *p, *end;
	unsigned line;
	bool comments; /* lines that begin with # are none of the content */
};

struct deb822_field {
	const char *name;
	size_t name_len;
	const char *value; /* from the first non-blank byte; later lines as they are */
	size_t value_len;  /* without the last newline and trailing blanks */
	const char *raw;   /* the whole lines, with newlines */
	size_t raw_len;
	unsigned line;
};

/**
 * deb822_next - go to the next paragraph: 1, or 0 at the end of the text
 */
int deb822_next(struct deb822 *d);

/**
 * deb822_field - the next field of this paragraph: 1, 0 at its end, or -ZE_FORMAT with file and
 * line
 */
int deb822_field(struct deb822 *d, struct deb822_field *ret, struct err *err);

/**
 * deb822_is - whether a field has this name (letter case does not count)
 */
bool deb822_is(const struct deb822_field *field, const char *name);

/* ---- relation.c: what packages need ---- */

enum dpkg_op {
	DPKG_ANY,
	DPKG_LT,
	DPKG_LE,
	DPKG_EQ,
	DPKG_GE,
	DPKG_GT,
};

struct dpkg_alt {
	const char *name;
	const char *arch;    /* what follows ":", or NULL */
	const char *version; /* NULL with DPKG_ANY */
	enum dpkg_op op;
};

/* "a | b": one of them is enough. */
struct dpkg_group {
	const struct dpkg_alt *alts;
	size_t n;
	bool pre; /* Pre-Depends */
};

/**
 * dpkg_relation_parse - read the value of Depends, Pre-Depends or Provides
 * @ret: array in @arena
 *
 * Returns 0, -ZE_NOMEM, or -ZE_FORMAT saying what is wrong with which part.
 */
int dpkg_relation_parse(struct arena *arena, const char *text, size_t len, struct dpkg_group **ret,
			size_t *ret_n, struct err *err);

/**
 * dpkg_version_compare - Debian's order of versions: below, equal or above 0
 * Source: deb-version(7).
 */
int dpkg_version_compare(const char *a, const char *b);

/**
 * dpkg_version_satisfies - whether @version stands in relation @op to @wanted
 */
bool dpkg_version_satisfies(const char *version, enum dpkg_op op, const char *wanted);

/**
 * dpkg_alt_print - "name:arch (>= version)"
 */
int dpkg_alt_print(struct str *out, const struct dpkg_alt *alt);

/* ---- the host ---- */

enum dpkg_priority {
	DPKG_PRIORITY_REQUIRED,
	DPKG_PRIORITY_IMPORTANT,
	DPKG_PRIORITY_STANDARD,
	DPKG_PRIORITY_OTHER,
};

enum dpkg_script {
	DPKG_PREINST = 1,
	DPKG_POSTINST = 2,
};

struct dpkg_conffile {
	const char *path; /* absolute */
	const char *md5;
};

struct dpkg_pkg {
	const char *name, *arch, *version, *section;
	const char *key; /* of its files in info/: "name" or "name:arch" */
	const char *para;
	size_t para_len;
	unsigned line;      /* where it begins in status */
	const char *broken; /* the state it is in when dpkg has not finished with it, else NULL */
	enum dpkg_priority priority;
	bool essential, protected, same, foreign, allowed;
	bool host_scope;          /* X-Zone-Scope: global */
	struct dpkg_group *needs; /* Pre-Depends, then Depends */
	size_t n_needs;
	struct dpkg_group *provides;
	size_t n_provides;
	struct dpkg_conffile *conffiles;
	size_t n_conffiles;
	const char **info; /* what follows "key." in info/ */
	size_t n_info;
	unsigned scripts;   /* enum dpkg_script */
	const char **paths; /* of its list, absolute, without "/." */
	size_t n_paths;
	time_t list_mtime;
	uint32_t next_same_name; /* of another architecture, or STRMAP_NONE */
};

struct dpkg_alias {
	const char *name;   /* "bin" */
	const char *target; /* "usr/bin" */
	size_t name_len, target_len;
};

struct dpkg_diversion {
	const char *from, *to;               /* relative, aliases resolved */
	const char *from_listed, *to_listed; /* as the file has them */
	const char *package;                 /* NULL: the administrator's */
};

struct dpkg_provider {
	uint32_t package;
	const struct dpkg_alt *what;
	uint32_t next; /* or STRMAP_NONE */
};

/* ---- filters.c: what dpkg was told not to install on this host ---- */

struct dpkg_filter {
	bool exclude;
	const char *glob;
};

struct dpkg_filters {
	struct dpkg_filter *v;
	size_t n, room;
	struct strv files; /* configuration of dpkg that has filters, relative to the root */
};

/**
 * dpkg_filters_read - path-exclude and path-include of dpkg.cfg and dpkg.cfg.d
 */
int dpkg_filters_read(int root_fd, struct arena *arena, struct dpkg_filters *ret, struct err *err);

/**
 * dpkg_filters_exclude - whether dpkg would leave out a relative path: the last match counts
 */
bool dpkg_filters_exclude(const struct dpkg_filters *filters, const char *path);

void dpkg_filters_free(struct dpkg_filters *filters);

#define DPKG_ALIAS_MAX 16

struct dpkg_host {
	struct pkg_host base;
	int lock_fds[2];
	int info_fd;
	struct dpkg_pkg *pkgs; /* installed ones, in the order of status */
	size_t n_pkgs, room_pkgs;
	struct strmap by_name;     /* name: first package */
	struct strmap by_key;      /* key of info/: package */
	struct strmap by_provided; /* name: first of providers */
	struct dpkg_provider *providers;
	size_t n_providers, room_providers;
	struct dpkg_alias aliases[DPKG_ALIAS_MAX];
	size_t n_aliases;
	struct dpkg_diversion *diversions;
	size_t n_diversions;
	struct strmap by_diverted; /* from: index */
	struct strmap overridden;  /* paths with a stat override of the host */
	struct dpkg_filters filters;
	const char *dpkg_version;
	bool has_lists;
};

struct dpkg_host *dpkg_host_of(struct pkg_host *host);

/**
 * dpkg_label - a package for messages: its name, with the architecture if that matters
 */
const char *dpkg_label(const struct dpkg_pkg *pkg);

/**
 * dpkg_host_parse_status - read the text of a status file into @host
 * @text: lives as long as the host
 * @file: for messages
 */
int dpkg_host_parse_status(struct dpkg_host *host, const char *file, const char *text, size_t len,
			   struct err *err);

/* ---- info.c ---- */

/**
 * dpkg_info_open - names in info/, aliases of merged /usr, diversions, stat overrides
 */
int dpkg_info_open(struct dpkg_host *host, struct err *err);

/**
 * dpkg_info_lists - read the list of every package, once
 */
int dpkg_info_lists(struct dpkg_host *host, struct err *err);

/**
 * dpkg_list_parse - cut the text of a list into paths, in place
 * @ret_paths: array in @arena
 */
int dpkg_list_parse(struct arena *arena, const char *file, char *text, size_t len,
		    const char ***ret_paths, size_t *ret_n, struct err *err);

/**
 * dpkg_info_read - one file of a package from info/, in the host's arena; -ZE_NOENT
 */
int dpkg_info_read(struct dpkg_host *host, const struct dpkg_pkg *pkg, const char *kind,
		   char **ret_text, size_t *ret_len, struct err *err);

bool dpkg_info_has(const struct dpkg_pkg *pkg, const char *kind);

/**
 * dpkg_path_resolve - a listed path as the file system has it: relative, aliases resolved
 *
 * Returns a pointer into @path or into @arena; NULL when memory runs out.
 */
const char *dpkg_path_resolve(const struct dpkg_host *host, struct arena *arena, const char *path);

/**
 * dpkg_host_has - whether the host has a file at an absolute path now
 */
bool dpkg_host_has(const struct dpkg_host *host, const char *path);

/**
 * dpkg_path_check - why an absolute path from the database cannot be one, or NULL
 */
const char *dpkg_path_check(const char *path, size_t len);

/* ---- policy.c ---- */

enum dpkg_verb {
	DPKG_INCLUDE,
	DPKG_EXCLUDE,
	DPKG_GLOBAL,
	DPKG_VERB_COUNT,
};

struct dpkg_rule {
	enum dpkg_verb verb;
	const char *word; /* a glob or @set */
	unsigned line;
};

struct dpkg_set {
	const char *name;
	const char **words;
	size_t n;
	unsigned line;
	unsigned depth; /* 1: no other set is in it */
	bool open;      /* its words are being looked at */
};

struct dpkg_policy {
	const char *file; /* for messages */
	struct dpkg_rule *rules;
	size_t n_rules, room_rules;
	struct dpkg_set *sets;
	size_t n_sets, room_sets;
	struct strv keep_conffiles, exclude_files;
	struct arena arena;
};

/**
 * dpkg_policy_read - read a policy file; a missing or NULL one means the built-in
 */
int dpkg_policy_read(const char *path, struct dpkg_policy *ret, struct err *err);

/**
 * dpkg_policy_parse - the same from memory
 */
int dpkg_policy_parse(const char *file, const char *text, size_t len, struct dpkg_policy *ret,
		      struct err *err);

/**
 * dpkg_policy_set - the named set, or NULL
 */
const struct dpkg_set *dpkg_policy_set(const struct dpkg_policy *policy, const char *name);

void dpkg_policy_free(struct dpkg_policy *policy);
#define auto_dpkg_policy __attribute__((cleanup(dpkg_policy_free)))

/* ---- select.c ---- */

/* What is to become of a package of the host. */
struct dpkg_choice {
	bool chosen;
	bool wanted;      /* named by the set, the policy or the request: apt's "manual" */
	const char *out;  /* why it cannot be in the zone, or NULL */
	bool out_by_rule; /* of itself, not for want of another */
};

/**
 * dpkg_select - fill @choices, one for each package of the host
 * @log: what was left out although it was asked for, a line each
 * @ret_skipped: how many those are
 */
int dpkg_select(struct dpkg_host *host, const struct dpkg_policy *policy,
		const struct pkg_request *req, bool sparse, struct dpkg_choice *choices,
		struct strv *log, size_t *ret_skipped, struct err *err);

/**
 * dpkg_satisfier - the package that satisfies one group: the first alternative there is
 * @usable: packages that count; called with each candidate
 *
 * Returns an index or STRMAP_NONE.
 */
uint32_t dpkg_satisfier(const struct dpkg_host *host, uint32_t of, const struct dpkg_group *group,
			bool (*usable)(const void *arg, uint32_t i), const void *arg);

/* ---- the plan ---- */

struct dpkg_plan {
	struct pkg_plan base;
	struct dpkg_host *host;
	struct dpkg_policy policy;
	struct dpkg_choice *choices; /* by package of the host */
	uint32_t *order;             /* chosen packages in the order they are configured */
	uint8_t *levels;             /* by package of the host */
	bool *early;                 /* by package of the host: configured before the rest comes */
	size_t n_chosen;
	struct dpkg_action *actions; /* by step */
	struct strv inherit;         /* relative, aliases resolved, without a slash at the end */
	struct strv keep_edited;
	bool offline;
	bool sparse;           /* /usr is the host's */
	struct strmap by_path; /* path: entry, while planning and after */
	size_t room_entries;
};

/* What the host does at a step. */
enum dpkg_action_kind {
	DPKG_RUN,       /* nothing: the step is a script */
	DPKG_COPY,      /* files of a level */
	DPKG_CONFIGURED /* the database says that all scripts have run */
};

struct dpkg_action {
	enum dpkg_action_kind kind;
	uint8_t level;
};

struct dpkg_plan *dpkg_plan_of(struct pkg_plan *plan);

/**
 * dpkg_plan_make, dpkg_plan_free - the backend's plan and plan_free
 */
int dpkg_plan_make(struct pkg_host *host, const struct pkg_request *req, struct pkg_plan **ret,
		   struct err *err);
void dpkg_plan_free(struct pkg_plan *plan);

/**
 * dpkg_plan_paths - the entries of a plan whose packages are chosen
 */
int dpkg_plan_paths(struct dpkg_plan *plan, struct err *err);

/**
 * dpkg_plan_inherits - whether a resolved path lies in a directory that the zone inherits
 */
bool dpkg_plan_inherits(const struct dpkg_plan *plan, const char *path);

/* ---- changed.c ---- */

/**
 * dpkg_changed_find - note packaged files of the host that are not as delivered
 */
int dpkg_changed_find(struct dpkg_plan *plan, struct err *err);

/* ---- conffile.c ---- */

/**
 * dpkg_conffiles_plan - give the conffiles of a plan their content as delivered, from this host's
 * file systems
 */
int dpkg_conffiles_plan(struct dpkg_plan *plan, struct err *err);

/**
 * dpkg_conffiles_fetch - the same from archives, for what is still pending; notes what is missing
 */
int dpkg_conffiles_fetch(struct dpkg_plan *plan, struct pkg_notes *notes, struct err *err);

/**
 * dpkg_md5 - 32 digits and a NUL
 */
void dpkg_md5(const void *bytes, size_t len, char ret[33]);

/* ---- order.c ---- */

/**
 * dpkg_order - plan->order, ->early and ->levels
 */
int dpkg_order(struct dpkg_plan *plan, struct err *err);

/* ---- steps.c ---- */

/**
 * dpkg_steps_plan - the scripts and host steps of a plan
 */
int dpkg_steps_plan(struct dpkg_plan *plan, struct err *err);

/**
 * dpkg_step - pkg_step_host()
 */
int dpkg_step(struct pkg_plan *plan, size_t i, int root_fd, struct pkg_notes *notes,
	      struct err *err);

/**
 * dpkg_script_is_empty - whether a maintainer script does nothing at a first installation
 *
 * True only for scripts made of nothing but comments, "set -e", "exit 0" and calls of
 * dpkg-maintscript-helper that act on upgrades alone.
 */
bool dpkg_script_is_empty(const char *text, size_t len);

/* ---- triggers.c ---- */

/**
 * dpkg_triggers_write - triggers/ of the zone's database
 */
int dpkg_triggers_write(struct dpkg_plan *plan, int root_fd, struct err *err);

/**
 * dpkg_triggers_pending - by package of the host: names of the triggers that what came after it
 * activates, separated by blanks, or NULL
 */
int dpkg_triggers_pending(struct dpkg_plan *plan, const char **pending, struct err *err);

/**
 * dpkg_triggers_settle - forget what scripts activated if it would do nothing
 */
int dpkg_triggers_settle(struct dpkg_plan *plan, int root_fd, struct err *err);

/* ---- database.c ---- */

enum dpkg_state {
	DPKG_STATE_UNPACKED,
	DPKG_STATE_INSTALLED,
};

/**
 * dpkg_database_write - all of the zone's database but the files of info/
 */
int dpkg_database_write(struct dpkg_plan *plan, int root_fd, struct err *err);

/**
 * dpkg_status_write - the zone's status: every chosen package in @state
 */
int dpkg_status_write(struct dpkg_plan *plan, int root_fd, enum dpkg_state state, struct err *err);

/**
 * dpkg_database_check - after the last script: every chosen package is installed in its version
 */
int dpkg_database_check(struct dpkg_plan *plan, int root_fd, struct err *err);

/* ---- ids.c ---- */

/**
 * dpkg_ids_write - the zone's first passwd and group
 */
int dpkg_ids_write(struct dpkg_plan *plan, int root_fd, struct pkg_notes *notes, struct err *err);

/**
 * dpkg_ids_settle - give files that were made as root's the owner they have on the host, by name
 */
int dpkg_ids_settle(struct dpkg_plan *plan, int root_fd, struct pkg_notes *notes, struct err *err);

/* ---- sources.c ---- */

/**
 * dpkg_sources_write - apt's sources without credentials, its keys, its marks; dpkg's filters
 */
int dpkg_sources_write(struct dpkg_plan *plan, int root_fd, struct pkg_notes *notes,
		       struct err *err);

/* ---- inherited.c ---- */

/**
 * dpkg_inherited_write - make the zone's apt refuse what would change inherited directories
 */
int dpkg_inherited_write(struct dpkg_plan *plan, int root_fd, struct err *err);

#endif
