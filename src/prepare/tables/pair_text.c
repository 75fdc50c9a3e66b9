/** Pairs of users and items with ratings and times, read from text. */
#include <math.h>
#include <string.h>

#include "pairs_internal.h"
#include "trireme/core/memory.h"

enum { LOOKED_AT_LINES = 5000, MOST_SEEN = 32, MOST_OF_PAIR = 5, USER, ITEM, RATING, TIME };

/* The first fields of a line. */
typedef struct seen_fields {
  const char *text[MOST_SEEN];
  int64_t bytes[MOST_SEEN];
} seen_fields;

static const double EARLIEST_TIME = 1e8; /* seconds since 1970; ratings and counts are below */

static const trm_column_role roles[] = {
    {"user",
     "user userid uid u reviewerid reviewer customer customerid person member memberid author "
     "source from",
     false},
    {"item",
     "item itemid iid i movie movieid book bookid isbn product productid asin parentasin business "
     "businessid song songid track trackid artist artistid game gameid anime animeid location "
     "locationid poi venue venueid target to",
     false},
    {"rating",
     "rating ratings stars score value overall bookrating weight count plays playcount label",
     true},
    {"time", "time timestamp ts unixreviewtime unixtime date datetime", true},
};

void trm_pair_list_free(trm_pair_list *list) {
  TRM_FREE(list->pairs);
  list->n = list->capacity = 0;
}

static trm_status open_pairs(const char *path, const trm_reading *reading, trm_scan *scan,
                             trm_scan_progress *progress) {
  const trm_table_plan plan = {.form = "user item [rating [time]]",
                               .roles = roles,
                               .n_roles = 4,
                               .n_ids = 2,
                               .asks_header = true,
                               .columns_option = "--columns",
                               .columns = reading->columns,
                               .reading = reading};
  return trm_scan_open_table(scan, path, &plan, progress);
}

/* ---- lists or pairs --------------------------------------------------------------------------- */

/* What the first lines are like. */
typedef struct outline {
  int64_t n, fewest, most, n_words;
  int64_t n_twice; /* lines that have a field twice, of the first ones */
  bool titled;     /* the first line has words where others have none */
  bool repeated;   /* a user has several lines */
  bool rated;      /* a third field is no whole number, or a fourth is a time */
} outline;

/* Whether the field taken last is one of the line's first ones; it becomes one of them. */
static bool comes_again(const trm_scan *s, int64_t field, seen_fields *seen) {
  if (field >= MOST_SEEN) return false;
  for (int64_t i = 1; i < field; ++i) {
    if (seen->bytes[i] == s->n_field && memcmp(seen->text[i], s->field, (size_t)s->n_field) == 0)
      return true;
  }
  seen->text[field] = s->field;
  seen->bytes[field] = s->n_field;
  return false;
}

/* Whether the line has another field, which may be empty where a separator says so. */
static bool has_more(const trm_scan *s) {
  return s->separator == TRM_BLANKS ? trm_scan_more(s) : s->n_line > 0 && !s->line_done;
}

static trm_status look_at_line(trm_scan *s, trm_names *users, outline *o) {
  int64_t fields = 0;
  bool twice = false;
  seen_fields seen;
  bool word = false, added = true, fraction = false, time = false;
  trm_scan numbers = {0};
  for (; has_more(s); ++fields) {
    double x = 0;
    int32_t id;
    (void)trm_scan_take(s);
    if (fields > 0) twice = comes_again(s, fields, &seen) || twice;
    if (fields == 0) TRM_TRY(trm_names_add(users, s->field, s->n_field, &id, &added));
    const bool number = trm_scan_number(&numbers, s->field, s->n_field, &x);
    word = word || (fields < 2 && !number);
    fraction = fraction || (fields == 2 && number && x != trunc(x));
    time = time || (fields == 3 && x >= EARLIEST_TIME);
  }
  (void)trm_scan_close(&numbers, TRM_OK);
  if (fields == 0) return TRM_OK; /* an empty line */
  if (o->n == 0 || fields < o->fewest) o->fewest = fields;
  if (fields > o->most) o->most = fields;
  o->titled = o->titled || (word && o->n == 0);
  o->n_words += word && o->n > 0; /* the first may be a header */
  o->n_twice += twice;
  o->repeated = o->repeated || !added;
  o->rated = o->rated || fraction || time;
  ++o->n;
  return TRM_OK;
}

/* What can be read as lists, but is something else by its look. */
static trm_status check_lists(const char *path, const outline *o) {
  if (o->titled && o->n_words == 0) {
    return trm_fail(TRM_ERR_DATA,
                    "%s:1: names columns, which lists of items have not; leave the line out "
                    "(tail -n +2)",
                    path);
  }
  if (o->n < 3 || o->fewest != o->most || o->most <= MOST_OF_PAIR || 2 * o->n_twice <= o->n) {
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_DATA,
                  "%s: all lines have %lld fields, and most of them one twice: a matrix, an item a "
                  "column? Write user, item and rating a line; --format lists takes lists of items",
                  path, (long long)o->most);
}

