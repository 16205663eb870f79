/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of configuration documents: whatever it takes, it must write and read again as the
 * same, and the model must survive being taken apart.
 */
#include "base/err.h"
#include "base/str.h"
#include "config/config_priv.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct config *cfg)
{
	auto_config struct config *again = NULL, *copy = NULL;
	auto_strv struct strv problems = {0};
	auto_str struct str doc = {0};
	struct err err;

	if (config_xml(cfg, &doc, &err) < 0 || config_xml_parse(doc.s, doc.len, &again, &err) < 0 ||
	    !config_equal(cfg, again) || config_copy(cfg, &copy, &err) < 0 ||
	    !config_equal(cfg, copy))
		abort();
	(void)config_check(cfg, &problems);
	for (unsigned type = CONFIG_GLOBAL + 1; type < CONFIG_TYPE_COUNT; type++)
		while (config_count(cfg, type) > 0)
			config_remove(cfg, config_at(cfg, type, 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_config struct config *cfg = NULL;
	struct err err;

	if (config_xml_parse((const char *)data, size, &cfg, &err) == 0)
		check(cfg);
	return 0;
}
