/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of lib/config share and nobody else sees.
 */
#ifndef CONFIG_CONFIG_PRIV_H
#define CONFIG_CONFIG_PRIV_H

#include "config/config.h"

#include "base/str.h"

#define CONFIG_DIR "/etc/zones"
#define CONFIG_RUN "/run/zones"

/* Files larger than this are refused: 8,000 zones need less than 2 MiB of index. */
#define CONFIG_FILE_MAX_BYTES ((size_t)8 << 20)

/* A list's elements together, in bytes. */
#define CONFIG_LIST_MAX_BYTES 8192

/* ---- the model (model.c) */

struct config_value {
	char *s;          /* the text, or the elements joined with ","; NULL while unset */
	struct strv list; /* of a list property */
};

struct config_res {
	enum config_type type;
	struct config *cfg;           /* what it is part of, or NULL */
	struct config_value values[]; /* one for each property of the type */
};

struct config_res_array {
	struct config_res **v;
	size_t n, room;
};

struct config {
	struct config_res *global;
	struct config_res_array res[CONFIG_TYPE_COUNT];
	void *keys;       /* tsearch(3) tree of all resources that have a key */
	size_t anet_next; /* no "netN" below this is free */
};

/* The value of a property as stored; NULL while unset. */
const char *config_res_raw(const struct config_res *res, enum config_prop prop);

/* Store a checked value without the side effects on aliases and keys. NULL unsets. */
int config_res_store(struct config_res *res, enum config_prop prop, const char *value,
		     struct err *err);

/* Whether no property has a value of its own. */
bool config_res_is_empty(const struct config_res *res);

/* "fs 'dir=/export'": how messages name a resource. */
int config_res_label(const struct config_res *res, struct str *ret);

/* The resource with the key "name=@name" (rctl, attr, dataset). */
struct config_res *config_find_named(const struct config *cfg, enum config_type type,
				     const char *name);

/* Put in and take out without looking at aliases. What was taken out is returned. */
int config_link(struct config *cfg, struct config_res *res, struct config_res *replace,
		struct err *err);
struct config_res *config_unlink(struct config *cfg, struct config_res *res);

/* How a key compares with another: for tsearch(3). */
int config_key_compare(const void *left, const void *right);

/* Whether resources of a type have a key at all. */
bool config_type_has_key(enum config_type type);

/* "TYPE 'KEY' already exists" */
int config_already_exists(const struct config_res *res, struct err *err);

/* ---- aliases: properties that show an rctl (alias.c) */

/* Give an alias in the global scope a checked value. -ZE_INVAL when its rctl says more than an
 * alias can. */
int config_alias_set(struct config *cfg, enum config_prop prop, const char *value, struct err *err);

/* Remove the rctl that an alias shows. */
void config_alias_drop(struct config *cfg, enum config_prop prop);

/* Make the alias of an rctl show what that says now; may make or free a capped-* resource. */
int config_alias_refresh(struct config *cfg, const char *rctl_name, struct err *err);

/* config_add() for capped-cpu and capped-memory. */
int config_alias_add(struct config *cfg, struct config_res *res, struct config_res *replace,
		     struct err *err);

/* ---- values (value.c) */

/* Check a value and bring it into the form it is stored in. */
int config_value_check(enum config_prop prop, const char *value, char **ret, struct err *err);

/* A size as `info` shows it (rounded), or as `export` does (exact). */
int config_size_text(uint64_t bytes, bool exact, struct str *ret);

struct config_rctl_value {
	char priv[16], action[32];
	uint64_t limit;
};

/* Read "(priv=...,limit=N,action=...)", in any order. */
int config_rctl_value_parse(const char *text, struct config_rctl_value *ret, struct err *err);

/* ---- files (xml.c, index.c, lock.c) */

int config_xml_parse(const char *doc, size_t size_bytes, struct config **ret, struct err *err);
int config_index_parse(const char *text, size_t size_bytes, struct config_index *ret,
		       struct err *err);

/* What happens to one line of the index. */
struct config_index_change {
	const char *name;
	bool remove;
	const char *new_name;         /* or NULL */
	const char *zonepath;         /* or NULL */
	const enum zone_state *state; /* or NULL */
	bool add;                     /* append a line when there is none */
};

/* Rewrite the text of an index. -ZE_NOENT when the zone has no line and none is to be made. */
int config_index_edit(const char *text, size_t size_bytes, const struct config_index_change *change,
		      struct str *ret, bool *ret_changed, struct err *err);

/* The same to the file. The index lock is held. */
int config_index_change(const char *root, const struct config_index_change *change,
			struct err *err);

int config_lock_index(const char *root, struct config_lock *ret, struct err *err);

/* ROOT/etc/zones, opened; made when missing and @create. */
int config_dir_open(const char *root, bool create, struct err *err);

#endif
