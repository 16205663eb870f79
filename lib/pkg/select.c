/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the host's packages a zone gets. First what cannot be in a zone is found: by a package's
 * own files, by its section, by the policy's names. Then what every system must have and what was
 * asked for by name is taken with all that it needs, whatever the first step said of it. Then goes
 * out whatever cannot work without something that is out. What is left is chosen from.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct selection {
	const struct dpkg_host *host;
	const struct dpkg_policy *policy;
	struct dpkg_choice *choices;
	bool *kept;      /* may not go out any more */
	bool *refused;   /* left out by the request: nothing brings it back */
	bool *asked;     /* by the request or an include line */
	uint32_t *queue; /* of a closure */
	size_t queued;
	struct arena arena; /* reasons that are made up here; moved to the host's */
	struct err *err;
};

/* ---- who satisfies a relation ---- */

static const char *
native_arch(const struct dpkg_host *host)
{
	uint32_t i = strmap_get(&host->by_name, "dpkg", 4);

	return i == STRMAP_NONE ? "all" : host->pkgs[i].arch;
}

static bool
arch_fits(const struct dpkg_host *host, const struct dpkg_pkg *of, const struct dpkg_alt *alt,
	  const struct dpkg_pkg *by)
{
	const char *native = native_arch(host);
	const char *of_arch = strcmp(of->arch, "all") ? of->arch : native;
	const char *by_arch = strcmp(by->arch, "all") ? by->arch : native;

	if (by->foreign || !strcmp(of_arch, by_arch))
		return true;
	if (!alt->arch)
		return false;
	return !strcmp(alt->arch, "any") ? by->allowed : !strcmp(alt->arch, by_arch);
}

static uint32_t
satisfier_of_alt(const struct dpkg_host *host, uint32_t of, const struct dpkg_alt *alt,
		 bool (*usable)(const void *arg, uint32_t i), const void *arg)
{
	const struct dpkg_pkg *pkgs = host->pkgs;
	size_t len = strlen(alt->name);

	for (uint32_t i = strmap_get(&host->by_name, alt->name, len); i != STRMAP_NONE;
	     i = pkgs[i].next_same_name)
		if (arch_fits(host, &pkgs[of], alt, &pkgs[i]) &&
		    dpkg_version_satisfies(pkgs[i].version, alt->op, alt->version) &&
		    usable(arg, i))
			return i;
	for (uint32_t p = strmap_get(&host->by_provided, alt->name, len); p != STRMAP_NONE;
	     p = host->providers[p].next) {
		const struct dpkg_provider *by = &host->providers[p];

		/* A relation with a version is satisfied only by one that says which it provides.
		 */
		if (alt->op != DPKG_ANY &&
		    (by->what->op != DPKG_EQ ||
		     !dpkg_version_satisfies(by->what->version, alt->op, alt->version)))
			continue;
		if (arch_fits(host, &pkgs[of], alt, &pkgs[by->package]) && usable(arg, by->package))
			return by->package;
	}
	return STRMAP_NONE;
}

uint32_t
dpkg_satisfier(const struct dpkg_host *host, uint32_t of, const struct dpkg_group *group,
	       bool (*usable)(const void *arg, uint32_t i), const void *arg)
{
	uint32_t i;

	for (size_t a = 0; a < group->n; a++) {
		i = satisfier_of_alt(host, of, &group->alts[a], usable, arg);
		if (i != STRMAP_NONE)
			return i;
	}
	return STRMAP_NONE;
}

static bool
usable_in_zone(const void *arg, uint32_t i)
{
	const struct selection *sel = arg;

	return !sel->choices[i].out;
}

static bool
usable_unless_refused(const void *arg, uint32_t i)
{
	const struct selection *sel = arg;

	return !sel->refused[i];
}

static bool
usable_on_host(const void *arg, uint32_t i)
{
	(void)arg;
	(void)i;
	return true;
}

/* ---- words ---- */

static bool
matches_builtin_set(const struct dpkg_pkg *pkg, const char *name)
{
	if (!strcmp(name, "essential"))
		return pkg->essential;
	if (!strcmp(name, "protected"))
		return pkg->protected;
	if (!strcmp(name, "required"))
		return pkg->priority == DPKG_PRIORITY_REQUIRED;
	if (!strcmp(name, "important"))
		return pkg->priority == DPKG_PRIORITY_IMPORTANT;
	if (!strcmp(name, "standard"))
		return pkg->priority == DPKG_PRIORITY_STANDARD;
	return !strcmp(name, "all");
}

static bool
is_glob(const char *word)
{
	return strpbrk(word, "*?[") != NULL;
}

