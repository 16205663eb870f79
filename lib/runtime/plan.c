/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What booting a zone would do, as data: computed from its configuration and facts of the host by
 * reading only. Mounts and names are here; host.c has the facts, limits.c the resource controls and
 * bootargs.c the command line of init.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- mounts ---- */

static struct plan_mount *
mount_add(struct runtime_plan *plan, enum plan_mount_kind kind, const char *source,
	  const char *target)
{
	struct plan_mount *bigger, *m;

	bigger = reallocarray(plan->mounts, plan->n_mounts + 1, sizeof(*bigger));
	if (!bigger)
		return NULL;
	plan->mounts = bigger;
	m = &plan->mounts[plan->n_mounts++];
	*m = (struct plan_mount){.kind = kind, .target = strdup(target)};
	if (source)
		m->source = strdup(source);
	return m->target && (!source || m->source) ? m : NULL;
}

static void
mount_clear(struct plan_mount *m)
{
	free(m->source);
	free(m->fs_type);
	free(m->target);
	strv_free(&m->options);
}

/* By the target: "/a" comes before "/a/b", so that parents are mounted first. */
static int
mount_compare(const void *a, const void *b)
{
	const struct plan_mount *x = a, *y = b;

	return strcmp(x->target, y->target);
}

/* Both vocabularies: Solaris' words and Linux'. Solaris' nosuid takes devices away as well. */
static const struct mount_option {
	const char *name;
	uint64_t set, clear;
	bool flat; /* leave out what is mounted below a bind */
} mount_options[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0, false},
    {"rw", 0, MOUNT_ATTR_RDONLY, false},
    {"nodevices", MOUNT_ATTR_NODEV, 0, false},
    {"nodev", MOUNT_ATTR_NODEV, 0, false},
    /* A zone gets devices by `add device` alone: these two ask for what is never given. */
    {"devices", 0, 0, false},
    {"dev", 0, 0, false},
    {"nosuid", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, false},
    {"suid", 0, MOUNT_ATTR_NOSUID, false},
    {"nosetuid", MOUNT_ATTR_NOSUID, 0, false},
    {"setuid", 0, MOUNT_ATTR_NOSUID, false},
    {"noexec", MOUNT_ATTR_NOEXEC, 0, false},
    {"exec", 0, MOUNT_ATTR_NOEXEC, false},
    {"nosub", 0, 0, true},
    {"noatime", MOUNT_ATTR_NOATIME, 0, false},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0, false},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, false},
    {"bind", 0, 0, true},
    {"rbind", 0, 0, false},
    {"defaults", 0, 0, false},
    {"logging", 0, 0, false},
    {"nologging", 0, 0, false},
};

/* Types of `add fs` and what they are here. */
static const struct mount_type {
	const char *name;
	enum plan_mount_kind kind;
	const char *fs_type;
	const char *const *options; /* of the file system, by key */
} mount_types[] = {
    {"lofs", PLAN_BIND, NULL, (const char *const[]){NULL}},
    {"tmpfs", PLAN_TMPFS, "tmpfs",
     (const char *const[]){"size", "nr_inodes", "mode", "huge", NULL}},
    {"ufs", PLAN_BLOCK, "ext4", (const char *const[]){NULL}},
    {"ext4", PLAN_BLOCK, "ext4", (const char *const[]){"discard", "data", NULL}},
    {"xfs", PLAN_BLOCK, "xfs", (const char *const[]){"discard", NULL}},
    {"btrfs", PLAN_BLOCK, "btrfs", (const char *const[]){"subvol", "compress", "discard", NULL}},
    {"pcfs", PLAN_BLOCK, "vfat", (const char *const[]){NULL}},
    {"vfat", PLAN_BLOCK, "vfat", (const char *const[]){NULL}},
};

