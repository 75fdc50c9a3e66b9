/** What stands below /splits in files of other tools: a part by another name would be passed over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "split_names_internal.h"
#include "trireme/core/utf8.h"
#include "trireme/input/subset.h"

enum { SHOWN_BYTES = 64 };

typedef struct group {
  const char *path, *name; /* of the file, and in it */
} group;

static bool is_part(const char *name) {
  for (int s = 0; s < TRM_N_SUBSETS; ++s) {
    if (strcmp(name, trm_subset_name((trm_subset)s)) == 0) return true;
  }
  return false;
}

/* What other tools call the parts. */
static const char *meant(const char *name) {
  static const char *const words[][2] = {
      {"val", "valid"},         {"validation", "valid"}, {"dev", "valid"},    {"eval", "valid"},
      {"development", "valid"}, {"training", "train"},   {"testing", "test"}, {"tr", "train"},
      {"va", "valid"},          {"te", "test"}};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; ++i) {
    if (strcasecmp(name, words[i][0]) == 0) return words[i][1];
  }
  for (int s = 0; s < TRM_N_SUBSETS; ++s) {
    const char *part = trm_subset_name((trm_subset)s);
    if (strncasecmp(name, part, strlen(part)) == 0) return part;
  }
  return NULL;
}

static trm_status check_part(void *context, const char *name) {
  const group *g = context;
  char shown[SHOWN_BYTES];
  if (is_part(name)) return TRM_OK;
  const char *part = meant(name);
  trm_text_escape(name, (int64_t)strlen(name), shown, sizeof shown);
  return trm_fail(TRM_ERR_DATA,
                  "%s: '%s/%s' is no part of a split, which has train, valid and test; %s%s%s",
                  g->path, g->name, shown, part ? "call it '" : "rename or remove it",
                  part ? part : "", part ? "'" : "");
}

/* A part that belongs into a split. */
static trm_status check_split(void *context, const char *name) {
  const group *g = context;
  char shown[SHOWN_BYTES], *end;
  const long number = strtol(name, &end, 10);
  if (*name >= '0' && *name <= '9' && *end == 0 && number >= 0) return TRM_OK;
  const char *part = is_part(name) ? name : meant(name);
  trm_text_escape(name, (int64_t)strlen(name), shown, sizeof shown);
  return trm_fail(TRM_ERR_DATA, "%s: '/splits/%s' is no split; splits are numbered from 0%s%s%s",
                  g->path, shown, part ? ", so put it at '/splits/0/" : "", part ? part : "",
                  part ? "'" : "");
}

trm_status trm_split_names_check(trm_container *file, int n_splits) {
  char name[32];
  group g = {trm_container_path(file), "/splits"};
  TRM_TRY(trm_container_members(file, "/splits", check_split, &g));
  for (int k = 0; k < n_splits; ++k) {
    (void)snprintf(name, sizeof name, "/splits/%d", k);
    g.name = name;
    TRM_TRY(trm_container_members(file, name, check_part, &g));
  }
  return TRM_OK;
}
