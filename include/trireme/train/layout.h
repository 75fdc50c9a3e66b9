/**
 * Where ranks and threads run, and what is wrong with that, in plain words.
 */
#ifndef TRIREME_TRAIN_LAYOUT_H
#define TRIREME_TRAIN_LAYOUT_H

#include <stdio.h>

#include "trireme/comm/comm.h"
#include "trireme/core/log.h"

/** One rank's place, as gathered on all ranks. */
typedef struct trm_rank_place {
  int n_threads;
  int n_allowed;               /* processors the rank may use */
  char allowed[96];            /* as a list, "0-3,8" */
  char isa[32];                /* of the kernels */
  char blas[64];               /* back end and its kernel */
  char bits[128];              /* trm_fingerprint */
  int n_host_cpus;             /* processors the host has online */
  double load;                 /* of the host over the last minute: tasks that run or want to */
  unsigned long long mask[16]; /* of processors 0..1023 */
} trm_rank_place;

typedef struct trm_layout {
  int n_ranks;
  trm_rank_place *places; /* [n_ranks], owned */
} trm_layout;

/** Asks every thread and gathers. Collective. */
trm_status trm_layout_gather(trm_comm *comm, trm_layout *layout);
void trm_layout_free(trm_layout *layout);

/** Calls `say` with one sentence for each thing that costs speed or is likely a mistake: two
 *  threads on one core, N singletons, oversubscription, ranks on unequal instruction sets. */
void trm_layout_warnings(trm_comm *comm, const trm_layout *layout,
                         void (*say)(void *context, const char *sentence), void *context);

/** The same for hosts whose load over the last minute and these threads are more than their processors:
 *  for `doctor`, since this program itself is in the load of a later minute. */
void trm_layout_load(trm_comm *comm, const trm_layout *layout,
                     void (*say)(void *context, const char *sentence), void *context);

/** "2 ranks x 1 thread on 1 host, x86-64-v4, native (fused multiply-add)" into text[size]. */
void trm_layout_summary(trm_comm *comm, const trm_layout *layout, char *text, size_t size);

/** What the bits of a run depend on besides its configuration: "x86-64-v4; openblas Haswell", or "x86-64
 *  with fused multiply-add; reference" where the back end has the same bits on several sets. */
void trm_fingerprint(char *text, size_t size);

#endif
