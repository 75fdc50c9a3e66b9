/** What a report shows of a data set. */
#ifndef TRIREME_TRAIN_LOOK_H
#define TRIREME_TRAIN_LOOK_H

#include "record.h"
#include "trireme/input/node_data.h"
#include "trireme/input/samples.h"
#include "trireme/input/structure.h"

typedef struct trm_look {
  char *words;          /* what `trireme inspect` says; owned, NULL: nothing is known */
  trm_samples *samples; /* of a data set of samples; owned */
  bool has_structure;
  trm_structure structure;    /* of a graph, or of all graphs of a set together */
  int64_t n_graphs;           /* of a set */
  const trm_classes *classes; /* of samples, nodes or graphs; borrowed */
  trm_graph *graph;           /* owned */
  char why[512];              /* it could not be looked at; "": no trouble */
} trm_look;

/** Looks at the data set of a run. What goes wrong is said in `why`: a report goes without. */
void trm_look_open(const trm_record *record, trm_look *look);
void trm_look_close(trm_look *look);

#endif