trm_status trm_pairs_guess(const char *path, const trm_reading *reading, bool told, bool *pairs,
                           bool *words) {
  const trm_table_plan plan = {.form = "user item ...", .reading = reading};
  trm_scan scan;
  trm_names users = {0};
  outline o = {0};
  bool more = false;
  trm_status status = TRM_OK;
  *pairs = *words = false;
  TRM_TRY_OUT(trm_scan_open_table(&scan, path, &plan, NULL));
  trm_table_head head;
  TRM_TRY_OUT(trm_table_head_read(&scan.in, &head));
  for (int line = 0; line < LOOKED_AT_LINES; ++line) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(look_at_line(&scan, &users, &o));
  }
  const bool even = o.fewest == o.most && o.most >= 2 && o.most <= MOST_OF_PAIR;
  *words = 2 * o.n_words > o.n;
  *pairs = head.preamble != TRM_PREAMBLE_NONE || scan.separator == TRM_COLONS ||
           (even && (o.repeated || o.rated || *words || (o.titled && o.n_words == 0)));
  if (!*pairs && !told) status = check_lists(path, &o);
out:
  trm_names_free(&users);
  return trm_scan_close(&scan, status);
}

/* ---- reading ---------------------------------------------------------------------------------- */

typedef struct pair_reading {
  const trm_prepare_interactions_options *options;
  trm_scan scan;
  trm_id_map users, items; /* their tables are the caller's */
  trm_id_limit user_limit, item_limit;
  trm_pair_list *list;
  int third, fourth; /* what these fields are: RATING or TIME */
  float least;       /* rating above 0; 0: none yet */
  int64_t n_zero;    /* pairs whose rating is 0 or less */
} pair_reading;

static bool read_digits(const char *text, int n, int64_t *value) {
  *value = 0;
  for (int i = 0; i < n; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    *value = 10 * *value + (text[i] - '0');
  }
  return true;
}

/* "2014-07-23", "2014-07-23 13:20:03", "2014-07-23T13:20" as a number that rises with it. */
static bool read_date(const char *text, int64_t n, double *time) {
  static const int at[] = {0, 5, 8, 11, 14, 17}, digits[] = {4, 2, 2, 2, 2, 2};
  *time = 0;
  if (n < 10 || text[4] != '-' || text[7] != '-') return false;
  for (int i = 0; i < 6; ++i) {
    int64_t part = 0;
    if (at[i] + digits[i] <= n && !read_digits(text + at[i], digits[i], &part)) return false;
    *time = *time * 100 + (double)part;
  }
  return true;
}

static trm_status read_time(pair_reading *r, double *time) {
  trm_scan *s = &r->scan;
  char text[TRM_SHOWN_BYTES];
  trm_scan numbers = {0};
  TRM_TRY(trm_scan_word(s, "time"));
  const bool good = trm_scan_number(&numbers, s->field, s->n_field, time) ||
                    read_date(s->field, s->n_field, time);
  (void)trm_scan_close(&numbers, TRM_OK);
  if (good) return TRM_OK;
  return trm_scan_fail(s,
                       "time '%s' is no number and no date like 2014-07-23 13:20:03; leave the "
                       "column out by --columns",
                       trm_scan_shown(s, text));
}

static trm_status read_facts(pair_reading *r, float *rating, double *time) {
  for (int place = 0; place < 2; ++place) {
    const int what = place == 0 ? r->third : r->fourth;
    if (r->scan.n_pick > 0 && r->scan.pick[2 + place] < 0) {
      ++r->scan.n_picked;
      continue;
    }
    if (!trm_scan_more(&r->scan)) return TRM_OK;
    if (what == RATING) {
      TRM_TRY(trm_scan_real(&r->scan, "rating", rating));
      r->list->rated = true;
      if (*rating > 0 && (r->least == 0 || *rating < r->least)) r->least = *rating;
    } else {
      TRM_TRY(read_time(r, time));
      r->list->timed = true;
    }
  }
  return TRM_OK;
}

static trm_status add_pair(pair_reading *r, int64_t user, int64_t item, double time) {
  trm_pair_list *l = r->list;
  TRM_TRY(TRM_GROW(&l->pairs, l->n, &l->capacity, "pairs of users and items"));
  l->pairs[l->n++] = (trm_interaction){(int32_t)user, (int32_t)item, time};
  return TRM_OK;
}

