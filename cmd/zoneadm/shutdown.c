/* SPDX-License-Identifier: Apache-2.0 */
/* zoneadm shutdown: ask the zone's init to end cleanly, and wait; -r: and boot again. */
#include "daemon.h"

#include "base/err.h"
#include "base/str.h"

#include <getopt.h>

struct shutdown_opts {
	bool reboot;        /* -r */
	uint64_t timeout_s; /* -t; 0: the daemon's default */
};

/* Returns -1 to go on, else an exit code. */
static int
parse(const struct zoneadm *za, int argc, char **argv, struct shutdown_opts *ret)
{
	int opt;

	while ((opt = getopt(argc, argv, "+:rt:")) != -1) {
		switch (opt) {
		case 'r':
			ret->reboot = true;
			break;
		case 't':
			if (str_to_u64(optarg, CONTROL_TIMEOUT_MAX, &ret->timeout_s, NULL) == 0 &&
			    ret->timeout_s)
				break;
			(void)zoneadm_error(za, "%s: -t takes seconds, 1 to %d, not '%s'", argv[0],
					    CONTROL_TIMEOUT_MAX, optarg);
			return ZONEADM_USAGE;
		default:
			if (optopt == '?')
				return zoneadm_usage(za, true);
			(void)zoneadm_error(za,
					    opt == ':' ? "%s: option -%c needs a value"
						       : "%s: unknown option -%c",
					    argv[0], optopt);
			return zoneadm_usage(za, false);
		}
	}
	if (optind < argc && !ret->reboot) {
		(void)zoneadm_error(za, "%s: boot arguments make sense only with -r", argv[0]);
		return zoneadm_usage(za, false);
	}
	return -1;
}

int
zoneadm_shutdown(struct zoneadm *za, int argc, char **argv)
{
	struct control_request req = {.command = CONTROL_SHUTDOWN};
	struct shutdown_opts opts = {0};
	int r;

	r = parse(za, argc, argv, &opts);
	if (r >= 0)
		return r;
	req.flags = opts.reboot ? CONTROL_FLAG_REBOOT : 0;
	req.timeout_s = (uint32_t)opts.timeout_s;
	r = zoneadm_check(za);
	if (r == ZONEADM_OK)
		r = daemon_bootargs(za, argv + optind, &req);
	if (r == ZONEADM_OK && opts.reboot)
		r = zoneadm_verified(za, true);
	/* It takes its time; `halt` must not have to wait for it. */
	return r != ZONEADM_OK ? r : daemon_ask(za, &req, false);
}
