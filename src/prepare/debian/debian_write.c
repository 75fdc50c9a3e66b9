/** What data sets of kind text and of kind graph both keep of a package index. */
#include <stdio.h>

#include "debian_internal.h"

static trm_status write_relation(const trm_debian_index *index, int kind, trm_container *file) {
  trm_debian_edges edges;
  TRM_TRY(trm_debian_resolve(index, kind, &edges));
  char group[64], name[96];
  snprintf(group, sizeof group, "/debian/%s", trm_relation_names[kind]);
  const int64_t n_offsets = index->packages.n + 1;
  trm_status status = TRM_OK;
  snprintf(name, sizeof name, "%s/offsets", group);
  TRM_TRY_OUT(trm_array_write(file, name, TRM_DTYPE_I64, 1, &n_offsets, edges.offsets));
  snprintf(name, sizeof name, "%s/sources", group);
  TRM_TRY_OUT(trm_array_write(file, name, TRM_DTYPE_I32, 1, &edges.n, edges.sources));
  snprintf(name, sizeof name, "%s/alternative", group);
  TRM_TRY_OUT(trm_array_write(file, name, TRM_DTYPE_U8, 1, &edges.n, edges.alternative));
  TRM_TRY_OUT(trm_attr_write_int(file, group, "virtual", edges.n_virtual));
  TRM_TRY_OUT(trm_attr_write_int(file, group, "unresolved", edges.n_unresolved));
out:
  trm_debian_edges_free(&edges);
  return status;
}

trm_status trm_debian_write_relations(const trm_debian_index *index, trm_container *file) {
  for (int kind = 0; kind < TRM_N_RELATIONS; ++kind) TRM_TRY(write_relation(index, kind, file));
  TRM_TRY(trm_attr_write_int(file, "/debian", "duplicates", index->n_duplicates));
  return trm_attr_write_int(file, "/debian", "replaced_bytes", index->n_replaced);
}
