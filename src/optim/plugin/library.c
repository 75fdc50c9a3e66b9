/* Loading of libraries, and whether what they hold fits this program. */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugged.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"
#include "trireme/core/numbers.h"
#include "trireme/optim/plugins.h"

const char *const trm_plugin_keys[TRM_PLUGIN_KEYS] = {"optimizer.plugin", "schedule.plugin"};

/* What the tables of both kinds have in common, and how messages name them. */
typedef struct head {
  const char *key;          /* "optimizer.plugin" */
  const char *settings_key; /* "optimizer.plugin_settings" */
  const char *path;         /* as the user gave it */
  const char *symbol;
  const char *name, *version;
  int n_settings;
  const trm_plugin_setting *settings;
  trm_plugin_check check;
} head;

/* ---- the file -------------------------------------------------------------------------------- */

static trm_status hash_file(const char *key, const char *path, uint64_t *digest) {
  enum { PIECE_BYTES = 65536 };
  unsigned char *piece = NULL;
  FILE *file = fopen(path, "rb");
  if (!file) {
    return trm_fail(trm_status_of_errno(errno),
                    "%s is %s: %s; name the shared library of the plug-in", key, path,
                    strerror(errno));
  }
  trm_status status = TRM_ALLOC(&piece, PIECE_BYTES, "a piece of a plug-in");
  size_t n = 1;
  for (*digest = 0; status == TRM_OK && n > 0;) {
    n = fread(piece, 1, PIECE_BYTES, file);
    if (n > 0) *digest = trm_hash64(piece, n, *digest);
  }
  if (status == TRM_OK && ferror(file)) {
    status = trm_fail(TRM_ERR_IO, "%s is %s: cannot be read: %s", key, path, strerror(errno));
  }
  (void)fclose(file);
  TRM_FREE(piece);
  return status;
}

/* By its whole path: a bare name would be looked for in the system's folders. */
static trm_status open_library(const head *h, void **handle) {
  char *whole = realpath(h->path, NULL);
  if (!whole) {
    return trm_fail(trm_status_of_errno(errno),
                    "%s is %s: %s; name the shared library of the plug-in", h->key, h->path,
                    strerror(errno));
  }
  *handle = dlopen(whole, RTLD_NOW | RTLD_LOCAL);
  free(whole);
  if (*handle) return TRM_OK;
  const char *reason = dlerror();
  return trm_fail(TRM_ERR_CONFIG, "%s is %s, which cannot be loaded as a shared library: %s",
                  h->key, h->path, reason ? reason : "no reason is given");
}

/* ---- the table ------------------------------------------------------------------------------- */

static trm_status wrong_table(const head *h, const char *what) {
  return trm_fail(TRM_ERR_CONFIG, "%s is %s, whose %s %s", h->key, h->path, h->symbol, what);
}

/* A name for messages, file headers and checkpoints. */
static bool is_name(const char *text, size_t most) {
  size_t n = 0;
  if (!text) return false;
  while (n <= most && text[n] > ' ' && text[n] < 127) ++n;
  return n > 0 && n <= most && text[n] == 0;
}

static trm_status check_settings(const head *h) {
  char what[160];
  if (h->n_settings < 0 || h->n_settings > TRM_PLUGIN_MAX_SETTINGS ||
      (h->n_settings > 0 && !h->settings)) {
    (void)snprintf(what, sizeof what, "has %d settings; 0 to %d can be", h->n_settings,
                   TRM_PLUGIN_MAX_SETTINGS);
    return wrong_table(h, what);
  }
  for (int i = 0; i < h->n_settings; ++i) {
    const trm_plugin_setting *s = &h->settings[i];
    if (is_name(s->name, 40) && s->fallback >= s->min && s->fallback <= s->max) continue;
    (void)snprintf(what, sizeof what,
                   "has a setting (number %d) without a name, or whose default is not in its range",
                   i);
    return wrong_table(h, what);
  }
  return TRM_OK;
}

/* What tables begin with, also those of other versions of this program. */
typedef struct beginning {
  uint32_t abi, real_bytes;
  uint64_t bytes;
} beginning;
#define BEGINS_ALIKE(type)                                                                         \
  _Static_assert(offsetof(type, abi) == offsetof(beginning, abi) &&                                \
                     offsetof(type, real_bytes) == offsetof(beginning, real_bytes) &&              \
                     offsetof(type, bytes) == offsetof(beginning, bytes),                          \
                 "a plug-in's table begins with abi, real_bytes, bytes")
BEGINS_ALIKE(trm_plugin_optimizer);
BEGINS_ALIKE(trm_plugin_schedule);

