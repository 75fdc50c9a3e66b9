/** Parts of nodes, and nodes to keep, read from text. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "prepare_internal.h"
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
      const bool mask = node <= 1 && scan->line_number <= 4 && !(limit->map && limit->map->on);
      return trm_scan_fail(scan, "node %s is listed twice in %s%s",
                           trm_node_shown(limit, node, text), trm_subset_name(which),
                           mask ? "; if it is a mask, list the nodes that are in: awk "
                                  "'$1 == 1{print NR - 1}' x > y"
                                : "");
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

/* What people call the parts; `none`: a node that is in no part. */
static const struct {
  const char *word;
  trm_subset which;
  bool none;
} words[] = {
    {"train", TRM_SUBSET_TRAIN, false},      {"training", TRM_SUBSET_TRAIN, false},
    {"val", TRM_SUBSET_VALID, false},        {"valid", TRM_SUBSET_VALID, false},
    {"validation", TRM_SUBSET_VALID, false}, {"dev", TRM_SUBSET_VALID, false},
    {"test", TRM_SUBSET_TEST, false},        {"testing", TRM_SUBSET_TEST, false},
    {"none", TRM_SUBSET_TRAIN, true},        {"unlabeled", TRM_SUBSET_TRAIN, true},
    {"unlabelled", TRM_SUBSET_TRAIN, true},
};

bool trm_part_of_word(const char *word, int64_t bytes, trm_subset *which, bool *none) {
  for (size_t i = 0; i < sizeof words / sizeof words[0]; ++i) {
    if (bytes != (int64_t)strlen(words[i].word) ||
        strncasecmp(word, words[i].word, (size_t)bytes) != 0) {
      continue;
    }
    *which = words[i].which;
    *none = words[i].none;
    return true;
  }
  return false;
}

static trm_status read_part(trm_scan *scan, trm_subset *which, bool *none) {
  char text[TRM_SHOWN_BYTES];
  TRM_TRY(trm_scan_word(scan, "part"));
  if (trm_part_of_word(scan->field, scan->n_field, which, none)) return TRM_OK;
  return trm_scan_fail(scan, "'%s' is no part of a split; expected train, val, test or none",
                       trm_scan_shown(scan, text));
}

/* A node of a list, which has one a line. What else people keep such lists in is told apart. */
static trm_status read_listed(trm_scan *scan, const trm_id_limit *limit, int64_t *node) {
  char text[TRM_SHOWN_BYTES];
  const bool names = limit->map && limit->map->on;
  (void)trm_scan_take(scan);
  const bool mask = (scan->n_field == 4 && strncasecmp(scan->field, "true", 4) == 0) ||
                    (scan->n_field == 5 && strncasecmp(scan->field, "false", 5) == 0);
  if (mask && !names) {
    return trm_scan_fail(
        scan,
        "'%s' of a mask; list the nodes that are in: awk '/[Tt]rue/{print NR - 1}' "
        "x > y",
        trm_scan_shown(scan, text));
  }
  trm_scan_again(scan);
  TRM_TRY(trm_scan_node(scan, "node", limit, node));
  if (!trm_scan_more(scan)) return TRM_OK;
  (void)trm_scan_take(scan);
  return trm_scan_fail(scan,
                       "'%s' is one field too many; a line is a node: tr -s ' ,;\\t' '\\n' < x > y "
                       "writes them so",
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
    trm_subset which = TRM_SUBSET_TRAIN;
    bool none = false;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(trm_scan_node(&scan, "node", limit, &node));
    TRM_TRY_OUT(read_part(&scan, &which, &none));
    TRM_TRY_OUT(trm_scan_end(&scan));
    if (none) continue;
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
    TRM_TRY_OUT(read_listed(&scan, limit, &node));
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
