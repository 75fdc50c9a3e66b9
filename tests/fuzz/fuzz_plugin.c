/* What a plug-in's table says before any function of it is called, and the settings given to it. The
 * library is a good one; its table has numbers and texts of the input. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "trireme/optim/plugin.h"
#include "trireme/optim/plugins.h"
#include "trireme/train/keys.h"

enum { N_TEXTS = 8, TEXT_BYTES = 64 };

static char texts[N_TEXTS][TEXT_BYTES];
static trm_plugin_setting settings[TRM_PLUGIN_MAX_SETTINGS];

static void nothing(const trm_plugin_slice *slice) {
  (void)slice;
}

static double no_rate(const trm_plugin_moment *moment) {
  return moment->base;
}

static int refuse(const double *values, char *message, size_t size) {
  (void)snprintf(message, size, "%s %g", texts[0], values[0]);
  return 1;
}

static const char *text(fuzz_input *in) {
  const uint32_t i = fuzz_take(in, 1);
  return i == 255 ? NULL : texts[i % N_TEXTS];
}

/* Small numbers mostly, and what comes around them. */
static int number(fuzz_input *in) {
  const uint32_t n = fuzz_take(in, 1);
  return n < 128 ? (int)n : (int)fuzz_take(in, 4);
}

static void fill_settings(fuzz_input *in) {
  for (int i = 0; i < TRM_PLUGIN_MAX_SETTINGS; ++i) {
    const double a = number(in), b = number(in);
    settings[i] = (trm_plugin_setting){text(in), a, b < a ? b : a, number(in)};
  }
}

static void fill_optimizer(fuzz_input *in, trm_plugin_optimizer *o) {
  *o = (trm_plugin_optimizer){TRM_PLUGIN_OPTIMIZER_HEAD, .step = nothing};
  const uint32_t flags = fuzz_take(in, 1);
  if (flags & 1) o->abi = fuzz_take(in, 4);
  if (flags & 2) o->real_bytes = fuzz_take(in, 4);
  if (flags & 4) o->bytes = fuzz_take(in, 4);
  if (flags & 8) o->step = NULL;
  if (flags & 16) o->check = refuse;
  o->name = text(in);
  o->version = text(in);
  o->n_states = number(in);
  for (int i = 0; i < TRM_PLUGIN_MAX_STATES; ++i) o->state_names[i] = text(in);
  o->n_settings = number(in);
  o->settings = flags & 32 ? NULL : settings;
}

static void fill_schedule(fuzz_input *in, trm_plugin_schedule *s) {
  *s = (trm_plugin_schedule){TRM_PLUGIN_SCHEDULE_HEAD, .lr = no_rate};
  const uint32_t flags = fuzz_take(in, 1);
  if (flags & 1) s->abi = fuzz_take(in, 4);
  if (flags & 4) s->bytes = fuzz_take(in, 4);
  if (flags & 8) s->lr = NULL;
  if (flags & 16) s->check = refuse;
  s->name = text(in);
  s->version = text(in);
  s->n_settings = number(in);
  s->settings = flags & 32 ? NULL : settings;
}

static void load(const char *group, fuzz_input in) {
  char line[256];
  trm_config *config = NULL;
  char *given = fuzz_text(in);
  if (trm_program_config(&config) != TRM_OK) abort();
  (void)snprintf(line, sizeof line, "%s.name=plugin", group);
  if (trm_config_set(config, line) != TRM_OK) abort();
  (void)snprintf(line, sizeof line, "%s.plugin", group);
  if (trm_config_set_text(config, line, FUZZ_HOLLOW_PLUGIN) != TRM_OK) abort();
  (void)snprintf(line, sizeof line, "%s.plugin_settings", group);
  if (trm_config_set_text(config, line, given) == TRM_OK) (void)trm_plugins_load(config);
  (void)trm_plugins_digest(config);
  trm_config_destroy(&config);
  free(given);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void *library;
  if (!library) library = dlopen(FUZZ_HOLLOW_PLUGIN, RTLD_NOW | RTLD_LOCAL); /* stays */
  if (!library) abort();
  trm_plugin_optimizer *optimizer = dlsym(library, "trm_plugin_optimizer_entry");
  trm_plugin_schedule *schedule = dlsym(library, "trm_plugin_schedule_entry");
  fuzz_input in = {data, size};
  const int64_t blocks = fuzz_blocks();
  for (int i = 0; i < N_TEXTS; ++i) {
    const fuzz_input piece = fuzz_take_bytes(&in, fuzz_take(&in, 1) % TEXT_BYTES);
    memset(texts[i], 0, TEXT_BYTES);
    if (piece.size > 0) memcpy(texts[i], piece.data, piece.size);
  }
  fill_settings(&in);
  const bool optimizes = fuzz_take(&in, 1) & 1;
  if (optimizes) {
    fill_optimizer(&in, optimizer);
  } else {
    fill_schedule(&in, schedule);
  }
  load(optimizes ? "optimizer" : "schedule", in);
  fuzz_expect_blocks(blocks);
  return 0;
}
