/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order packages are configured: what a package needs comes before it. Packages that need
 * one another in a circle are taken as one (strongly connected components, by Tarjan), in the order
 * of their names.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <stdlib.h>
#include <string.h>

#define LEVEL_MAX 250

/* Packages by their place in the sorted choice; the edges of i are
 * edge[first[i]]..edge[first[i+1]-1].
 */
struct graph {
	const struct dpkg_plan *plan;
	uint32_t n;
	uint32_t *package; /* of the host */
	uint32_t *place;   /* by package of the host */
	uint32_t *first;
	uint32_t *edge;
	bool *pre; /* by edge: from Pre-Depends */
};

static bool
is_chosen(const void *arg, uint32_t i)
{
	const struct dpkg_plan *plan = arg;

	return plan->choices[i].chosen;
}

static int
compare_keys(const void *a, const void *b, void *arg)
{
	const struct dpkg_host *host = arg;
	const uint32_t *ia = a, *ib = b;

	return strcmp(host->pkgs[*ia].key, host->pkgs[*ib].key);
}

static void
graph_free(struct graph *g)
{
	free(g->package);
	free(g->place);
	free(g->first);
	free(g->edge);
	free(g->pre);
}

static int
graph_make(struct graph *g, const struct dpkg_plan *plan, struct err *err)
{
	struct dpkg_host *host = plan->host;
	size_t n_edges = 0;
	uint32_t to;

	for (uint32_t i = 0; i < host->n_pkgs; i++) {
		g->n += plan->choices[i].chosen;
		n_edges += host->pkgs[i].n_needs;
	}
	g->plan = plan;
	g->package = calloc(g->n + 1, sizeof(*g->package));
	g->place = calloc(host->n_pkgs + 1, sizeof(*g->place));
	g->first = calloc((size_t)g->n + 1, sizeof(*g->first));
	g->edge = calloc(n_edges + 1, sizeof(*g->edge));
	g->pre = calloc(n_edges + 1, sizeof(*g->pre));
	if (!g->package || !g->place || !g->first || !g->edge || !g->pre)
		return err_nomem(err);
	g->n = 0;
	for (uint32_t i = 0; i < host->n_pkgs; i++)
		if (plan->choices[i].chosen)
			g->package[g->n++] = i;
	qsort_r(g->package, g->n, sizeof(*g->package), compare_keys, host);
	for (uint32_t i = 0; i < g->n; i++)
		g->place[g->package[i]] = i;
	n_edges = 0;
	for (uint32_t i = 0; i < g->n; i++) {
		const struct dpkg_pkg *pkg = &host->pkgs[g->package[i]];

		g->first[i] = (uint32_t)n_edges;
		for (size_t k = 0; k < pkg->n_needs; k++) {
			to = dpkg_satisfier(host, g->package[i], &pkg->needs[k], is_chosen, plan);
			if (to == STRMAP_NONE)
				continue;
			g->edge[n_edges] = g->place[to];
			g->pre[n_edges++] = pkg->needs[k].pre;
		}
	}
	g->first[g->n] = (uint32_t)n_edges;
	return 0;
}

/* ---- components ---- */

struct tarjan {
	const struct graph *g;
	uint32_t *index, *low;  /* 0: not yet seen */
	uint32_t *next;         /* the edge to look at next */
	uint32_t *stack, *path; /* of components, and of the walk */
	bool *on_stack;
	uint32_t n_stack, n_path, count;
	uint32_t *out; /* places, what is needed first */
	uint32_t n_out;
};

static int
compare_u32(const void *a, const void *b)
{
	const uint32_t *ia = a, *ib = b;

	return *ia < *ib ? -1 : *ia > *ib;
}

static void
enter(struct tarjan *t, uint32_t v)
{
	t->index[v] = t->low[v] = ++t->count;
	t->next[v] = t->g->first[v];
	t->stack[t->n_stack++] = v;
	t->on_stack[v] = true;
	t->path[t->n_path++] = v;
}

/* All edges of the walk's last node are done. */
static void
leave(struct tarjan *t)
{
	uint32_t v = t->path[--t->n_path], w, start = t->n_out;

	if (t->n_path > 0 && t->low[v] < t->low[t->path[t->n_path - 1]])
		t->low[t->path[t->n_path - 1]] = t->low[v];
	if (t->low[v] != t->index[v])
		return;
	do {
		w = t->stack[--t->n_stack];
		t->on_stack[w] = false;
		t->out[t->n_out++] = w;
	} while (w != v);
	/* Places are in the order of names. */
	qsort(t->out + start, t->n_out - start, sizeof(*t->out), compare_u32);
}

static void
walk(struct tarjan *t, uint32_t root)
{
	uint32_t v, w;

	enter(t, root);
	while (t->n_path > 0) {
		v = t->path[t->n_path - 1];
		if (t->next[v] == t->g->first[v + 1]) {
			leave(t);
			continue;
		}
		w = t->g->edge[t->next[v]++];
		if (!t->index[w])
			enter(t, w);
		else if (t->on_stack[w] && t->index[w] < t->low[v])
			t->low[v] = t->index[w];
	}
}

