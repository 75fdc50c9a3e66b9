/* That all ranks were started with the same things, and in words what differs if not. */
#include <stdio.h>
#include <string.h>

#include "comm_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"

/* A line "name<TAB>value": names and values are not terminated. */
typedef struct fact {
  const char *name, *value;
  int name_length, value_length;
} fact;

/* The fact at *at, which is moved to the next one; false at the end. */
static bool next_fact(const char **at, fact *f) {
  if (**at == '\0') return false;
  const size_t line = strcspn(*at, "\n");
  const size_t name = strcspn(*at, "\t\n");
  *f = (fact){.name = *at, .name_length = (int)name, .value = *at + name};
  if (name < line) {
    ++f->value;
    f->value_length = (int)(line - name - 1);
  }
  *at += line + ((*at)[line] == '\n');
  return true;
}

static bool find_fact(const char *facts, const fact *wanted, fact *found) {
  while (next_fact(&facts, found)) {
    if (found->name_length == wanted->name_length &&
        memcmp(found->name, wanted->name, (size_t)wanted->name_length) == 0) {
      return true;
    }
  }
  return false;
}

static bool same_value(const fact *a, const fact *b) {
  return a->value_length == b->value_length &&
         memcmp(a->value, b->value, (size_t)a->value_length) == 0;
}

/* What differs between two lists: the first fact with both values, and how many in all. */
typedef struct difference {
  fact a, b; /* a value of NULL: there is none */
  int n;
} difference;

static void note(difference *d, const fact *a, const fact *b) {
  if (d->n++ > 0) return;
  d->a = *a;
  d->b = *b;
}

static difference compare(const char *a, const char *b) {
  difference d = {0};
  fact mine, other;
  for (const char *at = a; next_fact(&at, &mine);) {
    if (!find_fact(b, &mine, &other)) {
      note(&d, &mine, &(fact){0});
    } else if (!same_value(&mine, &other)) {
      note(&d, &mine, &other);
    }
  }
  for (const char *at = b; next_fact(&at, &other);) {
    if (!find_fact(a, &other, &mine))
      note(&d, &(fact){.name = other.name, .name_length = other.name_length}, &other);
  }
  return d;
}

/* "32", "''" or "not there". */
static void put_value(const fact *f, char text[96]) {
  if (!f->value) {
    (void)snprintf(text, 96, "not there");
  } else if (f->value_length == 0) {
    (void)snprintf(text, 96, "''");
  } else {
    const bool cut = f->value_length > 80;
    (void)snprintf(text, 96, "%.*s%s", cut ? 80 : f->value_length, f->value, cut ? "..." : "");
  }
}

static trm_status say(const trm_comm *comm, int differing, const char *first, const char *other,
                      const char *remedy) {
  const difference d = compare(first, other);
  char a[96], b[96], more[48] = "";
  put_value(&d.a, a);
  put_value(&d.b, b);
  if (d.n > 1) (void)snprintf(more, sizeof more, " (and %d more differ)", d.n - 1);
  return trm_fail(TRM_ERR_CONFIG, "%.*s: rank %d (%s) has %s, rank %d (%s) has %s%s; %s",
                  d.a.name_length, d.a.name ? d.a.name : "", comm->places->job_ranks[0],
                  comm->places->hosts[0], a, comm->places->job_ranks[differing],
                  comm->places->hosts[differing], b, more, remedy);
}

/* One rank's text on all ranks; *out is a counted block. Collective. */
static trm_status share_text(trm_comm *comm, const char *text, int root, char **out) {
  int64_t bytes = (int64_t)strlen(text) + 1;
  TRM_TRY(trm_comm_broadcast(comm, &bytes, sizeof bytes, root));
  TRM_TRY(trm_comm_agree(comm, TRM_ALLOC(out, bytes, "what the ranks compare")));
  if (comm->rank == root) memcpy(*out, text, (size_t)bytes);
  return trm_comm_broadcast(comm, *out, bytes, root);
}

trm_status trm_comm_check_same(trm_comm *comm, const char *facts, const char *remedy) {
  char *first = NULL, *other = NULL;
  const uint64_t mine = trm_hash64(facts, strlen(facts), 0);
  uint64_t hash = mine;
  TRM_TRY(trm_comm_broadcast(comm, &hash, sizeof hash, 0));
  const int differing = trm_comm_lowest_without(comm, hash == mine);
  if (differing == comm->size) return TRM_OK;
  trm_status status = share_text(comm, facts, 0, &first);
  if (status == TRM_OK) status = share_text(comm, facts, differing, &other);
  if (status == TRM_OK) {
    status = say(comm, differing, first, other, remedy);
    trm_comm_remember(comm);
  }
  TRM_FREE(first);
  TRM_FREE(other);
  return status;
}
