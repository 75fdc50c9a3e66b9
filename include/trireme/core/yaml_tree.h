/** YAML as a tree, for files that are no configuration; each node knows its line. Not collective. */
#ifndef TRIREME_CORE_YAML_TREE_H
#define TRIREME_CORE_YAML_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "trireme/core/status.h"

typedef enum trm_yaml_kind { TRM_YAML_TEXT, TRM_YAML_LIST, TRM_YAML_MAP } trm_yaml_kind;

typedef struct trm_yaml_node {
  trm_yaml_kind kind;
  const char *key;  /* of an entry of a map; NULL: an item of a list, or the root */
  const char *text; /* TRM_YAML_TEXT; "" where nothing stands */
  int64_t line;     /* of the key, or of the item */
  int first, next;  /* child, sibling; -1: none */
} trm_yaml_node;

/** Node 0 is the root. Zero it first. */
typedef struct trm_yaml_tree {
  trm_yaml_node *nodes; /* [n] owned */
  int n;
  char *strings; /* owned */
} trm_yaml_tree;

/**
 * Reads one document of at most `bytes` bytes; a key that stands twice in a map is refused, as are aliases,
 * anchors and tags.
 * @param[in] label  stands for the file in messages, which have the line
 * @return TRM_ERR_CONFIG, TRM_ERR_MEMORY
 */
trm_status trm_yaml_read(const char *text, size_t bytes, const char *label, trm_yaml_tree *tree);
void trm_yaml_free(trm_yaml_tree *tree);
/** The entry of that name of node `map`; -1: there is none. */
int trm_yaml_find(const trm_yaml_tree *tree, int map, const char *key);

#endif
