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

int
lex_check_line(const char *line, size_t len, struct err *err)
{
	const unsigned char *s = (const unsigned char *)line;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = str_utf8_len(line + i);
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
