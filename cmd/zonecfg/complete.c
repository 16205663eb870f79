/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tab completion: what could stand at the end of an unfinished line, from the tables, from the
 * configuration at hand, and from the index. Reads only, and asks for nothing that takes long.
 */
#include "zonecfg.h"

#include "base/fd.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* The unfinished command: its complete words, and the word that ends at the cursor. */
struct unfinished {
	struct strv words;      /* "=" is a word of its own */
	enum config_type scope; /* in which it will be carried out */
	bool opens;   /* that scope is opened on this very line: there is no resource yet */
	size_t start; /* where the last word begins */
	char *last;   /* "" when a new one begins */
	bool quoted;
};

static void
unfinished_free(struct unfinished *u)
{
	strv_free(&u->words);
	free(u->last);
}

static int
add_token(struct unfinished *u, const struct token *tok)
{
	auto_str struct str text = {0};

	if (str_add(&text, tok->text, tok->len) < 0)
		return -ZE_NOMEM;
	return strv_add(&u->words, text.s);
}

/* What a complete command on the line does to the scope of those behind it. */
static void
follow_scope(struct unfinished *u)
{
	const struct strv *w = &u->words;
	int type;

	if (w->n > 1 && u->scope == CONFIG_GLOBAL &&
	    (!strcmp(w->v[0], "add") || !strcmp(w->v[0], "select"))) {
		type = config_type_find(w->v[1]);
		u->scope = type < 0 ? CONFIG_GLOBAL : (enum config_type)type;
		u->opens = type >= 0;
	} else if (w->n > 0 && (!strcmp(w->v[0], "end") || !strcmp(w->v[0], "cancel"))) {
		u->scope = CONFIG_GLOBAL;
	}
}

/* Only the last command on the line counts. In a list, the word begins behind the last comma. */
static int
read_unfinished(const char *line, struct unfinished *u)
{
	enum token_place place = PLACE_PLAIN;
	struct lexer lx = {.line = line};
	size_t end = strlen(line);
	struct token tok;

	u->start = end;
	for (;;) {
		tok = lex_next(&lx, place);
		if (tok.kind == TOKEN_END)
			break;
		if (tok.kind == TOKEN_SEMICOLON) {
			follow_scope(u);
			strv_free(&u->words);
			place = PLACE_PLAIN;
			continue;
		}
		if (tok.kind == TOKEN_OPEN_LIST || tok.kind == TOKEN_CLOSE_LIST) {
			place = tok.kind == TOKEN_OPEN_LIST ? PLACE_LIST : PLACE_PLAIN;
			continue;
		}
		if (tok.kind == TOKEN_COMMA)
			continue;
		if (tok.kind == TOKEN_WORD && lx.pos == end && (!tok.quoted || tok.unclosed)) {
			u->start = tok.start;
			u->quoted = tok.quoted;
			u->last = strndup(tok.text, tok.len);
			return u->last ? 0 : -ZE_NOMEM;
		}
		if (add_token(u, &tok) < 0)
			return -ZE_NOMEM;
	}
	u->last = strdup("");
	return u->last ? 0 : -ZE_NOMEM;
}

/* Adds a candidate if the last word is its begin. */
static int
offer(const struct unfinished *u, struct strv *ret, const char *value, const char *suffix)
{
	const char *quote = *suffix || lex_is_plain_word(value) ? "" : "\"";

	if (strncmp(value, u->last, strlen(u->last)) != 0)
		return 0;
	if (u->quoted)
		quote = "\"";
	return strv_addf(ret, "%s%s%s%s", quote, value, quote, suffix);
}

static int
offer_commands(const struct unfinished *u, struct strv *ret)
{
	unsigned want = u->scope == CONFIG_GLOBAL ? COMMAND_GLOBAL : COMMAND_RESOURCE;
	int r = 0;

	for (const struct command *c = commands; r == 0 && c->name; c++)
		if (c->flags & want)
			r = offer(u, ret, c->name, "");
	return r;
}

static int
offer_types(const struct session *s, const struct unfinished *u, bool present, struct strv *ret)
{
	int r = 0;

	for (int t = CONFIG_GLOBAL + 1; r == 0 && t < CONFIG_TYPE_COUNT; t++)
		if (!present || (s->cfg && config_count(s->cfg, t)))
			r = offer(u, ret, config_types[t].name, "");
	return r;
}

