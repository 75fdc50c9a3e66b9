/** Labels and folds, and the names of classes, read from text. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "graph_text_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { MOST_CLASSES = 65536, MANY_CLASSES = 100, MANY_NUMBERS = 10, LIST_BYTES = 240 };

static const trm_column_role label_roles[] = {
    {"id", "node nodeid id idx index name graph graphid paper paperid user userid", false},
    {"class", "label labels class classes target y category community department", false},
};
static const trm_column_role fold_roles[] = {
    {"id", "node nodeid id idx index name graph graphid", false},
    {"fold", "fold folds split cv", false},
};
static const trm_column_role value_roles[] = {
    {"class", "label labels class classes target y category nodelabel graphlabel", false},
};

static trm_table_plan plan_of(const trm_value_table *t, const trm_column_role *roles) {
  return (trm_table_plan){.form = t->form,
                          .roles = t->lines ? value_roles : roles,
                          .n_roles = t->lines ? 1 : 2,
                          .n_ids = t->lines ? 0 : 1,
                          .columns_option = t->columns_option,
                          .columns = t->columns,
                          .reading = t->reading,
                          .quiet = true};
}

trm_table_plan trm_value_plan(const trm_value_table *labels) {
  return plan_of(labels, label_roles);
}

/* The id that a line is about. */
static trm_status read_id(const trm_value_table *t, trm_scan *scan, const trm_id_limit *limit,
                          int64_t next, int64_t *id) {
  if (!t->lines) return trm_scan_node(scan, t->id_name, limit, id);
  *id = next;
  if (next < limit->n) return TRM_OK;
  return trm_scan_fail(scan, "a line for %s %" PRId64 ", but %s", t->id_name, next, limit->why);
}

/* ---- folds ------------------------------------------------------------------------------------ */

/* Folds that count from 1 are moved to 0, where they leave no gap there. */
static void move_to_zero(const trm_value_table *t, int32_t *values, int64_t n,
                         trm_highest *highest) {
  int32_t lowest = INT32_MAX;
  for (int64_t i = 0; i < n; ++i) {
    if (values[i] >= 0 && values[i] < lowest) lowest = values[i];
  }
  if (lowest != 1) return;
  for (int64_t i = 0; i < n; ++i) values[i] -= values[i] > 0;
  --highest->id;
  trm_note(t->reading ? t->reading->notes : NULL, "%s: %ss count from 1; fold 1 is fold 0 here",
           t->path, t->value_name);
}

trm_status trm_text_values(const trm_value_table *table, const trm_id_limit *limit,
                           trm_scan_progress *progress, int32_t *values, trm_highest *highest) {
  const trm_table_plan plan = plan_of(table, fold_roles);
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  for (int64_t i = 0; i < limit->n; ++i) values[i] = -1;
  TRM_TRY_OUT(trm_scan_open_table(&scan, table->path, &plan, progress));
  for (int64_t line = 0;; ++line) {
    int64_t id, value;
    char text[TRM_SHOWN_BYTES];
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_id(table, &scan, limit, line, &id));
    if (values[id] >= 0) {
      TRM_TRY_OUT(trm_scan_fail(&scan, "%s %s is listed twice, first with %s %d; leave one out",
                                table->id_name, trm_node_shown(limit, id, text), table->value_name,
                                (int)values[id]));
    }
    TRM_TRY_OUT(trm_scan_count(&scan, table->value_name, table->value_limit,
                               "too high; number from 0 without gaps", &value));
    TRM_TRY_OUT(trm_scan_end(&scan));
    values[id] = (int32_t)value;
    if (value > highest->id) *highest = (trm_highest){scan.path, value, scan.line_number};
  }
  move_to_zero(table, values, limit->n, highest);
out:
  return trm_scan_close(&scan, status);
}

/* ---- class names ------------------------------------------------------------------------------ */

