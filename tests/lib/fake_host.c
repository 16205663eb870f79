/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_host.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "pkg/dpkg_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEED(expr)                                                                                 \
	do {                                                                                       \
		if (!(expr))                                                                       \
			fail_msg("%s: %s", #expr, strerror(errno));                                \
	} while (0)

static char *
join(const char *root, const char *path)
{
	char *joined;

	NEED(asprintf(&joined, "%s%s", root, path) > 0);
	return joined;
}

static void
make_parents(const char *path)
{
	auto_free char *dir = strdup(path);
	struct err err;

	*strrchr(dir, '/') = '\0';
	if (path_mkdir_p(dir, 0755, &err) < 0)
		fail_msg("%s", err.msg);
}

void
fake_host_write(struct fake_host *host, const char *path, const char *content, mode_t mode)
{
	auto_free char *joined = join(host->root, path);
	auto_close int fd = -EBADF;

	make_parents(joined);
	fd = open(joined, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	NEED(fd >= 0);
	NEED(fd_write_all(fd, content, strlen(content)) == 0);
	NEED(fchmod(fd, mode) == 0);
}

void
fake_host_remove(struct fake_host *host, const char *path)
{
	struct err err;
	auto_free char *joined = join(host->root, path);

	if (path_rm_tree_at(AT_FDCWD, joined, &err) < 0)
		fail_msg("%s", err.msg);
}

char *
fake_host_read(const char *root, const char *path)
{
	auto_free char *joined = join(root, path);
	char *text;
	size_t len;

	if (path_file_read(joined, 1 << 20, &text, &len, NULL) < 0)
		text = strdup("");
	NEED(text);
	return text;
}

void
fake_host_make(struct fake_host *host)
{
	static const char *const links[] = {"bin", "lib", "sbin"};

	*host = (struct fake_host){.root = "/tmp/fake-host-XXXXXX"};
	NEED(mkdtemp(host->root));
	for (size_t i = 0; i < 3; i++) {
		auto_free char *link = join(host->root, "/");
		auto_free char *path = join(link, links[i]);
		auto_free char *target = join("usr/", links[i]);
		auto_free char *dir = join(link, target);
		struct err err;

		if (path_mkdir_p(dir, 0755, &err) < 0)
			fail_msg("%s", err.msg);
		NEED(symlink(target, path) == 0);
	}
	fake_host_write(host, "/var/lib/dpkg/info/format", "1\n", 0644);
}

/* Make one file, directory or link and list it. */
static void
add_file(struct fake_host *host, char *line, struct str *list, struct str *md5sums)
{
	char *mark = strpbrk(line, "=>"), digest[33];
	char what = mark ? *mark : '/';

	if (mark)
		*mark++ = '\0';
	NEED(str_addf(list, "%s\n", line) == 0);
	auto_free char *path = join(host->root, line);

	if (what == '/') {
		struct err err;

		if (path_mkdir_p(path, 0755, &err) < 0)
			fail_msg("%s", err.msg);
	} else if (what == '>') {
		make_parents(path);
		NEED(symlink(mark, path) == 0);
	} else {
		fake_host_write(host, line, mark, 0644);
		dpkg_md5(mark, strlen(mark), digest);
		NEED(str_addf(md5sums, "%s  %s\n", digest, line + 1) == 0);
	}
}

static void
add_conffile(struct fake_host *host, char *line, struct str *list)
{
	char *content = strchr(line, '='), digest[33];

	*content++ = '\0';
	dpkg_md5(content, strlen(content), digest);
	NEED(str_addf(list, "%s\n", line) == 0);
	NEED(str_addf(&host->status, " %s %s\n", line, digest) == 0);
	fake_host_write(host, line, content, 0644);
}

static void
add_info(struct fake_host *host, const struct fake_package *p, const char *kind,
	 const char *content, mode_t mode)
{
	auto_free char *path = NULL;
	bool same = p->fields && strstr(p->fields, "Multi-Arch: same");

	if (!content)
		return;
	NEED(asprintf(&path, "/var/lib/dpkg/info/%s%s%s.%s", p->name, same ? ":" : "",
		      same ? (p->arch ? p->arch : "amd64") : "", kind) > 0);
	fake_host_write(host, path, content, mode);
}

void
fake_host_add(struct fake_host *host, const struct fake_package *p)
{
	auto_free char *files = strdup(p->files ? p->files : "");
	auto_free char *conffiles = strdup(p->conffiles ? p->conffiles : "");
	auto_str struct str list = {0}, md5sums = {0};
	char *rest, *line;

	NEED(files && conffiles && str_add(&list, "/.\n", 3) == 0);
	NEED(str_addf(&host->status, "Package: %s\nStatus: %s\nArchitecture: %s\nVersion: %s\n%s",
		      p->name, p->status ? p->status : "install ok installed",
		      p->arch ? p->arch : "amd64", p->version ? p->version : "1",
		      p->fields ? p->fields : "") == 0);
	rest = files;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			add_file(host, line, &list, &md5sums);
	if (*conffiles)
		NEED(str_addf(&host->status, "Conffiles:\n") == 0);
	rest = conffiles;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			add_conffile(host, line, &list);
	NEED(str_addf(&host->status, "Description: %s\n\n", p->name) == 0);
	add_info(host, p, "list", list.s, 0644);
	add_info(host, p, "md5sums", md5sums.s, 0644);
	add_info(host, p, "preinst", p->preinst, 0755);
	add_info(host, p, "postinst", p->postinst, 0755);
	add_info(host, p, "triggers", p->triggers, 0644);
}

void
fake_host_done(struct fake_host *host)
{
	fake_host_write(host, "/var/lib/dpkg/status", host->status.s ? host->status.s : "", 0644);
}

void
fake_host_free(struct fake_host *host)
{
	struct err err;

	str_free(&host->status);
	if (*host->root && path_rm_tree_at(AT_FDCWD, host->root, &err) < 0)
		fail_msg("%s", err.msg);
	*host->root = '\0';
}