/* That a table is such as this program knows, of `expected` bytes: before any other member is read. */
static trm_status check_beginning(const head *h, const void *table, size_t expected) {
  char what[160];
  beginning b;
  memcpy(&b, table, sizeof b);
  if (b.abi != TRM_PLUGIN_ABI) {
    (void)snprintf(what, sizeof what,
                   "is for version %u of plug-ins, this program has %d; build it with this "
                   "program's trireme/optim/plugin.h",
                   b.abi, TRM_PLUGIN_ABI);
    return wrong_table(h, what);
  }
  if (b.bytes == expected && b.real_bytes == sizeof(trm_real)) return TRM_OK;
  (void)snprintf(what, sizeof what,
                 "has %" PRIu64 " bytes with numbers of %u, not %zu with %zu; build it with this "
                 "program's trireme/optim/plugin.h",
                 b.bytes, b.real_bytes, expected, sizeof(trm_real));
  return wrong_table(h, what);
}

static trm_status check_head(const head *h) {
  if (!is_name(h->name, 40) || !is_name(h->version, 40)) {
    return wrong_table(h, "has no name or no version; both are up to 40 letters without blanks");
  }
  return check_settings(h);
}

static bool is_state_name(const char *name) {
  const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  return is_name(name, 20) && name[strspn(name, allowed)] == 0;
}

static trm_status check_states(const head *h, const trm_plugin_optimizer *o) {
  char what[160];
  if (o->n_states < 0 || o->n_states > TRM_PLUGIN_MAX_STATES) {
    (void)snprintf(what, sizeof what, "has %d state arrays; 0 to %d can be", o->n_states,
                   TRM_PLUGIN_MAX_STATES);
    return wrong_table(h, what);
  }
  for (int i = 0; i < o->n_states; ++i) {
    bool good = is_state_name(o->state_names[i]);
    for (int k = 0; good && k < i; ++k) good = strcmp(o->state_names[i], o->state_names[k]) != 0;
    if (good) continue;
    (void)snprintf(what, sizeof what,
                   "gives state array %d no name of its own, of up to 20 letters, digits and _", i);
    return wrong_table(h, what);
  }
  return TRM_OK;
}

static trm_status find_optimizer(head *h, trm_plugged *plugged) {
  const trm_plugin_optimizer *o = plugged->optimizer = dlsym(plugged->handle, h->symbol);
  if (!o) return TRM_OK;
  TRM_TRY(check_beginning(h, o, sizeof *o));
  h->name = o->name;
  h->version = o->version;
  h->n_settings = o->n_settings;
  h->settings = o->settings;
  h->check = o->check;
  TRM_TRY(check_head(h));
  TRM_TRY(check_states(h, o));
  return o->step ? TRM_OK : wrong_table(h, "has no step");
}

static trm_status find_schedule(head *h, trm_plugged *plugged) {
  const trm_plugin_schedule *s = plugged->schedule = dlsym(plugged->handle, h->symbol);
  if (!s) return TRM_OK;
  TRM_TRY(check_beginning(h, s, sizeof *s));
  h->name = s->name;
  h->version = s->version;
  h->n_settings = s->n_settings;
  h->settings = s->settings;
  h->check = s->check;
  TRM_TRY(check_head(h));
  return s->lr ? TRM_OK : wrong_table(h, "has no lr");
}

/* ---- settings --------------------------------------------------------------------------------- */

