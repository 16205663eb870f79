/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a zone is on paper: its configuration, the index of zones, templates and locks. Pure: no
 * mounts, no namespaces, nothing about running zones. All paths are below a configuration root (""
 * is the host).
 *
 * Source: zonecfg(8), zones(7); file formats in docs/differences-from-solaris.md.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;
struct str;
struct config;     /* the configuration of one zone */
struct config_res; /* one resource in it, or one that is being edited; also the global scope */

#define CONFIG_NAME_MAX  63
#define CONFIG_ZONES_MAX 8191 /* of a host, besides the global one */
#define CONFIG_UUID_LEN  36

/* ---- states and names --------------------------------------------------------------------------
 */

enum zone_state {
	ZONE_STATE_CONFIGURED,
	ZONE_STATE_INCOMPLETE,
	ZONE_STATE_INSTALLED,
	ZONE_STATE_READY,
	ZONE_STATE_RUNNING,
	ZONE_STATE_SHUTTING_DOWN,
	ZONE_STATE_DOWN,
	ZONE_STATE_MOUNTED,
};

/**
 * zone_state_name - "configured", "incomplete", ... as `zoneadm list` prints it
 */
const char *zone_state_name(enum zone_state state);

/**
 * zone_state_parse - the reverse; returns 0 or -ZE_INVAL
 */
int zone_state_parse(const char *name, enum zone_state *ret, struct err *err);

/**
 * config_name_check - whether @name may be a zone's name (63 bytes of [A-Za-z0-9_.-], first one
 * alphanumeric)
 *
 * "global" and names that begin with SUNW or SYS are valid names but reserved:
 * config_name_reserved(). Returns 0 or -ZE_INVAL with a message that describes the rule.
 */
int config_name_check(const char *name, struct err *err);

/**
 * config_name_reserved - "global", or a template's name (SUNW*, SYS*)
 */
bool config_name_reserved(const char *name);

/* ---- the table of resources and properties
 * -------------------------------------------------------- */

/* Resource types, in the order of `info`. CONFIG_GLOBAL stands for the zone's own properties. */
enum config_type {
	CONFIG_GLOBAL,
	CONFIG_INHERIT_PKG_DIR,
	CONFIG_FS,
	CONFIG_NET,
	CONFIG_ANET,
	CONFIG_DEVICE,
	CONFIG_DEDICATED_CPU,
	CONFIG_CAPPED_CPU,
	CONFIG_CAPPED_MEMORY,
	CONFIG_ATTR,
	CONFIG_DATASET,
	CONFIG_RCTL,
	CONFIG_ADMIN,
	CONFIG_SECURITY_FLAGS,
	CONFIG_TYPE_COUNT,
};

/*
 * Every property of every type, as a number, so that code which reads one is checked by the
 * compiler. The table in property.c has one row for each, in this order.
 */
