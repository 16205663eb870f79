/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing strings and vectors of strings, and numbers that are read strictly.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* A growing string. Zero-initialise; `s` is NULL while empty. A failed append leaves it as it was.
 */
struct str {
	char *s;
	size_t len, room;
};

/**
 * str_addf - append formatted text
 *
 * Returns 0 or -ZE_NOMEM.
 */
int str_addf(struct str *str, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * str_add - append @len bytes and keep a NUL behind them; returns 0 or -ZE_NOMEM
 */
int str_add(struct str *str, const char *bytes, size_t len);

/**
 * str_take - the text, yours to free() ("" if nothing was added); @str is empty afterwards
 *
 * Returns NULL when memory runs out.
 */
char *str_take(struct str *str);

void str_free(struct str *str);
#define auto_str __attribute__((cleanup(str_free)))

/* A vector of strings it owns, with a NULL behind the last. Zero-initialise. */
struct strv {
	char **v;
	size_t n, room;
};

/**
 * strv_add - append a copy of @s; returns 0 or -ZE_NOMEM
 */
int strv_add(struct strv *strv, const char *s);

/**
 * strv_addf - append a formatted string; returns 0 or -ZE_NOMEM
 */
int strv_addf(struct strv *strv, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * strv_has - whether @s is an element
 */
bool strv_has(const struct strv *strv, const char *s);

void strv_free(struct strv *strv);
#define auto_strv __attribute__((cleanup(strv_free)))

/**
 * str_to_u64 - a decimal number, all of @s, at most @max
 *
 * No sign, no blank, no empty string. Returns 0 or -ZE_INVAL.
 */
int str_to_u64(const char *s, uint64_t max, uint64_t *ret, struct err *err);

/**
 * str_eq - whether both are NULL or equal
 */
bool str_eq(const char *a, const char *b);

/**
 * str_utf8_len - how many bytes the UTF-8 character at @s has
 *
 * 0 when it is none: overlong forms, surrogates and numbers above U+10FFFF are none. A NUL is one
 * byte; nothing behind it is looked at.
 */
size_t str_utf8_len(const char *s);

#endif
