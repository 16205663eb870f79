/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands say to zoneadmd: one request, one reply, over a UNIX seqpacket socket in
 * /run/zones/NAME. zoneadmd is started when it does not run.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define CONTROL_VERSION      1
#define CONTROL_BOOTARGS_MAX 256

enum control_command {
	CONTROL_READY = 1,
	CONTROL_BOOT,
	CONTROL_HALT,
	CONTROL_REBOOT,
	CONTROL_SHUTDOWN,
	CONTROL_NOTE_UNINSTALLING,
};

/* On the wire as it is: fixed-width fields, no padding, no pointers. */
struct control_request {
	uint32_t version;
	uint32_t command; /* enum control_command */
	uint32_t flags;   /* CONTROL_FLAG_* */
	char bootargs[CONTROL_BOOTARGS_MAX + 1];
	char pad[3];
};

#define CONTROL_FLAG_BOOTARGS 1u /* bootargs were given (even if empty) */
#define CONTROL_FLAG_REBOOT   2u /* shutdown -r */

struct control_reply {
	uint32_t version;
	int32_t result; /* 0 or a negative enum ze */
	int32_t os_errno;
	char message[1024]; /* what failed, when result < 0 */
	char note[1024];    /* lines for the user although it succeeded ("already booted"), or "" */
};

/**
 * control_call - ask a zone's zoneadmd, starting it when needed, and wait for the reply
 * @name: a zone; the caller holds its lock
 * @ret_note: a string of at most 1023 bytes for the user to read on stderr; may be NULL
 *
 * Returns the daemon's result with its message in @err; -ZE_IO when the daemon cannot be started or
 * died: the message has the cause.
 */
int control_call(const char *name, const struct control_request *req, char *ret_note,
		 struct err *err);

/* ---- the daemon's side
 * -------------------------------------------------------------------------------- */

/**
 * control_listen - bind the zone's control socket; -ZE_BUSY when another zoneadmd serves it
 */
int control_listen(const char *name, struct err *err);

/**
 * control_recv - one request from a connected client, checked: sender's uid, length, version, every
 * field
 */
int control_recv(int fd, struct control_request *ret, struct err *err);

/**
 * control_reply - answer it
 * @cause: NULL or a failure
 */
int control_reply(int fd, const struct err *cause, const char *note, struct err *err);

#endif
