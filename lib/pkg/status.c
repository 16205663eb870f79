/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status file: which packages a host has, in which state, and what they need.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Fields that are looked at; everything else is only carried over. */
enum field {
	F_PACKAGE,
	F_STATUS,
	F_ARCH,
	F_VERSION,
	F_SECTION,
	F_PRIORITY,
	F_ESSENTIAL,
	F_PROTECTED,
	F_MULTI_ARCH,
	F_PRE_DEPENDS,
	F_DEPENDS,
	F_PROVIDES,
	F_CONFFILES,
	F_ZONE_SCOPE,
	F_COUNT,
};

static const char *const field_names[F_COUNT] = {
    [F_PACKAGE] = "Package",         [F_STATUS] = "Status",           [F_ARCH] = "Architecture",
    [F_VERSION] = "Version",         [F_SECTION] = "Section",         [F_PRIORITY] = "Priority",
    [F_ESSENTIAL] = "Essential",     [F_PROTECTED] = "Protected",     [F_MULTI_ARCH] = "Multi-Arch",
    [F_PRE_DEPENDS] = "Pre-Depends", [F_DEPENDS] = "Depends",         [F_PROVIDES] = "Provides",
    [F_CONFFILES] = "Conffiles",     [F_ZONE_SCOPE] = "X-Zone-Scope",
};

static const char *const priority_names[] = {"required", "important", "standard"};

/* Where a message points. */
struct place {
	const char *file;
	unsigned line;
};

static int
damaged(const struct place *at, struct err *err, const char *what)
{
	return err_set(err, ZE_PKG, 0, "%s:%u: %s", at->file, at->line, what);
}

static bool
value_is(const struct deb822_field *f, const char *text)
{
	return f->value && f->value_len == strlen(text) &&
	       !strncasecmp(f->value, text, f->value_len);
}

/* Letters of a package name, version or architecture: nothing that has a meaning in a path. */
static bool
is_word(const struct deb822_field *f, const char *extra)
{
	if (!f->value || !f->value_len || f->value[0] == '.' || f->value_len > 255)
		return false;
	for (size_t i = 0; i < f->value_len; i++) {
		char c = f->value[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr(extra, c))))
			return false;
	}
	return true;
}

static int
read_fields(struct deb822 *d, struct deb822_field *fields, struct err *err)
{
	struct deb822_field f;
	int r;

	memset(fields, 0, F_COUNT * sizeof(*fields));
	while ((r = deb822_field(d, &f, err)) > 0) {
		for (size_t i = 0; i < F_COUNT; i++) {
			if (!deb822_is(&f, field_names[i]))
				continue;
			if (fields[i].name)
				return err_set(err, ZE_PKG, 0, "%s:%u: a second '%s'", d->file,
					       f.line, field_names[i]);
			fields[i] = f;
			break;
		}
	}
	if (r < 0 && err)
		err->code = ZE_PKG;
	return r < 0 ? -ZE_PKG : 0;
}

/* "want flag state": what dpkg thinks of the package. */
static int
read_state(struct dpkg_host *host, const struct deb822_field *f, const struct place *at,
	   bool *ret_here, const char **ret_broken, struct err *err)
{
	static const char *const good[] = {"installed", "triggers-pending", "triggers-awaited"};
	static const char *const gone[] = {"not-installed", "config-files"};
	auto_free char *text = f->value ? strndup(f->value, f->value_len) : NULL;
	char *want, *flag, *state, *rest = NULL;

	if (!f->value)
		return damaged(at, err, "no 'Status'");
	if (!text)
		return err_nomem(err);
	want = strtok_r(text, " ", &rest);
	flag = want ? strtok_r(NULL, " ", &rest) : NULL;
	state = flag ? strtok_r(NULL, " ", &rest) : NULL;
	if (!state || strtok_r(NULL, " ", &rest))
		return damaged(at, err, "'Status' is not three words");
	*ret_here = true;
	*ret_broken = NULL;
	if (strcmp(flag, "ok") != 0) {
		*ret_broken = arena_strndup(&host->base.arena, flag, strlen(flag));
		return *ret_broken ? 0 : err_nomem(err);
	}
	for (size_t i = 0; i < 3; i++)
		if (!strcmp(state, good[i]))
			return 0;
	*ret_here = strcmp(state, gone[0]) != 0 && strcmp(state, gone[1]) != 0;
	if (!*ret_here)
		return 0;
	*ret_broken = arena_strndup(&host->base.arena, state, strlen(state));
	return *ret_broken ? 0 : err_nomem(err);
}