/* Names in the order of the lines, and which class each is of. */
typedef struct named {
  int64_t n, capacity, n_bytes, bytes_capacity, ends_capacity;
  int64_t *classes, *ends;
  char *bytes;
} named;

static trm_status read_name(trm_scan *scan, named *names) {
  int64_t class;
  TRM_TRY(trm_scan_count(scan, "class", INT32_MAX, "too high; number classes from 0", &class));
  trm_scan_rest(scan);
  if (scan->n_field == 0) {
    return trm_scan_fail(scan, "the name of class %lld is missing; a line is %s", (long long)class,
                         scan->form);
  }
  TRM_TRY(TRM_GROW(&names->classes, names->n, &names->capacity, "names of classes"));
  TRM_TRY(TRM_GROW(&names->ends, names->n, &names->ends_capacity, "names of classes"));
  TRM_TRY(TRM_GROW(&names->bytes, names->n_bytes + scan->n_field, &names->bytes_capacity,
                   "names of classes"));
  memcpy(names->bytes + names->n_bytes, scan->field, (size_t)scan->n_field);
  names->n_bytes += scan->n_field;
  names->classes[names->n] = class;
  names->ends[names->n++] = names->n_bytes;
  return TRM_OK;
}

/* Puts the names in the order of their classes; each of [0, n) has one. */
static trm_status order_names(const char *path, const named *names, int64_t n, int64_t **offsets,
                              char **bytes) {
  int64_t *line_of = NULL; /* place in `names` + 1 */
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&line_of, n, "names of classes"));
  TRM_TRY_OUT(TRM_ALLOC(offsets, n + 1, "names of classes"));
  TRM_TRY_OUT(TRM_ALLOC(bytes, names->n_bytes, "names of classes"));
  for (int64_t i = 0; i < names->n; ++i) {
    const int64_t class = names->classes[i];
    if (class < n && line_of[class] == 0) {
      line_of[class] = i + 1;
      continue;
    }
    status = trm_fail(TRM_ERR_DATA,
                      class < n ? "%s: class %lld is named twice"
                                : "%s: class %lld is named, but not all below it; "
                                  "number classes from 0 without gaps",
                      path, (long long)class);
    goto out;
  }
  for (int64_t c = 0; c < n; ++c) {
    const int64_t i = line_of[c] - 1;
    if (i < 0) {
      TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: class %lld has no name", path, (long long)c));
    }
    const int64_t begin = i > 0 ? names->ends[i - 1] : 0;
    memcpy(*bytes + (*offsets)[c], names->bytes + begin, (size_t)(names->ends[i] - begin));
    (*offsets)[c + 1] = (*offsets)[c] + names->ends[i] - begin;
  }
out:
  TRM_FREE(line_of);
  return status;
}

trm_status trm_text_classes(const char *path, int64_t at_least, trm_scan_progress *progress,
                            int64_t **offsets, char **bytes, int64_t *n) {
  trm_scan scan;
  named names = {0};
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "class<TAB>name", progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_name(&scan, &names));
  }
  *n = names.n > at_least ? names.n : at_least;
  TRM_TRY_OUT(order_names(path, &names, *n, offsets, bytes));
out:
  TRM_FREE(names.classes);
  TRM_FREE(names.ends);
  TRM_FREE(names.bytes);
  return trm_scan_close(&scan, status);
}

/* ---- labels ----------------------------------------------------------------------------------- */

/* Labels as they stand: texts, each with the line where it came first. */
typedef struct raw_labels {
  trm_names texts;
  int64_t *lines;   /* [texts.n] */
  int64_t *numbers; /* [texts.n] where all are whole numbers */
  int32_t *of;      /* [limit->n] text of each id, -1: none */
  uint8_t *listed;  /* [limit->n] */
  int64_t lines_capacity;
  bool whole;   /* all are whole numbers */
  bool numeric; /* all are numbers */
} raw_labels;

