/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];
static struct err err;

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(root, "/tmp/zones-unit-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	return path_rm_tree_at(AT_FDCWD, root, &err);
}

static char *
in_root(const char *path)
{
	static char full[256];

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	return full;
}

static char *
content(const char *path)
{
	char *text;
	size_t size;

	assert_int_equal(path_file_read(in_root(path), 1 << 20, &text, &size, &err), 0);
	return text;
}

static void
put(const char *path, const char *text)
{
	assert_int_equal(path_file_replace(in_root(path), text, strlen(text), 0644, &err), 0);
}

static bool
exists(const char *path)
{
	return access(in_root(path), F_OK) == 0;
}

static struct config *
make(const char *name, const char *zonepath)
{
	struct config *cfg;

	assert_int_equal(config_new(name, &cfg, &err), 0);
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_ZONEPATH, zonepath, &err), 0);
	return cfg;
}

static void
save(const char *name, const char *zonepath)
{
	auto_config struct config *cfg = make(name, zonepath);

	assert_int_equal(config_save(root, cfg, NULL, &err), 0);
}

static void
assert_index(const char *expected)
{
	auto_free char *text = content("/etc/zones/index");

	assert_string_equal(text, expected);
}

#define START "# Zones of this system. Change it with zonecfg and zoneadm.\nglobal:installed:/\n"

