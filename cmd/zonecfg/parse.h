/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command language: a line of text becomes calls, one a command. Nothing here knows what a
 * command means, so a value may be spelled like any keyword.
 *
 * A line holds commands with ";" between them. A command is a word and arguments; an argument is a
 * value or "name=value"; a value is simple (a word or "quoted text"), a list [a,b] or a complex
 * (name=value,...); a list may hold complex ones. "#" where a command may begin starts a comment.
 *
 * Source: zonecfg(8), COMMAND LANGUAGE.
 */
#ifndef ZONECFG_PARSE_H
#define ZONECFG_PARSE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct err;

/* A longer line is refused: no input makes the program take unbounded memory. */
#define PARSE_LINE_MAX ((size_t)1 << 20)

enum token_kind {
	TOKEN_END, /* of the line */
	TOKEN_SEMICOLON,
	TOKEN_WORD,
	TOKEN_EQUAL,
	TOKEN_OPEN_LIST,
	TOKEN_CLOSE_LIST,
	TOKEN_OPEN_COMPLEX,
	TOKEN_CLOSE_COMPLEX,
	TOKEN_COMMA,
};

/* Where a token stands: "," separates only inside lists and complex values, and brackets are
 * ordinary characters in the latter. */
enum token_place { PLACE_PLAIN, PLACE_LIST, PLACE_COMPLEX };

/* A slice of the line; there are no escapes, so a quoted word is one as well. */
struct token {
	enum token_kind kind;
	const char *text;
	size_t len;
	bool quoted;
	bool unclosed; /* quoted, and the line ended before the closing quote */
	size_t start;  /* offset in the line, of the opening quote if there is one */
};

struct lexer {
	const char *line;
	size_t pos;
};

/**
 * lex_next - the next token of a line
 */
struct token lex_next(struct lexer *lx, enum token_place place);

/**
 * lex_at_comment - whether the rest of the line is a comment, at a place where a command may begin
 */
bool lex_at_comment(struct lexer *lx);

/**
 * lex_check_line - whether a line is text: valid UTF-8 without control characters but tab
 * @len: how many bytes were read; a NUL among them is found by it
 *
 * Returns 0 or -ZE_INVAL.
 */
int lex_check_line(const char *line, size_t len, struct err *err);

/**
 * lex_is_plain_word - whether a value can stand on a command line without quotes
 */
bool lex_is_plain_word(const char *value);

/* One argument of a command. */
struct call_arg {
	char *name;               /* of "name=value", else NULL */
	struct strv values;       /* one of a simple or complex value, any number of a list */
	bool is_list, is_complex; /* complex: each of @values is "(name=value,...)" */
	bool quoted;              /* a simple value that stood in quotes */
};

/* One command as it was typed. */
struct call {
	char *word;
	struct call_arg *args;
	size_t n;
};

/**
 * parse_next - the next command of a line
 * @ret: filled also when the command is wrong: its word says whose usage to show, if it got that
 *       far. call_free() it in any case.
 *
 * Returns 1; 0 at the end of the line; -ZE_INVAL with the offending token; -ZE_NOMEM. After a
 * failure the rest of the line means nothing any more.
 */
int parse_next(struct lexer *lx, struct call *ret, struct err *err);

void call_free(struct call *call);
#define auto_call __attribute__((cleanup(call_free)))

#endif