static bool
matches_word(const struct dpkg_policy *policy, const struct dpkg_pkg *pkg, const char *word)
{
	const struct dpkg_set *set;

	if (*word == '@') {
		set = dpkg_policy_set(policy, word + 1);
		for (size_t i = 0; set && i < set->n; i++)
			if (matches_word(policy, pkg, set->words[i]))
				return true;
		return !set && matches_builtin_set(pkg, word + 1);
	}
	if (strchr(word, ':'))
		return fnmatch(word, pkg->key, 0) == 0;
	if (!is_glob(word))
		return !strcmp(word, pkg->name);
	/* The whole machinery of globs only where the first letters do not tell already. */
	if (!strchr("*?[", *word) && *word != *pkg->name)
		return false;
	return fnmatch(word, pkg->name, 0) == 0;
}

/* ---- what is out ---- */

/* Beginnings of paths that only the host has a use for. */
static const struct {
	const char *prefix;
	const char *reason;
} host_paths[] = {
    {"/boot/", "has files in /boot"},
    {"/lib/firmware/", "has firmware"},
    {"/usr/lib/firmware/", "has firmware"},
    {"/usr/lib/grub", "is a boot loader"},
    {"/usr/lib/shim", "is a boot loader"},
    {"/usr/lib/systemd/boot/efi", "is a boot loader"},
    {"/lib/systemd/boot/efi", "is a boot loader"},
};

static const char *
host_only_path(const char *path)
{
	const char *rest = NULL;

	for (size_t i = 0; i < sizeof(host_paths) / sizeof(host_paths[0]); i++)
		if (!strncmp(path, host_paths[i].prefix, strlen(host_paths[i].prefix)))
			return host_paths[i].reason;
	if (!strncmp(path, "/lib/modules/", 13))
		rest = path + 13;
	else if (!strncmp(path, "/usr/lib/modules/", 17))
		rest = path + 17;
	if (rest && strchr(rest, '/'))
		return "has kernel modules";
	if (!strncmp(path, "/usr/src/", 9)) {
		rest = strchr(path + 9, '/');
		if (rest && !strcmp(rest, "/dkms.conf"))
			return "builds kernel modules";
	}
	return NULL;
}

static const char *
out_by_nature(const struct dpkg_pkg *pkg)
{
	const char *slash = strrchr(pkg->section, '/'), *reason;

	if (pkg->host_scope)
		return "says that it belongs to the global zone";
	if (!strcmp(slash ? slash + 1 : pkg->section, "kernel"))
		return "is of section kernel";
	if (!strncmp(pkg->section, "non-free-firmware", 17))
		return "is firmware";
	for (size_t i = 0; i < pkg->n_paths; i++) {
		/* Nearly all paths are told apart by their first letters. */
		if (pkg->paths[i][1] != 'b' && pkg->paths[i][1] != 'l' && pkg->paths[i][1] != 'u')
			continue;
		reason = host_only_path(pkg->paths[i]);
		if (reason)
			return reason;
	}
	return NULL;
}

static bool
is_vital(const struct dpkg_pkg *pkg)
{
	return pkg->essential || pkg->protected || pkg->priority == DPKG_PRIORITY_REQUIRED;
}

/* The last rule about a package, or NULL. */
static const struct dpkg_rule *
last_rule(const struct selection *sel, const struct dpkg_pkg *pkg)
{
	for (size_t i = sel->policy->n_rules; i-- > 0;)
		if (matches_word(sel->policy, pkg, sel->policy->rules[i].word))
			return &sel->policy->rules[i];
	return NULL;
}

static void
judge(struct selection *sel, uint32_t i)
{
	const struct dpkg_pkg *pkg = &sel->host->pkgs[i];
	struct dpkg_choice *choice = &sel->choices[i];
	const struct dpkg_rule *rule;

	if (is_vital(pkg))
		return;
	choice->out = out_by_nature(pkg);
	rule = last_rule(sel, pkg);
	if (rule && rule->verb == DPKG_INCLUDE) {
		choice->out = NULL;
		choice->wanted = sel->asked[i] = true;
	} else if (rule) {
		choice->out = rule->verb == DPKG_GLOBAL ? "belongs to the global zone by the policy"
							: "is left out by the policy";
	}
	choice->out_by_rule = choice->out != NULL;
}

/* What is in already. Globs pass it over; a name that is meant exactly is a mistake. */
static int
refuse_kept(struct selection *sel, uint32_t i)
{
	const struct dpkg_pkg *pkg = &sel->host->pkgs[i];

	return err_set(sel->err, ZE_INVAL, 0, "package '%s' is %s and cannot be left out",
		       dpkg_label(pkg), is_vital(pkg) ? "essential" : "needed by essential ones");
}

