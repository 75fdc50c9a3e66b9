/** Groups of ranks. */
#ifndef TRIREME_COMM_SPLIT_H
#define TRIREME_COMM_SPLIT_H

#include "trireme/comm/comm.h"

/**
 * The group of the ranks of equal `color`, in order of rank. Collective.
 *
 * The group has its own agreement and messages, in which ranks have their numbers of the whole job;
 * it shares the process's deadline thread (watch.h). trm_comm_free ends it.
 *
 * @param[in] color  >= 0
 * @return TRM_ERR_ARG (a negative colour), TRM_ERR_MEMORY, the same on all ranks of `comm`
 */
trm_status trm_comm_split(trm_comm *comm, int color, trm_comm **out);

#endif
