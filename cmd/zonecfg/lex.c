/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of the command language, as slices of the line. */
#include "parse.h"

#include "base/err.h"

#include <string.h>

#define BLANKS   " \t\r"
#define SPECIALS "\";=[]()"

static enum token_kind
special_kind(char c, enum token_place place)
{
	switch (c) {
	case ';':
		return TOKEN_SEMICOLON;
	case '=':
		return TOKEN_EQUAL;
	case '(':
		return TOKEN_OPEN_COMPLEX;
	case ')':
		return TOKEN_CLOSE_COMPLEX;
	case '[':
		return place == PLACE_COMPLEX ? TOKEN_WORD : TOKEN_OPEN_LIST;
	case ']':
		return place == PLACE_COMPLEX ? TOKEN_WORD : TOKEN_CLOSE_LIST;
	case ',':
		return place == PLACE_PLAIN ? TOKEN_WORD : TOKEN_COMMA;
	}
	return TOKEN_WORD;
}

static struct token
lex_quoted(struct lexer *lx)
{
	struct token tok = {.kind = TOKEN_WORD, .quoted = true, .start = lx->pos};

	lx->pos++;
	tok.text = lx->line + lx->pos;
	tok.len = strcspn(tok.text, "\"");
	tok.unclosed = tok.text[tok.len] != '"';
	lx->pos += tok.len + (tok.unclosed ? 0 : 1);
	return tok;
}

struct token
lex_next(struct lexer *lx, enum token_place place)
{
	static const char *const ends[] = {
	    [PLACE_PLAIN] = BLANKS SPECIALS,
	    [PLACE_LIST] = BLANKS SPECIALS ",",
	    [PLACE_COMPLEX] = BLANKS "\";=(),",
	};
	struct token tok = {.kind = TOKEN_END};

	lx->pos += strspn(lx->line + lx->pos, BLANKS);
	tok.text = lx->line + lx->pos;
	tok.start = lx->pos;
	if (!*tok.text)
		return tok;
	if (*tok.text == '"')
		return lex_quoted(lx);
	tok.kind = special_kind(*tok.text, place);
	tok.len = tok.kind == TOKEN_WORD ? strcspn(tok.text, ends[place]) : 1;
	lx->pos += tok.len;
	return tok;
}

bool
lex_at_comment(struct lexer *lx)
{
	lx->pos += strspn(lx->line + lx->pos, BLANKS ";");
	return lx->line[lx->pos] == '#';
}

/* How many bytes the UTF-8 sequence at @s has, 0 when it is none (overlong forms, surrogates and
 * numbers above U+10FFFF are none). Needs no look past a NUL. */
static size_t
utf8_len(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, second_min, second_max;
		size_t len;
	} forms[] = {
	    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (*s < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (*s < forms[i].first || *s > forms[i].last)
			continue;
		if (s[1] < forms[i].second_min || s[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if (s[k] < 0x80 || s[k] > 0xbf)
				return 0;
		return forms[i].len;
	}
	return 0;
}

int
lex_check_line(const char *line, size_t len, struct err *err)
{
	const unsigned char *s = (const unsigned char *)line;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_len(s + i);
		if (!n)
			return err_set(err, ZE_INVAL, 0,
				       "the line is not valid UTF-8 (byte %zu is 0x%02x)", i + 1,
				       s[i]);
		if ((s[i] < ' ' && !strchr(BLANKS, s[i])) || s[i] == '\0' || s[i] == 0x7f)
			return err_set(err, ZE_INVAL, 0,
				       "the line has a control character (byte %zu is 0x%02x)",
				       i + 1, s[i]);
	}
	return 0;
}

bool
lex_is_plain_word(const char *value)
{
	return *value && !value[strcspn(value, BLANKS SPECIALS ",#")];
}