static int
sort_graph(const struct graph *g, uint32_t *out, struct err *err)
{
	size_t n = (size_t)g->n + 1;
	auto_free uint32_t *numbers = calloc(n, 5 * sizeof(*numbers));
	auto_free bool *on_stack = calloc(n, sizeof(*on_stack));
	struct tarjan t = {.g = g, .on_stack = on_stack, .out = out};

	if (!numbers || !on_stack)
		return err_nomem(err);
	t.index = numbers;
	t.low = numbers + n;
	t.next = numbers + 2 * n;
	t.stack = numbers + 3 * n;
	t.path = numbers + 4 * n;
	for (uint32_t v = 0; v < g->n; v++)
		if (!t.index[v])
			walk(&t, v);
	return 0;
}

/* ---- what is early, what is late ---- */

static void
take(const struct graph *g, bool *early, uint32_t *queue, size_t *n, uint32_t v)
{
	if (early[g->package[v]])
		return;
	early[g->package[v]] = true;
	queue[(*n)++] = v;
}

/* Essential packages and what a preinst relies on, with all they need: configured before the files
 * of packages with a preinst come. */
static int
find_early(const struct graph *g, bool *early, struct err *err)
{
	auto_free uint32_t *queue = calloc((size_t)g->n + 1, sizeof(*queue));
	const struct dpkg_pkg *pkgs = g->plan->host->pkgs;
	size_t n = 0;

	if (!queue)
		return err_nomem(err);
	for (uint32_t v = 0; v < g->n; v++) {
		if (pkgs[g->package[v]].essential)
			take(g, early, queue, &n, v);
		if (!(pkgs[g->package[v]].scripts & DPKG_PREINST))
			continue;
		for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++)
			if (g->pre[e])
				take(g, early, queue, &n, g->edge[e]);
	}
	for (size_t q = 0; q < n; q++)
		for (uint32_t e = g->first[queue[q]]; e < g->first[queue[q] + 1]; e++)
			take(g, early, queue, &n, g->edge[e]);
	return 0;
}

/* A late package with a preinst comes one level after all such packages that it needs. */
static int
find_levels(const struct graph *g, const uint32_t *order, const bool *early, uint8_t *levels,
	    struct err *err)
{
	auto_free unsigned *depth = calloc((size_t)g->n + 1, sizeof(*depth));
	const struct dpkg_pkg *pkgs = g->plan->host->pkgs;

	if (!depth)
		return err_nomem(err);
	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t v = order[i], package = g->package[v];

		for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++)
			if (depth[g->edge[e]] > depth[v])
				depth[v] = depth[g->edge[e]];
		if (early[package] || !(pkgs[package].scripts & DPKG_PREINST))
			continue;
		if (depth[v] < LEVEL_MAX)
			depth[v]++;
		levels[package] = (uint8_t)depth[v];
	}
	return 0;
}

/* What has to be configured before anything else can be, not said by any dependency: users and
 * groups, then the base directories. Debian's own bootstrap has the same two. */
static const char *const first_packages[] = {"base-passwd", "base-files"};

static unsigned
rank_of(const struct dpkg_plan *plan, uint32_t package)
{
	const size_t n_first = sizeof(first_packages) / sizeof(first_packages[0]);

	for (unsigned i = 0; i < n_first; i++)
		if (!strcmp(plan->host->pkgs[package].name, first_packages[i]))
			return i;
	return (unsigned)n_first + !plan->early[package];
}

/* The first ones, then the early ones, then the rest, each part in the order found. */
static int
put_early_first(struct dpkg_plan *plan, struct err *err)
{
	const unsigned n_ranks = sizeof(first_packages) / sizeof(first_packages[0]) + 2;
	auto_free uint32_t *sorted = calloc(plan->n_chosen + 1, sizeof(*sorted));
	size_t n = 0;

	if (!sorted)
		return err_nomem(err);
	for (unsigned rank = 0; rank < n_ranks; rank++)
		for (size_t i = 0; i < plan->n_chosen; i++)
			if (rank_of(plan, plan->order[i]) == rank)
				sorted[n++] = plan->order[i];
	memcpy(plan->order, sorted, n * sizeof(*sorted));
	return 0;
}

int
dpkg_order(struct dpkg_plan *plan, struct err *err)
{
	size_t n_pkgs = plan->host->n_pkgs;
	struct graph g = {0};
	int r;

	r = graph_make(&g, plan, err);
	plan->order = calloc((size_t)g.n + 1, sizeof(*plan->order));
	plan->levels = calloc(n_pkgs + 1, sizeof(*plan->levels));
	plan->early = calloc(n_pkgs + 1, sizeof(*plan->early));
	if (r == 0 && (!plan->order || !plan->levels || !plan->early))
		r = err_nomem(err);
	if (r == 0)
		r = sort_graph(&g, plan->order, err);
	if (r == 0)
		r = find_early(&g, plan->early, err);
	if (r == 0)
		r = find_levels(&g, plan->order, plan->early, plan->levels, err);
	plan->n_chosen = r == 0 ? g.n : 0;
	for (size_t i = 0; i < plan->n_chosen; i++)
		plan->order[i] = g.package[plan->order[i]];
	graph_free(&g);
	if (r == 0 && !plan->n_chosen)
		r = err_set(err, ZE_PKG, 0, "no package of this host can be in a zone");
	return r == 0 ? put_early_first(plan, err) : r;
}
