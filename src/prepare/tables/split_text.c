/** Parts of nodes, and nodes to keep, read from text. */
#include <stdio.h>
#include <string.h>

#include "graph_text_internal.h"
#include "trireme/core/utf8.h"

static const trm_column_role roles[] = {
    {"node", "node nodeid nodes id idx index name", false},
    {"part", "part split subset set mask fold", false},
};

/* Lists of ids, and ids with their part: small tables, which are told of when they are special. */
static trm_status open_list(trm_scan *scan, const char *path, const trm_reading *reading,
                            const char *form, int n_roles, trm_scan_progress *progress) {
  const trm_table_plan plan = {.form = form,
                               .roles = roles,
                               .n_roles = n_roles,
                               .n_ids = 1,
                               .reading = reading,
                               .quiet = true};
  return trm_scan_open_table(scan, path, &plan, progress);
}

static trm_status add_to_subset(const trm_scan *scan, const trm_id_limit *limit, int64_t node,
                                trm_subset which, const int32_t *labels, uint8_t *subset) {
  char text[TRM_SHOWN_BYTES];
  if (subset[node] != 0) {
    const trm_subset other = (trm_subset)(subset[node] - 1);
    if (other == which) {
      return trm_scan_fail(scan, "node %s is listed twice in %s", trm_node_shown(limit, node, text),
                           trm_subset_name(which));
    }
    return trm_scan_fail(scan, "node %s is in %s already; train, valid and test must not overlap",
                         trm_node_shown(limit, node, text), trm_subset_name(other));
  }
  if (labels && labels[node] < 0) {
    return trm_scan_fail(scan, "node %s is in %s, but has no label; label it, or leave it out",
                         trm_node_shown(limit, node, text), trm_subset_name(which));
  }
  subset[node] = (uint8_t)((int)which + 1);
  return TRM_OK;
}

static bool is_word(const trm_scan *scan, const char *word) {
  return scan->n_field == (int64_t)strlen(word) &&
         memcmp(scan->field, word, (size_t)scan->n_field) == 0;
}

static trm_status read_part(trm_scan *scan, trm_subset *which) {
  TRM_TRY(trm_scan_word(scan, "part"));
  *which = TRM_SUBSET_TRAIN;
  if (is_word(scan, "train")) return TRM_OK;
  *which = TRM_SUBSET_VALID;
  if (is_word(scan, "val") || is_word(scan, "valid") || is_word(scan, "validation")) return TRM_OK;
  *which = TRM_SUBSET_TEST;
  if (is_word(scan, "test")) return TRM_OK;
  char text[TRM_SHOWN_BYTES];
  return trm_scan_fail(scan, "'%s' is no part of a split; expected train, val or test",
                       trm_scan_shown(scan, text));
}

trm_status trm_text_split(const char *path, const trm_reading *reading, const trm_id_limit *limit,
                          const int32_t *labels, trm_scan_progress *progress, uint8_t *subset) {
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(open_list(&scan, path, reading, "node<TAB>train|val|test", 2, progress));
  for (;;) {
    int64_t node;
    trm_subset which;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(trm_scan_node(&scan, "node", limit, &node));
    TRM_TRY_OUT(read_part(&scan, &which));
    TRM_TRY_OUT(trm_scan_end(&scan));
    TRM_TRY_OUT(add_to_subset(&scan, limit, node, which, labels, subset));
  }
out:
  return trm_scan_close(&scan, status);
}

trm_status trm_text_subset(const char *path, const trm_reading *reading, trm_subset which,
                           const trm_id_limit *limit, const int32_t *labels,
                           trm_scan_progress *progress, uint8_t *subset) {
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(open_list(&scan, path, reading, "a node", 1, progress));
  for (;;) {
    int64_t node;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(trm_scan_node(&scan, "node", limit, &node));
    TRM_TRY_OUT(trm_scan_end(&scan));
    TRM_TRY_OUT(add_to_subset(&scan, limit, node, which, labels, subset));
  }
out:
  return trm_scan_close(&scan, status);
}

trm_status trm_text_keep(const char *path, const trm_reading *reading, const trm_id_limit *limit,
                         trm_scan_progress *progress, int32_t *new_ids, int64_t *n) {
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  char text[TRM_SHOWN_BYTES];
  for (int64_t i = 0; i < limit->n; ++i) new_ids[i] = -1;
  *n = 0;
  TRM_TRY_OUT(open_list(&scan, path, reading, "a node", 1, progress));
  for (;;) {
    int64_t node;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(trm_scan_node(&scan, "node", limit, &node));
    TRM_TRY_OUT(trm_scan_end(&scan));
    if (new_ids[node] >= 0) {
      TRM_TRY_OUT(
          trm_scan_fail(&scan, "node %s is listed twice", trm_node_shown(limit, node, text)));
    }
    new_ids[node] = 0;
    ++*n;
  }
  if (*n == 0) TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: has no nodes to keep", path));
  for (int64_t i = 0, next = 0; i < limit->n; ++i) {
    if (new_ids[i] >= 0) new_ids[i] = (int32_t)next++;
  }
out:
  return trm_scan_close(&scan, status);
}