static void
a_saved_zone_is_configured_and_loads(void **state)
{
	auto_config struct config *cfg = make("web", "/zones/web"), *again = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(config_save(root, cfg, NULL, &err), 0);
	assert_index(START "web:configured:/zones/web:\n");
	assert_int_equal(config_load(root, "web", &again, &err), 0);
	assert_true(config_equal(cfg, again));
	assert_int_equal(stat(in_root("/etc/zones/web.xml"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(stat(in_root("/run/zones"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_false(exists("/etc/zones/.new.web.xml"));
	assert_false(exists("/etc/zones/.backup.web.xml"));
}

static void
saving_again_keeps_state_and_uuid(void **state)
{
	auto_index struct config_index before = {0}, after = {0};

	(void)state;
	save("web", "/zones/web");
	assert_int_equal(config_set_state(root, "web", ZONE_STATE_INSTALLED, &err), 0);
	assert_int_equal(config_index_load(root, &before, &err), 0);
	save("web", "/pool/a:b");
	assert_int_equal(config_index_load(root, &after, &err), 0);
	assert_int_equal(after.n, 2);
	assert_int_equal(after.entries[1].state, ZONE_STATE_INSTALLED);
	assert_string_equal(after.entries[1].uuid, before.entries[1].uuid);
	assert_string_equal(after.entries[1].zonepath, "/pool/a:b");
}

static void
a_renamed_zone_leaves_nothing_behind(void **state)
{
	auto_config struct config *cfg = NULL;

	(void)state;
	save("a", "/zones/a");
	save("b", "/zones/b");
	assert_int_equal(config_load(root, "a", &cfg, &err), 0);
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_ZONENAME, "b", &err), 0);
	assert_int_equal(config_save(root, cfg, "a", &err), -ZE_EXIST);
	assert_string_equal(err.msg, "save zone 'b': zone 'b' exists already");
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_ZONENAME, "c", &err), 0);
	assert_int_equal(config_save(root, cfg, "a", &err), 0);
	assert_index(START "c:configured:/zones/a:\nb:configured:/zones/b:\n");
	assert_false(exists("/etc/zones/a.xml"));
	assert_true(exists("/etc/zones/c.xml"));
	config_free(ptr_take(&cfg));
	assert_int_equal(config_load(root, "a", &cfg, &err), -ZE_NOENT);
	assert_string_equal(err.msg, "a: No such zone configured");
}

/* A directory in the place of the index cannot be replaced, not even by root. */
static void
break_index(void)
{
	auto_free char *index = strdup(in_root("/etc/zones/index"));

	(void)unlink(index);
	assert_int_equal(mkdir(index, 0755), 0);
	assert_int_equal(mkdir(in_root("/etc/zones/index/x"), 0755), 0);
}

static void
when_the_index_fails_the_old_document_is_back(void **state)
{
	auto_config struct config *cfg = make("web", "/zones/new");
	auto_free char *before = NULL, *after = NULL;

	(void)state;
	save("web", "/zones/web");
	before = content("/etc/zones/web.xml");
	break_index();
	assert_int_equal(config_save(root, cfg, NULL, &err), -ZE_FORMAT);
	assert_non_null(strstr(err.msg, "save zone 'web': "));
	assert_non_null(strstr(err.msg, "/etc/zones/index' is not a regular file"));
	after = content("/etc/zones/web.xml");
	assert_string_equal(before, after);
	assert_false(exists("/etc/zones/.new.web.xml"));
	assert_false(exists("/etc/zones/.backup.web.xml"));
}

static void
when_the_index_fails_a_new_zone_is_not_there(void **state)
{
	auto_config struct config *cfg = make("new", "/zones/new");

	(void)state;
	save("web", "/zones/web");
	break_index();
	assert_int_equal(config_save(root, cfg, NULL, &err), -ZE_FORMAT);
	assert_false(exists("/etc/zones/new.xml"));
	assert_false(exists("/etc/zones/.new.new.xml"));
}

static void
what_a_killed_save_left_does_not_matter(void **state)
{
	(void)state;
	save("web", "/zones/web");
	put("/etc/zones/.new.web.xml", "half a docu");
	put("/etc/zones/.backup.web.xml", "old");
	save("web", "/zones/other");
	assert_index(START "web:configured:/zones/other:\n");
	assert_false(exists("/etc/zones/.new.web.xml"));
	assert_false(exists("/etc/zones/.backup.web.xml"));
}

static void
half_a_zone_is_deleted(void **state)
{
	(void)state;
	save("a", "/zones/a");
	save("b", "/zones/b");
	assert_int_equal(unlink(in_root("/etc/zones/a.xml")), 0);
	assert_int_equal(config_delete(root, "a", &err), 0);
	assert_index(START "b:configured:/zones/b:\n");
	put("/etc/zones/index", START);
	assert_int_equal(config_delete(root, "b", &err), 0);
	assert_false(exists("/etc/zones/b.xml"));
	assert_index(START);
	assert_int_equal(config_delete(root, "b", &err), 0);
}

static void
reserved_names_are_not_saved(void **state)
{
	auto_config struct config *template = make("SYSmine", "/zones/x");
	auto_config struct config *pathless = NULL;

	(void)state;
	assert_int_equal(config_save(root, template, NULL, &err), -ZE_INVAL);
	assert_string_equal(err.msg, "the zone name 'SYSmine' is reserved");
	assert_int_equal(config_new("web", &pathless, &err), 0);
	assert_int_equal(config_save(root, pathless, NULL, &err), -ZE_INVAL);
	assert_string_equal(err.msg, "zonepath: not specified");
	assert_int_equal(config_delete(root, "SUNWdefault", &err), -ZE_INVAL);
	assert_string_equal(err.msg, "the zone name 'SUNWdefault' is reserved");
	assert_false(exists("/etc/zones"));
}

static void
the_global_zone_has_a_document_and_keeps_its_line(void **state)
{
	auto_config struct config *cfg = NULL;

	(void)state;
	save("web", "/zones/web");
	assert_int_equal(config_new("global", &cfg, &err), 0);
	assert_int_equal(config_save(root, cfg, NULL, &err), 0);
	assert_index(START "web:configured:/zones/web:\n");
	assert_int_equal(config_set_state(root, "global", ZONE_STATE_CONFIGURED, &err), -ZE_INVAL);
	assert_string_equal(err.msg, "the state of the global zone does not change");
	assert_int_equal(config_delete(root, "global", &err), 0);
	assert_index(START "web:configured:/zones/web:\n");
	assert_false(exists("/etc/zones/global.xml"));
}

static void
only_persistent_states_of_existing_zones_are_set(void **state)
{
	(void)state;
	save("web", "/zones/web");
	assert_int_equal(config_set_state(root, "web", ZONE_STATE_RUNNING, &err), -ZE_INVAL);
	assert_string_equal(err.msg, "state 'running' is not kept in the index");
	assert_int_equal(config_set_state(root, "nosuch", ZONE_STATE_INSTALLED, &err), -ZE_NOENT);
	assert_string_equal(err.msg, "nosuch: No such zone configured");
	assert_index(START "web:configured:/zones/web:\n");
}

static void
a_document_names_its_file_and_line(void **state)
{
	auto_config struct config *cfg = NULL;
	auto_free char *expected = NULL;

	(void)state;
	save("web", "/zones/web");
	put("/etc/zones/web.xml", "<zone name=\"web\">\n<bad/></zone>\n");
	assert_int_equal(config_load(root, "web", &cfg, &err), -ZE_FORMAT);
	assert_true(asprintf(&expected,
			     "%s/etc/zones/web.xml: line 2: unknown element 'bad' in 'zone'",
			     root) > 0);
	assert_string_equal(err.msg, expected);
	free(expected);
	put("/etc/zones/web.xml", "<zone name=\"other\"/>\n");
	assert_int_equal(config_load(root, "web", &cfg, &err), -ZE_FORMAT);
	assert_true(asprintf(&expected,
			     "%s/etc/zones/web.xml: is the configuration of zone 'other'",
			     root) > 0);
	assert_string_equal(err.msg, expected);
	assert_int_equal(config_load(root, "../../etc/passwd", &cfg, &err), -ZE_INVAL);
	assert_null(cfg);
}

static void
templates_are_built_in_and_can_be_overridden(void **state)
{
	auto_config struct config *cfg = NULL;
	struct stat st;
	bool merged = lstat("/bin", &st) == 0 && S_ISLNK(st.st_mode);

	(void)state;
	assert_int_equal(config_template(root, "SYSblank", "z", &cfg, &err), 0);
	assert_int_equal(config_count(cfg, CONFIG_INHERIT_PKG_DIR), 0);
	config_free(ptr_take(&cfg));
	assert_int_equal(config_template(root, "SUNWdefault", "z", &cfg, &err), 0);
	assert_string_equal(config_zonename(cfg), "z");
	if (merged)
		assert_int_equal(config_count(cfg, CONFIG_INHERIT_PKG_DIR), 1);
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_INHERIT_PKG_DIR,
						     config_count(cfg, CONFIG_INHERIT_PKG_DIR) - 1),
					   CONFIG_INHERIT_PKG_DIR_DIR),
			    "/usr");
	config_free(ptr_take(&cfg));
	assert_int_equal(path_mkdir_p(in_root("/etc/zones"), 0755, &err), 0);
	put("/etc/zones/SYSdefault.xml",
	    "<zone name=\"default\" zonepath=\"\" autoboot=\"true\"/>\n");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    config_template(root, i ? "SUNWdefault" : "SYSdefault", "z", &cfg, &err), 0);
		assert_string_equal(config_get(cfg, CONFIG_AUTOBOOT), "true");
		assert_string_equal(config_zonepath(cfg), "");
		assert_string_equal(config_zonename(cfg), "z");
		config_free(ptr_take(&cfg));
	}
	assert_int_equal(config_template(root, "nosuch", "z", &cfg, &err), -ZE_NOENT);
	assert_string_equal(err.msg, "nosuch: No such zone or template configured");
	assert_int_equal(config_template(root, "../x", "z", &cfg, &err), -ZE_INVAL);
}