static int
fs_option_apply(const struct mount_type *type, const char *word, struct plan_mount *m)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < sizeof(mount_options) / sizeof(mount_options[0]); i++) {
		if (strcmp(mount_options[i].name, word) != 0)
			continue;
		m->attrs = (m->attrs | mount_options[i].set) & ~mount_options[i].clear;
		if (mount_options[i].flat)
			m->recursive = false;
		return 0;
	}
	for (const char *const *key = type->options; *key; key++) {
		if (strlen(*key) == len && !strncmp(*key, word, len))
			return strv_add(&m->options, word);
	}
	return -ZE_INVAL;
}

static const struct mount_type *
mount_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(mount_types) / sizeof(mount_types[0]); i++) {
		if (!strcmp(mount_types[i].name, name))
			return &mount_types[i];
	}
	return NULL;
}

/* What is mounted: a line for what it cannot be. */
static int
check_special(const struct mount_type *type, const char *dir, const char *special,
	      struct strv *problems)
{
	struct stat st;

	if (type->kind == PLAN_TMPFS)
		return 0;
	if (!special || stat(special, &st) < 0)
		return strv_addf(problems, "fs %s: special '%s': %s", dir, special ? special : "",
				 special ? strerror(errno) : "not set");
	if (type->kind == PLAN_BLOCK && !S_ISBLK(st.st_mode))
		return strv_addf(problems, "fs %s: special '%s' is not a block device", dir,
				 special);
	return 0;
}

int
runtime_fs_check(const struct config_res *fs, struct strv *problems, struct strv *words,
		 struct err *err)
{
	const char *dir = config_res_get(fs, CONFIG_FS_DIR);
	const char *name = config_res_get(fs, CONFIG_FS_FSTYPE);
	const struct mount_type *type;
	struct plan_mount unused = {0};
	const char *const *options;
	size_t n;
	int r;

	if (!dir || !name)
		return 0; /* config_check() tells what is missing */
	type = mount_type_find(name);
	r = type ? check_special(type, dir, config_res_get(fs, CONFIG_FS_SPECIAL), problems)
		 : strv_addf(problems, "fs %s: file systems of the type '%s' cannot be mounted",
			     dir, name);
	options = config_res_list(fs, CONFIG_FS_OPTIONS, &n);
	for (size_t i = 0; type && r == 0 && i < n; i++) {
		r = fs_option_apply(type, options[i], &unused);
		if (r == -ZE_INVAL)
			r = strv_addf(words, "fs %s: unknown option '%s' for the type '%s'", dir,
				      options[i], name);
	}
	mount_clear(&unused);
	return r < 0 ? err_nomem(err) : 0;
}

static int
plan_fs(const struct config_res *res, struct runtime_plan *plan, struct strv *problems,
	struct err *err)
{
	const char *dir = config_res_get(res, CONFIG_FS_DIR);
	const char *name = config_res_get(res, CONFIG_FS_FSTYPE);
	size_t before = problems->n, n;
	const struct mount_type *type;
	const char *const *options;
	struct plan_mount *m;
	int r;

	if (!dir || !name)
		return strv_add(problems, "fs: dir and type must be set");
	type = mount_type_find(name);
	r = runtime_fs_check(res, problems, problems, err);
	if (r < 0 || !type || problems->n > before)
		return r;
	m = mount_add(plan, type->kind,
		      type->kind == PLAN_TMPFS ? NULL : config_res_get(res, CONFIG_FS_SPECIAL),
		      dir);
	if (!m)
		return err_nomem(err);
	m->attrs = MOUNT_ATTR_NODEV;
	m->recursive = type->kind == PLAN_BIND;
	if (type->fs_type) {
		m->fs_type = strdup(type->fs_type);
		if (!m->fs_type)
			return err_nomem(err);
	}
	options = config_res_list(res, CONFIG_FS_OPTIONS, &n);
	for (size_t i = 0; i < n; i++) {
		if (fs_option_apply(type, options[i], m) < 0)
			return err_nomem(err);
	}
	return 0;
}

static int
plan_inherit(const struct config_res *res, struct runtime_plan *plan, struct strv *problems,
	     struct err *err)
{
	const char *dir = config_res_get(res, CONFIG_INHERIT_PKG_DIR_DIR);
	struct plan_mount *m;
	struct stat st;

