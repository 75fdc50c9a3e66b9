/**
 * TensorBoard event files: scalars as TFRecord frames of protobuf messages.
 * The first record carries file_version "brain.Event:2"; a resumed run opens a new file whose
 * first step record is a SessionLog START, which makes TensorBoard drop overlapping later steps.
 */
#ifndef TRIREME_IO_EVENTS_H
#define TRIREME_IO_EVENTS_H

#include <stdint.h>

#include "trireme/core/status.h"

typedef struct trm_events trm_events;

/* Not collective. All fail with TRM_ERR_IO, or TRM_ERR_MEMORY; TRM_ERR_ARG for a tag that is too long. */

/** Creates folder/events.out.tfevents.<unix time>.<host>.<pid>. start_step > 0 marks a resume after
 *  that many steps: TensorBoard then drops what older files say of later steps. */
trm_status trm_events_open(const char *folder, int64_t start_step, trm_events **out);
/** Adds a scalar to the buffer; written when it is full, at flush and at close. */
trm_status trm_events_scalar(trm_events *events, int64_t step, const char *tag, double value);
/** Writes what is in the buffer. */
trm_status trm_events_flush(trm_events *events);
/** Writes what is in the buffer, closes and frees; *events is NULL afterwards in any case. */
trm_status trm_events_close(trm_events **events);

#endif
