/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of values: each is checked strictly and brought into one form, so that what is stored
 * can be written to XML, index and commands without escapes that these do not have.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRING_MAX     1024
#define PATH_MAX_BYTES 1023

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("._-", c));
}

static int
bad(enum config_prop prop, const char *value, const char *what, struct err *err)
{
	return err_set(err, ZE_INVAL, 0, "%s: '%.64s%s' is not %s", config_props[prop].name, value,
		       strlen(value) > 64 ? "..." : "", what);
}

static int
keep(const char *value, char **ret, struct err *err)
{
	*ret = strdup(value);
	return *ret ? 0 : err_nomem(err);
}

/*
 * What no value may have: the command language cannot quote '"' and newline, and control characters
 * would reach the terminal of whoever lists the zone.
 */
static int
text_check(enum config_prop prop, const char *value, struct err *err)
{
	const unsigned char *p = (const unsigned char *)value;
	size_t n;

	for (; *p; p += n) {
		n = str_utf8_len((const char *)p);
		/* U+FFFE and U+FFFF are no characters in XML. */
		if (n == 0 || (n == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe))
			return err_set(err, ZE_INVAL, 0, "%s: the value is not valid UTF-8",
				       config_props[prop].name);
		if (*p < 0x20 || *p == 0x7f || *p == '"' || (*p == 0xc2 && p[1] < 0xa0))
			return err_set(err, ZE_INVAL, 0,
				       "%s: the value has a control character or a double quote",
				       config_props[prop].name);
	}
	return 0;
}

static int
check_string(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	uint64_t max = config_props[prop].max ? config_props[prop].max : STRING_MAX;

	if (strlen(value) > max)
		return err_set(err, ZE_INVAL, 0, "%s: the value has more than %ju bytes",
			       config_props[prop].name, (uintmax_t)max);
	return keep(value, ret, err);
}

static int
check_zonename(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	int r;

	r = config_name_check(value, err);
	if (r < 0)
		return err_add(err, "%s: '%.64s'", config_props[prop].name, value);
	return keep(value, ret, err);
}

static int
check_path(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	auto_str struct str clean = {0};
	const char *p = value;
	size_t len;

	if (*value != '/')
		return bad(prop, value, "an absolute path", err);
	if (strlen(value) > PATH_MAX_BYTES)
		return err_set(err, ZE_INVAL, 0, "%s: the path has more than %d bytes",
			       config_props[prop].name, PATH_MAX_BYTES);
	while (*p) {
		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.')
			return bad(prop, value, "a path without '..'", err);
		if (len == 0 || (len == 1 && *p == '.')) {
			p += len;
			continue;
		}
		if (str_add(&clean, "/", 1) < 0 || str_add(&clean, p, len) < 0)
			return err_nomem(err);
		p += len;
	}
	return keep(clean.s ? clean.s : "/", ret, err);
}

static int
check_choice(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	const char *const *choices = config_props[prop].choices;
	auto_str struct str all = {0};

	for (size_t i = 0; choices[i]; i++) {
		if (!strcmp(choices[i], value))
			return keep(value, ret, err);
		if (str_addf(&all, "%s%s", i == 0 ? "one of " : ", ", choices[i]) < 0)
			return err_nomem(err);
	}
	return bad(prop, value, all.s, err);
}

static int
out_of_range(enum config_prop prop, const char *value, const char *min, const char *max,
	     struct err *err)
{
	return err_set(err, ZE_INVAL, 0, "%s: '%.64s' is not between %s and %s",
		       config_props[prop].name, value, min, max);
}

static int
range_check(enum config_prop prop, const char *value, uint64_t n, struct err *err)
{
	const struct config_prop_desc *desc = &config_props[prop];
	char min[24], max[24];

	if ((desc->min == 0 && desc->max == 0) || (n >= desc->min && n <= desc->max))
		return 0;
	(void)snprintf(min, sizeof(min), "%ju", (uintmax_t)desc->min);
	(void)snprintf(max, sizeof(max), "%ju", (uintmax_t)desc->max);
	return out_of_range(prop, value, min, max, err);
}

