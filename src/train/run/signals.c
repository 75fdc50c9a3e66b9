#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

static const struct {
  int number;
  const char *name;
} handled[] = {{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"},   {SIGHUP, "SIGHUP"},
               {SIGXCPU, "SIGXCPU"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}};

/* The one piece of state a signal handler can write. */
static volatile sig_atomic_t received;

static void note(int number) {
  if (received == 0) received = number;
}

/* `nohup` and shells that leave a job behind ask for this. */
static bool is_ignored(int number) {
  struct sigaction now;
  return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

trm_status trm_signals_install(void) {
  received = 0;
  for (size_t i = 0; i < sizeof handled / sizeof handled[0]; ++i) {
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (handled[i].number == SIGHUP && is_ignored(SIGHUP)) continue;
    if (sigaction(handled[i].number, &action, NULL) != 0) {
      return trm_fail(TRM_ERR_INTERNAL, "cannot handle %s: %s", handled[i].name, strerror(errno));
    }
  }
  return TRM_OK;
}

int trm_signals_received(void) {
  return (int)received;
}

const char *trm_signal_name(int number) {
  for (size_t i = 0; i < sizeof handled / sizeof handled[0]; ++i) {
    if (handled[i].number == number) return handled[i].name;
  }
  return "a signal";
}
