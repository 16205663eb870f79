/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the configuration document. The table of properties says which elements and attributes
 * there are; what it cannot say (a resource made of several elements, elements within elements) is
 * in the table of special elements here. Whatever is not known is refused, so that nothing is lost
 * when the document is written again. Entities cannot be declared, and only the five of XML used.
 *
 * Source: zonecfg.dtd.1.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <assert.h>
#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 4

struct reader {
	XML_Parser parser;
	struct config *cfg;
	struct config_res *open;      /* the resource whose element is open */
	struct config_res *cpu, *mem; /* dedicated-cpu and capped-memory, added at the end */
	int depth, skip_depth;        /* skip_depth: of the element whose content is ignored */
	int r;
	struct err *err;
};

/* Elements that are not simply a resource. */
struct special {
	const char *name, *parent;
	int (*read)(struct reader *reader, const char **attrs); /* NULL: known and ignored */
};

static int fail(struct reader *reader, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int
fail(struct reader *reader, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (r < 0) {
		text = NULL;
		reader->r = err_nomem(reader->err);
	} else {
		reader->r = err_set(reader->err, ZE_FORMAT, 0, "line %lu: %s",
				    (unsigned long)XML_GetCurrentLineNumber(reader->parser), text);
	}
	(void)XML_StopParser(reader->parser, XML_FALSE);
	return -ZE_FORMAT; /* reader->r is what counts in the end */
}

/* A failure of the model: the document is to blame, unless memory is. */
static int
fail_with(struct reader *reader, const char *what, const struct err *why)
{
	if (why->code == ZE_NOMEM) {
		(void)XML_StopParser(reader->parser, XML_FALSE);
		reader->r = err_nomem(reader->err);
		return -ZE_NOMEM;
	}
	return fail(reader, "%s: %s", what, why->msg);
}

/* Empty means unset, as everywhere in this format. */
static int
set(struct reader *reader, struct config_res *res, enum config_prop prop, const char *value)
{
	struct err why;
	int r = 0;

	assert(value);
	if (*value)
		r = config_res_set(res, prop, value, &why);
	return r < 0 ? fail_with(reader, config_types[res->type].name, &why) : 0;
}

static int
prop_of_attr(enum config_type type, const char *attr)
{
	for (unsigned p = config_types[type].first; p < (unsigned)config_types[type].end; p++)
		if (config_props[p].xml_name && !strcmp(config_props[p].xml_name, attr))
			return (int)p;
	return -1;
}

static int
read_attrs(struct reader *reader, const char *element, struct config_res *res, const char **attrs)
{
	int prop, r;

	for (; attrs[0]; attrs += 2) {
		if (res->type == CONFIG_GLOBAL && !strcmp(attrs[0], "version")) {
			if (strcmp(attrs[1], "1") != 0)
				return fail(reader, "version '%.32s' is not known", attrs[1]);
			continue;
		}
		prop = prop_of_attr(res->type, attrs[0]);
		if (prop < 0)
			return fail(reader, "unknown attribute '%.64s' of element '%s'", attrs[0],
				    element);
		r = set(reader, res, (enum config_prop)prop, attrs[1]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Fetch exactly the attributes @names (NULL-terminated) into @values. */
static int
fetch(struct reader *reader, const char *element, const char **attrs, const char *const *names,
      const char **values)
{
	size_t i;

	for (i = 0; names[i]; i++)
		values[i] = NULL;
	for (; attrs[0]; attrs += 2) {
		for (i = 0; names[i] && strcmp(names[i], attrs[0]) != 0; i++)
			;
		if (!names[i])
			return fail(reader, "unknown attribute '%.64s' of element '%s'", attrs[0],
				    element);
		values[i] = attrs[1];
	}
	for (i = 0; names[i]; i++)
		if (!values[i])
			return fail(reader, "element '%s' has no attribute '%s'", element,
				    names[i]);
	return 0;
}

static int
read_fsoption(struct reader *reader, const char **attrs)
{
	static const char *const names[] = {"name", NULL};
	const char *values[1];
	struct err why;
	int r;

	r = fetch(reader, "fsoption", attrs, names, values);
	if (r < 0)
		return r;
	r = config_res_add_value(reader->open, CONFIG_FS_OPTIONS, values[0], &why);
	return r < 0 ? fail_with(reader, "fsoption", &why) : 0;
}

static int
read_rctl_value(struct reader *reader, const char **attrs)
{
	static const char *const names[] = {"priv", "limit", "action", NULL};
	auto_free char *text = NULL;
	const char *values[3];
	struct err why;
	int r;

	r = fetch(reader, "rctl-value", attrs, names, values);
	if (r < 0)
		return r;
	if (asprintf(&text, "(priv=%s,limit=%s,action=%s)", values[0], values[1], values[2]) < 0) {
		text = NULL;
		r = err_nomem(&why);
	} else {
		r = config_res_add_value(reader->open, CONFIG_RCTL_VALUE, text, &why);
	}
	return r < 0 ? fail_with(reader, "rctl-value", &why) : 0;
}

/* The resource that is put together from several elements. */
static int
assembled(struct reader *reader, enum config_type type, struct config_res **res)
{
	struct err why;

	if (*res)
		return 0;
	return config_res_new(type, res, &why) < 0 ? fail_with(reader, "zone", &why) : 0;
}

static int
read_tmp_pool(struct reader *reader, const char **attrs)
{
	static const char *const names[] = {"importance", NULL};
	const char *values[1];
	int r;

	r = fetch(reader, "tmp_pool", attrs, names, values);
	if (r == 0)
		r = assembled(reader, CONFIG_DEDICATED_CPU, &reader->cpu);
	if (r < 0)
		return r;
	if (config_res_is_set(reader->cpu, CONFIG_DEDICATED_CPU_IMPORTANCE))
		return fail(reader, "there is a second element 'tmp_pool'");
	return set(reader, reader->cpu, CONFIG_DEDICATED_CPU_IMPORTANCE, values[0]);
}

static int
read_pset(struct reader *reader, const char **attrs)
{
	static const char *const names[] = {"ncpu_min", "ncpu_max", NULL};
	auto_free char *range = NULL;
	const char *values[2];
	struct err why;
	int r;

	r = fetch(reader, "pset", attrs, names, values);
	if (r == 0)
		r = assembled(reader, CONFIG_DEDICATED_CPU, &reader->cpu);
	if (r < 0)
		return r;
	if (config_res_is_set(reader->cpu, CONFIG_DEDICATED_CPU_NCPUS))
		return fail(reader, "there is a second element 'pset'");
	if (asprintf(&range, "%s-%s", values[0], values[1]) < 0) {
		range = NULL;
		(void)err_nomem(&why);
		return fail_with(reader, "pset", &why);
	}
	return set(reader, reader->cpu, CONFIG_DEDICATED_CPU_NCPUS, range);
}

static int
read_mcap(struct reader *reader, const char **attrs)
{
	static const char *const names[] = {"physcap", NULL};
	const char *values[1];
	int r;

	r = fetch(reader, "mcap", attrs, names, values);
	if (r < 0)
		return r;
	if (reader->mem)
		return fail(reader, "there is a second element 'mcap'");
	r = assembled(reader, CONFIG_CAPPED_MEMORY, &reader->mem);
	return r < 0 ? r : set(reader, reader->mem, CONFIG_CAPPED_MEMORY_PHYSICAL, values[0]);
}

static const struct special specials[] = {
    {"fsoption", "filesystem", read_fsoption},
    {"rctl-value", "rctl", read_rctl_value},
    {"tmp_pool", "zone", read_tmp_pool},
    {"pset", "zone", read_pset},
    {"mcap", "zone", read_mcap},
    /* The inventory in the manifest of a detached zone, and a relic. */
    {"package", "zone", NULL},
    {"patch", "zone", NULL},
    {"dev-perm", "zone", NULL},
    {"deleted-device", "zone", NULL},
};

static const struct special *
special_find(const char *name, const char *parent)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
		if (!strcmp(specials[i].name, name) && !strcmp(specials[i].parent, parent))
			return &specials[i];
	return NULL;
}

static void
read_child(struct reader *reader, const char *name, const char *parent, const char **attrs)
{
	const struct special *special = special_find(name, parent);

	if (!special)
		(void)fail(reader, "unknown element '%.64s' in '%s'", name, parent);
	else if (special->read)
		(void)special->read(reader, attrs);
	else
		reader->skip_depth = reader->depth;
}

static void
read_resource(struct reader *reader, const char *name, const char **attrs)
{
	struct err why;

	for (unsigned type = CONFIG_GLOBAL + 1; type < CONFIG_TYPE_COUNT; type++) {
		if (!config_types[type].xml_name || strcmp(config_types[type].xml_name, name) != 0)
			continue;
		if (config_res_new(type, &reader->open, &why) < 0)
			(void)fail_with(reader, name, &why);
		else
			(void)read_attrs(reader, name, reader->open, attrs);
		return;
	}
	read_child(reader, name, "zone", attrs);
}

static void XMLCALL
on_start(void *data, const XML_Char *name, const XML_Char **attrs)
{
	struct reader *reader = data;

	if (reader->r < 0)
		return;
	reader->depth++;
	if (reader->depth > DEPTH_MAX)
		(void)fail(reader, "elements are nested too deep");
	else if (reader->skip_depth)
		return;
	else if (reader->depth == 1 && strcmp(name, "zone") != 0)
		(void)fail(reader, "the document is a '%.64s', not a 'zone'", name);
	else if (reader->depth == 1)
		(void)read_attrs(reader, "zone", reader->cfg->global, attrs);
	else if (reader->depth == 2)
		read_resource(reader, name, attrs);
	else if (!reader->open)
		(void)fail(reader, "unknown element '%.64s'", name);
	else
		read_child(reader, name, config_types[reader->open->type].xml_name, attrs);
}

static void XMLCALL
on_end(void *data, const XML_Char *name)
{
	struct reader *reader = data;
	struct err why;

	if (reader->r < 0)
		return;
	if (reader->skip_depth == reader->depth)
		reader->skip_depth = 0;
	if (reader->depth == 2 && reader->open) {
		if (config_add(reader->cfg, reader->open, NULL, &why) < 0)
			(void)fail_with(reader, name, &why);
		else
			reader->open = NULL;
	}
	reader->depth--;
}

static void XMLCALL
on_text(void *data, const XML_Char *text, int len)
{
	struct reader *reader = data;

	if (reader->r < 0)
		return;
	for (int i = 0; i < len; i++) {
		if (!strchr(" \t\r\n", text[i])) {
			(void)fail(reader, "unexpected text between the elements");
			return;
		}
	}
}

static void XMLCALL
on_doctype(void *data, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
	   int has_internal_subset)
{
	struct reader *reader = data;

	(void)system_id; /* never opened */
	(void)public_id;
	if (strcmp(name, "zone") != 0)
		(void)fail(reader, "the document type is '%.64s', not 'zone'", name);
	else if (has_internal_subset)
		(void)fail(reader, "declarations in the document are not allowed");
}

/*
 * Because the DTD is not read, expat takes an unknown entity for one that it declares, and leaves
 * it out of an attribute without a word. So look for it before.
 */
static int
entity_check(const char *doc, size_t size_bytes, struct err *err)
{
	static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#"};
	const char *end = doc + size_bytes;
	unsigned long line = 1;
	size_t i, len;

	for (const char *p = doc; p < end; p++) {
		line += *p == '\n';
		/* A bare '&', which only a comment may have, is for expat to judge. */
		if (*p != '&' || end - p < 2 || strchr(" \t\r\n&", p[1]))
			continue;
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			len = strlen(known[i]);
			if ((size_t)(end - p) >= len && !memcmp(p, known[i], len))
				break;
		}
		if (i == sizeof(known) / sizeof(known[0]))
			return err_set(err, ZE_FORMAT, 0, "line %lu: entities are not allowed",
				       line);
	}
	return 0;
}

static int
finish(struct reader *reader)
{
	struct config_res **assembled_res[] = {&reader->cpu, &reader->mem};
	struct err why;

	for (size_t i = 0; i < 2; i++) {
		/* Elements whose attributes are all empty say nothing. */
		if (!*assembled_res[i] || config_res_is_empty(*assembled_res[i]))
			continue;
		if (config_add(reader->cfg, *assembled_res[i], NULL, &why) < 0)
			return fail_with(reader, "zone", &why);
		*assembled_res[i] = NULL;
	}
	return 0;
}

static int
parse(struct reader *reader, const char *doc, size_t size_bytes)
{
	enum XML_Error code;

	XML_SetUserData(reader->parser, reader);
	XML_SetElementHandler(reader->parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader->parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
	if (XML_Parse(reader->parser, doc, (int)size_bytes, XML_TRUE) == XML_STATUS_OK) {
		(void)finish(reader);
	} else if (reader->r == 0) {
		code = XML_GetErrorCode(reader->parser);
		if (code == XML_ERROR_NO_MEMORY)
			return err_nomem(reader->err);
		(void)fail(reader, "%s", XML_ErrorString(code));
	}
	return reader->r;
}

int
config_xml_parse(const char *doc, size_t size_bytes, struct config **ret, struct err *err)
{
	auto_config struct config *cfg = NULL;
	struct reader reader = {.err = err};
	int r;

	if (size_bytes > CONFIG_FILE_MAX_BYTES)
		return err_set(err, ZE_FORMAT, 0, "larger than %zu bytes", CONFIG_FILE_MAX_BYTES);
	r = entity_check(doc, size_bytes, err);
	if (r == 0)
		r = config_new("default", &cfg, err);
	if (r < 0)
		return r;
	reader.cfg = cfg;
	reader.parser = XML_ParserCreate(NULL);
	if (!reader.parser)
		return err_nomem(err);
	r = parse(&reader, doc, size_bytes);
	XML_ParserFree(reader.parser);
	config_res_free(reader.open);
	config_res_free(reader.cpu);
	config_res_free(reader.mem);
	if (r == 0)
		*ret = ptr_take(&cfg);
	return r;
}