static int
check_uint(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	uint64_t n;
	int r;

	if (str_to_u64(value, UINT64_MAX, &n, NULL) < 0)
		return bad(prop, value, "a number (digits only, below 2^64)", err);
	r = range_check(prop, value, n, err);
	if (r < 0)
		return r;
	if (asprintf(ret, "%ju", (uintmax_t)n) < 0)
		return err_nomem(err);
	return 0;
}

static int
check_ncpus(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	static const char what[] = "a number of CPUs (at most two decimal places, from 0.01)";
	const char *dot = strchrnul(value, '.');
	auto_free char *whole = strndup(value, (size_t)(dot - value));
	size_t places = *dot ? strlen(dot + 1) : 0;
	uint64_t n = 0, hundredths = 0;

	if (!whole)
		return err_nomem(err);
	if (places > 2 || (*dot && places == 0) ||
	    str_to_u64(whole[0] || places == 0 ? whole : "0", 65535, &n, NULL) < 0 ||
	    (places > 0 && str_to_u64(dot + 1, 99, &hundredths, NULL) < 0))
		return bad(prop, value, what, err);
	if (places == 1)
		hundredths *= 10;
	n = n * 100 + hundredths;
	if (n < config_props[prop].min || n > config_props[prop].max)
		return out_of_range(prop, value, "0.01", "65535", err);
	if (asprintf(ret, "%ju.%02ju", (uintmax_t)(n / 100), (uintmax_t)(n % 100)) < 0)
		return err_nomem(err);
	return 0;
}

static int
check_range(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	const char *dash = strchr(value, '-');
	auto_free char *low = dash ? strndup(value, (size_t)(dash - value)) : strdup(value);
	uint64_t from, to;
	int r;

	if (!low)
		return err_nomem(err);
	if (str_to_u64(low, UINT32_MAX, &from, NULL) < 0 ||
	    str_to_u64(dash ? dash + 1 : low, UINT32_MAX, &to, NULL) < 0)
		return bad(prop, value, "a number N or a range N-M", err);
	if (from > to)
		return bad(prop, value, "a range from low to high", err);
	r = range_check(prop, value, from, err);
	if (r == 0)
		r = range_check(prop, value, to, err);
	if (r < 0)
		return r;
	if (from == to)
		r = asprintf(ret, "%ju", (uintmax_t)from);
	else
		r = asprintf(ret, "%ju-%ju", (uintmax_t)from, (uintmax_t)to);
	return r < 0 ? err_nomem(err) : 0;
}

/* "1.5G" to bytes; fractions of a byte are cut off. Returns -1 for anything else. */
static int
size_parse(const char *value, uint64_t *ret)
{
	static const char units[] = "KMGT";
	uint64_t whole = 0, fraction = 0, scale = 1;
	unsigned shift = 0;
	const char *p = value, *unit;

	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return -1;
	if (p == value)
		return -1;
	if (*p == '.') {
		for (p++; is_digit(*p) && scale < 1000000; p++, scale *= 10)
			fraction = fraction * 10 + (uint64_t)(*p - '0');
		if (scale == 1)
			return -1;
	}
	if (*p) {
		unit = strchr(units, *p >= 'a' ? *p - 'a' + 'A' : *p);
		if (!unit || p[1])
			return -1;
		shift = 10 * (unsigned)(unit - units + 1);
	} else if (scale > 1) {
		return -1; /* there are no parts of a byte */
	}
	if (shift > 0 && whole >> (64 - shift))
		return -1;
	/* At most 10^6 * 2^40: fits. */
	return __builtin_add_overflow(whole << shift, (fraction << shift) / scale, ret) ? -1 : 0;
}