enum offer_which { OFFER_ALL, OFFER_CLEARABLE, OFFER_LISTS };

static int
offer_props(const struct unfinished *u, enum config_type type, enum offer_which which,
	    const char *suffix, struct strv *ret)
{
	int r = 0;

	for (unsigned p = config_types[type].first; r == 0 && p < (unsigned)config_types[type].end;
	     p++) {
		const struct config_prop_desc *desc = &config_props[p];

		if (which == OFFER_ALL || (which == OFFER_CLEARABLE && desc->clearable) ||
		    (which == OFFER_LISTS && desc->list))
			r = offer(u, ret, desc->name, suffix);
	}
	return r;
}

static int
offer_links(const struct unfinished *u, struct strv *ret)
{
	struct if_nameindex *links = if_nameindex();
	int r = 0;

	for (size_t i = 0; r == 0 && links && links[i].if_name; i++)
		r = offer(u, ret, links[i].if_name, "");
	if_freenameindex(links);
	return r;
}

static int
offer_zones(const struct session *s, const struct unfinished *u, bool templates, struct strv *ret)
{
	static const char *const names[] = {"SYSdefault", "SYSblank", "SUNWdefault", "SUNWblank"};
	auto_index struct config_index index = {0};
	int r = 0;

	for (size_t i = 0; templates && r == 0 && i < sizeof(names) / sizeof(*names); i++)
		r = offer(u, ret, names[i], "");
	if (config_index_load(s->opts->root, &index, NULL) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < index.n; i++)
		if (strcmp(index.entries[i].name, "global") != 0)
			r = offer(u, ret, index.entries[i].name, "");
	return r;
}

/* What a property could be set to. */
static int
offer_values(const struct session *s, const struct unfinished *u, int prop, struct strv *ret)
{
	const struct config_prop_desc *desc = &config_props[prop];
	int r = 0;

	for (size_t i = 0; r == 0 && desc->choices && desc->choices[i]; i++)
		r = offer(u, ret, desc->choices[i], "");
	if (r == 0 && desc->kind == CONFIG_KIND_LINK)
		r = offer_links(u, ret);
	if (r == 0 && prop == CONFIG_ZONENAME && !s->cfg)
		r = offer_zones(s, u, false, ret);
	return r;
}

/* What a property of the resources of a type has been set to. */
static int
offer_present(const struct session *s, const struct unfinished *u, int prop, struct strv *ret)
{
	enum config_type type = config_props[prop].type;
	const char *value;
	int r = 0;

	for (size_t i = 0; r == 0 && i < config_count(s->cfg, type); i++) {
		value = config_res_get(config_at(s->cfg, type, i), prop);
		if (value)
			r = offer(u, ret, value, "");
	}
	return r;
}

