/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The zone's own dpkg database. Before the first script every package is "install ok unpacked": an
 * ordinary state that dpkg itself could go on from. The files of info/ are entries of the plan; all
 * else is here.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <stdlib.h>
#include <string.h>

/* Fields of the host's state that are none of the zone's. */
static const char *const dropped_fields[] = {"Status", "Config-Version", "Triggers-Pending",
					     "Triggers-Awaited"};

static bool
is_dropped(const struct deb822_field *field)
{
	for (size_t i = 0; i < sizeof(dropped_fields) / sizeof(dropped_fields[0]); i++)
		if (deb822_is(field, dropped_fields[i]))
			return true;
	return false;
}

static int
add_paragraph(struct str *out, const struct dpkg_pkg *pkg, enum dpkg_state state,
	      const char *pending, struct err *err)
{
	struct deb822 d = {
	    .file = "status", .p = pkg->para, .end = pkg->para + pkg->para_len, .line = pkg->line};
	struct deb822_field f;
	const char *word = state == DPKG_STATE_UNPACKED ? "unpacked"
			   : pending                    ? "triggers-pending"
							: "installed";
	int r;

	while ((r = deb822_field(&d, &f, err)) > 0) {
		if (!is_dropped(&f) && str_add(out, f.raw, f.raw_len) < 0)
			return err_nomem(err);
		/* dpkg writes the state behind the name. */
		if (deb822_is(&f, "Package") && str_addf(out, "Status: install ok %s\n", word) < 0)
			return err_nomem(err);
	}
	if (r < 0)
		return r;
	if (out->len && out->s[out->len - 1] != '\n' && str_add(out, "\n", 1) < 0)
		return err_nomem(err);
	if (pending && state == DPKG_STATE_INSTALLED &&
	    str_addf(out, "Triggers-Pending: %s\n", pending) < 0)
		return err_nomem(err);
	return str_add(out, "\n", 1) < 0 ? err_nomem(err) : 0;
}

int
dpkg_status_write(struct dpkg_plan *plan, int root_fd, enum dpkg_state state, struct err *err)
{
	const struct dpkg_host *host = plan->host;
	auto_free const char **pending = calloc(host->n_pkgs, sizeof(*pending));
	auto_str struct str text = {0};
	int r = 0;

	if (!pending)
		return err_nomem(err);
	if (state == DPKG_STATE_INSTALLED)
		r = dpkg_triggers_pending(plan, pending, err);
	for (size_t i = 0; i < host->n_pkgs && r == 0; i++)
		if (plan->choices[i].chosen)
			r = add_paragraph(&text, &host->pkgs[i], state, pending[i], err);
	if (r < 0)
		return r;
	return path_file_write_in_root(root_fd, DPKG_ADMINDIR "/status", text.s, text.len, 0644,
				       err);
}

/* Diversions whose package is in the zone. */
static int
write_diversions(struct dpkg_plan *plan, int root_fd, struct err *err)
{
	const struct dpkg_host *host = plan->host;
	auto_str struct str text = {0};
	uint32_t package;

	for (size_t i = 0; i < host->n_diversions; i++) {
		const struct dpkg_diversion *d = &host->diversions[i];

		package = d->package ? strmap_get(&host->by_name, d->package, strlen(d->package))
				     : STRMAP_NONE;
		if (package == STRMAP_NONE || !plan->choices[package].chosen)
			continue;
		if (str_addf(&text, "%s\n%s\n%s\n", d->from_listed, d->to_listed, d->package) < 0)
			return err_nomem(err);
	}
	return path_file_write_in_root(root_fd, DPKG_ADMINDIR "/diversions", text.s ? text.s : "",
				       text.len, 0644, err);
}

