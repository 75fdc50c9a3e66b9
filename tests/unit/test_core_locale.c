/* Numbers in a process whose locale writes a decimal comma. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config_fixture.h"
#include "trireme/core/memory.h"

static bool comma_locale(const char *name) {
  char half[16];
  if (!setlocale(LC_ALL, name)) return false;
  (void)snprintf(half, sizeof half, "%.1f", 0.5);
  return strcmp(half, "0,5") == 0;
}

/* Few machines have such a locale ready, but many can make one: into a folder, found by LOCPATH. */
static bool make_locale(void) {
  char path[4200];
  int wait_status = 0;
  const char *folder = check_temp_folder();
  (void)snprintf(path, sizeof path, "%s/de_DE.UTF-8", folder);
  const pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout)) _exit(1);
    (void)execlp("localedef", "localedef", "-i", "de_DE", "-f", "UTF-8", path, (char *)NULL);
    _exit(127);
  }
  if (child < 0 || waitpid(child, &wait_status, 0) != child) return false;
  return setenv("LOCPATH", folder, 1) == 0 && comma_locale("de_DE.UTF-8");
}

int main(void) {
  const trm_config_parts parts = fixture_parts();
  trm_config *config = NULL, *copy = NULL;
  char *text = NULL;
  if (!comma_locale("de_DE.UTF-8") && !comma_locale("fr_FR.UTF-8") && !make_locale()) {
    return check_skip("no locale with a decimal comma here");
  }
  if (!CHECK_OK(trm_config_create(&parts, &config))) return check_verdict();
  if (!CHECK_OK(trm_config_create(&parts, &copy))) return check_verdict();
  CHECK_NEAR(trm_config_real(config, "optimizer.beta2"), 0.99, 0);
  CHECK_OK(trm_config_set(config, "optimizer.lr=1.25e-3"));
  CHECK_NEAR(trm_config_real(config, "optimizer.lr"), 1.25e-3, 0);
  CHECK_OK(trm_config_set(config, "optimizer.clip_norm=.5"));
  CHECK_EQ(trm_config_set(config, "optimizer.lr=1,25"), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "'1,25', not a number");
  CHECK_EQ(trm_config_set(config, "model.dropout=2"), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "0 to 0.99");
  CHECK_OK(trm_config_text(config, false, &text));
  CHECK_HAS(text, "lr: 0.00125\n");
  CHECK_HAS(text, "eps: 1.0e-8\n");
  CHECK_OK(trm_config_read_text(copy, text, "text"));
  CHECK(trm_config_digest(copy, false) == trm_config_digest(config, false));
  TRM_FREE(text);
  trm_config_destroy(&config);
  trm_config_destroy(&copy);
  return check_verdict();
}