enum config_prop {
	CONFIG_ZONENAME,
	CONFIG_ZONEPATH,
	CONFIG_BRAND,
	CONFIG_AUTOBOOT,
	CONFIG_BOOTARGS,
	CONFIG_POOL,
	CONFIG_LIMITPRIV,
	CONFIG_SCHEDULING_CLASS,
	CONFIG_IP_TYPE,
	CONFIG_HOSTID,
	CONFIG_FS_ALLOWED,
	CONFIG_IDMAP,   /* extension: private (default), shared */
	CONFIG_INIT,    /* extension: path of the program that becomes process 1 */
	CONFIG_NESTING, /* extension: user namespaces in the zone; false (default), true */
	CONFIG_MAX_LWPS,
	CONFIG_MAX_PROCESSES,
	CONFIG_MAX_SHM_MEMORY,
	CONFIG_MAX_SHM_IDS,
	CONFIG_MAX_MSG_IDS,
	CONFIG_MAX_SEM_IDS,
	CONFIG_CPU_SHARES,
	CONFIG_INHERIT_PKG_DIR_DIR,
	CONFIG_FS_DIR,
	CONFIG_FS_SPECIAL,
	CONFIG_FS_RAW,
	CONFIG_FS_FSTYPE,
	CONFIG_FS_OPTIONS, /* list */
	CONFIG_NET_ADDRESS,
	CONFIG_NET_ALLOWED_ADDRESS,
	CONFIG_NET_PHYSICAL,
	CONFIG_NET_DEFROUTER,
	CONFIG_ANET_LINKNAME,
	CONFIG_ANET_LOWER_LINK,
	CONFIG_ANET_ALLOWED_ADDRESS,
	CONFIG_ANET_CONFIGURE_ALLOWED_ADDRESS,
	CONFIG_ANET_DEFROUTER,
	CONFIG_ANET_LINK_PROTECTION,
	CONFIG_ANET_MAC_ADDRESS,
	CONFIG_ANET_VLAN_ID,
	CONFIG_ANET_MTU,
	CONFIG_ANET_MAXBW,
	CONFIG_DEVICE_MATCH,
	CONFIG_DEDICATED_CPU_NCPUS,
	CONFIG_DEDICATED_CPU_IMPORTANCE,
	CONFIG_CAPPED_CPU_NCPUS,
	CONFIG_CAPPED_MEMORY_PHYSICAL,
	CONFIG_CAPPED_MEMORY_SWAP,
	CONFIG_CAPPED_MEMORY_LOCKED,
	CONFIG_ATTR_NAME,
	CONFIG_ATTR_TYPE,
	CONFIG_ATTR_VALUE,
	CONFIG_DATASET_NAME,
	CONFIG_RCTL_NAME,
	CONFIG_RCTL_VALUE, /* list of "(priv=privileged,limit=N,action=deny)" */
	CONFIG_ADMIN_USER,
	CONFIG_ADMIN_AUTHS,
	CONFIG_SECURITY_FLAGS_LOWER,
	CONFIG_SECURITY_FLAGS_DEFAULT,
	CONFIG_SECURITY_FLAGS_UPPER,
	CONFIG_PROP_COUNT,
};

enum config_value_kind {
	CONFIG_KIND_STRING, /* at most max bytes */
	CONFIG_KIND_ZONENAME,
	CONFIG_KIND_PATH,  /* absolute, no ".." */
	CONFIG_KIND_BOOL,  /* true, false */
	CONFIG_KIND_ENUM,  /* one of config_prop_desc.choices */
	CONFIG_KIND_UINT,  /* within min..max */
	CONFIG_KIND_NCPUS, /* decimal with at most two places */
	CONFIG_KIND_RANGE, /* N or N-M */
	CONFIG_KIND_SIZE,  /* bytes, with K M G T */
	CONFIG_KIND_HOSTID,
	CONFIG_KIND_ADDRESS,   /* IPv4, IPv4/len, IPv6/len or a host name */
	CONFIG_KIND_IP_PREFIX, /* IPv4, IPv4/len or IPv6/len */
	CONFIG_KIND_IP,        /* IPv4 or IPv6 */
	CONFIG_KIND_LINK,
	CONFIG_KIND_MAC,     /* an address, or one of config_prop_desc.choices */
	CONFIG_KIND_RATE,    /* bits per second: a number and K, M or G (powers of 1000) */
	CONFIG_KIND_DATASET, /* pool/name/... */
	CONFIG_KIND_RCTL_NAME,
	CONFIG_KIND_RCTL_VALUE,
	CONFIG_KIND_ATTR_NAME, /* a word: letters, digits, ".", "_" and "-" */
};

struct config_type_desc {
	const char *name;            /* "fs" */
	const char *xml_name;        /* "filesystem"; NULL when the element is not one of its own */
	bool single;                 /* at most one in a zone */
	enum config_prop first, end; /* its properties: first <= p < end */
	const char *help;
};

struct config_prop_desc {
	enum config_type type;
	const char *name;     /* "dir" */
	const char *xml_name; /* attribute; NULL when it has none of its own */
	enum config_value_kind kind;
	bool required, clearable, list, key; /* key: part of what must be unique within the type */
	bool quiet;                          /* `info` leaves it out while it is unset */
	const char *rctl;  /* the zone.* resource control that this is an alias of, or NULL */
	const char *deflt; /* shown and used when unset, or NULL */
	const char *const *choices; /* NULL-terminated, for CONFIG_KIND_ENUM and completion */
	uint64_t min, max;          /* for the numeric kinds; 0, 0: no bounds */
	const char *help;
};

