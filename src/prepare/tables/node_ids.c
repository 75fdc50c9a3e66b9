/** Ids of nodes in tables: numbers below a limit, or names that get numbers. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph_text_internal.h"
#include "trireme/core/utf8.h"

enum { MOST_NAME_BYTES = 4096 };

void trm_id_limit_set(trm_id_limit *limit, int64_t n, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(limit->why, sizeof limit->why, format, arguments);
  va_end(arguments);
  limit->n = n;
}

/* A name is a text of one line, of moderate length, that people can see. */
static trm_status check_name(const trm_scan *s, const char *what) {
  char text[TRM_SHOWN_BYTES];
  for (int64_t i = 0; i < s->n_field; ++i) {
    if ((unsigned char)s->field[i] >= 0x20 && s->field[i] != 0x7F) continue;
    return trm_scan_fail(s, "'%s' is no %s: it has control characters", trm_scan_shown(s, text),
                         what);
  }
  for (int64_t at = 0; at < s->n_field;) {
    uint32_t cp;
    const int length = trm_utf8_decode(s->field + at, s->n_field - at, &cp);
    if (length > 0) {
      /* Within a name it may be meant; at its ends it makes another name that looks the same. */
      if ((at == 0 || at + length == s->n_field) && trm_text_invisible(cp)) {
        return trm_scan_check_seen(s, what);
      }
      at += length;
      continue;
    }
    return trm_scan_fail(s, "%s '%s' is no UTF-8; convert the file (iconv -f LATIN1 -t UTF-8)",
                         what, trm_scan_shown(s, text));
  }
  if (s->n_field <= MOST_NAME_BYTES) return TRM_OK;
  return trm_scan_fail(s, "the %s has %" PRId64 " bytes; is it the right column?", what,
                       s->n_field);
}

static trm_status find_name(trm_scan *s, const char *what, const trm_id_limit *limit, int64_t *id) {
  trm_id_map *map = limit->map;
  char text[TRM_SHOWN_BYTES];
  int32_t found;
  bool added;
  TRM_TRY(trm_scan_word(s, what));
  if (map->adds) {
    TRM_TRY(check_name(s, what));
    TRM_TRY(trm_names_add(&map->names, s->field, s->n_field, &found, &added));
  } else {
    found = trm_names_find(&map->names, s->field, s->n_field);
  }
  *id = found;
  if (found >= 0) return TRM_OK;
  return trm_scan_fail(s, "'%s' is the name of no %s that the other tables have",
                       trm_scan_shown(s, text), what);
}

trm_status trm_scan_node(trm_scan *scan, const char *what, const trm_id_limit *limit, int64_t *id) {
  trm_id_map *map = limit->map;
  *id = 0;
  if (map && map->on) return find_name(scan, what, limit, id);
  const trm_status status = trm_scan_id(scan, what, limit->n, limit->why, id);
  if (map && status != TRM_OK && limit->n == INT32_MAX) map->too_high = *id >= limit->n;
  return status;
}

const char *trm_node_shown(const trm_id_limit *limit, int64_t id, char text[TRM_SHOWN_BYTES]) {
  if (!limit->map || !limit->map->on) {
    (void)snprintf(text, TRM_SHOWN_BYTES, "%" PRId64, id);
    return text;
  }
  char name[TRM_SHOWN_BYTES - 2];
  const int64_t *offsets = trm_names_offsets(&limit->map->names);
  trm_text_escape(limit->map->names.bytes.data + offsets[id], offsets[id + 1] - offsets[id], name,
                  sizeof name);
  (void)snprintf(text, TRM_SHOWN_BYTES, "'%s'", name);
  return text;
}

trm_status trm_text_add_names(const char *path, const trm_table_plan *plan, trm_id_map *map,
                              trm_scan_progress *progress) {
  const trm_id_limit limit = {.n = INT32_MAX, .map = map};
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  const bool adds = map->adds;
  map->adds = true;
  TRM_TRY_OUT(trm_scan_open_table(&scan, path, plan, progress));
  for (;;) {
    int64_t id;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(trm_scan_node(&scan, plan->roles[0].what, &limit, &id));
  }
out:
  map->adds = adds;
  return trm_scan_close(&scan, status);
}
