/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every storage backend must do, as tests that run on a directory of any file system. A test
 * program of a backend mounts one and calls storage_contract_run().
 */
#ifndef TESTS_STORAGE_CONTRACT_H
#define TESTS_STORAGE_CONTRACT_H

/**
 * storage_contract_run - run the suite
 * @suite: its name in the output
 * @dir: an empty directory on the file system under test; must be root's
 * @backend: what storage_clone_method() must say there
 *
 * Returns how many tests failed.
 */
int storage_contract_run(const char *suite, const char *dir, const char *backend);

#endif
