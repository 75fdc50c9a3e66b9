/* Who is to blame when ranks wait for too long, and how to say it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "watch_internal.h"

/* ---- who ------------------------------------------------------------------------------------- */

/* What a judge looks at. */
typedef struct view {
  const trm_patient *rows;
  int size;
  double now_s, alive_s, limit_s;
} view;

typedef bool condition(const view *v, const trm_patient *row);

/* Whether as long as the limit has passed since then. */
static bool is_over(const view *v, double since_s) {
  return v->now_s - (since_s > v->alive_s ? since_s : v->alive_s) >= v->limit_s;
}

/* Who does not is silent, but not for long enough yet. */
static bool answers(const view *v, const trm_patient *row) {
  return row->heard && v->now_s - row->heard_s < v->limit_s / 4;
}

static bool has_not_moved(const view *v, const trm_patient *row) {
  return answers(v, row) && is_over(v, row->heard_s - row->vital.still_s);
}

static bool is_silent(const view *v, const trm_patient *row) {
  return row->tells && row->heard && is_over(v, row->heard_s);
}

static bool is_stuck(const view *v, const trm_patient *row) {
  return row->vital.doing == TRM_WORKS && has_not_moved(v, row);
}

static bool waits_too_long(const view *v, const trm_patient *row) {
  return row->vital.doing == TRM_WAITS && has_not_moved(v, row);
}

/* Others may wait for it with good reason. */
static bool goes_on(const view *v, const trm_patient *row) {
  return row->heard && !waits_too_long(v, row) && !is_stuck(v, row);
}

static bool is_unheard(const view *v, const trm_patient *row) {
  (void)v;
  return row->tells && !row->heard;
}

/* The ranks of which it is true; returns their number. */
static int look_for(const view *v, condition *is, int *ranks) {
  int n = 0;
  for (int r = 0; r < v->size; ++r) {
    if (is(v, &v->rows[r])) ranks[n++] = r;
  }
  return n;
}

void trm_judge(const trm_patient *rows, int size, double now_s, double alive_s, double limit_s,
               trm_diagnosis *d) {
  const view v = {rows, size, now_s, alive_s, limit_s};
  d->finding = TRM_SILENT;
  d->n = look_for(&v, is_silent, d->ranks);
  if (d->n > 0) return;
  const bool somebody_waits = look_for(&v, waits_too_long, d->ranks) > 0;
  d->finding = TRM_STUCK;
  d->n = look_for(&v, is_stuck, d->ranks);
  if (d->n == size || (d->n > 0 && somebody_waits)) return;
  d->finding = TRM_WELL;
  if (!somebody_waits || d->n > 0 || look_for(&v, goes_on, d->ranks) > 0) return;
  /* Who has never been heard may be cut off by a firewall alone, so it counts last. */
  d->n = look_for(&v, is_unheard, d->ranks);
  d->finding = d->n > 0 ? TRM_SILENT : TRM_ENTANGLED;
}

/* ---- in words -------------------------------------------------------------------------------- */

typedef struct text {
  char *at;
  size_t left;
} text;

