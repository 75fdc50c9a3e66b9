/** Requests to stop: TERM, INT, HUP, XCPU, USR1, USR2 set a flag; nobody acts on it alone. HUP stays
 *  ignored where it was when the program began (nohup). */
#ifndef TRIREME_TRAIN_SIGNALS_H
#define TRIREME_TRAIN_SIGNALS_H

#include <stdbool.h>

#include "trireme/core/status.h"

/** Installs the handlers (kept until the process ends). */
trm_status trm_signals_install(void);
/** Number of the first signal that came, 0 if none. */
int trm_signals_received(void);
/** "SIGUSR1" for 10, and so on. */
const char *trm_signal_name(int number);

#endif
