#include "class_match.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "names_facts.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

/* Of a list of classes in a message. */
enum { LIST_BYTES = 120, NAME_BYTES = 40 };

static const trm_names_fact class_names = {"classes/offsets", "classes/bytes"};

trm_status trm_class_names_put(trm_facts *facts, const trm_texts *names) {
  return trm_names_fact_put(facts, class_names, names);
}

trm_status trm_class_names_get(const trm_facts *facts, const char *path, trm_texts *names) {
  if (trm_names_fact_get(facts, class_names, names)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: the names of its classes are damaged; use another checkpoint",
                  path);
}

/* ---- lists in messages ------------------------------------------------------------------------ */

/* Adds a class, by its name where it has one, to "bad, good" as far as there is room. */
static void add_class(const trm_texts *names, int64_t c, char list[LIST_BYTES]) {
  char name[NAME_BYTES];
  const size_t used = strlen(list);
  if (names->n > 0) {
    const int64_t begin = names->offsets[c], bytes = names->offsets[c + 1] - begin;
    trm_text_escape_cut(names->bytes + begin, bytes, false, name, sizeof name);
  } else {
    (void)snprintf(name, sizeof name, "%" PRId64, c);
  }
  (void)snprintf(list + used, LIST_BYTES - used, "%s%s", used > 0 ? ", " : "", name);
}

static const char *list_all(const trm_texts *names, int64_t n, char list[LIST_BYTES]) {
  list[0] = 0;
  for (int64_t c = 0; c < n && strlen(list) < LIST_BYTES - 1; ++c) add_class(names, c, list);
  return list;
}

trm_status trm_class_match_same(const trm_class_match *match) {
  char here[LIST_BYTES], there[LIST_BYTES];
  const trm_texts *names = &match->classes->names, *known = &match->known;
  if (names->n == 0 || known->n == 0 || trm_names_same(names, known)) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "%s has other classes (%" PRId64 ": %s) than %s was trained on (%" PRId64
                  ": %s); prepare it with samples of the same classes",
                  match->data, names->n, list_all(names, names->n, here), match->path, known->n,
                  list_all(known, known->n, there));
}

/* ---- places ----------------------------------------------------------------------------------- */

static trm_status find_places(const trm_class_match *m, int32_t *places) {
  const trm_texts *names = &m->classes->names;
  if (names->n > 0 && m->known.n > 0) {
    return trm_names_places((trm_names_part){&m->known, 0, m->known.n},
                            (trm_names_part){names, 0, m->classes->n}, places);
  }
  for (int32_t c = 0; c < m->classes->n; ++c) places[c] = c < m->n_known ? c : -1;
  return TRM_OK;
}

/* Labels of classes that the model does not know, and which those are. */
static trm_status count_unknown(const trm_class_match *m, const int32_t *places, int64_t *n,
                                char list[LIST_BYTES]) {
  bool *seen = NULL;
  *n = 0;
  list[0] = 0;
  TRM_TRY(TRM_ALLOC(&seen, m->classes->n, "classes"));
  for (int64_t i = 0; m->labels && i < m->n_labels; ++i) {
    const int32_t c = m->labels[i];
    if (c < 0 || places[c] >= 0) continue;
    ++*n;
    seen[c] = true;
  }
  for (int c = 0; c < m->classes->n; ++c) {
    if (seen[c]) add_class(&m->classes->names, c, list);
  }
  TRM_FREE(seen);
  return TRM_OK;
}

static trm_status treat_unknown(const trm_task *task, const trm_class_match *m,
                                const int32_t *places) {
  char list[LIST_BYTES], known[LIST_BYTES];
  int64_t n;
  TRM_TRY(count_unknown(m, places, &n, list));
  if (n == 0) return TRM_OK;
  list_all(&m->known, m->n_known, known);
  if (task->use == TRM_USE_EVALUATE) {
    return trm_fail(TRM_ERR_DATA,
                    "%s has %" PRId64 " %s%s of classes that %s does not know: %s (it knows %s); "
                    "leave them out of the data, or train on them",
                    m->data, n, task->kind->unit, n == 1 ? "" : "s", m->path, list, known);
  }
  trm_log_line(task->log,
               "%s: note: %" PRId64 " %s%s of classes that the model does not know: %s; no label "
               "stands beside their predictions",
               m->data, n, task->kind->unit, n == 1 ? " is" : "s are", list);
  return TRM_OK;
}

/* That numbers of classes here are not those of the model. */
static void tell_moved(const trm_task *task, const trm_class_match *m, const int32_t *places) {
  bool moved = false;
  for (int32_t c = 0; c < m->classes->n; ++c) moved = moved || (places[c] >= 0 && places[c] != c);
  if (!moved) return;
  trm_log_line(task->log,
               "%s: note: its classes have other numbers than those of the model; they are matched "
               "by their names",
               m->data);
}

trm_status trm_class_match_find(const trm_task *task, const trm_class_match *match,
                                int32_t *places) {
  TRM_TRY(find_places(match, places));
  TRM_TRY(treat_unknown(task, match, places));
  tell_moved(task, match, places);
  return TRM_OK;
}
