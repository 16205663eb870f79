/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zone that inherits /usr cannot change what is in it. dpkg would find that out in the middle of
 * unpacking and leave a broken package behind, so the zone's apt asks a script first, which refuses
 * archives and removals with files in inherited directories, in one line that says where to do it.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/path.h"

#include <string.h>

#define SCRIPT "etc/apt/zones-inherited"
#define CONFIG "etc/apt/apt.conf.d/00zones-inherited"

static const char config_text[] =
    "// Packages with files in directories that this zone inherits are refused before apt begins.\n"
    "DPkg::Pre-Install-Pkgs { \"/" SCRIPT "\"; };\n"
    "DPkg::Tools::Options::/" SCRIPT "::Version \"3\";\n";

/* What apt tells: "VERSION 3", its configuration, an empty line; then a line a package, "name old
 * arch multiarch direction new arch multiarch" and an archive or what is done instead. */
static const char script_head[] =
    "#!/bin/sh\n"
    "# Run by apt (apt.conf.d/00zones-inherited) with what it is going to do on standard input.\n"
    "# Directories that this zone inherits from the global zone:\n";

static const char script_tail[] =
    "refuse() {\n"
    "\techo \"package '$1' has files in directories that this zone inherits from the global\" \\\n"
    "\t\t\"zone ($shown): $2 it there\" >&2\n"
    "\texit 1\n"
    "}\n"
    "read -r version\n"
    "[ \"$version\" = 'VERSION 3' ] || exit 0\n"
    "while read -r line && [ -n \"$line\" ]; do :; done\n"
    "while read -r name old oldarch oldma direction new newarch newma what; do\n"
    "\tcase $what in\n"
    "\t'**CONFIGURE**') ;;\n"
    "\t'**REMOVE**')\n"
    "\t\tcat \"/var/lib/dpkg/info/$name.list\" \"/var/lib/dpkg/info/$name:$oldarch.list\" \\\n"
    "\t\t\t2>/dev/null | grep -E \"^/($dirs)/\" | while read -r path; do\n"
    "\t\t\t[ ! -f \"$path\" ] || exit 1\n"
    "\t\tdone || refuse \"$name\" remove\n"
    "\t\t;;\n"
    "\t/*)\n"
    "\t\t! dpkg-deb --fsys-tarfile \"$what\" | tar -tf - |\n"
    "\t\t\tgrep -E \"^(\\./)?($dirs)/.*[^/]$\" >/dev/null ||\n"
    "\t\t\trefuse \"$name\" install\n"
    "\t\t;;\n"
    "\tesac\n"
    "done\n";

/* Letters with a meaning to grep or the shell become ".", which matches them. */
static int
add_regex(struct str *out, const char *path)
{
	int r = 0;

	if (out->len)
		r = str_add(out, "|", 1);
	for (; *path && r == 0; path++)
		r = strchr("[]()*+?{}|^$\\'", *path) ? str_add(out, ".", 1) : str_add(out, path, 1);
	return r;
}

/* Archives may name files by links of merged /usr. */
static int
add_dirs(const struct dpkg_plan *plan, struct str *dirs, struct str *shown)
{
	int r = 0;

	for (size_t i = 0; i < plan->inherit.n && r == 0; i++) {
		r = add_regex(dirs, plan->inherit.v[i]);
		if (r == 0)
			r = str_addf(shown, "%s/%s", i ? " " : "", plan->inherit.v[i]);
	}
	for (size_t i = 0; i < plan->host->n_aliases && r == 0; i++) {
		const struct dpkg_alias *a = &plan->host->aliases[i];

		if (dpkg_plan_inherits(plan, a->target) || strv_has(&plan->inherit, a->target))
			r = add_regex(dirs, a->name);
	}
	return r;
}

int
dpkg_inherited_write(struct dpkg_plan *plan, int root_fd, struct err *err)
{
	auto_str struct str dirs = {0}, shown = {0}, script = {0};
	int r;

	if (!plan->inherit.n)
		return 0;
	/* A name with a quote in it would end the word; it is shown as nothing then. */
	if (add_dirs(plan, &dirs, &shown) < 0 || !shown.s ||
	    str_addf(&script, "%sdirs='%s'\nshown='%s'\n%s", script_head, dirs.s,
		     strchr(shown.s, '\'') ? "" : shown.s, script_tail) < 0)
		return err_nomem(err);
	r = path_file_write_in_root(root_fd, SCRIPT, script.s, script.len, 0755, err);
	if (r == 0)
		r = path_file_write_in_root(root_fd, CONFIG, config_text, sizeof(config_text) - 1,
					    0644, err);
	return r;
}