static trm_status unknown_setting(const head *h, const char *name) {
  char known[512] = "";
  size_t used = 0;
  const char *names[TRM_PLUGIN_MAX_SETTINGS];
  for (int i = 0; i < h->n_settings; ++i) {
    names[i] = h->settings[i].name;
    if (used >= sizeof known) continue;
    used +=
        (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", names[i]);
  }
  const char *near = trm_nearest(name, names, h->n_settings);
  return trm_fail(TRM_ERR_CONFIG, "%s: %s %s has no setting '%s'%s%s%s; it has %s", h->settings_key,
                  h->name, h->version, name, near ? "; did you mean '" : "", near ? near : "",
                  near ? "'?" : "", h->n_settings > 0 ? known : "none");
}

/* One of "name=value". */
static trm_status take_setting(const head *h, char *word, bool *given, double *settings) {
  char *equals = strchr(word, '=');
  double value;
  if (!equals) {
    return trm_fail(TRM_ERR_CONFIG, "%s: '%s' is no setting; write them as \"nu=0.7, beta=0.99\"",
                    h->settings_key, word);
  }
  *equals = 0;
  int i = 0;
  while (i < h->n_settings && strcmp(h->settings[i].name, word) != 0) ++i;
  if (i == h->n_settings) return unknown_setting(h, word);
  if (given[i]) {
    return trm_fail(TRM_ERR_CONFIG, "%s: %s is given twice", h->settings_key, word);
  }
  const trm_plugin_setting *s = &h->settings[i];
  if (!trm_real_parse(equals + 1, &value) || value < s->min || value > s->max) {
    return trm_fail(TRM_ERR_CONFIG, "%s: %s is '%s'; allowed: a number from %g to %g",
                    h->settings_key, word, equals + 1, s->min, s->max);
  }
  given[i] = true;
  settings[i] = value;
  return TRM_OK;
}

/* Blanks around the sign of equality are taken out, so that words are settings. */
static void join_words(char *text) {
  char *to = text;
  for (char *from = text; *from; ++from) {
    const bool blank = isspace((unsigned char)*from) != 0;
    if (blank && (to > text && to[-1] == '=')) continue;
    if (*from == '=') {
      while (to > text && isspace((unsigned char)to[-1])) --to;
    }
    *to++ = *from;
  }
  *to = 0;
}

static trm_status read_settings(const head *h, const char *text, double *settings) {
  char copy[4096], message[256] = "", *rest = copy; /* texts of a configuration are shorter */
  bool given[TRM_PLUGIN_MAX_SETTINGS] = {false};
  for (int i = 0; i < h->n_settings; ++i) settings[i] = h->settings[i].fallback;
  (void)snprintf(copy, sizeof copy, "%s", text);
  join_words(copy);
  for (char *word; (word = strtok_r(rest, ", \t\n", &rest)) != NULL;) {
    TRM_TRY(take_setting(h, word, given, settings));
  }
  if (!h->check || h->check(settings, message, sizeof message) == 0) return TRM_OK;
  message[sizeof message - 1] = 0;
  return trm_fail(TRM_ERR_CONFIG, "%s: %s %s: %s", h->settings_key, h->name, h->version, message);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void release(void *thing) {
  trm_plugged *plugged = thing;
  if (plugged->handle) (void)dlclose(plugged->handle);
  TRM_FREE(plugged);
}

static trm_status no_entry(const head *h, void *handle) {
  const bool other = dlsym(handle, h->key[0] == 'o' ? "trm_plugin_schedule_entry"
                                                    : "trm_plugin_optimizer_entry") != NULL;
  return trm_fail(TRM_ERR_CONFIG, "%s is %s, which has no %s%s; see trireme/optim/plugin.h", h->key,
                  h->path, h->symbol, other ? ", but one of the other kind" : "");
}

static trm_status load(trm_config *config, head *h, trm_plugged *plugged) {
  const bool optimizes = strcmp(h->key, "optimizer.plugin") == 0;
  h->settings_key = optimizes ? "optimizer.plugin_settings" : "schedule.plugin_settings";
  h->symbol = optimizes ? "trm_plugin_optimizer_entry" : "trm_plugin_schedule_entry";
  h->path = trm_config_string(config, h->key);
  TRM_TRY(hash_file(h->key, h->path, &plugged->digest));
  TRM_TRY(open_library(h, &plugged->handle));
  TRM_TRY(optimizes ? find_optimizer(h, plugged) : find_schedule(h, plugged));
  if (!plugged->optimizer && !plugged->schedule) return no_entry(h, plugged->handle);
  return read_settings(h, trm_config_string(config, h->settings_key), plugged->settings);
}

trm_status trm_plugins_load(trm_config *config) {
  for (int i = 0; i < TRM_PLUGIN_KEYS; ++i) {
    head h = {.key = trm_plugin_keys[i]};
    trm_plugged *plugged = NULL;
    if (!trm_config_used(config, h.key)) continue;
    TRM_TRY(TRM_ALLOC(&plugged, 1, "a plug-in"));
    const trm_status status = load(config, &h, plugged);
    if (status != TRM_OK) {
      release(plugged);
      return status;
    }
    trm_config_carry(config, h.key, plugged, release);
  }
  return TRM_OK;
}

bool trm_plugin_identify(const trm_config *config, const char *key, trm_plugin_identity *identity) {
  const trm_plugged *plugged = trm_config_carried(config, key);
  if (!plugged) return false;
  const trm_plugin_optimizer *o = plugged->optimizer;
  const trm_plugin_schedule *s = plugged->schedule;
  *identity = (trm_plugin_identity){.name = o ? o->name : s->name,
                                    .version = o ? o->version : s->version,
                                    .digest = plugged->digest};
  return true;
}

uint64_t trm_plugins_digest(const trm_config *config) {
  uint64_t digest = 0;
  trm_plugin_identity identity;
  for (int i = 0; i < TRM_PLUGIN_KEYS; ++i) {
    if (!trm_plugin_identify(config, trm_plugin_keys[i], &identity)) continue;
    digest = trm_hash_chain(digest, identity.digest);
  }
  return digest;
}
