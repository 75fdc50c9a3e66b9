/**
 * A lock on a folder, held by a process for as long as it lives: two runs must not share a run
 * directory. An open-file-description lock on folder/.lock: it goes with the process, however that
 * ends, and so can never be left behind; the file itself stays and tells who held it last.
 */
#ifndef TRIREME_IO_LOCK_H
#define TRIREME_IO_LOCK_H

#include <stdbool.h>

#include "trireme/core/status.h"

/**
 * @param[out] lock  to be given back by trm_lock_release; -1 when the file system knows no locks
 * @return TRM_ERR_IO with a message that names host and process of the holder
 */
trm_status trm_lock_take(const char *folder, int *lock);
/** Whether somebody, perhaps this process, holds the lock; false where that cannot be told. Takes nothing and
 *  writes nothing. */
bool trm_lock_held(const char *folder);
/** Also happens when the process ends. -1 is accepted, and set afterwards. */
void trm_lock_release(int *lock);

#endif
