/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open addressing, at most half full. Keys are pointers into texts that outlive the map.
 */
#include "pkg/pkg_priv.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

struct strmap_slot {
	const char *key; /* NULL: free */
	uint32_t len, value;
	uint64_t hash;
};

static uint64_t
hash_of(const char *key, size_t len)
{
	uint64_t h = 0x9e3779b97f4a7c15U ^ len, word;

	for (; len >= sizeof(word); key += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, key, sizeof(word));
		h = (h ^ word) * 0xff51afd7ed558ccdU;
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, key, len);
	h = (h ^ word) * 0xff51afd7ed558ccdU;
	return h ^ (h >> 29);
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t
slot_of(const struct strmap *map, const char *key, size_t len, uint64_t hash)
{
	size_t i = hash & (map->room - 1);
	const struct strmap_slot *slot;

	for (;; i = (i + 1) & (map->room - 1)) {
		slot = &map->slots[i];
		if (!slot->key)
			return i;
		if (slot->hash == hash && slot->len == len && !memcmp(slot->key, key, len))
			return i;
	}
}

uint32_t
strmap_get(const struct strmap *map, const char *key, size_t len)
{
	const struct strmap_slot *slot;

	if (!map->room)
		return STRMAP_NONE;
	slot = &map->slots[slot_of(map, key, len, hash_of(key, len))];
	return slot->key ? slot->value : STRMAP_NONE;
}

static int
grow(struct strmap *map)
{
	struct strmap bigger = {.n = map->n, .room = map->room ? map->room * 2 : 256};

	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ZE_NOMEM;
	for (size_t i = 0; i < map->room; i++) {
		const struct strmap_slot *slot = &map->slots[i];

		if (slot->key)
			bigger.slots[slot_of(&bigger, slot->key, slot->len, slot->hash)] = *slot;
	}
	free(map->slots);
	*map = bigger;
	return 0;
}

int
strmap_put(struct strmap *map, const char *key, size_t len, uint32_t value, uint32_t *ret_old)
{
	uint64_t hash = hash_of(key, len);
	struct strmap_slot *slot;

	if (len > UINT32_MAX)
		return -ZE_NOMEM;
	if (map->n >= map->room / 2 && grow(map) < 0)
		return -ZE_NOMEM;
	slot = &map->slots[slot_of(map, key, len, hash)];
	if (ret_old)
		*ret_old = slot->key ? slot->value : STRMAP_NONE;
	if (slot->key)
		return 0;
	*slot =
	    (struct strmap_slot){.key = key, .len = (uint32_t)len, .value = value, .hash = hash};
	map->n++;
	return 0;
}

void
strmap_free(struct strmap *map)
{
	free(map->slots);
	*map = (struct strmap){0};
}
