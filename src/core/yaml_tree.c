/* A tree over libyaml's events. */
#include "trireme/core/yaml_tree.h"

#include <string.h>

#include <yaml.h>

#include "config_internal.h"
#include "trireme/core/memory.h"

enum { MOST_DEEP = 16 };

typedef struct reader {
  const char *label;
  yaml_parser_t parser;
  yaml_event_t event; /* the present one; owned */
  trm_yaml_tree *tree;
  int64_t room;        /* nodes there is room for */
  size_t used, n_text; /* of the strings */
} reader;

static trm_config_origin here(const reader *r) {
  return (trm_config_origin){.label = r->label, .line = (int64_t)r->event.start_mark.line + 1};
}

static trm_status next(reader *r) {
  const yaml_char_t *anchor = NULL, *tag = NULL;
  yaml_event_delete(&r->event);
  if (!yaml_parser_parse(&r->parser, &r->event)) {
    const trm_config_origin origin = {.label = r->label,
                                      .line = (int64_t)r->parser.problem_mark.line + 1};
    if (r->parser.error == YAML_MEMORY_ERROR) {
      return trm_fail(TRM_ERR_MEMORY, "%.400s: no memory to read it", r->label);
    }
    return trm_config_fail(origin, "not valid YAML: %s",
                           r->parser.problem ? r->parser.problem : "cannot be read");
  }
  if (r->event.type == YAML_SCALAR_EVENT) {
    anchor = r->event.data.scalar.anchor;
    tag = r->event.data.scalar.tag;
  } else if (r->event.type == YAML_MAPPING_START_EVENT) {
    anchor = r->event.data.mapping_start.anchor;
    tag = r->event.data.mapping_start.tag;
  } else if (r->event.type == YAML_SEQUENCE_START_EVENT) {
    anchor = r->event.data.sequence_start.anchor;
    tag = r->event.data.sequence_start.tag;
  }
  if (!anchor && !tag && r->event.type != YAML_ALIAS_EVENT) return TRM_OK;
  return trm_config_fail(here(r), "aliases, anchors and tags are not used here; write the value");
}

/* The present scalar's text, kept with the tree. */
static trm_status keep_text(reader *r, const char **text) {
  const size_t n = r->event.data.scalar.length;
  if (strlen((const char *)r->event.data.scalar.value) != n) {
    return trm_config_fail(here(r), "a text with a zero byte; remove it");
  }
  if (r->used + n + 1 > r->n_text) {
    return trm_config_fail(here(r), "the texts up to here are longer than the file; shorten them");
  }
  char *at = r->tree->strings + r->used;
  memcpy(at, r->event.data.scalar.value, n + 1);
  r->used += n + 1;
  *text = at;
  return TRM_OK;
}

static trm_status add_node(reader *r, const char *key, int64_t line, int *index) {
  if (r->tree->n == r->room) {
    return trm_config_fail(here(r), "more values than can be read; shorten the file");
  }
  *index = r->tree->n++;
  r->tree->nodes[*index] =
      (trm_yaml_node){.key = key, .text = "", .line = line, .first = -1, .next = -1};
  return TRM_OK;
}

static trm_status read_node(reader *r, const char *key, int64_t line, int depth, int *index);

/* Children up to the end of the list or map; the present event is its beginning. */
static trm_status read_children(reader *r, int parent, bool map, int depth) {
  int last = -1;
  for (;;) {
    const char *key = NULL;
    int child = -1;
    TRM_TRY(next(r));
    if (r->event.type == YAML_MAPPING_END_EVENT || r->event.type == YAML_SEQUENCE_END_EVENT) {
      return TRM_OK;
    }
    const trm_config_origin origin = here(r);
    if (map) {
      if (r->event.type != YAML_SCALAR_EVENT) {
        return trm_config_fail(origin, "a name is due here; write 'key: value'");
      }
      TRM_TRY(keep_text(r, &key));
      const int before = trm_yaml_find(r->tree, parent, key);
      if (before >= 0) {
        return trm_config_fail(origin, "'%s' stands twice (first in line %lld); keep one of them",
                               key, (long long)r->tree->nodes[before].line);
      }
      TRM_TRY(next(r));
    }
    TRM_TRY(read_node(r, key, origin.line, depth, &child));
    if (last < 0) {
      r->tree->nodes[parent].first = child;
    } else {
      r->tree->nodes[last].next = child;
    }
    last = child;
  }
}

static trm_status read_node(reader *r, const char *key, int64_t line, int depth, int *index) {
  if (depth > MOST_DEEP) {
    return trm_config_fail(here(r), "lists and maps in each other, more than %d deep", MOST_DEEP);
  }
  TRM_TRY(add_node(r, key, line, index));
  const bool map = r->event.type == YAML_MAPPING_START_EVENT;
  if (map || r->event.type == YAML_SEQUENCE_START_EVENT) {
    r->tree->nodes[*index].kind = map ? TRM_YAML_MAP : TRM_YAML_LIST;
    return read_children(r, *index, map, depth + 1);
  }
  return keep_text(r, &r->tree->nodes[*index].text);
}

static trm_status read_stream(reader *r) {
  int root = 0;
  TRM_TRY(next(r)); /* start of the stream */
  TRM_TRY(next(r));
  if (r->event.type == YAML_STREAM_END_EVENT) return add_node(r, NULL, 1, &root);
  TRM_TRY(next(r));
  TRM_TRY(read_node(r, NULL, here(r).line, 0, &root));
  TRM_TRY(next(r)); /* end of the document */
  TRM_TRY(next(r));
  if (r->event.type == YAML_STREAM_END_EVENT) return TRM_OK;
  return trm_config_fail(here(r), "a second document begins; one file holds one");
}

trm_status trm_yaml_read(const char *text, size_t bytes, const char *label, trm_yaml_tree *tree) {
  trm_status status = TRM_OK;
  reader r = {.label = label, .tree = tree};
  *tree = (trm_yaml_tree){.n = 0};
  if (!yaml_parser_initialize(&r.parser)) {
    return trm_fail(TRM_ERR_MEMORY, "%.400s: no memory to read it", label);
  }
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, bytes);
  r.room = (int64_t)bytes + 2; /* a node takes a byte at least */
  r.n_text = 4 * bytes + 2;    /* escapes become longer, and each text has its end */
  TRM_TRY_OUT(TRM_ALLOC(&tree->nodes, r.room, "YAML"));
  TRM_TRY_OUT(TRM_ALLOC(&tree->strings, (int64_t)r.n_text, "YAML"));
  status = read_stream(&r);
out:
  yaml_event_delete(&r.event);
  yaml_parser_delete(&r.parser);
  if (status != TRM_OK) trm_yaml_free(tree);
  return status;
}

void trm_yaml_free(trm_yaml_tree *tree) {
  TRM_FREE(tree->nodes);
  TRM_FREE(tree->strings);
  tree->n = 0;
}

int trm_yaml_find(const trm_yaml_tree *tree, int map, const char *key) {
  for (int i = tree->nodes[map].first; i >= 0; i = tree->nodes[i].next) {
    if (tree->nodes[i].key && strcmp(tree->nodes[i].key, key) == 0) return i;
  }
  return -1;
}
