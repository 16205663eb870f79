/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/pkg_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)256 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

static struct arena_block *
block_new(struct arena *arena, size_t size_bytes)
{
	size_t size = size_bytes > BLOCK_BYTES / 4 ? size_bytes : BLOCK_BYTES;
	struct arena_block *block = calloc(1, sizeof(*block) + size);

	if (!block)
		return NULL;
	block->size = size;
	/* A large piece gets a block of its own, behind the one that still has room. */
	if (arena->blocks && size != BLOCK_BYTES) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	return block;
}

static void *
alloc_aligned(struct arena *arena, size_t size_bytes, size_t align)
{
	struct arena_block *block = arena->blocks;
	size_t at = block ? (block->used + align - 1) & ~(align - 1) : 0;

	if (size_bytes > SIZE_MAX / 2)
		return NULL;
	if (!block || at > block->size || block->size - at < size_bytes) {
		block = block_new(arena, size_bytes);
		if (!block)
			return NULL;
		at = 0;
	}
	block->used = at + size_bytes;
	return block->bytes + at;
}

void *
arena_alloc(struct arena *arena, size_t size_bytes)
{
	return alloc_aligned(arena, size_bytes, 16);
}

char *
arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = alloc_aligned(arena, len + 1, 1);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	s = alloc_aligned(arena, (size_t)n + 1, 1);
	if (!s)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void
arena_free(struct arena *arena)
{
	struct arena_block *block, *next;

	for (block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	arena->blocks = NULL;
}