static void raw_free(raw_labels *r) {
  trm_names_free(&r->texts);
  TRM_FREE(r->lines);
  TRM_FREE(r->numbers);
  TRM_FREE(r->of);
  TRM_FREE(r->listed);
}

static bool is_none(const trm_reading *reading, const char *text, int64_t bytes) {
  static const char *const words[] = {"nan", "na", "n/a", "<na>", "null"};
  const char *also = reading ? reading->no_label : NULL;
  if (also && bytes == (int64_t)strlen(also) && memcmp(text, also, (size_t)bytes) == 0) return true;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; ++i) {
    if (bytes == (int64_t)strlen(words[i]) && strncasecmp(text, words[i], (size_t)bytes) == 0)
      return true;
  }
  return bytes == 0;
}

/* Bytes of a whole number without ".0", which other programs give it where a column has gaps. */
static int64_t without_zeros(const char *text, int64_t bytes) {
  int64_t n = bytes;
  while (n > 0 && text[n - 1] == '0') --n;
  if (n < 2 || n == bytes || text[n - 1] != '.') return bytes;
  for (int64_t i = text[0] == '-'; i < n - 1; ++i) {
    if (text[i] < '0' || text[i] > '9') return bytes;
  }
  return n - 1;
}

static trm_status take_label(const trm_value_table *t, trm_scan *scan, const trm_id_limit *limit,
                             int64_t id, raw_labels *raw) {
  char shown[TRM_SHOWN_BYTES], text[TRM_SHOWN_BYTES];
  const int64_t *offsets = trm_names_offsets(&raw->texts);
  int32_t name = -1;
  bool added = false;
  if (raw->listed[id]) {
    const int32_t was = raw->of[id];
    if (was >= 0) {
      trm_text_escape(raw->texts.bytes.data + offsets[was], offsets[was + 1] - offsets[was], text,
                      sizeof text);
    }
    return trm_scan_fail(scan, "%s %s is listed twice, first with %s %s; leave one out", t->id_name,
                         trm_node_shown(limit, id, shown), t->value_name, was >= 0 ? text : "none");
  }
  TRM_TRY(trm_scan_maybe(scan, t->value_name));
  if (!is_none(t->reading, scan->field, scan->n_field)) {
    const int64_t bytes = without_zeros(scan->field, scan->n_field);
    TRM_TRY(trm_names_add(&raw->texts, scan->field, bytes, &name, &added));
  }
  if (added) {
    TRM_TRY(TRM_GROW(&raw->lines, name, &raw->lines_capacity, "labels"));
    raw->lines[name] = scan->line_number;
  }
  raw->listed[id] = 1;
  raw->of[id] = name;
  if (raw->texts.n <= MOST_CLASSES) return TRM_OK;
  return trm_scan_fail(scan, "more than %d different labels; are they classes?", MOST_CLASSES);
}

static trm_status read_raw(const trm_value_table *t, const trm_id_limit *limit,
                           trm_scan_progress *progress, raw_labels *raw) {
  const trm_table_plan plan = plan_of(t, label_roles);
  trm_scan scan;
  bool more = false;
  int64_t n_lines = 0;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&raw->of, limit->n, "labels"));
  TRM_TRY(TRM_ALLOC(&raw->listed, limit->n, "labels"));
  for (int64_t i = 0; i < limit->n; ++i) raw->of[i] = -1;
  TRM_TRY_OUT(trm_scan_open_table(&scan, t->path, &plan, progress));
  for (int64_t line = 0;; ++line) {
    int64_t id;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_id(t, &scan, limit, line, &id));
    TRM_TRY_OUT(take_label(t, &scan, limit, id, raw));
    TRM_TRY_OUT(trm_scan_end(&scan));
    ++n_lines;
  }
  if (t->lines && n_lines != limit->n) {
    status = trm_fail(TRM_ERR_DATA, "%s: has %lld lines, expected one for each %s: %s", t->path,
                      (long long)n_lines, t->id_name, limit->why);
  }