	if (!dir || lstat(dir, &st) < 0)
		return strv_addf(problems, "inherit-pkg-dir %s: %s", dir ? dir : "",
				 strerror(dir ? errno : EINVAL));
	if (!S_ISDIR(st.st_mode))
		return strv_addf(problems, "inherit-pkg-dir %s: is not a directory", dir);
	m = mount_add(plan, PLAN_BIND, dir, dir);
	if (!m)
		return err_nomem(err);
	m->attrs = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV;
	m->recursive = true;
	return 0;
}

/* Every host directory must be on a file system that can be idmapped: its ids are the zone's. */
static int
check_idmap(const struct runtime_plan *plan, const char *what, const char *path,
	    struct strv *problems, struct err *err)
{
	struct storage_facts facts;
	bool can;
	int r;

	if (plan->shares_ids)
		return 0;
	r = storage_can_idmap(path, &can, err);
	if (r == 0 && !can)
		r = storage_facts(path, &facts, err);
	if (r < 0 || can)
		return r;
	return strv_addf(problems,
			 "%s: the file system '%s' of '%s' cannot be idmapped; put it on btrfs, "
			 "ext4 or xfs, or 'set idmap=shared' (see zonecfg(8))",
			 what, facts.fs_type, path);
}

static int
plan_mounts(const struct config *cfg, struct runtime_plan *plan, struct strv *problems,
	    struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < config_count(cfg, CONFIG_INHERIT_PKG_DIR); i++)
		r = plan_inherit(config_at(cfg, CONFIG_INHERIT_PKG_DIR, i), plan, problems, err);
	for (size_t i = 0; r == 0 && i < config_count(cfg, CONFIG_FS); i++)
		r = plan_fs(config_at(cfg, CONFIG_FS, i), plan, problems, err);
	if (r < 0)
		return r;
	if (plan->n_mounts)
		qsort(plan->mounts, plan->n_mounts, sizeof(*plan->mounts), mount_compare);
	for (size_t i = 0; r == 0 && i < plan->n_mounts; i++) {
		if (plan->mounts[i].kind == PLAN_BIND)
			r = check_idmap(plan, plan->mounts[i].target, plan->mounts[i].source,
					problems, err);
	}
	return r;
}

/* ---- devices ---- */

static int
plan_device(const struct config_res *res, struct runtime_plan *plan, struct strv *problems,
	    struct strv *warnings)
{
	const char *match = config_res_get(res, CONFIG_DEVICE_MATCH);
	glob_t found = {0};
	struct stat st;
	size_t n = 0;
	int r = 0;