/* A pair that is passed over adds no names. */
static trm_status read_pair(pair_reading *r) {
  trm_scan *s = &r->scan;
  int64_t user, item;
  float rating = NAN;
  double time = (double)r->list->n;
  if (r->options->has_threshold) {
    (void)trm_scan_take(s);
    (void)trm_scan_take(s);
    TRM_TRY(read_facts(r, &rating, &time));
    trm_scan_again(s);
    if (isnan(rating)) {
      return trm_scan_fail(s, "--threshold is about ratings, and the line has none");
    }
    if ((double)rating < r->options->threshold) {
      ++r->list->n_below;
      return TRM_OK;
    }
  }
  TRM_TRY(trm_scan_node(s, "user", &r->user_limit, &user));
  TRM_TRY(trm_scan_node(s, "item", &r->item_limit, &item));
  TRM_TRY(read_facts(r, &rating, &time));
  r->n_zero += r->list->rated && rating <= 0;
  TRM_TRY(trm_scan_end(s));
  return add_pair(r, user, item, time);
}

static trm_status read_list(pair_reading *r) {
  trm_scan *s = &r->scan;
  int64_t user, item;
  if (!trm_scan_more(s)) return TRM_OK;
  TRM_TRY(trm_scan_node(s, "user", &r->user_limit, &user));
  while (trm_scan_more(s)) {
    TRM_TRY(trm_scan_node(s, "item", &r->item_limit, &item));
    TRM_TRY(add_pair(r, user, item, (double)r->list->n));
  }
  return TRM_OK;
}

/* Without a header: a third field that is a time in all of the first lines is one, and then a fourth is the
 * rating. */
static trm_status find_facts(pair_reading *r) {
  trm_scan *s = &r->scan;
  trm_scan numbers = {0};
  bool more = false, times = true, any = false;
  r->third = RATING, r->fourth = TIME;
  if (s->header || s->n_pick > 0 || s->head.preamble != TRM_PREAMBLE_NONE) return TRM_OK;
  TRM_TRY(trm_scan_line(s, false, &more));
  if (!more) return TRM_OK;
  const trm_scan_place at = trm_scan_place_of_line(s);
  for (int line = 0; line < 100 && more; ++line) {
    double x = 0;
    (void)trm_scan_take(s), (void)trm_scan_take(s);
    if (trm_scan_take(s)) {
      any = true;
      const bool date = read_date(s->field, s->n_field, &x);
      times = times &&
              (date || (trm_scan_number(&numbers, s->field, s->n_field, &x) && x >= EARLIEST_TIME));
    }
    const trm_bytes *b = &s->in;
    if (b->begin >= b->end || !memchr(b->buffer + b->begin, '\n', (size_t)(b->end - b->begin)))
      break;
    TRM_TRY(trm_scan_line(s, false, &more));
  }
  trm_scan_go_back(s, at);
  if (any && times) r->third = TIME, r->fourth = RATING;
  return trm_scan_close(&numbers, TRM_OK);
}

static void tell_columns(const pair_reading *r, const char *path) {
  const trm_pair_list *l = r->list;
  const bool swapped = r->third == TIME;
  trm_note(r->options->reading.notes, "%s: read as pairs: user, item%s%s%s", path,
           swapped    ? l->timed ? ", time" : ""
           : l->rated ? ", rating"
                      : "",
           swapped    ? l->rated ? ", rating" : ""
           : l->timed ? ", time"
                      : "",
           l->rated && !r->options->has_threshold
               ? "; all ratings count, --threshold X takes those of X and more"
               : "");
  if (r->n_zero > 0 && r->least > 0 && !r->options->has_threshold) {
    trm_note(r->options->reading.notes,
             "%s: note: %lld pairs with a rating of 0 or less count as well; --threshold %g passes "
             "them over",
             path, (long long)r->n_zero, (double)r->least);
  }
}

bool trm_pairs_numbered(const trm_reading *reading) {
  return reading->ids && strcmp(reading->ids, "numbers") == 0;
}

trm_status trm_pairs_read(const trm_prepare_interactions_options *options, const char *path,
                          bool lists, trm_scan_progress *progress, trm_names *users,
                          trm_names *items, trm_pair_list *list) {
  pair_reading r = {.options = options, .list = list};
  bool more = false;
  trm_status status = TRM_OK;
  const bool names = !trm_pairs_numbered(&options->reading);
  r.users = (trm_id_map){.on = names, .adds = true, .names = *users};
  r.items = (trm_id_map){.on = names, .adds = true, .names = *items};
  r.user_limit = (trm_id_limit){.n = INT32_MAX, .map = &r.users};
  r.item_limit = (trm_id_limit){.n = INT32_MAX, .map = &r.items};
  const trm_table_plan plain = {.form = "user item item ...", .reading = &options->reading};
  TRM_TRY_OUT(lists ? trm_scan_open_table(&r.scan, path, &plain, progress)
                    : open_pairs(path, &options->reading, &r.scan, progress));
  if (!lists) TRM_TRY_OUT(find_facts(&r));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&r.scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(lists ? read_list(&r) : read_pair(&r));
  }
  if (list->n == 0) {
    TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: has no pairs%s", path,
                         list->n_below > 0 ? " with a rating that reaches --threshold" : ""));
  }
  if (!lists) tell_columns(&r, path);
out:
  *users = r.users.names;
  *items = r.items.names;
  return trm_scan_close(&r.scan, status);
}