extern const struct config_type_desc config_types[CONFIG_TYPE_COUNT];
extern const struct config_prop_desc config_props[CONFIG_PROP_COUNT];

/**
 * config_prop_is_comma_list - whether `set` may give all elements of a list as "a,b,c"
 *
 * True for lists whose elements cannot hold a comma; not for fs options and rctl values.
 */
bool config_prop_is_comma_list(enum config_prop prop);

/**
 * config_type_find - a resource type by its name; returns it, or -ZE_INVAL when there is no such
 * type
 */
int config_type_find(const char *name);

/**
 * config_prop_find - a property of @type by its name; returns it, or -ZE_INVAL
 */
int config_prop_find(enum config_type type, const char *name);

/* ---- a configuration
 * ------------------------------------------------------------------------------- */

/**
 * config_new - an empty configuration (SYSblank) for a zone
 */
int config_new(const char *name, struct config **ret, struct err *err);
void config_free(struct config *cfg);
void config_freep(struct config **cfg);
#define auto_config __attribute__((cleanup(config_freep)))

/**
 * config_copy - a deep copy
 */
int config_copy(const struct config *cfg, struct config **ret, struct err *err);

/**
 * config_equal - whether two configurations say the same
 */
bool config_equal(const struct config *a, const struct config *b);

/**
 * config_global - the global scope of a configuration, to get and set its properties
 */
struct config_res *config_global(struct config *cfg);

/**
 * config_get - a global property: its value, else its default, else NULL
 *
 * Valid until the property changes or the configuration is freed. Aliases of rctls give the rctl's
 * limit.
 */
const char *config_get(const struct config *cfg, enum config_prop prop);

/* Shorthands for what everybody reads. zonepath is "" while unset; the brand is never NULL. */
const char *config_zonename(const struct config *cfg);
const char *config_zonepath(const struct config *cfg);
const char *config_brand(const struct config *cfg);

/**
 * config_count - how many resources of a type there are
 */
size_t config_count(const struct config *cfg, enum config_type type);

/**
 * config_at - the @i-th resource of a type, in the order of the file; NULL past the end
 */
struct config_res *config_at(const struct config *cfg, enum config_type type, size_t i);

/**
 * config_res_get - a property of a resource: its value, else its default, else NULL
 *
 * For a list property: the elements joined with ",". Valid until it changes.
 */
const char *config_res_get(const struct config_res *res, enum config_prop prop);

/**
 * config_res_is_set - whether the property has a value of its own
 */
bool config_res_is_set(const struct config_res *res, enum config_prop prop);

/**
 * config_res_list - the elements of a list property
 * @ret_n: how many
 *
 * Returns an array of strings, valid until it changes; NULL when empty.
 */
const char *const *config_res_list(const struct config_res *res, enum config_prop prop,
				   size_t *ret_n);

/**
 * config_res_type - which type of resource it is; CONFIG_GLOBAL for config_global()
 */
enum config_type config_res_type(const struct config_res *res);

/* ---- changing it
 * ----------------------------------------------------------------------------------- */

/**
 * config_res_new - a resource that belongs to no configuration yet
 */
int config_res_new(enum config_type type, struct config_res **ret, struct err *err);
int config_res_copy(const struct config_res *res, struct config_res **ret, struct err *err);
void config_res_free(struct config_res *res);
void config_res_freep(struct config_res **res);
#define auto_res __attribute__((cleanup(config_res_freep)))

/**
 * config_res_set - give a property one value, checked by its kind; replaces a list
 *
 * A resource that is part of a configuration must not be changed: copy it, change the copy, and put
 * that in its place with config_add(). Only config_global() may. There max-processes sets max-lwps
 * to ten times as many, unless zone.max-lwps has been said something about.
 *
 * -ZE_INVAL with a message that names the property and what it would take. Nothing changes on
 * failure.
 */
int config_res_set(struct config_res *res, enum config_prop prop, const char *value,
		   struct err *err);