/* @globs: only the words that are globs or sets, or only the others. */
static int
refuse_words(struct selection *sel, const char *const *words, bool globs)
{
	bool found;
	int r;

	for (; words && *words; words++) {
		if ((is_glob(*words) || **words == '@') != globs)
			continue;
		found = false;
		for (uint32_t i = 0; i < sel->host->n_pkgs; i++) {
			if (!matches_word(sel->policy, &sel->host->pkgs[i], *words))
				continue;
			found = true;
			if (sel->kept[i]) {
				r = globs ? 0 : refuse_kept(sel, i);
				if (r < 0)
					return r;
				continue;
			}
			sel->refused[i] = true;
			sel->choices[i].out = "was left out";
			sel->choices[i].out_by_rule = true;
		}
		if (!found && !globs)
			return err_set(sel->err, ZE_INVAL, 0,
				       "package '%s' is not installed on this host", *words);
	}
	return 0;
}

/* ---- closures ---- */

static int
unmet(const struct selection *sel, uint32_t i, const struct dpkg_group *group, const char *why)
{
	auto_str struct str text = {0};

	for (size_t a = 0; a < group->n; a++)
		if ((a > 0 && str_add(&text, " | ", 3) < 0) ||
		    dpkg_alt_print(&text, &group->alts[a]) < 0)
			return err_nomem(sel->err);
	return err_set(sel->err, ZE_PKG, 0, "package '%s' needs '%s', which %s",
		       dpkg_label(&sel->host->pkgs[i]), text.s, why);
}

static void
enqueue(struct selection *sel, bool *seen, uint32_t i)
{
	if (seen[i])
		return;
	seen[i] = true;
	sel->queue[sel->queued++] = i;
}

/* Take what is queued and all it needs, bringing back what is out unless the request forbids it. */
static int
keep_closure(struct selection *sel)
{
	for (size_t q = 0; q < sel->queued; q++) {
		uint32_t i = sel->queue[q], by;
		const struct dpkg_pkg *pkg = &sel->host->pkgs[i];

		sel->choices[i].out = NULL;
		for (size_t g = 0; g < pkg->n_needs; g++) {
			const struct dpkg_group *group = &pkg->needs[g];

			by = dpkg_satisfier(sel->host, i, group, usable_in_zone, sel);
			if (by == STRMAP_NONE)
				by =
				    dpkg_satisfier(sel->host, i, group, usable_unless_refused, sel);
			if (by != STRMAP_NONE) {
				enqueue(sel, sel->kept, by);
				continue;
			}
			if (dpkg_satisfier(sel->host, i, group, usable_on_host, NULL) !=
			    STRMAP_NONE)
				return unmet(sel, i, group, "was left out");
			return unmet(sel, i, group,
				     "this host does not have: run 'apt-get --fix-broken install'");
		}
	}
	sel->queued = 0;
	return 0;
}

/* Packages that cannot work without what is out go out too, until nothing changes. */
static int
drop_dependents(struct selection *sel)
{
	const struct dpkg_host *host = sel->host;
	bool again = true;
	uint32_t by;

	while (again) {
		again = false;
		for (uint32_t i = 0; i < host->n_pkgs; i++) {
			const struct dpkg_pkg *pkg = &host->pkgs[i];

			if (sel->choices[i].out || sel->kept[i])
				continue;
			for (size_t g = 0; g < pkg->n_needs; g++) {
				if (dpkg_satisfier(host, i, &pkg->needs[g], usable_in_zone, sel) !=
				    STRMAP_NONE)
					continue;
				by = dpkg_satisfier(host, i, &pkg->needs[g], usable_on_host, NULL);
				if (by == STRMAP_NONE)
					continue; /* refused if it is chosen after all */
				sel->choices[i].out =
				    arena_printf(&sel->arena, "needs package '%s', which %s",
						 dpkg_label(&host->pkgs[by]), sel->choices[by].out);
				if (!sel->choices[i].out)
					return err_nomem(sel->err);
				again = true;
				break;
			}
		}
	}
	return 0;
}