out:
  return trm_scan_close(&scan, status);
}

/* ---- what the labels mean --------------------------------------------------------------------- */

static void text_of(const raw_labels *raw, int64_t i, char text[TRM_SHOWN_BYTES]) {
  const int64_t *offsets = trm_names_offsets(&raw->texts);
  trm_text_escape(raw->texts.bytes.data + offsets[i], offsets[i + 1] - offsets[i], text,
                  TRM_SHOWN_BYTES);
}

static trm_status find_numbers(raw_labels *raw) {
  trm_scan scan = {0};
  raw->whole = raw->numeric = true;
  TRM_TRY(TRM_ALLOC(&raw->numbers, raw->texts.n, "labels"));
  for (int64_t i = 0; i < raw->texts.n; ++i) {
    char text[TRM_SHOWN_BYTES], *end = NULL;
    double x = 0;
    text_of(raw, i, text);
    const bool number = trm_scan_number(&scan, text, (int64_t)strlen(text), &x);
    raw->numeric = raw->numeric && number;
    raw->numbers[i] = strtoll(text, &end, 10);
    raw->whole = raw->whole && number && *end == 0 && strlen(text) < 18;
  }
  return trm_scan_close(&scan, TRM_OK);
}

/* -1 says that there is none, unless it stands beside 1 alone. */
static void drop_minus_one(raw_labels *raw, int64_t n_ids) {
  int32_t none = -1;
  bool other = false;
  if (!raw->whole) return;
  for (int32_t i = 0; i < raw->texts.n; ++i) {
    if (raw->numbers[i] == -1) {
      none = i;
    } else {
      other = other || raw->numbers[i] != 1;
    }
  }
  if (none < 0 || (raw->texts.n == 2 && !other)) return;
  for (int64_t i = 0; i < n_ids; ++i) {
    if (raw->of[i] == none) raw->of[i] = -1;
  }
}

/* Whether classes are the numbers: from 0 without gaps, those that are none apart. */
static bool counts_from_zero(const raw_labels *raw, int64_t *n_classes) {
  int64_t n = 0, highest = -1;
  bool minus_one = false;
  for (int64_t i = 0; i < raw->texts.n; ++i) {
    const int64_t x = raw->numbers[i];
    minus_one = minus_one || x == -1;
    if (x < -1) return false;
    n += x >= 0;
    if (x > highest) highest = x;
  }
  *n_classes = n;
  return raw->whole && highest == n - 1 && !(minus_one && highest < 0);
}

static trm_status refuse_words(const trm_value_table *t, const raw_labels *raw) {
  char text[TRM_SHOWN_BYTES];
  for (int64_t i = 0; i < raw->texts.n; ++i) {
    if (raw->whole && raw->numbers[i] >= -1 && raw->numbers[i] < INT32_MAX) continue;
    text_of(raw, i, text);
    char *end;
    if (!raw->whole && strtoll(text, &end, 10) >= 0 && *end == 0) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s:%lld: column 2: '%s' is no %s; with names of classes labels are their "
                    "numbers from 0",
                    t->path, (long long)raw->lines[i], text, t->value_name);
  }
  return TRM_OK;
}

static void take_numbers(const raw_labels *raw, int64_t n_ids, int32_t *labels) {
  for (int64_t i = 0; i < n_ids; ++i) {
    labels[i] = raw->of[i] < 0 ? -1 : (int32_t)raw->numbers[raw->of[i]];
  }
}