static int
read_relations(struct dpkg_host *host, struct dpkg_pkg *pkg, const struct deb822_field *fields,
	       const struct place *at, struct err *err)
{
	struct dpkg_group *pre = NULL, *dep = NULL, *all;
	size_t n_pre = 0, n_dep = 0;
	struct {
		enum field field;
		struct dpkg_group **groups;
		size_t *n;
	} want[] = {
	    {F_PRE_DEPENDS, &pre, &n_pre},
	    {F_DEPENDS, &dep, &n_dep},
	    {F_PROVIDES, &pkg->provides, &pkg->n_provides},
	};

	for (size_t i = 0; i < 3; i++) {
		const struct deb822_field *f = &fields[want[i].field];
		int r;

		if (!f->value)
			continue;
		r = dpkg_relation_parse(&host->base.arena, f->value, f->value_len, want[i].groups,
					want[i].n, err);
		if (r == -ZE_FORMAT) {
			err->code = ZE_PKG;
			return err_add(err, "%s:%u: package '%s', %s", at->file, f->line, pkg->name,
				       field_names[want[i].field]);
		}
		if (r < 0)
			return r;
	}
	all = arena_alloc(&host->base.arena, (n_pre + n_dep + 1) * sizeof(*all));
	if (!all)
		return err_nomem(err);
	for (size_t i = 0; i < n_pre; i++) {
		all[i] = pre[i];
		all[i].pre = true;
	}
	for (size_t i = 0; i < n_dep; i++)
		all[n_pre + i] = dep[i];
	pkg->needs = all;
	pkg->n_needs = n_pre + n_dep;
	return 0;
}

/* One line of Conffiles: " /path md5 [obsolete|remove-on-upgrade]". */
static int
read_conffile(struct dpkg_host *host, const char *line, size_t len, const struct place *at,
	      struct dpkg_conffile *ret, struct err *err)
{
	auto_free char *text = strndup(line, len);
	bool flagged, dropped = false;
	char *path, *end, *md5;

	if (!text)
		return err_nomem(err);
	*ret = (struct dpkg_conffile){0};
	for (path = text; *path == ' ' || *path == '\t'; path++)
		;
	/* The path may have blanks; what follows it has none. */
	end = path + strlen(path);
	while (end > path && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	do {
		md5 = strrchr(path, ' ');
		if (!md5)
			return damaged(at, err, "a line of 'Conffiles' without a digest");
		*md5++ = '\0';
		flagged = !strcmp(md5, "obsolete") || !strcmp(md5, "remove-on-upgrade");
		dropped |= flagged;
	} while (flagged);
	if (dropped || !strcmp(md5, "newconffile"))
		return 0; /* not of the package any more, or not yet */
	if (strlen(md5) != 32 || strspn(md5, "0123456789abcdef") != 32)
		return damaged(at, err, "a digest of 'Conffiles' is not 32 hexadecimal digits");
	if (dpkg_path_check(path, strlen(path)))
		return damaged(at, err, "a path of 'Conffiles' is not absolute and plain");
	ret->path = arena_strndup(&host->base.arena, path, strlen(path));
	ret->md5 = arena_strndup(&host->base.arena, md5, 32);
	return ret->path && ret->md5 ? 0 : err_nomem(err);
}

static int
read_conffiles(struct dpkg_host *host, struct dpkg_pkg *pkg, const struct deb822_field *f,
	       const char *file, struct err *err)
{
	const char *p = f->value, *end, *eol;
	struct place at = {file, f->line};
	size_t room = 1;
	int r;

	if (!p || !f->value_len)
		return 0;
	end = p + f->value_len;
	for (const char *q = p; q < end; q++)
		room += *q == '\n';
	pkg->conffiles = arena_alloc(&host->base.arena, room * sizeof(*pkg->conffiles));
	if (!pkg->conffiles)
		return err_nomem(err);
	for (; p < end; p = eol + 1, at.line++) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		if (eol == p)
			continue;
		r = read_conffile(host, p, (size_t)(eol - p), &at,
				  &pkg->conffiles[pkg->n_conffiles], err);
		if (r < 0)
			return r;
		if (pkg->conffiles[pkg->n_conffiles].path)
			pkg->n_conffiles++;
	}
	return 0;
}

static const char *
copy_value(struct dpkg_host *host, const struct deb822_field *f)
{
	return arena_strndup(&host->base.arena, f->value ? f->value : "", f->value_len);
}

static int
read_names(struct dpkg_host *host, struct dpkg_pkg *pkg, const struct deb822_field *fields,
	   const struct place *at, struct err *err)
{
	if (!is_word(&fields[F_PACKAGE], "+-."))
		return damaged(at, err, "'Package' is missing or not a package name");
	if (!is_word(&fields[F_ARCH], "-"))
		return damaged(at, err, "'Architecture' is missing or not one");
	if (!is_word(&fields[F_VERSION], "+-.:~"))
		return damaged(at, err, "'Version' is missing or not one");
	pkg->name = copy_value(host, &fields[F_PACKAGE]);
	pkg->arch = copy_value(host, &fields[F_ARCH]);
	pkg->version = copy_value(host, &fields[F_VERSION]);
	pkg->section = copy_value(host, &fields[F_SECTION]);
	if (!pkg->name || !pkg->arch || !pkg->version || !pkg->section)
		return err_nomem(err);
	pkg->same = value_is(&fields[F_MULTI_ARCH], "same");
	pkg->foreign = value_is(&fields[F_MULTI_ARCH], "foreign");
	pkg->allowed = value_is(&fields[F_MULTI_ARCH], "allowed");
	pkg->essential = value_is(&fields[F_ESSENTIAL], "yes");
	pkg->protected = value_is(&fields[F_PROTECTED], "yes");
	pkg->host_scope = value_is(&fields[F_ZONE_SCOPE], "global");
	pkg->priority = DPKG_PRIORITY_OTHER;
	for (size_t i = 0; i < DPKG_PRIORITY_OTHER; i++)
		if (value_is(&fields[F_PRIORITY], priority_names[i]))
			pkg->priority = (enum dpkg_priority)i;
	pkg->key =
	    pkg->same ? arena_printf(&host->base.arena, "%s:%s", pkg->name, pkg->arch) : pkg->name;
	return pkg->key ? 0 : err_nomem(err);
}