/**
 * config_res_add_value - append to a list property; -ZE_INVAL when it is none
 */
int config_res_add_value(struct config_res *res, enum config_prop prop, const char *value,
			 struct err *err);

/**
 * config_res_remove_value - take one element out of a list; -ZE_NOENT when it is not in it
 */
int config_res_remove_value(struct config_res *res, enum config_prop prop, const char *value,
			    struct err *err);

/**
 * config_res_clear - unset a property without asking whether `clear` is allowed
 */
void config_res_clear(struct config_res *res, enum config_prop prop);

/**
 * config_can_add - what `add TYPE` asks before it opens a new resource
 *
 * -ZE_EXIST when the type is single and present. A capped-memory that is there only because rctls
 * say so does not count: what it lacks may still be added.
 */
int config_can_add(const struct config *cfg, enum config_type type, struct err *err);

/**
 * config_add - put a resource into a configuration; the configuration owns it from then on, on
 * success
 * @replace: the resource it takes the place of (freed), or NULL to append
 *
 * -ZE_EXIST when another resource has the same key, or the type is single and present; -ZE_INVAL
 * when a capped-* cannot be expressed because its rctl has several values or another privilege or
 * action. Adding or removing an rctl may make or free the capped-* resources that show it, and the
 * reverse: pointers to those are invalid afterwards.
 */
int config_add(struct config *cfg, struct config_res *res, struct config_res *replace,
	       struct err *err);

/**
 * config_remove - take a resource out and free it
 */
void config_remove(struct config *cfg, struct config_res *res);

/* ---- checking
 * -------------------------------------------------------------------------------------- */

/* Problems, one line each, in the order they were found. */
struct strv;

/**
 * config_res_check - what `end` checks of one resource (required properties, kinds, cross-checks in
 * it)
 * @problems: a line is appended for each problem
 *
 * Returns 0 when there is none, -ZE_VERIFY else, -ZE_NOMEM.
 */
int config_res_check(const struct config_res *res, struct strv *problems);

/**
 * config_check - what `verify` and `commit` check of a whole configuration
 */
int config_check(const struct config *cfg, struct strv *problems);

/**
 * config_zonepath_check - whether a path may be a zonepath on this host
 * @root: the configuration root, "" for the host
 *
 * -ZE_INVAL when it is "/", or when a symbolic link makes it differ from where it leads (what does
 * not exist yet is fine).
 */
int config_zonepath_check(const char *root, const char *path, struct err *err);

/**
 * config_brand_check - whether this host has a brand
 * @root: the configuration root, "" for the host
 *
 * "native" is built in; another is a directory in /usr/lib/brand with a config.xml. -ZE_INVAL when
 * it is neither. Source: brands(7).
 */
int config_brand_check(const char *root, const char *brand, struct err *err);

/**
 * config_priv_check - whether a limitpriv value can be used, for verify and ready
 * @limitpriv: NULL or "" means the default set
 * @problems: a line is appended for each privilege that is prohibited, required but missing, or
 *            unknown
 *
 * Returns 0, -ZE_VERIFY or -ZE_NOMEM. Source: zonecfg(8) limitpriv, privileges(7).
 */
int config_priv_check(const char *limitpriv, bool exclusive_ip, struct strv *problems);

/**
 * config_priv_caps - the Linux capabilities that a zone's processes may have at most
 * @ret_capability_mask: bit N stands for capability N
 *
 * Returns 0, or -ZE_INVAL with the first problem of config_priv_check().
 */
int config_priv_caps(const char *limitpriv, bool exclusive_ip, uint64_t *ret_capability_mask,
		     struct err *err);

/**
 * config_priv_share - take away what a zone with idmap=shared cannot have
 * @limitpriv: as in config_priv_check()
 * @capability_mask: of config_priv_caps(); changed
 * @warnings: a line is appended for each privilege that is named and not given
 *
 * Returns 0 or -ZE_NOMEM. Source: our choice; docs/security.md.
 */
int config_priv_share(const char *limitpriv, uint64_t *capability_mask, struct strv *warnings);

/* ---- text
 * ------------------------------------------------------------------------------------------ */

