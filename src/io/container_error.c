/* HDF5's error stack, made into one line for a person. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_internal.h"
#include "io_internal.h"

/* Number behind `key` in `text`, or 0. */
static int64_t number_after(const char *text, const char *key) {
  const char *found = strstr(text, key);
  return found ? strtoll(found + strlen(key), NULL, 10) : 0;
}

static herr_t note_record(unsigned n, const H5E_error2_t *record, void *context) {
  trm_h5_reason *reason = context;
  const char *text = record->desc ? record->desc : "";
  if (n == 0) {
    size_t at = 0;
    for (; text[at] && at + 1 < sizeof reason->text; ++at) {
      reason->text[at] = text[at] == '\n' ? ' ' : text[at];
    }
    reason->text[at] = 0;
  }
  if (reason->error == 0) reason->error = (int)number_after(text, "errno = ");
  if (reason->expected_bytes == 0) reason->expected_bytes = number_after(text, "stored_eof = ");
  return 0;
}

trm_h5_reason trm_h5_reason_get(void) {
  trm_h5_reason reason = {.text = "HDF5 gives no reason"};
  if (H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_record, &reason) < 0) reason.error = 0;
  return reason;
}

trm_status trm_h5_fail(trm_container *c, int injected, const char *doing, const char *object) {
  char error_text[TRM_IO_ERROR_BYTES];
  trm_h5_reason reason = {.error = injected};
  if (!injected) reason = trm_h5_reason_get();
  c->damaged = true;
  const char *why = reason.error ? trm_io_error_text(reason.error, error_text) : reason.text;
  const trm_status status = reason.error || c->writable ? TRM_ERR_IO : TRM_ERR_DATA;
  trm_status result;
  const char *newer = !reason.error && strstr(why, "version")
                          ? "; is it of a newer HDF5? h5repack --high=2 makes an older one"
                          : "";
  if (object) {
    result = trm_fail(status, "%s: %s (cannot %s '%s')%s", c->path, why, doing, object, newer);
  } else {
    result = trm_fail(status, "%s: %s (cannot %s)%s", c->path, why, doing, newer);
  }
  return trm_h5_fail_again(c, result);
}

trm_status trm_h5_fail_again(trm_container *c, trm_status status) {
  if (c->writable && c->first_failure == TRM_OK) {
    c->first_failure = status;
    snprintf(c->first_message, sizeof c->first_message, "%s", trm_message());
  }
  return status;
}