	if (!match || strncmp(match, "/dev/", 5) != 0 || strstr(match, ".."))
		return strv_addf(problems, "device %s: match must be below /dev",
				 match ? match : "");
	if (glob(match, GLOB_NOSORT, NULL, &found) == 0) {
		for (size_t i = 0; r == 0 && i < found.gl_pathc; i++) {
			if (stat(found.gl_pathv[i], &st) < 0 ||
			    (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
				continue;
			n++;
			if (!strv_has(&plan->devices, found.gl_pathv[i]))
				r = strv_add(&plan->devices, found.gl_pathv[i]);
		}
		globfree(&found);
	}
	if (r == 0 && n == 0)
		r = strv_addf(warnings, "device %s: matches no device of this host", match);
	return r;
}

/* ---- what is stored but has no effect yet ---- */

static const struct {
	enum config_type type;
	const char *why;
} ignored_types[] = {
    {CONFIG_NET, "net: is stored; the zone has only its loopback interface"},
    {CONFIG_ANET, "anet: is stored; the zone has only its loopback interface"},
    {CONFIG_DATASET, "dataset: is stored; no dataset is delegated"},
    {CONFIG_DEDICATED_CPU, "dedicated-cpu: is stored; the zone uses the processors of the host"},
    {CONFIG_SECURITY_FLAGS, "security-flags: is stored; Linux has no such switch"},
};

static const struct {
	enum config_prop prop;
	const char *why;
} ignored_props[] = {
    {CONFIG_POOL, "pool: is stored; the zone is not bound to a pool"},
    {CONFIG_SCHEDULING_CLASS, "scheduling-class: is stored; the zone has the host's"},
    {CONFIG_FS_ALLOWED, "fs-allowed: is stored; the kernel's own list applies"},
};

static int
plan_ignored(const struct config *cfg, struct strv *warnings)
{
	const char *value;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(ignored_types) / sizeof(ignored_types[0]); i++) {
		if (config_count(cfg, ignored_types[i].type))
			r = strv_add(warnings, ignored_types[i].why);
	}
	for (size_t i = 0; r == 0 && i < sizeof(ignored_props) / sizeof(ignored_props[0]); i++) {
		value = config_get(cfg, ignored_props[i].prop);
		if (value && *value)
			r = strv_add(warnings, ignored_props[i].why);
	}
	return r;
}

/* ---- the whole ---- */

/* Whether one of @controllers is in a list of names with commas, as hierarchies are called. */
static bool
has_controller(const char *list, size_t len, const char *const *controllers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t size = strlen(controllers[i]);

		for (size_t at = 0; at + size <= len; at += strcspn(list + at, ",:") + 1) {
			if (!strncmp(list + at, controllers[i], size) &&
			    (at + size == len || list[at + size] == ','))
				return true;
		}
	}
	return false;
}

/* The lists are as long as the one that they are made of. */
static size_t
add_name(char *list, size_t at, const char *name, size_t len)
{
	if (at)
		list[at++] = ':';
	memcpy(list + at, name, len);
	return at + len;
}

/*
 * Where a zone needs a v1 cgroup of its own: for limits, for its fair part, and for the device
 * policy. Making and removing one is a good part of a boot, so in the others all zones are in one
 * that holds nothing else. Zones with the host's ids would own it, so they have their own.
 */
static void
plan_hierarchies1(struct runtime_plan *plan)
{
	static const char *const own[] = {"cpu", "memory", "pids", "devices"};
	const char *p = plan->host.hierarchies1;
	size_t n, at_own = 0, at_shared = 0;

	for (; *p; p += n + (p[n] == ':')) {
		n = strcspn(p, ":");
		if (plan->shares_ids || has_controller(p, n, own, sizeof(own) / sizeof(own[0])))
			at_own = add_name(plan->hierarchies1, at_own, p, n);
		else
			at_shared = add_name(plan->shared1, at_shared, p, n);
	}
}

static int
plan_identity(const struct config *cfg, const char *uuid, struct runtime_plan *plan,
	      struct strv *problems, struct err *err)
{
	const char *hostid = config_get(cfg, CONFIG_HOSTID);
	struct stat st;
	char *end;

