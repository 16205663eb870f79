/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of zones: what is read must be well formed, and a change of one zone must leave all
 * others as they were.
 */
#include "base/err.h"
#include "base/str.h"
#include "config/config_priv.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_same(const struct config_entry *a, const struct config_entry *b)
{
	return !strcmp(a->name, b->name) && a->state == b->state &&
	       !strcmp(a->zonepath, b->zonepath) && !strcmp(a->uuid, b->uuid);
}

static void
check_entry(const struct config_entry *entry)
{
	size_t uuid_len = strlen(entry->uuid);

	if (config_name_check(entry->name, NULL) < 0 || entry->state > ZONE_STATE_INSTALLED ||
	    entry->zonepath[0] != '/' || (uuid_len != 0 && uuid_len != CONFIG_UUID_LEN))
		abort();
}

/* Remove the zone at @position, or give it another path. */
static void
check_change(const char *text, size_t size, const struct config_index *before, size_t position,
	     bool remove)
{
	const struct config_index_change change = {
	    .name = before->entries[position].name,
	    .remove = remove,
	    .zonepath = "/moved:here",
	};
	auto_index struct config_index after = {0};
	auto_str struct str edited = {0};
	struct err err;
	bool changed;
	size_t k = 0;

	if (config_index_edit(text, size, &change, &edited, &changed, &err) < 0 ||
	    config_index_parse(edited.s ? edited.s : "", edited.len, &after, &err) < 0 ||
	    after.n != before->n - remove)
		abort();
	for (size_t i = 0; i < before->n; i++) {
		if (i != position) {
			if (!is_same(&before->entries[i], &after.entries[k++]))
				abort();
		} else if (!remove && strcmp(after.entries[k++].zonepath, "/moved:here") != 0) {
			abort();
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_index struct config_index index = {0};
	const char *text = (const char *)data;
	struct err err;

	if (config_index_parse(text, size, &index, &err) < 0)
		return 0;
	for (size_t i = 0; i < index.n; i++)
		check_entry(&index.entries[i]);
	/* The global zone stays. */
	if (index.n > 1) {
		check_change(text, size, &index, 1, true);
		check_change(text, size, &index, index.n - 1, false);
	}
	return 0;
}
