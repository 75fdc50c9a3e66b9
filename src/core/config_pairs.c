/* Reading the text of a configuration without knowing its keys. */
#include <string.h>

#include <yaml.h>

#include "trireme/core/config.h"

enum { NAME_BYTES = 128, VALUE_BYTES = 4096 };

/* Where in the text the reader is. */
typedef struct reader {
  const char *label;
  trm_config_visitor visit;
  void *context;
  int depth;     /* of mappings that are open: 1 between groups, 2 in one */
  int list;      /* of lists and what is in them, below a key */
  bool has_name; /* of what comes next */
  char group[NAME_BYTES], key[NAME_BYTES], value[VALUE_BYTES];
} reader;

static trm_status tell(reader *r) {
  char name[2 * NAME_BYTES];
  (void)snprintf(name, sizeof name, "%s%s%s", r->group, r->depth > 1 ? "." : "",
                 r->depth > 1 ? r->key : "");
  r->has_name = false;
  return r->visit(r->context, name, r->value);
}

static void add_word(reader *r, const char *word) {
  const size_t at = strlen(r->value);
  (void)snprintf(r->value + at, sizeof r->value - at, "%s%s", at ? ", " : "", word);
}

static trm_status take_scalar(reader *r, const char *text) {
  if (r->list > 0) {
    add_word(r, text);
    return TRM_OK;
  }
  if (!r->has_name) {
    (void)snprintf(r->depth > 1 ? r->key : r->group, NAME_BYTES, "%s", text);
    r->has_name = true;
    return TRM_OK;
  }
  (void)snprintf(r->value, sizeof r->value, "%s", text);
  return tell(r);
}

static trm_status take(reader *r, const yaml_event_t *event) {
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    return take_scalar(r, (const char *)event->data.scalar.value);
  case YAML_MAPPING_START_EVENT:
    if (r->list > 0 || r->depth == 2) { /* an item of a list, or a value that is none of ours */
      ++r->list;
    } else {
      ++r->depth;
      r->has_name = false;
    }
    return TRM_OK;
  case YAML_SEQUENCE_START_EVENT:
    if (r->list++ == 0) r->value[0] = 0;
    return TRM_OK;
  case YAML_MAPPING_END_EVENT:
    if (r->list > 0) {
      --r->list;
    } else {
      --r->depth;
      r->has_name = false;
    }
    return TRM_OK;
  case YAML_SEQUENCE_END_EVENT:
    return --r->list == 0 ? tell(r) : TRM_OK;
  default:
    return TRM_OK;
  }
}

trm_status trm_config_pairs(const char *text, const char *label, trm_config_visitor visit,
                            void *context) {
  yaml_parser_t parser;
  reader r = {.label = label, .visit = visit, .context = context};
  trm_status status = TRM_OK;
  if (!yaml_parser_initialize(&parser)) {
    return trm_fail(TRM_ERR_MEMORY, "%.400s: no memory to read it", label);
  }
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
  for (bool more = true; more && status == TRM_OK;) {
    yaml_event_t event;
    if (!yaml_parser_parse(&parser, &event)) {
      status = trm_fail(TRM_ERR_DATA, "%.400s:%zu: not valid YAML: %s", label,
                        parser.problem_mark.line + 1,
                        parser.problem ? parser.problem : "cannot be read");
      break;
    }
    status = take(&r, &event);
    more = event.type != YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  return status;
}