int
config_size_text(uint64_t bytes, bool exact, struct str *ret)
{
	static const char units[] = "\0KMGT";
	unsigned unit = 0;
	double n;

	if (exact) {
		while (unit < 4 && bytes > 0 && bytes % 1024 == 0) {
			bytes /= 1024;
			unit++;
		}
		return str_addf(ret, unit ? "%ju%c" : "%ju", (uintmax_t)bytes, units[unit]);
	}
	while (unit < 4 && bytes >> (10 * (unit + 1)) > 0)
		unit++;
	if (unit == 0)
		return str_addf(ret, "%ju", (uintmax_t)bytes);
	n = (double)bytes / (double)((uint64_t)1 << (10 * unit));
	if (n < 10 && bytes % ((uint64_t)1 << (10 * unit)))
		return str_addf(ret, "%.1f%c", n, units[unit]);
	return str_addf(ret, "%.0f%c", n, units[unit]);
}

static int
check_size(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	const struct config_prop_desc *desc = &config_props[prop];
	auto_str struct str min = {0}, max = {0};
	uint64_t bytes;

	if (size_parse(value, &bytes) < 0)
		return bad(prop, value, "a size (a number of bytes, or with K, M, G or T)", err);
	if (bytes < desc->min || bytes > desc->max) {
		if (config_size_text(desc->min, true, &min) < 0 ||
		    config_size_text(desc->max, false, &max) < 0)
			return err_nomem(err);
		return out_of_range(prop, value, min.s, max.s, err);
	}
	if (asprintf(ret, "%ju", (uintmax_t)bytes) < 0)
		return err_nomem(err);
	return 0;
}

static int
check_hostid(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	const char *digits = value;
	size_t len;

	if (!strncasecmp(value, "0x", 2))
		digits += 2;
	len = strlen(digits);
	if (len == 0 || len > 8 || strspn(digits, "0123456789abcdefABCDEF") != len ||
	    !strcasecmp(digits, "ffffffff"))
		return bad(prop, value, "a host identifier (hexadecimal, from 0 to fffffffe)", err);
	return keep(value, ret, err);
}

static bool
is_host_name(const char *s)
{
	const char *label = s;
	size_t len;

	if (!*s || strlen(s) > 253)
		return false;
	for (;;) {
		len = strcspn(label, ".");
		if (len == 0 || len > 63 || label[0] == '-' || label[len - 1] == '-')
			return false;
		for (size_t i = 0; i < len; i++)
			if (!is_word_char(label[i]) || label[i] == '_')
				return false;
		if (!label[len])
			break;
		label += len + 1;
	}
	/* 192.0.2 and 300.1.1.1 are addresses gone wrong, not names. */
	return strspn(label, "0123456789") != len;
}

enum address_form {
	ADDRESS_ANY,
	ADDRESS_PREFIX,
	ADDRESS_PLAIN,
};

/* Returns what is wrong with an address, or NULL. */
static const char *
address_problem(const char *value, enum address_form form)
{
	const char *slash = strchrnul(value, '/');
	char host[INET6_ADDRSTRLEN];
	unsigned char raw[16];
	uint64_t len;
	bool v6;

	if (*slash && form == ADDRESS_PLAIN)
		return "an address without prefix length";
	if (!*slash && form == ADDRESS_ANY && is_host_name(value))
		return NULL;
	if ((size_t)(slash - value) >= sizeof(host))
		return "an IP address";
	memcpy(host, value, (size_t)(slash - value));
	host[slash - value] = '\0';
	v6 = strchr(host, ':');
	if (inet_pton(v6 ? AF_INET6 : AF_INET, host, raw) != 1)
		return form == ADDRESS_ANY ? "an IP address or host name" : "an IP address";
	if (!*slash)
		return v6 && form != ADDRESS_PLAIN ? "an IPv6 address with its prefix length"
						   : NULL;
	if (str_to_u64(slash + 1, v6 ? 128 : 32, &len, NULL) < 0 || len == 0)
		return v6 ? "an address with a prefix length from 1 to 128"
			  : "an address with a prefix length from 1 to 32";
	return NULL;
}

static int
check_address(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	enum config_value_kind kind = config_props[prop].kind;
	const char *problem;

	problem = address_problem(value, kind == CONFIG_KIND_ADDRESS     ? ADDRESS_ANY
					 : kind == CONFIG_KIND_IP_PREFIX ? ADDRESS_PREFIX
									 : ADDRESS_PLAIN);
	return problem ? bad(prop, value, problem, err) : keep(value, ret, err);
}

