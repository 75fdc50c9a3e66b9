/* Finding the newest checkpoint that is whole. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ckpt_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

/* Tries the checkpoints from the newest down; `first` receives the first failure's message. */
static trm_status try_all(const char *folder, const int64_t *steps, int n, char path[PATH_MAX],
                          void (*report)(void *context, const char *message), void *context,
                          char first[TRM_MESSAGE_BYTES]) {
  trm_status status = TRM_OK;
  for (int i = n - 1; i >= 0; --i) {
    char name[TRM_CKPT_NAME_BYTES];
    trm_ckpt_name(steps[i], name);
    TRM_TRY(trm_path_join(path, PATH_MAX, folder, name));
    status = trm_ckpt_verify(path);
    if (status != TRM_ERR_DATA && status != TRM_ERR_IO && status != TRM_ERR_MISSING)
      return status; /* good, or no memory */
    if (i == n - 1) snprintf(first, TRM_MESSAGE_BYTES, "%s", trm_message());
    if (report) report(context, trm_message());
  }
  return status;
}

trm_status trm_ckpt_find_newest(const char *folder, char *path, size_t size,
                                void (*report)(void *context, const char *message), void *context) {
  char found[PATH_MAX] = "", first[TRM_MESSAGE_BYTES] = "";
  int64_t *steps = NULL;
  int n = 0;
  TRM_ASSERT(size > 0);
  path[0] = 0;
  if (!trm_path_exists(folder)) return TRM_OK;
  TRM_TRY(trm_ckpt_list(folder, &steps, &n));
  const trm_status status = try_all(folder, steps, n, found, report, context, first);
  TRM_FREE(steps);
  if (n == 0) return TRM_OK;
  if (status == TRM_ERR_DATA || status == TRM_ERR_IO || status == TRM_ERR_MISSING) {
    return trm_fail(TRM_ERR_DATA, "%s: none of its %d checkpoints can be used; the newest: %.600s",
                    folder, n, first);
  }
  if (status != TRM_OK) return status;
  const int length = snprintf(path, size, "%s", found);
  if (length >= 0 && (size_t)length < size) return TRM_OK;
  path[0] = 0;
  return trm_fail(TRM_ERR_IO, "%s: the path is too long", found);
}