/* Foreign architectures, if the host has any and one of its packages came along. */
static int
write_arch(struct dpkg_plan *plan, int root_fd, struct err *err)
{
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = path_file_read_in_root(plan->host->base.root_fd, DPKG_ADMINDIR "/arch", 65536, &text,
				   &len, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	return path_file_write_in_root(root_fd, DPKG_ADMINDIR "/arch", text, len, 0644, err);
}

int
dpkg_database_write(struct dpkg_plan *plan, int root_fd, struct err *err)
{
	static const char *const dirs[] = {"alternatives", "info", "parts", "triggers", "updates"};
	static const struct {
		const char *name, *content;
	} files[] = {{"available", ""}, {"statoverride", ""}, {"info/format", "1\n"}};
	int r = 0, fd;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		auto_str struct str path = {0};

		if (str_addf(&path, DPKG_ADMINDIR "/%s", dirs[i]) < 0)
			return err_nomem(err);
		fd = path_mkdir_in_root(root_fd, path.s, 0755, err);
		if (fd < 0)
			return fd;
		(void)fd_close(fd);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && r == 0; i++) {
		auto_str struct str path = {0};

		if (str_addf(&path, DPKG_ADMINDIR "/%s", files[i].name) < 0)
			return err_nomem(err);
		r = path_file_write_in_root(root_fd, path.s, files[i].content,
					    strlen(files[i].content), 0644, err);
	}
	if (r == 0)
		r = write_diversions(plan, root_fd, err);
	if (r == 0)
		r = write_arch(plan, root_fd, err);
	if (r == 0)
		r = dpkg_status_write(plan, root_fd, DPKG_STATE_UNPACKED, err);
	return r;
}

/* ---- afterwards ---- */

static int
compare_package(struct dpkg_plan *plan, const char *name, const char *arch, const char *version,
		const char *status, bool *seen, struct err *err)
{
	const struct dpkg_host *host = plan->host;
	uint32_t i = strmap_get(&host->by_name, name, strlen(name));

	while (i != STRMAP_NONE && strcmp(host->pkgs[i].arch, arch) != 0)
		i = host->pkgs[i].next_same_name;
	if (i == STRMAP_NONE || !plan->choices[i].chosen)
		return 0; /* a script installed it: the zone's own business */
	if (strcmp(status, "install ok installed") != 0)
		return err_set(err, ZE_PKG, 0, "package '%s' is '%s' in the zone, not installed",
			       dpkg_label(&host->pkgs[i]), status);
	if (strcmp(version, host->pkgs[i].version) != 0)
		return err_set(err, ZE_PKG, 0, "package '%s' is version '%s' in the zone, not '%s'",
			       dpkg_label(&host->pkgs[i]), version, host->pkgs[i].version);
	seen[i] = true;
	return 0;
}

static int
check_paragraph(struct dpkg_plan *plan, struct deb822 *d, bool *seen, struct err *err)
{
	static const char *const names[] = {"Package", "Architecture", "Version", "Status"};
	char values[4][256] = {"", "", "", ""};
	struct deb822_field f;
	int r;

	while ((r = deb822_field(d, &f, err)) > 0) {
		for (size_t i = 0; i < 4; i++)
			if (deb822_is(&f, names[i]) && f.value_len < sizeof(values[i]))
				memcpy(values[i], f.value, f.value_len);
	}
	if (r < 0)
		return r;
	return compare_package(plan, values[0], values[1], values[2], values[3], seen, err);
}

int
dpkg_database_check(struct dpkg_plan *plan, int root_fd, struct err *err)
{
	auto_free bool *seen = calloc(plan->host->n_pkgs, sizeof(*seen));
	auto_free char *text = NULL;
	struct deb822 d = {.file = "the zone's /" DPKG_ADMINDIR "/status"};
	size_t len;
	int r;

	if (!seen)
		return err_nomem(err);
	r = path_file_read_in_root(root_fd, DPKG_ADMINDIR "/status", DPKG_STATUS_MAX_BYTES, &text,
				   &len, err);
	if (r < 0)
		return r;
	d.p = text;
	d.end = text + len;
	while (r == 0 && deb822_next(&d))
		r = check_paragraph(plan, &d, seen, err);
	for (size_t i = 0; i < plan->n_chosen && r == 0; i++)
		if (!seen[plan->order[i]])
			r = err_set(err, ZE_PKG, 0, "package '%s' is not in the zone's database",
				    dpkg_label(&plan->host->pkgs[plan->order[i]]));
	return r;
}