static int
check_link(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	size_t len = strlen(value);

	if (len == 0 || len > 31 || !strcmp(value, ".") || !strcmp(value, ".."))
		return bad(prop, value, "an interface name", err);
	for (size_t i = 0; i < len; i++)
		if (!is_word_char(value[i]) && !strchr(":@", value[i]))
			return bad(prop, value, "an interface name", err);
	return keep(value, ret, err);
}

static int
check_mac(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	unsigned byte[6];
	int end = -1;

	for (size_t i = 0; config_props[prop].choices[i]; i++)
		if (!strcmp(config_props[prop].choices[i], value))
			return keep(value, ret, err);
	if (strspn(value, "0123456789abcdefABCDEF:") != strlen(value) ||
	    sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
		   &byte[4], &byte[5], &end) != 6 ||
	    value[end])
		return bad(prop, value,
			   "a hardware address, 'auto', 'random', 'factory' or 'default'", err);
	if (byte[0] & 1)
		return bad(prop, value, "the hardware address of one interface (it is a group's)",
			   err);
	if (asprintf(ret, "%02x:%02x:%02x:%02x:%02x:%02x", byte[0], byte[1], byte[2], byte[3],
		     byte[4], byte[5]) < 0)
		return err_nomem(err);
	return 0;
}

static int
check_rate(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	size_t len = strspn(value, "0123456789");
	const char *unit = value + len;
	auto_free char *digits = strndup(value, len);
	uint64_t n;

	if (!digits)
		return err_nomem(err);
	if (str_to_u64(digits, 1000000000, &n, NULL) < 0 || n == 0 ||
	    (*unit && (!strchr("KMGkmg", *unit) || unit[1])))
		return bad(prop, value, "a bandwidth (a number with K, M or G)", err);
	if (asprintf(ret, "%ju%c", (uintmax_t)n, *unit ? *unit & ~0x20 : 'M') < 0)
		return err_nomem(err);
	return 0;
}

static int
check_dataset(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	const char *part = value;
	size_t len;

	if (strlen(value) > 255)
		return bad(prop, value, "a dataset name (at most 255 bytes)", err);
	for (;;) {
		len = strcspn(part, "/");
		if (len == 0 || !is_word_char(*part) || *part == '.')
			return bad(prop, value, "a dataset name", err);
		for (size_t i = 0; i < len; i++)
			if (!is_word_char(part[i]) && !strchr(": ", part[i]))
				return bad(prop, value, "a dataset name", err);
		if (!part[len])
			return keep(value, ret, err);
		part += len + 1;
	}
}

