/* Words of other programs: what they are here. */
#include <string.h>

#include "config_internal.h"
#include "trireme/core/memory.h"

/* "Learning-Rate" is "learning_rate", and so is "learning.rate". */
static char plain(char c) {
  if (c == '-' || c == ' ' || c == '.') return '_';
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_word(const char *a, const char *b) {
  for (; *a && plain(*a) == plain(*b); ++a, ++b) {
  }
  return *a == *b;
}

const trm_config_word *trm_config_word_find(const trm_config_parts *parts, const char *key,
                                            const char *word) {
  for (int i = 0; i < parts->n_words; ++i) {
    const trm_config_word *w = &parts->words[i];
    if (!key != !w->key || (key && strcmp(key, w->key) != 0)) continue;
    if (same_word(w->word, word)) return w;
  }
  return NULL;
}

/* The key whose name behind the group is `leaf`; -1: none, or several. */
static int find_leaf(const trm_config *config, const char *leaf) {
  int found = -1;
  for (int i = 0; i < config->n_slots; ++i) {
    const char *name = config->slots[i].name;
    if (!same_word(name + trm_config_group_length(name) + 1, leaf)) continue;
    if (found >= 0) return -1;
    found = i;
  }
  return found;
}

/* The key that is spelt "group_name"; -1: none. */
static int find_joined(const trm_config *config, const char *word) {
  for (int i = 0; i < config->n_slots; ++i) {
    if (same_word(config->slots[i].name, word)) return i;
  }
  return -1;
}

const char *trm_config_absent(const trm_config_parts *parts, const char *word) {
  const trm_config_word *foreign = trm_config_word_find(parts, NULL, word);
  return foreign && !foreign->ours ? foreign->note : NULL;
}

bool trm_config_meant(const trm_config_parts *parts, const char *word, char key[TRM_MEANT_BYTES]) {
  trm_config *config = NULL;
  const char *dot = strrchr(word, '.');
  if (trm_config_create(parts, &config) != TRM_OK) return false;
  const trm_config_word *foreign = trm_config_word_find(parts, NULL, dot ? dot + 1 : word);
  const int index = find_joined(config, word);
  const int leaf = find_leaf(config, word);
  const char *name = index >= 0                 ? config->slots[index].name
                     : foreign && foreign->ours ? foreign->ours
                     : leaf >= 0                ? config->slots[leaf].name
                                                : NULL;
  if (name) (void)snprintf(key, TRM_MEANT_BYTES, "%s", name);
  trm_config_destroy(&config);
  return name != NULL;
}
