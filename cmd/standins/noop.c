/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for programs that only fill caches which a timer or the program's first use fills again
 * (mandb, systemd-hwdb update).
 */
int
main(void)
{
	return 0;
}
