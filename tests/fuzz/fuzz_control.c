/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks that stand between bytes from a socket and zoneadmd: a request, a reply, the console's
 * handshake. The first byte chooses which.
 */
#include "base/err.h"
#include "control/control.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has passed must hold what its readers rely on. */
static void
check_request(const uint8_t *data, size_t size)
{
	struct control_request req;
	struct err err;

	if (control_request_check(data, size, &req, &err) < 0)
		return;
	if (strlen(req.bootargs) > CONTROL_BOOTARGS_MAX || req.command < CONTROL_READY ||
	    req.command >= CONTROL_COMMAND_COUNT || req.timeout_s > CONTROL_TIMEOUT_MAX)
		abort();
}

static void
check_reply(const uint8_t *data, size_t size)
{
	struct control_reply reply;
	struct err err;

	if (control_reply_check(data, size, &reply, &err) < 0)
		return;
	if (strlen(reply.message) >= CONTROL_TEXT_MAX || strlen(reply.note) >= CONTROL_TEXT_MAX ||
	    reply.result > 0)
		abort();
}

static void
check_ident(const uint8_t *data, size_t size)
{
	struct control_ident ident;
	char line[2 * CONTROL_IDENT_MAX];
	struct err err;

	if (size >= sizeof(line))
		return;
	memcpy(line, data, size);
	line[size] = '\0';
	if (control_ident_parse(line, &ident, &err) == 0 && ident.pid <= 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(const uint8_t *, size_t) = {check_request, check_reply,
								  check_ident};

	if (size > 0)
		checks[data[0] % 3](data + 1, size - 1);
	return 0;
}
