/**
 * Relations to edges. "a (>= 1) | b:any, c [amd64]" names a, b and c: versions, architectures and
 * build profiles are left out, since an index holds one version of a package.
 *
 * Packages are gone through in the order of their ids and the edges sorted by destination with a
 * stable counting sort, so that the sources of a row rise, and the same pair given twice
 * (a (>= 1), a (<< 2)) lies side by side.
 */
#include <string.h>

#include "debian_internal.h"
#include "trireme/core/memory.h"

typedef struct edge {
  int32_t source, destination;
  uint8_t alternative;
} edge;

static bool ends_name(char c) {
  return c == 0 || strchr(" \t\r\n(:[<", c) != NULL;
}

/* One name out of a group of alternatives. */
static trm_status add_name(const trm_debian_index *index, int32_t source, const char *text,
                           int64_t n, bool alternative, trm_buffer *edges,
                           trm_debian_edges *counts) {
  while (n > 0 && strchr(" \t\r\n", text[0])) ++text, --n;
  int64_t length = 0;
  while (length < n && !ends_name(text[length])) ++length;
  if (length == 0) return TRM_OK;
  const int32_t destination = trm_names_find(&index->packages, text, length);
  if (destination < 0) {
    if (trm_names_find(&index->provided, text, length) >= 0) {
      ++counts->n_virtual;
    } else {
      ++counts->n_unresolved;
    }
    return TRM_OK;
  }
  if (destination == source) return TRM_OK;
  const edge one = {source, destination, alternative};
  return trm_buffer_append(edges, &one, (int64_t)sizeof one);
}

/* A group "a | b | c" between two commas. */
static trm_status add_group(const trm_debian_index *index, int32_t source, const char *text,
                            int64_t n, trm_buffer *edges, trm_debian_edges *counts) {
  const bool alternative = memchr(text, '|', (size_t)n) != NULL;
  for (int64_t at = 0; at < n;) {
    const char *bar = memchr(text + at, '|', (size_t)(n - at));
    const int64_t end = bar ? bar - text : n;
    TRM_TRY(add_name(index, source, text + at, end - at, alternative, edges, counts));
    at = end + 1;
  }
  return TRM_OK;
}

static trm_status collect(const trm_debian_index *index, int kind, trm_buffer *edges,
                          trm_debian_edges *counts) {
  const trm_buffer *text = &index->relations[kind];
  const int64_t *ends = (const int64_t *)(const void *)index->relation_ends[kind].data;
  int64_t at = 0;
  for (int64_t p = 0; p < index->packages.n; ++p) {
    while (at < ends[p]) {
      const char *comma = memchr(text->data + at, ',', (size_t)(ends[p] - at));
      const int64_t end = comma ? comma - text->data : ends[p];
      TRM_TRY(add_group(index, (int32_t)p, text->data + at, end - at, edges, counts));
      at = comma ? end + 1 : end;
    }
  }
  return TRM_OK;
}

/* Counting sort by destination; then equal neighbours become one, an alternative only when all of
 * them are. */
static trm_status sort_edges(int64_t n_packages, const edge *edges, int64_t n,
                             trm_debian_edges *out) {
  TRM_TRY(TRM_ALLOC(&out->offsets, n_packages + 1, "edges of packages"));
  TRM_TRY(TRM_ALLOC(&out->sources, n, "edges of packages"));
  TRM_TRY(TRM_ALLOC(&out->alternative, n, "edges of packages"));
  int64_t *next = NULL; /* where the next edge of each row goes */
  TRM_TRY(TRM_ALLOC(&next, n_packages + 1, "edges of packages"));
  for (int64_t i = 0; i < n; ++i) ++next[edges[i].destination + 1];
  for (int64_t p = 0; p < n_packages; ++p) next[p + 1] += next[p];
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = next[edges[i].destination]++;
    out->sources[at] = edges[i].source;
    out->alternative[at] = edges[i].alternative;
  }
  /* Now next[p] is the end of row p. */
  int64_t from = 0, to = 0;
  for (int64_t p = 0; p < n_packages; ++p) {
    const int64_t row = to;
    for (; from < next[p]; ++from) {
      if (to > row && out->sources[to - 1] == out->sources[from]) {
        out->alternative[to - 1] &= out->alternative[from];
        continue;
      }
      out->sources[to] = out->sources[from];
      out->alternative[to++] = out->alternative[from];
    }
    out->offsets[p + 1] = to;
  }
  out->n = to;
  TRM_FREE(next);
  return TRM_OK;
}

trm_status trm_debian_resolve(const trm_debian_index *index, int kind, trm_debian_edges *edges) {
  memset(edges, 0, sizeof *edges);
  trm_buffer found = {0};
  trm_status status = TRM_OK;
  TRM_TRY_OUT(collect(index, kind, &found, edges));
  TRM_TRY_OUT(sort_edges(index->packages.n, (const edge *)(const void *)found.data,
                         found.n / (int64_t)sizeof(edge), edges));
out:
  trm_buffer_free(&found);
  if (status != TRM_OK) trm_debian_edges_free(edges);
  return status;
}

void trm_debian_edges_free(trm_debian_edges *edges) {
  TRM_FREE(edges->offsets);
  TRM_FREE(edges->sources);
  TRM_FREE(edges->alternative);
}
