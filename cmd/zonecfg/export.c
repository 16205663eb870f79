/* SPDX-License-Identifier: Apache-2.0 */
/* export: the configuration as commands. */
#include "zonecfg.h"

#include "base/fd.h"

#include <fcntl.h>
#include <string.h>

static int
export_to(struct session *s, FILE *out)
{
	if (config_export(s->cfg, out) < 0 || fflush(out) != 0)
		return session_error(s, "export: write: %m");
	return 0;
}

int
cmd_export(struct session *s, const struct command_args *args)
{
	const char *path = args->opt['f'];
	auto_fclose FILE *file = NULL;
	auto_free char *text = NULL;
	auto_fclose FILE *memory = NULL;
	size_t size;
	int r;

	if (path) {
		file = fopen(path, "we");
		if (!file)
			return session_error(s, "export: open '%s': %m", path);
		return export_to(s, file);
	}
	memory = open_memstream(&text, &size);
	if (!memory)
		return session_error(s, "out of memory");
	r = export_to(s, memory);
	if (r < 0)
		return r;
	if (fwrite(text, 1, size, s->out) != size || fflush(s->out) != 0)
		return session_error(s, "export: write to standard output: %m");
	return 0;
}
