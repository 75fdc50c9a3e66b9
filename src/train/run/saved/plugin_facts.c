#include "plugin_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trireme/optim/plugins.h"

/* "optimizer.plugin/name" */
static const char *fact_of(const char *key, const char *what, char name[TRM_FACT_NAME_BYTES]) {
  (void)snprintf(name, TRM_FACT_NAME_BYTES, "%s/%s", key, what);
  return name;
}

trm_status trm_plugins_keep(const trm_config *config, trm_facts *facts) {
  char name[TRM_FACT_NAME_BYTES];
  for (int i = 0; i < TRM_PLUGIN_KEYS; ++i) {
    const char *key = trm_plugin_keys[i];
    trm_plugin_identity own;
    if (!trm_plugin_identify(config, key, &own)) continue;
    TRM_TRY(trm_facts_put_text(facts, fact_of(key, "name", name), own.name));
    TRM_TRY(trm_facts_put_text(facts, fact_of(key, "version", name), own.version));
    TRM_TRY(trm_facts_put_int(facts, fact_of(key, "digest", name), (int64_t)own.digest));
  }
  return TRM_OK;
}

/* What the checkpoint says of a key; false: nothing. */
static bool read_facts(const trm_facts *facts, const char *key, trm_plugin_identity *identity) {
  char name[TRM_FACT_NAME_BYTES];
  identity->name = trm_facts_text(facts, fact_of(key, "name", name));
  identity->version = trm_facts_text(facts, fact_of(key, "version", name));
  identity->digest = (uint64_t)trm_facts_int(facts, fact_of(key, "digest", name), 0);
  return identity->name && identity->version;
}

static trm_status compare(const trm_config *config, const char *key, const trm_plugin_identity *own,
                          const trm_plugin_identity *old, const char *path, bool allow_changes,
                          trm_log *log) {
  char what[256];
  const bool named_alike =
      strcmp(own->name, old->name) == 0 && strcmp(own->version, old->version) == 0;
  if (named_alike && own->digest == old->digest) return TRM_OK;
  if (named_alike) {
    (void)snprintf(what, sizeof what, "another file of %s %s (contents %016" PRIx64 ")", old->name,
                   old->version, old->digest);
  } else {
    (void)snprintf(what, sizeof what, "%s %s", old->name, old->version);
  }
  if (!allow_changes) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "%s is %s: %s %s (contents %016" PRIx64 "), but the checkpoint %s was made with "
        "%s; set it back, or give --allow-changes",
        key, trm_config_string(config, key), own->name, own->version, own->digest, path, what);
  }
  trm_log_warn(log,
               "%s is %s %s (contents %016" PRIx64 "), the checkpoint was made with %s: the result "
               "will differ from an uninterrupted run's",
               key, own->name, own->version, own->digest, what);
  return TRM_OK;
}

trm_status trm_plugins_compare(const trm_config *config, const trm_facts *facts, const char *path,
                               bool allow_changes, trm_log *log) {
  for (int i = 0; i < TRM_PLUGIN_KEYS; ++i) {
    trm_plugin_identity own, old;
    const char *key = trm_plugin_keys[i];
    if (!trm_plugin_identify(config, key, &own) || !read_facts(facts, key, &old)) continue;
    TRM_TRY(compare(config, key, &own, &old, path, allow_changes, log));
  }
  return TRM_OK;
}
