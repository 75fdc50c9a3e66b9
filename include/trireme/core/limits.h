/**
 * Limits of the machine, in words: which of them stands in the way of memory or of a thread. Linux; where
 * something cannot be asked, it is taken as no limit. Not collective.
 */
#ifndef TRIREME_CORE_LIMITS_H
#define TRIREME_CORE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

enum { TRM_LIMIT_BYTES = 192 };

/**
 * Names the limit that `bytes` more of memory exceed: "ulimit -v is 500,000 KiB, of which 431,220 are in
 * use". Writes "" when there is none.
 * @param[out] text  [TRM_LIMIT_BYTES]
 */
void trm_limit_of_memory(int64_t bytes, char *text);
/** Names the limit that keeps n more threads with stacks of `stack_bytes` from being started, or says that
 *  the system refuses. @param[out] text  [TRM_LIMIT_BYTES] */
void trm_limit_of_threads(int n, int64_t stack_bytes, char *text);

/**
 * Whether a control group leaves room for `bytes` more, where this process has taken `taken` already, of
 * which it may have touched less. The kernel grants memory beyond such a limit and
 * kills the process when it touches it, so whoever takes much asks first.
 */
bool trm_memory_in_cgroup(int64_t bytes, int64_t taken);

/** Fails because no thread could be started for `what`; `error` is pthread_create's. @return
 *  TRM_ERR_MEMORY, with the limit in the message */
trm_status trm_thread_fail(int error, const char *what);

#endif
