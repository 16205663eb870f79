/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `create` starts from: the built-in templates, files that override them, and zones. The
 * default template makes a sparse root: it inherits the directories that make up /usr on this host,
 * which on a merged-/usr system is /usr alone.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Each template under both of its names; a file of either name overrides the built-in. */
static const struct {
	const char *names[2];
	bool sparse;
} templates[] = {
    {{"SYSdefault", "SUNWdefault"}, true},
    {{"SYSblank", "SUNWblank"}, false},
};

static int
inherit(struct config *cfg, const char *dir, struct err *err)
{
	auto_res struct config_res *res = NULL;
	int r;

	r = config_res_new(CONFIG_INHERIT_PKG_DIR, &res, err);
	if (r == 0)
		r = config_res_set(res, CONFIG_INHERIT_PKG_DIR_DIR, dir, err);
	if (r == 0)
		r = config_add(cfg, res, NULL, err);
	if (r < 0)
		return r;
	(void)ptr_take(&res);
	return 0;
}

static int
built_in(bool sparse, const char *name, struct config **ret, struct err *err)
{
	static const char *const dirs[] = {"/bin", "/sbin", "/lib", "/lib64", "/usr"};
	auto_config struct config *cfg = NULL;
	struct stat st;
	int r;

	r = config_new(name, &cfg, err);
	if (r < 0)
		return r;
	for (size_t i = 0; sparse && i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		/* On a merged-/usr system the others are symbolic links into it. */
		if (lstat(dirs[i], &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		r = inherit(cfg, dirs[i], err);
		if (r < 0)
			return r;
	}
	*ret = ptr_take(&cfg);
	return 0;
}

/* A template's document may carry any name, so this is not config_load(). */
static int
from_file(const char *root, const char *from, const char *name, struct config **ret,
	  struct err *err)
{
	auto_config struct config *cfg = NULL;
	auto_free char *path = NULL;
	int r;

	if (asprintf(&path, "%s" CONFIG_DIR "/%s.xml", root, from) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	r = config_load_file(path, &cfg, err);
	if (r == 0)
		r = config_res_set(config_global(cfg), CONFIG_ZONENAME, name, err);
	if (r == 0)
		*ret = ptr_take(&cfg);
	return r;
}

int
config_template(const char *root, const char *from, const char *name, struct config **ret,
		struct err *err)
{
	const char *other = NULL;
	bool known = false, sparse = false;
	int r;

	r = config_name_check(from, err);
	if (r == 0)
		r = config_name_check(name, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 2; k++) {
			if (strcmp(templates[i].names[k], from) != 0)
				continue;
			known = true;
			sparse = templates[i].sparse;
			other = templates[i].names[1 - k];
		}
	}
	r = from_file(root, from, name, ret, err);
	if (r == -ZE_NOENT && other) {
		err_clear(err);
		r = from_file(root, other, name, ret, err);
	}
	if (r == -ZE_NOENT && known) {
		err_clear(err);
		return built_in(sparse, name, ret, err);
	}
	if (r == -ZE_NOENT)
		return err_set(err, ZE_NOENT, 0, "%s: No such zone or template configured", from);
	return r;
}