/* Classes are named in a file, and numbers of it. */
static trm_status take_named(const trm_value_table *t, const char *classes, raw_labels *raw,
                             int64_t n_ids, trm_scan_progress *progress, trm_text_labels *out) {
  TRM_TRY(refuse_words(t, raw));
  for (int64_t i = 0; i < raw->texts.n; ++i) {
    if (raw->numbers[i] >= out->n_classes) out->n_classes = raw->numbers[i] + 1;
    if (raw->numbers[i] < 0 || trm_graph_plausible(raw->numbers[i] + 1, n_ids)) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s:%lld: class %lld of %lld labels; number classes from 0 "
                    "without gaps",
                    t->path, (long long)raw->lines[i], (long long)raw->numbers[i],
                    (long long)n_ids);
  }
  take_numbers(raw, n_ids, out->labels);
  TRM_TRY(trm_text_classes(classes, out->n_classes, progress, &out->name_offsets, &out->name_bytes,
                           &out->n_names));
  out->n_classes = out->n_names;
  return TRM_OK;
}

/* ---- labels that are names -------------------------------------------------------------------- */

static void tell_classes(const trm_value_table *t, const trm_names *names, bool whole) {
  const int64_t *offsets = trm_names_offsets(names);
  char list[LIST_BYTES] = "";
  size_t used = 0;
  for (int64_t i = 0; i < names->n; ++i) {
    char text[40];
    if (used + 60 > sizeof list) {
      (void)snprintf(list + used, sizeof list - used, ", ...");
      break;
    }
    trm_text_escape_cut(names->bytes.data + offsets[i], offsets[i + 1] - offsets[i], false, text,
                        sizeof text);
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", text);
  }
  trm_note(t->reading ? t->reading->notes : NULL,
           "%s: note: %s: the %lld classes have the names %s, in this order", t->path,
           whole ? "labels do not count from 0 without gaps" : "labels are names",
           (long long)names->n, list);
}

static trm_status copy_names(const trm_names *names, trm_text_labels *out) {
  const int64_t *offsets = trm_names_offsets(names);
  const int64_t n = names->n;
  TRM_TRY(TRM_ALLOC(&out->name_offsets, n + 1, "names of classes"));
  TRM_TRY(TRM_ALLOC(&out->name_bytes, offsets[n], "names of classes"));
  memcpy(out->name_offsets, offsets, (size_t)(n + 1) * sizeof *offsets);
  if (offsets[n] > 0) memcpy(out->name_bytes, names->bytes.data, (size_t)offsets[n]);
  out->n_names = out->n_classes = n;
  return TRM_OK;
}

/* Texts that no id has (-1) are no classes. */
static trm_status take_texts(const trm_value_table *t, const raw_labels *raw, int64_t n_ids,
                             trm_text_labels *out) {
  trm_names used = {0};
  int32_t *place = NULL, id;
  bool added;
  trm_status status = TRM_OK;
  const int64_t *offsets = trm_names_offsets(&raw->texts);
  for (int64_t i = 0; i < n_ids; ++i) {
    const int32_t text = raw->of[i];
    out->labels[i] = -1;
    if (text < 0) continue;
    TRM_TRY_OUT(trm_names_add(&used, raw->texts.bytes.data + offsets[text],
                              offsets[text + 1] - offsets[text], &id, &added));
    out->labels[i] = id;
  }
  TRM_TRY_OUT(trm_names_sort(&used, &place));
  for (int64_t i = 0; i < n_ids; ++i) {
    if (out->labels[i] >= 0) out->labels[i] = place[out->labels[i]];
  }
  TRM_TRY_OUT(copy_names(&used, out));
  tell_classes(t, &used, raw->whole);
out:
  trm_names_free(&used);
  TRM_FREE(place);
  return status;
}

/* Numbers that were measured are no classes. */
static trm_status check_classes(const trm_value_table *t, const raw_labels *raw, int64_t n_ids) {
  char text[TRM_SHOWN_BYTES];
  int64_t n = 0;
  for (int64_t i = 0; i < n_ids; ++i) n += raw->of[i] >= 0;
  if (n == 0) return trm_fail(TRM_ERR_DATA, "%s: has no labels", t->path);
  const int64_t many = raw->numeric && !raw->whole ? MANY_NUMBERS : MANY_CLASSES;
  if (raw->texts.n <= many || 2 * raw->texts.n <= n) return TRM_OK;
  text_of(raw, 0, text);
  return trm_fail(TRM_ERR_DATA, "%s: %lld different labels of %lld (%s ...); are they classes?",
                  t->path, (long long)raw->texts.n, (long long)n, text);
}

