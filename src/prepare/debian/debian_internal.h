/**
 * A Debian package index (deb822 stanzas, as `apt-cache dumpavail` prints and Packages files hold).
 * Source of the syntax: Debian Policy Manual, chapters 5.1 and 7.1.
 */
#ifndef TRIREME_PREPARE_DEBIAN_INTERNAL_H
#define TRIREME_PREPARE_DEBIAN_INTERNAL_H

#include <stdint.h>

#include "../names_internal.h"
#include "trireme/input/data_file.h"
#include "trireme/input/package_relations.h"
#include "trireme/prepare/text.h"

/** What is collected from an index. Zero it first. */
typedef struct trm_debian_index {
  trm_names packages, sections, provided;
  trm_buffer text;                           /* of all packages, UTF-8 */
  trm_buffer text_offsets;                   /* int64_t [packages.n + 1], bytes into text */
  trm_buffer section;                        /* int32_t [packages.n], -1 without */
  trm_buffer tags, tag_ends;                 /* debtags: as relations and relation_ends */
  trm_buffer relations[TRM_N_RELATIONS];     /* the fields' texts, one after another */
  trm_buffer relation_ends[TRM_N_RELATIONS]; /* int64_t [packages.n] where each ends */
  int64_t n_bytes;                           /* read */
  int64_t n_duplicates;                      /* stanzas of a name seen before, left out */
  int64_t n_replaced;                        /* bytes that were not UTF-8, now U+FFFD */
  trm_buffer stanza, scratch;
} trm_debian_index;

/** Edges of one kind as CSR by destination: who depends on each package. */
typedef struct trm_debian_edges {
  int64_t n;
  int64_t *offsets;     /* [packages + 1] */
  int32_t *sources;     /* [n], rising in each row */
  uint8_t *alternative; /* [n] 1: only as one of several alternatives (a | b) */
  int64_t n_virtual, n_unresolved;
} trm_debian_edges;

/** Feeds a piece of an index; pieces may be cut anywhere. `label` names it in messages. */
trm_status trm_debian_feed(trm_debian_index *index, const char *text, int64_t bytes,
                           const char *label);
/** The last stanza, which may lack its empty line or be cut short. */
trm_status trm_debian_end(trm_debian_index *index);
void trm_debian_free(trm_debian_index *index);

/** Resolves the relations of one kind to package ids. */
trm_status trm_debian_resolve(const trm_debian_index *index, int kind, trm_debian_edges *edges);
void trm_debian_edges_free(trm_debian_edges *edges);

/** The description of a package in index->text, without the name and the section before it. */
void trm_debian_description(const trm_debian_index *index, int64_t package, const char **text,
                            int64_t *bytes);

/** Writes the edges of all kinds, /debian/<kind>, and what was counted on the way. */
trm_status trm_debian_write_relations(const trm_debian_index *index, trm_container *file);

/** Feeds the whole index from a file or, with NULL, from `apt-cache dumpavail`. */
trm_status trm_debian_read(trm_debian_index *index, const char *file,
                           const trm_prepare_options *options);

#endif
