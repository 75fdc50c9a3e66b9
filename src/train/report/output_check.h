/** What a report or picture must not be written over: the files of the runs it is made of. */
#ifndef TRIREME_TRAIN_REPORT_OUTPUT_CHECK_H
#define TRIREME_TRAIN_REPORT_OUTPUT_CHECK_H

#include "trireme/io/output.h"

/** trm_output_check of `path`, whose inputs are what runs write into their folders[n]. `rule` has the
 *  command, `made` and `force`. @return as trm_output_check, TRM_ERR_MEMORY */
trm_status trm_report_check_output(const trm_output_rule *rule, const char *const *folders, int n,
                                   const char *path);

#endif
