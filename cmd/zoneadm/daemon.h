/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands that talk to zoneadmd share. */
#ifndef ZONEADM_DAEMON_H
#define ZONEADM_DAEMON_H

#include "zoneadm.h"

#include "control/control.h"

/**
 * daemon_ask - check the zone again under its lock, ask its zoneadmd and print what it says
 * @keep_lock: hold the zone's lock until the answer; without, only until the request is sent
 *
 * What zoneadmd says is printed as "zone 'NAME': TEXT" on stderr. Returns an exit code.
 */
int daemon_ask(struct zoneadm *za, const struct control_request *req, bool keep_lock);

/**
 * daemon_bring_up - verify an installed zone and ask its zoneadmd to make it ready or boot it
 *
 * As zoneadm_verified() and daemon_ask(). zoneadmd makes the plan in any case, so where there is
 * nothing to print it is the only one. Returns an exit code.
 */
int daemon_bring_up(struct zoneadm *za, struct control_request *req);

/**
 * daemon_bootargs - put the words of a command line into a request, with a blank between them
 * @words: NULL-terminated; none at all: the request says nothing of boot arguments
 *
 * Returns ZONEADM_OK, or an exit code when they are too long or cannot be passed.
 */
int daemon_bootargs(const struct zoneadm *za, char *const *words, struct control_request *req);

#endif
