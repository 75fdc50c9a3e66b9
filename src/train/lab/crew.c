#include "crew.h"

#include <stdarg.h>
#include <stdio.h>

#include "signals.h"
#include "trireme/comm/split.h"
#include "trireme/core/integers.h"
#include "trireme/optim/plugins.h"
#include "trireme/train/keys.h"

trm_status trm_crew_create(trm_comm *comm, int64_t at_once, trm_log *log, trm_crew *crew) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  *crew = (trm_crew){.comm = comm, .log = log};
  crew->n_groups = at_once < size ? (int)at_once : size;
  crew->my_group = (int)trm_share_begin(crew->n_groups, rank, size);
  return trm_comm_split(comm, crew->my_group, &crew->group);
}

void trm_crew_free(trm_crew *crew) {
  trm_comm_free(&crew->group);
}

bool trm_crew_leads(const trm_crew *crew) {
  return trm_comm_rank(crew->group) == 0;
}

/* Rank 0 has the log; the first ranks of other groups write whole lines to the same terminal. */
void trm_crew_say(const trm_crew *crew, const char *format, ...) {
  char text[TRM_MESSAGE_BYTES + 256];
  trm_log other;
  va_list args;
  if (!trm_crew_leads(crew)) return;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const bool first = trm_comm_rank(crew->comm) == 0;
  trm_log_init(&other, first ? NULL : stderr);
  other.progress_shown = other.is_terminal; /* rank 0 may show some there */
  trm_log_line(first ? crew->log : &other, "%s", text);
  trm_log_close(&other);
}

trm_status trm_crew_stop_asked(const trm_crew *crew, bool *stop) {
  double flag = trm_signals_received() != 0;
  TRM_TRY(trm_comm_max_f64(crew->group, &flag, 1));
  *stop = flag > 0;
  return TRM_OK;
}

trm_status trm_crew_config_of(const char *given, trm_config **config) {
  TRM_TRY(trm_program_config(config));
  TRM_TRY(trm_config_read_text(*config, given, "the configuration"));
  trm_config_forget_lines(*config); /* of a text that was made here */
  return TRM_OK;
}

trm_status trm_crew_config(const trm_crew_run *run, trm_config **config) {
  TRM_TRY(trm_crew_config_of(run->given, config));
  TRM_TRY(trm_config_set_text(*config, "run.dir", run->folder));
  if (run->set) TRM_TRY(run->set(run->context, *config));
  TRM_TRY(trm_config_check(*config));
  return trm_plugins_load(*config); /* those of the configuration that the user gave */
}

trm_status trm_crew_train(const trm_crew *crew, const trm_crew_run *run,
                          const trm_train_options *options) {
  trm_config *config = NULL;
  trm_log log; /* progress alone, where somebody looks */
  trm_log_init(&log, trm_comm_rank(crew->comm) == 0 ? stderr : NULL);
  log.title = run->title;
  trm_status status = trm_comm_agree(crew->group, trm_crew_config(run, &config));
  if (status == TRM_OK) {
    trm_train_options own = *options;
    own.config = config;
    status = trm_train(crew->group, &own, &log);
  }
  if (log.progress_shown) { /* the line that follows takes its place */
    crew->log->progress_shown = true;
    log.progress_shown = false;
  }
  trm_log_close(&log);
  trm_config_destroy(&config);
  return status;
}