/**
 * config_info - what `info` prints
 *
 * config_info() prints everything, config_info_prop() one global property, config_info_res() one
 * resource, finished or not. They return 0, or -ZE_IO when @out has failed.
 */
int config_info(const struct config *cfg, FILE *out);
int config_info_prop(const struct config *cfg, enum config_prop prop, FILE *out);
int config_info_res(const struct config_res *res, FILE *out);

/**
 * config_export - commands that make the same configuration again
 */
int config_export(const struct config *cfg, FILE *out);

/**
 * config_json - the whole configuration as one JSON object (extension; schema in docs/)
 */
int config_json(const struct config *cfg, FILE *out);

/**
 * config_xml - the configuration as the document that is stored
 */
int config_xml(const struct config *cfg, struct str *ret, struct err *err);

/* ---- storing
 * --------------------------------------------------------------------------------------- */

/**
 * config_load - read /etc/zones/NAME.xml
 *
 * -ZE_NOENT: no such zone configured; -ZE_FORMAT with file, line and element or attribute.
 */
int config_load(const char *root, const char *name, struct config **ret, struct err *err);

/**
 * config_load_file - read a configuration document from any file, such as the one a zone was booted
 * with
 */
int config_load_file(const char *path, struct config **ret, struct err *err);

/**
 * config_template - a copy of a template or zone under a new name
 * @from: "SYSdefault", "SUNWblank", ... (built in when /etc/zones has no such file), or a zone
 */
int config_template(const char *root, const char *from, const char *name, struct config **ret,
		    struct err *err);

/**
 * config_save - write the document and the index line (see style: temporary, fsync, rename)
 * @old_name: the name it was loaded under, when it has been renamed; else NULL
 *
 * A new zone gets a line in the state configured; -ZE_INVAL when there are CONFIG_ZONES_MAX
 * already. On failure both files are as they were.
 */
int config_save(const char *root, const struct config *cfg, const char *old_name, struct err *err);

/**
 * config_delete - remove the document and the index line; succeeds when half of it is missing
 */
int config_delete(const char *root, const char *name, struct err *err);

/* ---- the index
 * -------------------------------------------------------------------------------------- */

struct config_entry {
	char name[CONFIG_NAME_MAX + 1];
	enum zone_state state; /* configured, incomplete or installed */
	char *zonepath;
	char uuid[CONFIG_UUID_LEN + 1]; /* "" while configured */
};

struct config_index {
	struct config_entry *entries; /* in the order of the file, "global" first */
	size_t n;
};

/**
 * config_index_load - read /etc/zones/index
 *
 * A missing file is an index with the global zone alone. Malformed lines are skipped.
 */
int config_index_load(const char *root, struct config_index *ret, struct err *err);
void config_index_free(struct config_index *index);
#define auto_index __attribute__((cleanup(config_index_free)))

/**
 * config_index_find - the entry of a zone, or NULL
 */
const struct config_entry *config_index_find(const struct config_index *index, const char *name);

/**
 * config_index_find_uuid - the entry with that UUID (any case), or NULL
 */
const struct config_entry *config_index_find_uuid(const struct config_index *index,
						  const char *uuid);

/**
 * config_set_state - change the state of a zone in the index, on disk before this returns
 *
 * Leaving configured generates a UUID, returning to it drops it. -ZE_NOENT: no such zone.
 */
int config_set_state(const char *root, const char *name, enum zone_state state, struct err *err);

/* ---- locks
 * ------------------------------------------------------------------------------------------ */

struct config_lock {
	int fd;
};

/**
 * config_lock_zone - the zone's lock, /run/zones/NAME/lock; waits while another process holds it
 *
 * An open file description lock: it is gone with the descriptor, however the process ends. It is
 * inherited by nobody (close-on-exec).
 */
int config_lock_zone(const char *root, const char *name, struct config_lock *ret, struct err *err);
void config_unlock(struct config_lock *lock);

/**
 * config_trylock_zone - the same lock, but -ZE_BUSY while another process holds it
 */
int config_trylock_zone(const char *root, const char *name, struct config_lock *ret,
			struct err *err);
#define auto_lock __attribute__((cleanup(config_unlock)))

#endif
