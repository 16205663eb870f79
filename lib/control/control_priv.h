/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of lib/control share. */
#ifndef CONTROL_CONTROL_PRIV_H
#define CONTROL_CONTROL_PRIV_H

#include "control/control.h"

#include <sys/un.h>

#define CONTROL_DIR     "/run/zones"
#define CONTROL_SOCKET  "control"
#define CONTROL_CONSOLE "console"

/**
 * control_packet_send - one packet, whole; -ZE_IO when the other side has gone
 */
int control_packet_send(int fd, const void *buf, size_t size_bytes, struct err *err);

/**
 * control_packet_recv - one packet
 *
 * Returns its real size, which may be more than @size_bytes; 0 at the end; -1 with errno.
 */
ssize_t control_packet_recv(int fd, void *buf, size_t size_bytes);

/**
 * control_address - the address of one of a zone's sockets; -ZE_INVAL for a name that is too long
 */
int control_address(const char *name, const char *which, struct sockaddr_un *ret, struct err *err);

#endif
