/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `systemctl --preset-mode=enable-only preset UNIT` does to a root in which nothing runs.
 */
#ifndef STANDINS_PRESET_H
#define STANDINS_PRESET_H

struct err;

/**
 * preset_enable - make the links of a unit's [Install] section, and of those it names in Also=,
 * unless a preset file disables it
 * @scope: "system" or "user"
 *
 * -ZE_NOTSUP, with nothing changed, when a unit or a preset file is not plain or a link is there
 * already and points elsewhere. Source: systemctl(1), systemd.preset(5).
 */
int preset_enable(const char *scope, const char *name, struct err *err);

#endif
