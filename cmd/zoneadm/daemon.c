/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands that talk to zoneadmd share: asking it, boot arguments, checks before. */
#include "daemon.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines that come from zoneadmd carry the zone's name, once, and not the command's. */
static void
print_lines(const char *zone, char *text)
{
	char prefix[CONFIG_NAME_MAX + 16], *save = NULL;
	size_t len;

	len = (size_t)snprintf(prefix, sizeof(prefix), "zone '%s': ", zone);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		(void)fprintf(stderr, "%s%s\n", strncmp(line, prefix, len) != 0 ? prefix : "",
			      zoneadm_clean(line));
}

/* As daemon_ask(); @ret_refused: zoneadmd has something to say of the plan, and has done nothing.
 */
static int
ask(struct zoneadm *za, const struct control_request *req, bool keep_lock, bool *ret_refused)
{
	auto_lock struct config_lock lock = {.fd = -EBADF};
	char note[CONTROL_TEXT_MAX] = "";
	auto_close int fd = -EBADF;
	struct err err;
	int r;

	r = zoneadm_lock(za, &lock);
	if (r != ZONEADM_OK)
		return r;
	fd = control_connect(za->zone, &err);
	if (fd < 0)
		return zoneadm_fail(za, &err);
	if (control_send(fd, req, &err) < 0)
		return zoneadm_fail(za, &err);
	if (!keep_lock)
		config_unlock(&lock);
	r = control_wait(fd, note, &err);
	print_lines(za->zone, note);
	if (r == 0)
		return ZONEADM_OK;
	*ret_refused = r == -ZE_VERIFY && req->flags & CONTROL_FLAG_STRICT;
	if (!*ret_refused)
		print_lines(za->zone, err.msg);
	return ZONEADM_ERROR;
}

int
daemon_ask(struct zoneadm *za, const struct control_request *req, bool keep_lock)
{
	bool refused;

	return ask(za, req, keep_lock, &refused);
}

int
daemon_bring_up(struct zoneadm *za, struct control_request *req)
{
	bool refused = false;
	int r;

	if (zoneadm_is_plain(za)) {
		req->flags |= CONTROL_FLAG_STRICT;
		r = ask(za, req, true, &refused);
		if (!refused)
			return r;
		req->flags &= ~CONTROL_FLAG_STRICT;
	}
	r = zoneadm_verified(za, true);
	return r != ZONEADM_OK ? r : daemon_ask(za, req, true);
}

int
daemon_bootargs(const struct zoneadm *za, char *const *words, struct control_request *req)
{
	auto_str struct str line = {0};

	for (; *words; words++)
		if (str_addf(&line, "%s%s", line.len ? " " : "", *words) < 0)
			return zoneadm_error(za, "out of memory");
	if (!line.len)
		return ZONEADM_OK;
	if (line.len > CONTROL_BOOTARGS_MAX)
		return zoneadm_error(za, "%s: boot arguments are longer than %d bytes",
				     za->command->name, CONTROL_BOOTARGS_MAX);
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.s[i] < ' ' || line.s[i] == 0x7f)
			return zoneadm_error(za, "%s: control character in boot arguments",
					     za->command->name);
	memcpy(req->bootargs, line.s, line.len + 1);
	req->flags |= CONTROL_FLAG_BOOTARGS;
	return ZONEADM_OK;
}
