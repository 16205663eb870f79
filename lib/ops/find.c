/* SPDX-License-Identifier: Apache-2.0 */
/* Which zone is meant, and what state it is in. */
#include "ops_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "runtime/runtime.h"

#include <string.h>

static int
entry_copy(const struct config_entry *entry, struct config_entry *ret, struct err *err)
{
	char *zonepath = strdup(entry->zonepath);

	if (!zonepath)
		return err_nomem(err);
	*ret = *entry;
	ret->zonepath = zonepath;
	return 0;
}

int
op_find(const char *name, struct config **ret_config, struct config_entry *ret_entry,
	struct err *err)
{
	auto_index struct config_index index = {0};
	const struct config_entry *entry;
	auto_config struct config *cfg = NULL;
	int r;

	r = config_index_load("", &index, err);
	if (r < 0)
		return r;
	entry = config_index_find(&index, name);
	if (!entry)
		return err_set(err, ZE_NOENT, 0, "%s: No such zone configured", name);
	if (ret_config) {
		r = config_load("", name, &cfg, err);
		if (r == -ZE_NOENT)
			return err_set(err, ZE_FORMAT, 0,
				       "zone '%s': '/etc/zones/%s.xml' is missing", name, name);
		if (r < 0)
			return r;
	}
	r = entry_copy(entry, ret_entry, err);
	if (r < 0)
		return r;
	if (ret_config)
		*ret_config = ptr_take(&cfg);
	return 0;
}

int
op_state(const struct config_entry *entry, enum zone_state *ret, int *ret_id, struct err *err)
{
	struct runtime_status status;
	int r;

	r = runtime_status(entry->name, &status, err);
	if (r == -ZE_NOENT || r == -ZE_PERM) {
		err_clear(err);
		*ret = entry->state;
		*ret_id = -1;
		return 0;
	}
	if (r < 0)
		return err_add(err, "state of zone '%s'", entry->name);
	*ret = status.state;
	*ret_id = status.id;
	return 0;
}

int
op_must_be(const struct config_entry *entry, enum zone_state wanted, const char *what,
	   struct err *err)
{
	enum zone_state state;
	int id, r;

	r = op_state(entry, &state, &id, err);
	if (r < 0)
		return r;
	if (state == wanted)
		return 0;
	return err_set(err, ZE_STATE, 0, "%s: zone '%s' is %s; it must be %s", what, entry->name,
		       zone_state_name(state), zone_state_name(wanted));
}