static void
a_zone_is_a_template(void **state)
{
	auto_config struct config *cfg = NULL;

	(void)state;
	save("web", "/zones/web");
	assert_int_equal(config_template(root, "web", "web2", &cfg, &err), 0);
	assert_string_equal(config_zonename(cfg), "web2");
	assert_string_equal(config_zonepath(cfg), "/zones/web");
}

static void
a_second_process_waits_for_the_lock_and_its_death_frees_it(void **state)
{
	auto_lock struct config_lock held = {.fd = -EBADF};
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int ready[2], status;
	char byte;
	pid_t pid;
	int fd;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (config_lock_zone(root, "web", &held, &err) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	fd = open(in_root("/run/zones/web/lock"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &fl), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &fl), 0);
	(void)close(fd);
	assert_int_equal(config_lock_zone(root, "web", &held, &err), 0);
	assert_int_equal(fcntl(held.fd, F_GETFD), FD_CLOEXEC);
	config_unlock(&held);
	assert_true(held.fd < 0);
	assert_int_equal(config_lock_zone(root, "../x", &held, &err), -ZE_INVAL);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static void
no_zone_has_the_name_of_a_lock(void **state)
{
	struct config_lock held = {.fd = -EBADF};
	auto_closedir DIR *dir = NULL;
	const struct dirent *de;

	(void)state;
	save("index.lock", "/zones/a");
	assert_int_equal(config_lock_zone(root, "index.lock", &held, &err), 0);
	config_unlock(&held);
	dir = opendir(in_root("/run/zones"));
	assert_non_null(dir);
	while ((de = readdir(dir)))
		assert_true(de->d_type == DT_DIR || config_name_check(de->d_name, NULL) < 0);
}

static void
a_zonepath_is_where_it_leads(void **state)
{
	auto_free char *link = NULL;

	(void)state;
	assert_int_equal(path_mkdir_p(in_root("/zones/web"), 0755, &err), 0);
	link = strdup(in_root("/link"));
	assert_int_equal(symlink(in_root("/zones"), link), 0);
	free(link);
	link = strdup(in_root("/dangling"));
	assert_int_equal(symlink("not/there", link), 0); /* whatever the host has */
	assert_int_equal(config_zonepath_check(root, "/zones/web", &err), 0);
	assert_int_equal(config_zonepath_check(root, "/zones/new/deep", &err), 0);
	assert_int_equal(config_zonepath_check(root, "/elsewhere", &err), 0);
	assert_int_equal(config_zonepath_check(root, "/link/web", &err), -ZE_INVAL);
	assert_non_null(strstr(err.msg, "zonepath: '/link/web' differs from where it leads"));
	assert_int_equal(config_zonepath_check(root, "/link/new", &err), -ZE_INVAL);
	assert_int_equal(config_zonepath_check(root, "/dangling/new", &err), -ZE_INVAL);
	assert_string_equal(err.msg, "zonepath: '/dangling' is a symbolic link to what does not "
				     "exist");
	assert_int_equal(config_zonepath_check("", "/", &err), -ZE_INVAL);
	assert_string_equal(err.msg, "zonepath: '/' cannot be a zonepath");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_saved_zone_is_configured_and_loads),
	    TEST(saving_again_keeps_state_and_uuid),
	    TEST(a_renamed_zone_leaves_nothing_behind),
	    TEST(when_the_index_fails_the_old_document_is_back),
	    TEST(when_the_index_fails_a_new_zone_is_not_there),
	    TEST(what_a_killed_save_left_does_not_matter),
	    TEST(half_a_zone_is_deleted),
	    TEST(reserved_names_are_not_saved),
	    TEST(the_global_zone_has_a_document_and_keeps_its_line),
	    TEST(only_persistent_states_of_existing_zones_are_set),
	    TEST(a_document_names_its_file_and_line),
	    TEST(templates_are_built_in_and_can_be_overridden),
	    TEST(a_zone_is_a_template),
	    TEST(a_second_process_waits_for_the_lock_and_its_death_frees_it),
	    TEST(no_zone_has_the_name_of_a_lock),
	    TEST(a_zonepath_is_where_it_leads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