static int
offer_elements(const struct session *s, const struct unfinished *u, int prop, struct strv *ret)
{
	const char *const *list;
	size_t n;
	int r = 0;

	if (u->opens)
		return 0;
	list = config_res_list(scope(s), prop, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = offer(u, ret, list[i], "");
	return r;
}

/* ---- one function a kind of command; words.v[0] is the command ------------------------------- */

static int
after_qualifiers(const struct session *s, const struct unfinished *u, int type, struct strv *ret)
{
	const struct strv *w = &u->words;
	int prop;

	if (strcmp(w->v[w->n - 1], "=") != 0)
		return config_types[type].single ? 0 : offer_props(u, type, OFFER_ALL, "=", ret);
	prop = config_prop_find(type, w->v[w->n - 2]);
	return prop < 0 || !s->cfg ? 0 : offer_present(s, u, prop, ret);
}

static int
complete_resource(const struct session *s, const struct unfinished *u, struct strv *ret)
{
	const struct strv *w = &u->words;
	bool is_info = !strcmp(w->v[0], "info");
	size_t at = w->n > 1 && !strcmp(w->v[1], "-F") ? 2 : 1; /* where the type stands */
	int type, r;

	if (w->n > at) {
		type = config_type_find(w->v[at]);
		return type < 0 ? 0 : after_qualifiers(s, u, type, ret);
	}
	r = offer_types(s, u, true, ret);
	return r == 0 && is_info ? offer_props(u, CONFIG_GLOBAL, OFFER_ALL, "", ret) : r;
}

static int
complete_value(const struct session *s, const struct unfinished *u, struct strv *ret)
{
	const struct strv *w = &u->words;
	bool removes = !strcmp(w->v[0], "remove");
	int prop;

	if (w->n == 1)
		return offer_props(u, u->scope, OFFER_LISTS, "", ret);
	prop = config_prop_find(u->scope, w->v[1]);
	if (prop < 0)
		return 0;
	return removes ? offer_elements(s, u, prop, ret) : offer_values(s, u, prop, ret);
}

static int
complete_set(const struct session *s, const struct unfinished *u, struct strv *ret)
{
	const struct strv *w = &u->words;
	int prop;

	if (w->n == 1)
		return offer_props(u, u->scope, OFFER_ALL, "=", ret);
	prop = config_prop_find(u->scope, w->v[1]);
	return prop < 0 || w->n < 3 ? 0 : offer_values(s, u, prop, ret);
}

static int
complete_help(const struct session *s, const struct unfinished *u, struct strv *ret)
{
	int r = 0;

	for (const struct command *c = commands; r == 0 && c->name; c++)
		r = offer(u, ret, c->name, "");
	if (r == 0)
		r = offer_types(s, u, false, ret);
	if (r == 0)
		r = offer_props(u, CONFIG_GLOBAL, OFFER_ALL, "", ret);
	if (r == 0)
		r = offer(u, ret, "syntax", "");
	if (r == 0)
		r = offer(u, ret, "usage", "");
	return r == 0 ? offer(u, ret, "subcommand", "") : r;
}

static int
complete_command(const struct session *s, const struct unfinished *u, struct strv *ret)
{
	const struct strv *w = &u->words;
	const char *cmd = w->n ? w->v[0] : "";

	if (w->n == 0)
		return offer_commands(u, ret);
	if (!strcmp(cmd, "help") || !strcmp(cmd, "?"))
		return complete_help(s, u, ret);
	if (!strcmp(cmd, "set"))
		return complete_set(s, u, ret);
	if (!strcmp(cmd, "clear"))
		return w->n == 1 ? offer_props(u, u->scope, OFFER_CLEARABLE, "", ret) : 0;
	if (!strcmp(cmd, "create"))
		return !strcmp(w->v[w->n - 1], "-t") ? offer_zones(s, u, true, ret) : 0;
	if (u->scope != CONFIG_GLOBAL && !strcmp(cmd, "info"))
		return w->n == 1 ? offer_props(u, u->scope, OFFER_ALL, "", ret) : 0;
	if (u->scope != CONFIG_GLOBAL && (!strcmp(cmd, "add") || !strcmp(cmd, "remove")))
		return complete_value(s, u, ret);
	if (!strcmp(cmd, "add"))
		return w->n == 1 ? offer_types(s, u, false, ret) : 0;
	if (!strcmp(cmd, "select") || !strcmp(cmd, "remove") || !strcmp(cmd, "info"))
		return complete_resource(s, u, ret);
	return 0;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
sort_unique(struct strv *strv)
{
	size_t kept = 0;

	if (strv->n < 2)
		return;
	qsort(strv->v, strv->n, sizeof(*strv->v), by_text);
	for (size_t i = 0; i < strv->n; i++) {
		if (kept && !strcmp(strv->v[kept - 1], strv->v[i]))
			free(strv->v[i]);
		else
			strv->v[kept++] = strv->v[i];
	}
	strv->n = kept;
	strv->v[kept] = NULL;
}

int
complete(const struct session *s, const char *line, struct strv *ret, size_t *ret_start)
{
	__attribute__((cleanup(unfinished_free))) struct unfinished u = {0};
	int r;

	u.scope = s->res ? config_res_type(s->res) : CONFIG_GLOBAL;
	r = read_unfinished(line, &u);
	if (r < 0)
		return r;
	*ret_start = u.start;
	r = complete_command(s, &u, ret);
	sort_unique(ret);
	return r;
}