static int
add_provided(struct dpkg_host *host, uint32_t i, struct err *err)
{
	const struct dpkg_pkg *pkg = &host->pkgs[i];
	uint32_t old;

	for (size_t g = 0; g < pkg->n_provides; g++) {
		const struct dpkg_alt *what = &pkg->provides[g].alts[0];

		if (host->n_providers == host->room_providers) {
			size_t room = host->room_providers ? host->room_providers * 2 : 256;
			struct dpkg_provider *bigger =
			    reallocarray(host->providers, room, sizeof(*bigger));

			if (!bigger)
				return err_nomem(err);
			host->providers = bigger;
			host->room_providers = room;
		}
		host->providers[host->n_providers] =
		    (struct dpkg_provider){.package = i, .what = what, .next = STRMAP_NONE};
		if (strmap_put(&host->by_provided, what->name, strlen(what->name),
			       (uint32_t)host->n_providers, &old) < 0)
			return err_nomem(err);
		if (old != STRMAP_NONE) {
			/* Behind the others: the order of status decides. */
			while (host->providers[old].next != STRMAP_NONE)
				old = host->providers[old].next;
			host->providers[old].next = (uint32_t)host->n_providers;
		}
		host->n_providers++;
	}
	return 0;
}

static int
add_package(struct dpkg_host *host, const struct dpkg_pkg *pkg, const struct place *at,
	    struct err *err)
{
	uint32_t i = (uint32_t)host->n_pkgs, first, old;
	struct dpkg_pkg *bigger;

	if (host->n_pkgs == DPKG_PACKAGES_MAX)
		return damaged(at, err, "more packages than any host has");
	if (host->n_pkgs == host->room_pkgs) {
		size_t room = host->room_pkgs ? host->room_pkgs * 2 : 512;

		bigger = reallocarray(host->pkgs, room, sizeof(*bigger));
		if (!bigger)
			return err_nomem(err);
		host->pkgs = bigger;
		host->room_pkgs = room;
	}
	host->pkgs[i] = *pkg;
	host->pkgs[i].next_same_name = STRMAP_NONE;
	host->n_pkgs++;
	if (strmap_put(&host->by_key, pkg->key, strlen(pkg->key), i, &old) < 0 ||
	    strmap_put(&host->by_name, pkg->name, strlen(pkg->name), i, &first) < 0)
		return err_nomem(err);
	if (old != STRMAP_NONE)
		return err_set(err, ZE_PKG, 0, "%s:%u: a second entry for package '%s'", at->file,
			       at->line, pkg->key);
	if (first != STRMAP_NONE) {
		while (host->pkgs[first].next_same_name != STRMAP_NONE)
			first = host->pkgs[first].next_same_name;
		host->pkgs[first].next_same_name = i;
	}
	return add_provided(host, i, err);
}

static int
read_package(struct dpkg_host *host, struct deb822 *d, struct err *err)
{
	struct place at = {d->file, d->line};
	struct deb822_field fields[F_COUNT];
	struct dpkg_pkg pkg = {.para = d->p, .line = d->line};
	bool here;
	int r;

	r = read_fields(d, fields, err);
	if (r < 0)
		return r;
	pkg.para_len = (size_t)(d->p - pkg.para);
	r = read_state(host, &fields[F_STATUS], &at, &here, &pkg.broken, err);
	if (r < 0 || !here)
		return r;
	r = read_names(host, &pkg, fields, &at, err);
	if (r < 0)
		return r;
	r = read_relations(host, &pkg, fields, &at, err);
	if (r < 0)
		return r;
	r = read_conffiles(host, &pkg, &fields[F_CONFFILES], d->file, err);
	if (r < 0)
		return err_add(err, "package '%s'", pkg.name);
	return add_package(host, &pkg, &at, err);
}

int
dpkg_host_parse_status(struct dpkg_host *host, const char *file, const char *text, size_t len,
		       struct err *err)
{
	struct deb822 d = {.file = file, .p = text, .end = text + len};
	uint32_t i;
	int r;

	while (deb822_next(&d)) {
		r = read_package(host, &d, err);
		if (r < 0)
			return r;
	}
	if (!host->n_pkgs)
		return err_set(err, ZE_PKG, 0, "'%s' lists no installed package", file);
	i = strmap_get(&host->by_name, "dpkg", 4);
	host->dpkg_version = i == STRMAP_NONE ? "1.21.22" : host->pkgs[i].version;
	return 0;
}
