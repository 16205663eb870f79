/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of zones and of their states.
 */
#include "config/config_priv.h"

#include "base/err.h"

#include <string.h>

static const char *const state_names[] = {
    [ZONE_STATE_CONFIGURED] = "configured",
    [ZONE_STATE_INCOMPLETE] = "incomplete",
    [ZONE_STATE_INSTALLED] = "installed",
    [ZONE_STATE_READY] = "ready",
    [ZONE_STATE_RUNNING] = "running",
    [ZONE_STATE_SHUTTING_DOWN] = "shutting_down",
    [ZONE_STATE_DOWN] = "down",
    [ZONE_STATE_MOUNTED] = "mounted",
};

const char *
zone_state_name(enum zone_state state)
{
	return state_names[state];
}

int
zone_state_parse(const char *name, enum zone_state *ret, struct err *err)
{
	for (unsigned i = 0; i < sizeof(state_names) / sizeof(state_names[0]); i++) {
		if (!strcmp(state_names[i], name)) {
			*ret = (enum zone_state)i;
			return 0;
		}
	}
	return err_set(err, ZE_INVAL, 0, "'%.32s' is not a zone state", name);
}

/* Not isalnum(): a name must mean the same in every locale. */
static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int
config_name_check(const char *name, struct err *err)
{
	static const char rule[] =
	    "a zone name begins with a letter or digit, goes on with "
	    "letters, digits, '_', '-' and '.', and has at most 63 characters";
	size_t len = strlen(name);

	for (size_t i = 0; i < len && i <= CONFIG_NAME_MAX; i++)
		if (!is_alnum(name[i]) && (i == 0 || !strchr("_.-", name[i])))
			return err_set(err, ZE_INVAL, 0, "%s", rule);
	if (len == 0 || len > CONFIG_NAME_MAX)
		return err_set(err, ZE_INVAL, 0, "%s", rule);
	return 0;
}

bool
config_name_reserved(const char *name)
{
	return !strcmp(name, "global") || !strncmp(name, "SUNW", 4) || !strncmp(name, "SYS", 3);
}