/* Whether the first lines have a label and no id. */
static trm_status look_for_lines(const trm_value_table *t, bool *lines) {
  const trm_table_plan plan = {.form = t->form, .reading = t->reading};
  trm_scan scan;
  bool more = false;
  int n = 0;
  trm_status status = TRM_OK;
  *lines = true;
  TRM_TRY_OUT(trm_scan_open_table(&scan, t->path, &plan, NULL));
  for (; n < 10 && *lines; ++n) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    *lines = trm_scan_take(&scan) && !trm_scan_more(&scan);
  }
  *lines = *lines && n > 1;
out:
  return trm_scan_close(&scan, status);
}

trm_status trm_text_labels_read(const trm_value_table *given, const char *classes,
                                const trm_id_limit *limit, trm_scan_progress *progress,
                                trm_text_labels *out) {
  trm_value_table rows = *given;
  const trm_value_table *table = &rows;
  raw_labels raw = {0};
  trm_status status = TRM_OK;
  if (!rows.lines && !rows.columns && !(limit->map && limit->map->on)) {
    TRM_TRY_OUT(look_for_lines(given, &rows.lines));
    if (rows.lines) {
      trm_note(rows.reading ? rows.reading->notes : NULL,
               "%s: read as: a label a line, of the %ss in order", rows.path, rows.id_name);
    }
  }
  TRM_TRY_OUT(TRM_ALLOC(&out->labels, limit->n, "labels"));
  TRM_TRY_OUT(read_raw(table, limit, progress, &raw));
  TRM_TRY_OUT(find_numbers(&raw));
  drop_minus_one(&raw, limit->n);
  TRM_TRY_OUT(check_classes(table, &raw, limit->n));
  if (classes) {
    status = take_named(table, classes, &raw, limit->n, progress, out);
  } else if (raw.whole && counts_from_zero(&raw, &out->n_classes)) {
    take_numbers(&raw, limit->n, out->labels);
  } else {
    status = take_texts(table, &raw, limit->n, out);
  }
out:
  raw_free(&raw);
  return status;
}

trm_status trm_text_labels_of(const char *path, const trm_reading *reading, trm_names *texts,
                              const int32_t *of, int64_t n, trm_text_labels *out) {
  const trm_value_table table = {.path = path, .reading = reading, .value_name = "class"};
  raw_labels raw = {.texts = *texts};
  trm_status status = TRM_OK;
  *texts = (trm_names){0};
  TRM_TRY_OUT(TRM_ALLOC(&out->labels, n, "labels"));
  TRM_TRY_OUT(TRM_ALLOC(&raw.of, n, "labels"));
  memcpy(raw.of, of, (size_t)n * sizeof *of);
  TRM_TRY_OUT(find_numbers(&raw));
  drop_minus_one(&raw, n);
  TRM_TRY_OUT(check_classes(&table, &raw, n));
  if (raw.whole && counts_from_zero(&raw, &out->n_classes)) {
    take_numbers(&raw, n, out->labels);
  } else {
    status = take_texts(&table, &raw, n, out);
  }
out:
  raw_free(&raw);
  return status;
}

trm_classes trm_text_labels_classes(const trm_text_labels *labels) {
  return (trm_classes){.n = (int)labels->n_classes,
                       .labels = labels->labels,
                       .names = {labels->n_names, labels->name_offsets, labels->name_bytes}};
}

void trm_text_labels_free(trm_text_labels *labels) {
  TRM_FREE(labels->labels);
  TRM_FREE(labels->name_offsets);
  TRM_FREE(labels->name_bytes);
}