	(void)snprintf(plan->name, sizeof(plan->name), "%s", config_zonename(cfg));
	(void)snprintf(plan->uuid, sizeof(plan->uuid), "%s", uuid ? uuid : "");
	(void)snprintf(plan->cgroup, sizeof(plan->cgroup), "%s/%s", plan->host.cgroup_parent,
		       plan->name);
	plan->shares_ids = str_eq(config_get(cfg, CONFIG_IDMAP), "shared");
	(void)snprintf(plan->cgroup_home, sizeof(plan->cgroup_home), "%s%s", plan->cgroup,
		       plan->shares_ids ? "/zone" : "");
	plan_hierarchies1(plan);
	plan->zonepath = strdup(config_zonepath(cfg));
	if (!plan->zonepath || asprintf(&plan->root, "%s/root", plan->zonepath) < 0) {
		plan->root = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (hostid && *hostid) {
		plan->has_hostid = true;
		plan->hostid = (uint32_t)strtoul(hostid, &end, 16);
		if (*end && strv_addf(problems, "hostid '%s' is not a number", hostid) < 0)
			return err_nomem(err);
	}
	if (lstat(plan->root, &st) < 0)
		return strv_addf(problems, "zone root '%s': %s", plan->root, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return strv_addf(problems, "zone root '%s' is not a directory", plan->root);
	return check_idmap(plan, "zonepath", plan->root, problems, err);
}

static int
plan_privileges(const struct config *cfg, struct runtime_plan *plan, struct strv *problems,
		struct strv *warnings, struct err *err)
{
	const char *limitpriv = config_get(cfg, CONFIG_LIMITPRIV);
	bool exclusive = str_eq(config_get(cfg, CONFIG_IP_TYPE), "exclusive");
	int r;

	r = config_priv_check(limitpriv, exclusive, problems);
	if (r == -ZE_VERIFY)
		return 0; /* each has its line */
	if (r < 0)
		return err_nomem(err);
	r = config_priv_caps(limitpriv, exclusive, &plan->caps, err);
	if (r == 0 && plan->shares_ids && config_priv_share(limitpriv, &plan->caps, warnings) < 0)
		return err_nomem(err);
	return r;
}

/* Debian's kernels have a switch that leaves user namespaces to the host's root. */
static int
plan_nesting(const struct config *cfg, struct runtime_plan *plan, struct strv *problems)
{
	auto_free char *value = NULL;
	size_t size;

	plan->nesting = str_eq(config_get(cfg, CONFIG_NESTING), "true");
	/* A reboot from inside takes the configuration as it is, unchecked. */
	if (plan->nesting && plan->shares_ids)
		return strv_add(problems, "nesting 'true' and idmap 'shared' are incompatible");
	if (!plan->nesting || path_file_read("/proc/sys/kernel/unprivileged_userns_clone", 16,
					     &value, &size, NULL) < 0)
		return 0;
	return *value != '0'
		   ? 0
		   : strv_add(problems,
			      "nesting: this host leaves user namespaces to its root; set "
			      "the sysctl kernel.unprivileged_userns_clone to 1");
}

static int
plan_environment(struct runtime_plan *plan)
{
	/* systemd looks for the first to know that it is not on bare hardware. */
	static const char *const fixed[] = {
	    "container=zones",
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	    "TERM=xterm",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(fixed) / sizeof(fixed[0]); i++)
		r = strv_add(&plan->envp, fixed[i]);
	if (r == 0 && plan->uuid[0])
		r = strv_addf(&plan->envp, "container_uuid=%s", plan->uuid);
	return r;
}

static int
plan_fill(const struct runtime_plan_req *req, struct runtime_plan *plan, struct strv *problems,
	  struct strv *warnings, struct err *err)
{
	const struct config *cfg = req->config;
	int r;

	runtime_host_probe(&plan->host);
	plan->ready_only = req->ready_only;
	if (!*plan->host.cgroup2 &&
	    strv_add(problems, "no cgroup2 file system at /sys/fs/cgroup or "
			       "/sys/fs/cgroup/unified") < 0)
		return err_nomem(err);
	r = plan_identity(cfg, req->uuid, plan, problems, err);
	if (r == 0)
		r = plan_privileges(cfg, plan, problems, warnings, err);
	if (r == 0)
		r = plan_nesting(cfg, plan, problems);
	if (r == 0)
		r = plan_mounts(cfg, plan, problems, err);
	for (size_t i = 0; r == 0 && i < config_count(cfg, CONFIG_DEVICE); i++)
		r = plan_device(config_at(cfg, CONFIG_DEVICE, i), plan, problems, warnings);
	if (r == 0)
		r = plan_limits(cfg, plan, warnings, err);
	if (r == 0)
		r = plan_bootargs(req->bootargs, config_get(cfg, CONFIG_BOOTARGS),
				  config_get(cfg, CONFIG_INIT), &plan->argv, problems, warnings,
				  err);
	if (r == 0)
		r = plan_environment(plan);
	if (r == 0)
		r = plan_ignored(cfg, warnings);
	return r;
}

int
runtime_plan_make(const struct runtime_plan_req *req, struct strv *problems, struct strv *warnings,
		  struct runtime_plan **ret, struct err *err)
{
	auto_runtime_plan struct runtime_plan *plan = calloc(1, sizeof(*plan));
	size_t before = problems->n;
	int r;

	if (!plan)
		return err_nomem(err);
	r = plan_fill(req, plan, problems, warnings, err);
	if (r == -ZE_NOMEM)
		return err_nomem(err);
	if (r < 0)
		return err_add(err, "zone '%s'", config_zonename(req->config));
	if (problems->n > before)
		return err_set(err, ZE_VERIFY, 0, "zone '%s' cannot be booted: %s",
			       config_zonename(req->config), problems->v[before]);
	*ret = ptr_take(&plan);
	return 0;
}

void
runtime_plan_free(struct runtime_plan *plan)
{
	int saved_errno = errno;

	if (!plan)
		return;
	for (size_t i = 0; i < plan->n_mounts; i++)
		mount_clear(&plan->mounts[i]);
	free(plan->mounts);
	free(plan->zonepath);
	free(plan->root);
	strv_free(&plan->argv);
	strv_free(&plan->envp);
	strv_free(&plan->devices);
	free(plan);
	errno = saved_errno;
}

void
runtime_plan_freep(struct runtime_plan **plan)
{
	runtime_plan_free(*plan);
}

static void
print_mount(const struct plan_mount *m, FILE *out)
{
	static const char *const kinds[] = {
	    [PLAN_BIND] = "bind", [PLAN_BLOCK] = "mount", [PLAN_TMPFS] = "tmpfs"};
	static const struct {
		uint64_t attr;
		const char *name;
	} names[] = {
	    {MOUNT_ATTR_RDONLY, "ro"},
	    {MOUNT_ATTR_NOSUID, "nosuid"},
	    {MOUNT_ATTR_NODEV, "nodev"},
	    {MOUNT_ATTR_NOEXEC, "noexec"},
	};

	(void)fprintf(out, "%s %s on %s", kinds[m->kind], m->source ? m->source : "-", m->target);
	if (m->fs_type)
		(void)fprintf(out, " type %s", m->fs_type);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (m->attrs & names[i].attr)
			(void)fprintf(out, " %s", names[i].name);
	}
	if (m->recursive)
		(void)fputs(" recursive", out);
	for (size_t i = 0; i < m->options.n; i++)
		(void)fprintf(out, " %s", m->options.v[i]);
	(void)fputc('\n', out);
}

int
runtime_plan_print(const struct runtime_plan *plan, FILE *out)
{
	(void)fprintf(out, "zone %s\nroot %s %s nodev\n", plan->name, plan->root,
		      plan->shares_ids ? "shared-ids" : "idmapped");
	(void)fprintf(out, "cgroup %s\ncapabilities %#llx\n", plan->cgroup_home,
		      (unsigned long long)plan->caps);
	if (plan->nesting)
		(void)fputs("nesting\n", out);
	if (plan->has_hostid)
		(void)fprintf(out, "hostid %08x\n", plan->hostid);
	for (size_t i = 0; i < plan->n_mounts; i++)
		print_mount(&plan->mounts[i], out);
	for (size_t i = 0; i < plan->devices.n; i++)
		(void)fprintf(out, "device %s\n", plan->devices.v[i]);
	for (size_t i = 0; i < plan->n_limits; i++)
		(void)fprintf(out, "limit %s = %s\n", plan->limits[i].file, plan->limits[i].value);
	for (size_t i = 0; i < plan->n_sysctls; i++)
		(void)fprintf(out, "sysctl %s = %s\n", plan->sysctls[i].path,
			      plan->sysctls[i].value);
	if (plan->has_memlock)
		(void)fprintf(out, "limit memlock = %llu\n",
			      (unsigned long long)plan->memlock_bytes);
	(void)fputs("init", out);
	for (size_t i = 0; i < plan->argv.n; i++)
		(void)fprintf(out, " %s", plan->argv.v[i]);
	(void)fputc('\n', out);
	return ferror(out) ? -ZE_IO : 0;
}