static int
choose_closure(struct selection *sel, bool *chosen)
{
	for (size_t q = 0; q < sel->queued; q++) {
		uint32_t i = sel->queue[q], by;
		const struct dpkg_pkg *pkg = &sel->host->pkgs[i];

		sel->choices[i].chosen = true;
		if (pkg->broken)
			return err_set(sel->err, ZE_PKG, 0,
				       "package '%s' is '%s' on this host: run 'dpkg --configure "
				       "-a' or reinstall it",
				       dpkg_label(pkg), pkg->broken);
		for (size_t g = 0; g < pkg->n_needs; g++) {
			by = dpkg_satisfier(sel->host, i, &pkg->needs[g], usable_in_zone, sel);
			if (by == STRMAP_NONE)
				return unmet(
				    sel, i, &pkg->needs[g],
				    "this host does not have: run 'apt-get --fix-broken install'");
			enqueue(sel, chosen, by);
		}
	}
	sel->queued = 0;
	return 0;
}

/* ---- the whole ---- */

static int
ask_words(struct selection *sel, const char *const *words)
{
	bool found;

	for (; words && *words; words++) {
		found = false;
		for (uint32_t i = 0; i < sel->host->n_pkgs; i++) {
			if (sel->refused[i] ||
			    !matches_word(sel->policy, &sel->host->pkgs[i], *words))
				continue;
			found = true;
			sel->choices[i].wanted = sel->asked[i] = true;
			enqueue(sel, sel->kept, i);
		}
		if (!found)
			return err_set(sel->err, ZE_INVAL, 0,
				       "package '%s' is not installed on this host; install it "
				       "there first",
				       *words);
	}
	return 0;
}

static int
note_skipped(struct selection *sel, bool all, struct strv *log, size_t *ret_skipped)
{
	size_t n = 0;

	for (uint32_t i = 0; i < sel->host->n_pkgs; i++) {
		const struct dpkg_choice *choice = &sel->choices[i];

		if (!choice->out || !(sel->asked[i] || (all && !choice->out_by_rule)))
			continue;
		n++;
		if (strv_addf(log, "package '%s' was skipped: it %s",
			      dpkg_label(&sel->host->pkgs[i]), choice->out) < 0)
			return err_nomem(sel->err);
	}
	*ret_skipped = n;
	return 0;
}

static int
select_all(struct selection *sel, const struct pkg_request *req, bool all, bool *chosen)
{
	const struct dpkg_set *set = dpkg_policy_set(sel->policy, "default");
	const struct dpkg_host *host = sel->host;
	int r;

	for (uint32_t i = 0; i < host->n_pkgs; i++)
		judge(sel, i);
	for (uint32_t i = 0; i < host->n_pkgs; i++)
		if (is_vital(&host->pkgs[i]))
			enqueue(sel, sel->kept, i);
	r = keep_closure(sel);
	/* Names count before globs: "-p nginx -x '*'" is nginx and what it needs. */
	if (r == 0)
		r = refuse_words(sel, req->exclude, false);
	if (r == 0)
		r = ask_words(sel, req->packages);
	if (r == 0)
		r = keep_closure(sel);
	if (r == 0)
		r = refuse_words(sel, req->exclude, true);
	if (r == 0)
		r = drop_dependents(sel);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < host->n_pkgs; i++) {
		struct dpkg_choice *choice = &sel->choices[i];

		for (size_t w = 0; w < set->n && !choice->wanted; w++)
			choice->wanted = matches_word(sel->policy, &host->pkgs[i], set->words[w]);
		if (!choice->out && (all || choice->wanted || is_vital(&host->pkgs[i])))
			enqueue(sel, chosen, i);
	}
	return choose_closure(sel, chosen);
}

int
dpkg_select(struct dpkg_host *host, const struct dpkg_policy *policy, const struct pkg_request *req,
	    bool sparse, struct dpkg_choice *choices, struct strv *log, size_t *ret_skipped,
	    struct err *err)
{
	size_t n = host->n_pkgs;
	auto_free bool *flags = calloc(n, 4 * sizeof(*flags));
	auto_free uint32_t *queue = calloc(n, sizeof(*queue));
	struct selection sel = {
	    .host = host, .policy = policy, .choices = choices, .queue = queue, .err = err};
	bool all = req->all || sparse;
	int r;

	if (!flags || !queue)
		return err_nomem(err);
	sel.kept = flags;
	sel.refused = flags + n;
	sel.asked = flags + 2 * n;
	r = dpkg_info_lists(host, err);
	if (r == 0)
		r = select_all(&sel, req, all, flags + 3 * n);
	if (r == 0)
		r = note_skipped(&sel, all, log, ret_skipped);
	/* Reasons are for the log alone; what stays of them is that there is one. */
	for (size_t i = 0; i < n; i++)
		if (choices[i].out)
			choices[i].out = "cannot be in a zone";
	arena_free(&sel.arena);
	return r;
}
