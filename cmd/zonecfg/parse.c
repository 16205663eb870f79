/* SPDX-License-Identifier: Apache-2.0 */
/* Commands out of tokens. */
#include "parse.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* How much of a token a message shows. */
#define SHOWN_MAX 60

static int
syntax_error(const struct token *tok, const char *wanted, struct err *err)
{
	if (tok->kind == TOKEN_END || tok->kind == TOKEN_SEMICOLON)
		return err_set(err, ZE_INVAL, 0, "syntax error at the end of the command: %s",
			       wanted);
	return err_set(err, ZE_INVAL, 0, "syntax error at '%.*s': %s",
		       (int)(tok->len < SHOWN_MAX ? tok->len : SHOWN_MAX), tok->text, wanted);
}

static int
add_token(struct strv *strv, const struct token *tok, struct err *err)
{
	auto_str struct str text = {0};

	if (str_add(&text, tok->text, tok->len) < 0 || strv_add(strv, text.s) < 0)
		return err_nomem(err);
	return 0;
}

/*
 * The rest of "(name=value,...)", of which "(" has been read, as text in one canonical form. A
 * value that would read differently in it is refused: no property takes one.
 */
static int
parse_complex(struct lexer *lx, struct strv *values, struct err *err)
{
	auto_str struct str text = {0};
	struct token name, equal, value, sep;

	do {
		name = lex_next(lx, PLACE_COMPLEX);
		if (name.kind != TOKEN_WORD || !name.len)
			return syntax_error(&name, "a name was expected in (name=value,...)", err);
		equal = lex_next(lx, PLACE_COMPLEX);
		if (equal.kind != TOKEN_EQUAL)
			return syntax_error(&equal, "'=' was expected in (name=value,...)", err);
		value = lex_next(lx, PLACE_COMPLEX);
		if (value.kind != TOKEN_WORD)
			return syntax_error(&value, "a value was expected in (name=value,...)",
					    err);
		for (size_t i = 0; i < value.len; i++)
			if (strchr(",()=", value.text[i]))
				return syntax_error(&value, "not possible in (name=value,...)",
						    err);
		sep = lex_next(lx, PLACE_COMPLEX);
		if (sep.kind != TOKEN_COMMA && sep.kind != TOKEN_CLOSE_COMPLEX)
			return syntax_error(&sep, "',' or ')' was expected", err);
		if (str_addf(&text, "%s%.*s=%.*s", text.len ? "," : "(", (int)name.len, name.text,
			     (int)value.len, value.text) < 0)
			return err_nomem(err);
	} while (sep.kind == TOKEN_COMMA);
	if (str_addf(&text, ")") < 0 || strv_add(values, text.s) < 0)
		return err_nomem(err);
	return 0;
}

/* The rest of "[a,b,...]", of which "[" has been read. */
static int
parse_list(struct lexer *lx, struct call_arg *arg, struct err *err)
{
	struct token tok;
	bool is_complex;
	int r;

	arg->is_list = true;
	tok = lex_next(lx, PLACE_LIST);
	if (tok.kind == TOKEN_CLOSE_LIST)
		return 0;
	for (;;) {
		is_complex = tok.kind == TOKEN_OPEN_COMPLEX;
		if (!is_complex && tok.kind != TOKEN_WORD)
			return syntax_error(&tok, "a value was expected in [value,...]", err);
		if (arg->values.n && is_complex != arg->is_complex)
			return syntax_error(&tok, "a list holds values of one kind", err);
		arg->is_complex = is_complex;
		r = is_complex ? parse_complex(lx, &arg->values, err)
			       : add_token(&arg->values, &tok, err);
		if (r < 0)
			return r;
		tok = lex_next(lx, PLACE_LIST);
		if (tok.kind == TOKEN_CLOSE_LIST)
			return 0;
		if (tok.kind != TOKEN_COMMA)
			return syntax_error(&tok, "',' or ']' was expected", err);
		tok = lex_next(lx, PLACE_LIST);
	}
}

static int
parse_value(struct lexer *lx, const struct token *first, struct call_arg *arg, struct err *err)
{
	switch (first->kind) {
	case TOKEN_WORD:
		arg->quoted = first->quoted;
		return add_token(&arg->values, first, err);
	case TOKEN_OPEN_LIST:
		return parse_list(lx, arg, err);
	case TOKEN_OPEN_COMPLEX:
		arg->is_complex = true;
		return parse_complex(lx, &arg->values, err);
	case TOKEN_EQUAL:
		return syntax_error(first, "a value that holds '=' must be in quotes", err);
	case TOKEN_END:
	case TOKEN_SEMICOLON:
	case TOKEN_CLOSE_LIST:
	case TOKEN_CLOSE_COMPLEX:
	case TOKEN_COMMA:
		break;
	}
	return syntax_error(first, "a value was expected", err);
}

static int
parse_arg(struct lexer *lx, const struct token *first, struct call_arg *arg, struct err *err)
{
	struct lexer ahead = *lx;
	struct token tok;

	if (first->kind != TOKEN_WORD || lex_next(&ahead, PLACE_PLAIN).kind != TOKEN_EQUAL)
		return parse_value(lx, first, arg, err);
	*lx = ahead;
	arg->name = strndup(first->text, first->len);
	if (!arg->name)
		return err_nomem(err);
	tok = lex_next(lx, PLACE_PLAIN);
	return parse_value(lx, &tok, arg, err);
}

int
parse_next(struct lexer *lx, struct call *ret, struct err *err)
{
	struct call_arg *bigger;
	struct token tok;
	int r;

	*ret = (struct call){0};
	if (lex_at_comment(lx))
		return 0;
	tok = lex_next(lx, PLACE_PLAIN);
	if (tok.kind == TOKEN_END)
		return 0;
	if (tok.kind != TOKEN_WORD || tok.quoted)
		return syntax_error(&tok, "a command was expected", err);
	ret->word = strndup(tok.text, tok.len);
	if (!ret->word)
		return err_nomem(err);
	for (;;) {
		tok = lex_next(lx, PLACE_PLAIN);
		if (tok.kind == TOKEN_END || tok.kind == TOKEN_SEMICOLON)
			return 1;
		bigger = reallocarray(ret->args, ret->n + 1, sizeof(*bigger));
		if (!bigger)
			return err_nomem(err);
		ret->args = bigger;
		ret->args[ret->n] = (struct call_arg){0};
		r = parse_arg(lx, &tok, &ret->args[ret->n++], err);
		if (r < 0)
			return r;
	}
}

void
call_free(struct call *call)
{
	for (size_t i = 0; i < call->n; i++) {
		free(call->args[i].name);
		strv_free(&call->args[i].values);
	}
	free(call->args);
	free(call->word);
	*call = (struct call){0};
}