static int
check_rctl_name(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	size_t len = strlen(value);

	if (len > CONFIG_NAME_MAX || strncmp(value, "zone.", 5) != 0 || len == 5 ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789.-") != len)
		return bad(prop, value, "the name of a resource control of zones (zone.NAME)", err);
	return keep(value, ret, err);
}

static int
check_attr_name(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	size_t len = strlen(value);

	if (len > CONFIG_NAME_MAX || !is_word_char(*value) || strchr("._-", *value))
		return bad(prop, value, "a name (at most 63 letters, digits, '.', '_' and '-')",
			   err);
	for (size_t i = 0; i < len; i++)
		if (!is_word_char(value[i]))
			return bad(prop, value,
				   "a name (at most 63 letters, digits, '.', '_' and '-')", err);
	return keep(value, ret, err);
}

static int
rctl_field(const char *name, size_t name_len, const char *value, size_t len,
	   struct config_rctl_value *ret, unsigned *seen)
{
	static const char *const names[] = {"priv", "limit", "action"};
	auto_free char *copy = strndup(value, len);
	unsigned which;

	for (which = 0; which < 3; which++)
		if (strlen(names[which]) == name_len && !strncmp(names[which], name, name_len))
			break;
	if (!copy || which == 3 || (*seen & 1u << which))
		return -1;
	*seen |= 1u << which;
	if (which == 1)
		return str_to_u64(copy, UINT64_MAX, &ret->limit, NULL);
	if (len == 0 || len >= (which == 0 ? sizeof(ret->priv) : sizeof(ret->action)))
		return -1;
	memcpy(which == 0 ? ret->priv : ret->action, copy, len + 1);
	return 0;
}

int
config_rctl_value_parse(const char *text, struct config_rctl_value *ret, struct err *err)
{
	struct config_rctl_value v = {0};
	size_t len = strlen(text), name_len, value_len;
	const char *p = text + 1;
	unsigned seen = 0;
	int r = 0;

	if (len < 2 || text[0] != '(' || text[len - 1] != ')')
		r = -1;
	while (r == 0) {
		p += strspn(p, " ");
		name_len = strcspn(p, "=,) ");
		if (p[name_len] != '=') {
			r = -1;
			break;
		}
		value_len = strcspn(p + name_len + 1, ",)");
		r = rctl_field(p, name_len, p + name_len + 1, value_len, &v, &seen);
		p += name_len + 1 + value_len;
		if (*p == ')')
			break;
		p++;
	}
	if (r < 0 || p != text + len - 1 || seen != 7)
		return err_set(err, ZE_INVAL, 0,
			       "'%.64s' is not of the form "
			       "(priv=privileged,limit=N,action=none|deny)",
			       text);
	*ret = v;
	return 0;
}

static int
check_rctl_value(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	static const char *const privs[] = {"basic", "privileged", "system"};
	struct config_rctl_value v;
	bool known = false;
	int r;

	r = config_rctl_value_parse(value, &v, err);
	if (r < 0)
		return err_add(err, "%s", config_props[prop].name);
	for (size_t i = 0; i < sizeof(privs) / sizeof(privs[0]); i++)
		known |= !strcmp(privs[i], v.priv);
	if (!known)
		return bad(prop, v.priv, "a privilege level (basic, privileged or system)", err);
	if (strcmp(v.action, "none") != 0 && strcmp(v.action, "deny") != 0 &&
	    (strncmp(v.action, "signal=", 7) != 0 || strpbrk(v.action, " ()[]")))
		return bad(prop, v.action, "an action (none or deny)", err);
	if (asprintf(ret, "(priv=%s,limit=%ju,action=%s)", v.priv, (uintmax_t)v.limit, v.action) <
	    0)
		return err_nomem(err);
	return 0;
}

int
config_value_check(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	static int (*const checks[])(enum config_prop, const char *, char **, struct err *) = {
	    [CONFIG_KIND_STRING] = check_string,
	    [CONFIG_KIND_ZONENAME] = check_zonename,
	    [CONFIG_KIND_PATH] = check_path,
	    [CONFIG_KIND_BOOL] = check_choice,
	    [CONFIG_KIND_ENUM] = check_choice,
	    [CONFIG_KIND_UINT] = check_uint,
	    [CONFIG_KIND_NCPUS] = check_ncpus,
	    [CONFIG_KIND_RANGE] = check_range,
	    [CONFIG_KIND_SIZE] = check_size,
	    [CONFIG_KIND_HOSTID] = check_hostid,
	    [CONFIG_KIND_ADDRESS] = check_address,
	    [CONFIG_KIND_IP_PREFIX] = check_address,
	    [CONFIG_KIND_IP] = check_address,
	    [CONFIG_KIND_LINK] = check_link,
	    [CONFIG_KIND_MAC] = check_mac,
	    [CONFIG_KIND_RATE] = check_rate,
	    [CONFIG_KIND_DATASET] = check_dataset,
	    [CONFIG_KIND_RCTL_NAME] = check_rctl_name,
	    [CONFIG_KIND_RCTL_VALUE] = check_rctl_value,
	    [CONFIG_KIND_ATTR_NAME] = check_attr_name,
	};
	int r;

	r = text_check(prop, value, err);
	if (r < 0)
		return r;
	return checks[config_props[prop].kind](prop, value, ret, err);
}