static void add(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(text *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int n = vsnprintf(t->at, t->left, format, arguments);
  va_end(arguments);
  const size_t used = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left - 1;
  t->at += used;
  t->left -= used;
}

/* "rank 3" or "ranks 2, 3": those of diagnosis->ranks from `from` on that are of one host. Returns
 * their number; they are moved together to the front. */
static int same_host(const trm_patient *rows, const trm_diagnosis *d, int from) {
  int n = 1;
  const char *host = rows[d->ranks[from]].host;
  for (int i = from + 1; i < d->n; ++i) {
    if (strcmp(rows[d->ranks[i]].host, host) != 0) continue;
    const int moved = d->ranks[i];
    memmove(&d->ranks[from + n + 1], &d->ranks[from + n],
            (size_t)(i - from - n) * sizeof *d->ranks);
    d->ranks[from + n] = moved;
    ++n;
  }
  return n;
}

static void add_numbers(text *t, const trm_patient *rows, const int *ranks, int n) {
  enum { MOST = 8 };
  add(t, n > 1 ? "ranks " : "rank ");
  for (int i = 0; i < n && i < MOST; ++i) add(t, "%s%d", i ? ", " : "", rows[ranks[i]].number);
  if (n > MOST) add(t, " and %d more", n - MOST);
}

static int count_on(const trm_patient *rows, int size, const char *host) {
  int n = 0;
  for (int r = 0; r < size; ++r) n += strcmp(rows[r].host, host) == 0;
  return n;
}

/* State of a rank as a rank that is heard and looks at it has it; '?' when there is none. */
static char state_of(const trm_patient *rows, int size, int rank, double heard_since_s) {
  for (int r = 0; r < size; ++r) {
    if (r == rank || rows[r].mate != rank || !rows[r].heard) continue;
    if (rows[r].heard_s >= heard_since_s) return rows[r].vital.mate;
  }
  return '?';
}

static const char *words_of(char state) {
  switch (state) {
  case 'T':
    return "stopped by a signal (SIGSTOP)";
  case 't':
    return "stopped by a debugger";
  case 'X':
  case 'Z':
    return "dead";
  case 'D':
    return "stuck in the kernel, as behind a disk or a network file system that does not answer";
  default:
    return NULL;
  }
}

/* What is known of ranks of one host that are silent. */
static void add_silent(text *t, const trm_patient *rows, int size, int self, const int *ranks,
                       int n, double since_s) {
  const char *host = rows[ranks[0]].host;
  const bool elsewhere = strcmp(host, rows[self].host) != 0;
  const char *state = words_of(state_of(rows, size, ranks[0], since_s));
  const trm_patient *first = &rows[ranks[0]];
  if (elsewhere && n == count_on(rows, size, host)) {
    add(t, "host %s (", host);
    add_numbers(t, rows, ranks, n);
    add(t, ") does not answer: it is frozen, cut off or without power, or its ranks are stopped");
  } else {
    add_numbers(t, rows, ranks, n);
    add(t, " (%s) %s %s", host, n > 1 ? "are" : "is", state ? state : "silent");
  }
  if (!first->heard) {
    add(t, "; it was never heard, so a firewall may keep UDP from it");
  } else if (first->vital.phase[0]) {
    add(t, "; last heard at step %lld in '%s'", (long long)first->vital.step, first->vital.phase);
  }
}

static void add_silent_hosts(text *t, const trm_patient *rows, int size, int self,
                             const trm_diagnosis *d, double since_s) {
  for (int from = 0, n; from < d->n; from += n) {
    n = same_host(rows, d, from);
    if (from > 0) add(t, "; ");
    add_silent(t, rows, size, self, d->ranks + from, n, since_s);
  }
}

/* Whether every rank of other hosts is silent, of two hosts or more: then it may well be this host. */
static bool is_alone(const trm_patient *rows, int size, int self, const trm_diagnosis *d) {
  bool several = false;
  for (int i = 0; i < d->n; ++i) {
    if (strcmp(rows[d->ranks[i]].host, rows[self].host) == 0) return false;
    several = several || strcmp(rows[d->ranks[i]].host, rows[d->ranks[0]].host) != 0;
  }
  return several && d->n == size - count_on(rows, size, rows[self].host);
}

static void add_stuck(text *t, const trm_patient *rows, const trm_diagnosis *d) {
  for (int i = 0; i < d->n && i < 4; ++i) {
    const trm_patient *row = &rows[d->ranks[i]];
    add(t, "%srank %d (%s) answers, but has not moved at step %lld in '%s'", i ? "; " : "",
        row->number, row->host, (long long)row->vital.step, row->vital.phase);
  }
  if (d->n > 4) add(t, "; so have %d more", d->n - 4);
}

void trm_judge_words(const trm_patient *rows, int size, int self, const trm_diagnosis *d,
                     double now_s, double limit_s, char *line, size_t bytes) {
  text t = {line, bytes - 1}; /* room for the line feed */
  const int n_others = size - d->n;
  add(&t, "error: ");
  if (d->finding == TRM_SILENT) {
    add_silent_hosts(&t, rows, size, self, d, now_s - limit_s / 2);
    if (is_alone(rows, size, self, d)) {
      add(&t, "; or it is host %s that is cut off", rows[self].host);
    }
  } else if (d->finding == TRM_STUCK) {
    add_stuck(&t, rows, d);
  } else {
    add(&t,
        "all ranks answer, and wait for each other at step %lld in '%s': MPI's connections are "
        "broken, or this is a bug",
        (long long)rows[self].vital.step, rows[self].vital.phase);
  }
  add(&t, " (no sign of life for %.3g s, comm.deadline_s)", limit_s);
  if (d->finding != TRM_ENTANGLED && n_others > 0) {
    add(&t, "; the other %s", n_others > 1 ? "ranks wait" : "rank waits");
  }
  add(&t, "; the last checkpoint is intact, --resume goes on from it");
  memcpy(t.at, "\n", 2);
}
