/* SPDX-License-Identifier: Apache-2.0 */
/* create: a new configuration in memory, from a template, a zone, or a detached zone. */
#include "zonecfg.h"

#include "base/fd.h"

#include <string.h>
#include <sys/stat.h>

/* Whether a zone of this name may be begun. Returns 1 when it replaces one, 0 when it is new, or a
 * negative code; -ZE_INTR when the user said no. */
static int
check_existing(const struct session *s, bool force)
{
	enum zone_state state;
	struct err err;
	int r;

	if (config_name_reserved(s->name) && !session_is_global(s))
		return session_error(s, "create: names that begin with SUNW or SYS are reserved "
					"for templates");
	r = session_exists(s, s->name, &state, &err);
	if (r < 0)
		return session_fail(s, &err);
	if (r == 0 || (session_is_global(s) && !*s->saved_name))
		return 0;
	if (!session_is_global(s) && state != ZONE_STATE_CONFIGURED)
		return session_error(s, "create: the zone is %s; uninstall it first",
				     zone_state_name(state));
	if (force)
		return 1;
	r = session_ask(s, "Zone %s already exists; overwrite it", s->name);
	if (r < 0)
		return session_error(s, "create: the zone already exists; use -F to overwrite it");
	return r ? 1 : -ZE_INTR;
}

/* The manifest that `zoneadm detach` left in a zonepath. What it says about packages is read and
 * left out by the library. */
static int
from_detached(const struct session *s, const char *path, struct config **ret, struct err *err)
{
	auto_free char *manifest = NULL, *root = NULL;
	auto_config struct config *cfg = NULL;
	struct stat st;
	int r;

	if (*path != '/')
		return err_set(err, ZE_INVAL, 0, "create: '%s' is not an absolute path", path);
	if (asprintf(&manifest, "%s%s/SUNWdetached.xml", s->opts->root, path) < 0) {
		manifest = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (asprintf(&root, "%s%s/root", s->opts->root, path) < 0) {
		root = NULL;
		return err_nomem(err);
	}
	r = config_load_file(manifest, &cfg, err);
	if (r == -ZE_NOENT)
		return err_set(err, ZE_NOENT, 0,
			       "create: there is no detached zone at '%s': it has no "
			       "SUNWdetached.xml",
			       path);
	if (r < 0)
		return err_add(err, "create: the zone at '%s' cannot be attached", path);
	if (lstat(root, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(err, ZE_NOENT, 0,
			       "create: there is no detached zone at '%s': it has no directory "
			       "'root'",
			       path);
	r = config_res_set(config_global(cfg), CONFIG_ZONENAME, s->name, err);
	if (r == 0)
		r = config_res_set(config_global(cfg), CONFIG_ZONEPATH, path, err);
	if (r < 0)
		return err_add(err, "create");
	*ret = ptr_take(&cfg);
	return 0;
}

static int
make(const struct session *s, const struct command_args *args, struct config **ret, struct err *err)
{
	const char *from = args->opt['t'] ? args->opt['t'] : "SYSdefault";
	int r;

	if (args->opt['a'])
		return from_detached(s, args->opt['a'], ret, err);
	if (args->opt['b'] || (session_is_global(s) && !args->opt['t']))
		return config_new(s->name, ret, err);
	r = config_template(s->opts->root, from, s->name, ret, err);
	if (r == -ZE_NOENT)
		return err_set(err, ZE_NOENT, 0, "create: there is no template or zone '%.64s'",
			       from);
	return r < 0 ? err_add(err, "create: template '%.64s'", from) : 0;
}

int
cmd_create(struct session *s, const struct command_args *args)
{
	struct config *cfg = NULL;
	struct err err;
	int existing, r;

	if (!!args->opt['b'] + !!args->opt['t'] + !!args->opt['a'] > 1)
		return command_bad_usage(s, command_find("create"),
					 "-b, -t and -a exclude each "
					 "other");
	if (session_is_global(s) && (args->opt['t'] || args->opt['a']))
		return session_error(s, "create: the global zone takes no template");
	existing = check_existing(s, args->opt['F']);
	if (existing < 0)
		return existing == -ZE_INTR ? 0 : existing;
	r = make(s, args, &cfg, &err);
	if (r < 0)
		return session_fail(s, &err);
	session_adopt(s, cfg);
	s->changed = true;
	if (existing)
		(void)memcpy(s->saved_name, s->name, sizeof(s->saved_name));
	else
		s->saved_name[0] = '\0';
	return 0;
}
