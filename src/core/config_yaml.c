/*
 * YAML into the table, from libyaml's tree of nodes, so that every message has its line. All that is wrong
 * in a file is told, but for what is no YAML at all: there the reading ends.
 *
 * Anchors and aliases are libyaml's work: an alias is the node itself. Merges ("<<") are unfolded here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "config_internal.h"
#include "trireme/core/memory.h"

enum { MAX_FILE_BYTES = 1 << 20, MAX_NAME = 128, MAX_MERGES = 8, MAX_PAIRS = 4096, MAX_DEPTH = 8 };

typedef struct reader {
  trm_config *config;
  const char *label;
  const char *text;
  yaml_parser_t parser;
  yaml_document_t document;
  int64_t *key_lines;   /* [n_slots] line of the key's value in this file, 0 if none */
  int64_t *group_lines; /* [n_slots] the same for a group, at the row of its first key */
  trm_failures failures;
} reader;

/* ---- nodes ----------------------------------------------------------------------------------- */

static trm_config_origin at(const reader *r, const yaml_node_t *node) {
  return (trm_config_origin){.label = r->label, .line = (int64_t)node->start_mark.line + 1};
}

static yaml_node_t *node_of(reader *r, int id) {
  return yaml_document_get_node(&r->document, id);
}

static bool is_scalar(const yaml_node_t *node) {
  return node->type == YAML_SCALAR_NODE;
}

static const char *scalar_text(const yaml_node_t *node) {
  return (const char *)node->data.scalar.value;
}

static bool has_zero_byte(const yaml_node_t *node) {
  return strlen(scalar_text(node)) != node->data.scalar.length;
}

/* Nothing after the colon, or YAML's words for it. */
static bool scalar_is_null(const yaml_node_t *node) {
  const char *text = scalar_text(node);
  if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  return text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

/* What a configuration has no use for. */
static trm_status check_tag(const reader *r, const yaml_node_t *node) {
  const char *usual = node->type == YAML_SCALAR_NODE     ? YAML_DEFAULT_SCALAR_TAG
                      : node->type == YAML_SEQUENCE_NODE ? YAML_DEFAULT_SEQUENCE_TAG
                                                         : YAML_DEFAULT_MAPPING_TAG;
  if (!node->tag || strcmp((const char *)node->tag, usual) == 0) return TRM_OK;
  return trm_config_fail(at(r, node), "tags (!name) are not used in a configuration; write the "
                                      "value itself");
}

static trm_status syntax_error(const reader *r) {
  const yaml_parser_t *p = &r->parser;
  trm_config_origin origin = {.label = r->label, .line = (int64_t)p->problem_mark.line + 1};
  const char *problem = p->problem ? p->problem : "cannot be read";
  if (p->error == YAML_MEMORY_ERROR) {
    return trm_fail(TRM_ERR_MEMORY, "%.400s: no memory to read it", r->label);
  }
  if (p->error == YAML_COMPOSER_ERROR) {
    return trm_config_fail(
        origin, "%s; an anchor (&name) stands once, before the aliases (*name) for it", problem);
  }
  if (p->error == YAML_READER_ERROR) { /* has an offset instead of a line */
    origin.line = 1;
    for (size_t i = 0; i < p->problem_offset; ++i) origin.line += r->text[i] == '\n';
  }
  return trm_config_fail(origin,
                         "not valid YAML: %s; write 'group:' and below it, indented by spaces, "
                         "'key: value'",
                         problem);
}

/* Keeps a failure of the configuration for the end; others are returned. */
static trm_status note(reader *r, trm_status status) {
  if (status != TRM_ERR_CONFIG) return status;
  trm_failures_add(&r->failures, status);
  return TRM_OK;
}

/* ---- mappings ------------------------------------------------------------------------------- */

/* Names and values of a mapping; owned. */
typedef struct pairs {
  yaml_node_pair_t *items;
  int64_t n, capacity;
} pairs;

static trm_status add_pair(pairs *p, yaml_node_pair_t pair) {
  if (p->n == p->capacity) {
    yaml_node_pair_t *more = NULL;
    p->capacity = p->capacity > 0 ? 2 * p->capacity : 32;
    TRM_TRY(TRM_ALLOC(&more, p->capacity, "configuration"));
    if (p->n > 0) memcpy(more, p->items, (size_t)p->n * sizeof *more);
    TRM_FREE(p->items);
    p->items = more;
  }
  p->items[p->n++] = pair;
  return TRM_OK;
}

static bool is_merge(const yaml_node_t *name) {
  return is_scalar(name) && name->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
         strcmp(scalar_text(name), "<<") == 0;
}

static bool has_name(reader *r, const pairs *p, const yaml_node_t *name) {
  for (int64_t i = 0; i < p->n && is_scalar(name); ++i) {
    const yaml_node_t *other = node_of(r, p->items[i].key);
    if (is_scalar(other) && strcmp(scalar_text(other), scalar_text(name)) == 0) return true;
  }
  return false;
}

static trm_status unfold(reader *r, const yaml_node_t *mapping, int depth, pairs *out);

/* What "<<" stands for: a mapping, or several, of which the first that has a name counts. */
static trm_status merge(reader *r, const yaml_node_t *value, int depth, pairs *out) {
  if (depth == MAX_MERGES || out->n > MAX_PAIRS) {
    return trm_config_fail(at(r, value), "'<<' merges too much, or itself; write the keys here");
  }
  if (value->type == YAML_MAPPING_NODE) return unfold(r, value, depth + 1, out);
  if (value->type != YAML_SEQUENCE_NODE) {
    return trm_config_fail(at(r, value), "'<<' merges mappings; write '<<: *name', where &name "
                                         "stands before a group of keys");
  }
  const yaml_node_item_t *item = value->data.sequence.items.start;
  for (; item < value->data.sequence.items.top; ++item) {
    TRM_TRY(merge(r, node_of(r, *item), depth + 1, out));
  }
  return TRM_OK;
}

/* Own pairs first, then those of what is merged whose names are not there yet. */
static trm_status unfold(reader *r, const yaml_node_t *mapping, int depth, pairs *out) {
  const yaml_node_pair_t *begin = mapping->data.mapping.pairs.start;
  const yaml_node_pair_t *end = mapping->data.mapping.pairs.top;
  for (const yaml_node_pair_t *p = begin; p < end; ++p) {
    const yaml_node_t *name = node_of(r, p->key);
    if (!is_merge(name) && (depth == 0 || !has_name(r, out, name))) TRM_TRY(add_pair(out, *p));
  }
  for (const yaml_node_pair_t *p = begin; p < end; ++p) {
    if (is_merge(node_of(r, p->key))) TRM_TRY(merge(r, node_of(r, p->value), depth, out));
  }
  return TRM_OK;
}

/* A name of a group or key, copied. Cut when too long to be one. */
static trm_status read_name(const reader *r, const yaml_node_t *node, char name[MAX_NAME]) {
  if (!is_scalar(node)) {
    return trm_config_fail(at(r, node),
                           "a name is due here, not a list or mapping; write 'key: value'");
  }
  TRM_TRY(check_tag(r, node));
  if (has_zero_byte(node)) {
    return trm_config_fail(at(r, node), "a name with a zero byte; write a plain name");
  }
  (void)snprintf(name, MAX_NAME, "%s", scalar_text(node));
  return TRM_OK;
}

static trm_status check_first(trm_config_origin origin, const char *name, int64_t *line) {
  if (*line > 0) {
    return trm_config_fail(origin, "'%s' stands twice (first in line %lld); keep one of them", name,
                           (long long)*line);
  }
  *line = origin.line;
  return TRM_OK;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static trm_status check_item(const reader *r, const yaml_node_t *node, const char *name) {
  const trm_config_origin origin = at(r, node);
  TRM_TRY(check_tag(r, node));
  if (!is_scalar(node)) {
    return trm_config_fail(origin, "%s: an item of its list holds a list; write '- item'", name);
  }
  if (scalar_is_null(node) || scalar_text(node)[0] == '\0') {
    return trm_config_fail(origin, "%s: an item of its list is empty; remove it", name);
  }
  if (has_zero_byte(node)) {
    return trm_config_fail(origin, "%s has a zero byte in its value; remove it", name);
  }
  if (strchr(scalar_text(node), ',')) {
    return trm_config_fail(origin,
                           "%s: the item '%.80s' of its list has a comma; make it two items, or "
                           "write the list as one text",
                           name, scalar_text(node));
  }
  return TRM_OK;
}

/* The text of a list as it grows. */
typedef struct list_text {
  char text[TRM_CONFIG_STRING_BYTES];
  size_t n;
} list_text;

/* A word, behind what stands between it and the word before. */
static trm_status add_word(const reader *r, const yaml_node_t *node, const char *name,
                           const char *between, list_text *list) {
  TRM_TRY(check_item(r, node, name));
  if (list->n + strlen(between) + strlen(scalar_text(node)) + 1 > sizeof list->text) {
    return trm_config_fail(at(r, node), "%s: its list has %d bytes or more; use a shorter one",
                           name, (int)sizeof list->text);
  }
  list->n += (size_t)snprintf(list->text + list->n, sizeof list->text - list->n, "%s%s", between,
                              scalar_text(node));
  return TRM_OK;
}

/* An item {match: "head/w*", lr: 10x} is the text "head/w* lr=10x". */
static trm_status add_mapping(reader *r, const yaml_node_t *mapping, const char *name,
                              const char *between, list_text *list) {
  const yaml_node_pair_t *begin = mapping->data.mapping.pairs.start;
  const yaml_node_pair_t *end = mapping->data.mapping.pairs.top;
  const yaml_node_t *wrong = begin == end ? mapping : NULL;
  for (const yaml_node_pair_t *p = begin; p < end && !wrong; ++p) {
    const yaml_node_t *key = node_of(r, p->key);
    const bool match = is_scalar(key) && strcmp(scalar_text(key), "match") == 0;
    if (match != (p == begin)) wrong = key;
  }
  if (wrong) {
    return trm_config_fail(at(r, wrong),
                           "%s: an item of its list that is a mapping begins with what it is for, "
                           "once: {match: ..., key: value}",
                           name);
  }
  for (const yaml_node_pair_t *p = begin; p < end; ++p) {
    if (p > begin) TRM_TRY(add_word(r, node_of(r, p->key), name, " ", list));
    TRM_TRY(add_word(r, node_of(r, p->value), name, p == begin ? between : "=", list));
  }
  return TRM_OK;
}

/* A list for a key of text, "[10, 10]" or an item a line: its items with commas between. */
static trm_status read_list(reader *r, const yaml_node_t *node, int index) {
  list_text list = {.text = ""};
  const char *name = r->config->slots[index].name;
  const yaml_node_item_t *item = node->data.sequence.items.start;
  for (; item < node->data.sequence.items.top; ++item) {
    const char *between = list.n ? "," : "";
    const yaml_node_t *value = node_of(r, *item);
    if (value->type == YAML_MAPPING_NODE) {
      TRM_TRY(check_tag(r, value));
      TRM_TRY(add_mapping(r, value, name, between, &list));
    } else {
      TRM_TRY(add_word(r, value, name, between, &list));
    }
  }
  return trm_config_assign(r->config, index, list.text, at(r, node));
}

/* ---- groups and keys ------------------------------------------------------------------------ */

static trm_status read_value(reader *r, const yaml_node_t *node, int index) {
  char allowed[TRM_ALLOWED_TEXT_BYTES];
  const trm_config_slot *slot = &r->config->slots[index];
  const trm_config_row *row = trm_config_row_used(r->config, slot);
  const trm_config_origin origin = at(r, node);
  TRM_TRY(check_tag(r, node));
  trm_config_allowed(slot, row ? row->key : slot->rows[0].key, allowed);
  if (node->type == YAML_MAPPING_NODE) {
    return trm_config_fail(origin, "%s holds further keys; there are two levels only, allowed: %s",
                           slot->name, allowed);
  }
  if (node->type == YAML_SEQUENCE_NODE && slot->type == TRM_CONFIG_STRING) {
    return read_list(r, node, index);
  }
  if (!is_scalar(node)) {
    return trm_config_fail(origin, "%s is a list; allowed: one value, %s", slot->name, allowed);
  }
  if (scalar_is_null(node)) {
    return trm_config_fail(origin, "%s has no value; remove the line or give one, allowed: %s",
                           slot->name, allowed);
  }
  if (has_zero_byte(node)) {
    return trm_config_fail(origin, "%s has a zero byte in its value; remove it", slot->name);
  }
  return trm_config_assign(r->config, index, scalar_text(node), origin);
}

static trm_status read_key(reader *r, const char *group, yaml_node_pair_t pair) {
  char leaf[MAX_NAME];
  char name[2 * MAX_NAME + 1];
  const yaml_node_t *key = node_of(r, pair.key);
  TRM_TRY(read_name(r, key, leaf));
  (void)snprintf(name, sizeof name, "%s.%s", group, leaf);
  const int index = trm_config_find(r->config, name, strlen(name));
  if (index < 0) return trm_config_unknown(r->config, name, at(r, key));
  TRM_TRY(check_first(at(r, key), name, &r->key_lines[index]));
  return read_value(r, node_of(r, pair.value), index);
}

/* The keys of one group. */
static trm_status read_group(reader *r, const yaml_node_t *node, const char *group) {
  pairs keys = {0};
  trm_status status = note(r, unfold(r, node, 0, &keys));
  for (int64_t i = 0; i < keys.n && status == TRM_OK; ++i) {
    status = note(r, read_key(r, group, keys.items[i]));
  }
  TRM_FREE(keys.items);
  return status;
}

static trm_status check_group_name(reader *r, const yaml_node_t *node, const char *name) {
  const size_t n = strlen(name);
  const int row = trm_config_find_group(r->config, name, n);
  if (row >= 0) return check_first(at(r, node), name, &r->group_lines[row]);
  if (trm_config_find(r->config, name, n) < 0) {
    return trm_config_unknown(r->config, name, at(r, node));
  }
  const int n_group = (int)trm_config_group_length(name);
  return trm_config_fail(at(r, node),
                         "'%s' stands outside its group; write '%.*s:' and below it '%s: ...'",
                         name, n_group, name, name + n_group + 1);
}

/* "groups: [...]": a list where a group would stand is the value of the key that the program says. */
static trm_status read_list_of_key(reader *r, yaml_node_pair_t pair, int index) {
  TRM_TRY(
      check_first(at(r, node_of(r, pair.key)), r->config->slots[index].name, &r->key_lines[index]));
  return read_value(r, node_of(r, pair.value), index);
}

/* The key of that name, -1: it is none. */
static int find_list(const trm_config *config, const char *name) {
  const trm_config_parts *parts = &config->parts;
  if (!parts->list || strcmp(parts->list, name) != 0) return -1;
  return trm_config_find(config, parts->list_key, strlen(parts->list_key));
}

static trm_status read_pair(reader *r, yaml_node_pair_t pair) {
  char name[MAX_NAME];
  const yaml_node_t *key = node_of(r, pair.key), *value = node_of(r, pair.value);
  TRM_TRY(read_name(r, key, name));
  if (strncmp(name, "x-", 2) == 0) return TRM_OK; /* holds anchors */
  const int list = find_list(r->config, name);
  if (list >= 0) return read_list_of_key(r, pair, list);
  TRM_TRY(check_group_name(r, key, name));
  TRM_TRY(check_tag(r, value));
  if (value->type == YAML_MAPPING_NODE) return read_group(r, value, name);
  if (is_scalar(value) && scalar_is_null(value)) return TRM_OK;
  char line[MAX_NAME + 64] = "key: value";
  const trm_config_word *meant = trm_config_word_find(&r->config->parts, NULL, name);
  if (is_scalar(value) && meant && meant->ours) { /* "model: gcn" is model.kind */
    (void)snprintf(line, sizeof line, "%s: %.60s", strchr(meant->ours, '.') + 1,
                   (const char *)value->data.scalar.value);
  }
  return trm_config_fail(at(r, value), "group '%s' has a value of its own; write '%s' below it",
                         name, line);
}

/* All groups. */
static trm_status read_root(reader *r, const yaml_node_t *root) {
  pairs groups = {0};
  TRM_TRY(note(r, check_tag(r, root)));
  if (is_scalar(root) && scalar_is_null(root)) return TRM_OK;
  if (root->type != YAML_MAPPING_NODE) {
    return trm_config_fail(at(r, root), "not groups of keys; write 'group:' and below it, indented "
                                        "by spaces, 'key: value'");
  }
  trm_status status = note(r, unfold(r, root, 0, &groups));
  for (int64_t i = 0; i < groups.n && status == TRM_OK; ++i) {
    status = note(r, read_pair(r, groups.items[i]));
  }
  TRM_FREE(groups.items);
  return status;
}

/* That nothing follows. */
static trm_status read_end(reader *r) {
  if (!yaml_parser_load(&r->parser, &r->document)) return syntax_error(r);
  const bool more = yaml_document_get_root_node(&r->document) != NULL;
  const trm_config_origin origin = {.label = r->label,
                                    .line = (int64_t)r->document.start_mark.line + 1};
  yaml_document_delete(&r->document);
  if (!more) return TRM_OK;
  return trm_config_fail(origin, "a second document begins; one file holds one configuration");
}

/* Looks at the first events of a file as far as its nesting is that of a configuration: libyaml takes
 * minutes for the tree of a megabyte of brackets. What is no YAML is left to whoever reads. */
static trm_status check_depth(const reader *r, size_t n_bytes) {
  yaml_parser_t parser;
  bool more = true;
  int depth = 0;
  trm_status status = TRM_OK;
  if (!yaml_parser_initialize(&parser)) {
    return trm_fail(TRM_ERR_MEMORY, "%.400s: no memory to read it", r->label);
  }
  yaml_parser_set_input_string(&parser, (const unsigned char *)r->text, n_bytes);
  while (more && status == TRM_OK) {
    yaml_event_t event;
    if (!yaml_parser_parse(&parser, &event)) break;
    const yaml_event_type_t type = event.type;
    depth += type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT;
    depth -= type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT;
    more = type != YAML_STREAM_END_EVENT;
    if (depth > MAX_DEPTH) {
      const trm_config_origin origin = {.label = r->label,
                                        .line = (int64_t)event.start_mark.line + 1};
      status =
          trm_config_fail(origin, "lists or groups in one another, deeper than a configuration "
                                  "has them; write 'group:' and below it 'key: value'");
    }
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  return status;
}

static trm_status read_stream(reader *r) {
  if (!yaml_parser_load(&r->parser, &r->document)) return syntax_error(r);
  const yaml_node_t *root = yaml_document_get_root_node(&r->document);
  trm_status status = root ? note(r, read_root(r, root)) : TRM_OK; /* or comments only */
  yaml_document_delete(&r->document);
  if (!root || status != TRM_OK) return status;
  return note(r, read_end(r));
}

static trm_status read_bytes(trm_config *config, const char *text, size_t n_bytes,
                             const char *label) {
  trm_status status = TRM_OK;
  reader r = {.config = config, .label = label, .text = text};
  if (!yaml_parser_initialize(&r.parser)) {
    return trm_fail(TRM_ERR_MEMORY, "%.400s: no memory to read it", label);
  }
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n_bytes);
  TRM_TRY_OUT(TRM_ALLOC(&r.key_lines, config->n_slots, "configuration"));
  TRM_TRY_OUT(TRM_ALLOC(&r.group_lines, config->n_slots, "configuration"));
  status = check_depth(&r, n_bytes);
  if (status == TRM_OK) status = read_stream(&r);
  config->unsettled = config->unsettled || status != TRM_OK; /* what follows was not read */
  TRM_TRY_OUT(status);
  status = trm_failures_end(&r.failures);
out:
  yaml_parser_delete(&r.parser);
  TRM_FREE(r.key_lines);
  TRM_FREE(r.group_lines);
  return status;
}

trm_status trm_config_read_text(trm_config *config, const char *text, const char *label) {
  return read_bytes(config, text, strlen(text), label);
}

static trm_status read_error(const char *path, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  const char *remedy = missing
                           ? "give the path of a YAML file ('trireme help config' lists its keys)"
                       : error == EACCES ? "make it readable"
                                         : "check the path and the disk";
  return trm_fail(missing ? TRM_ERR_MISSING : TRM_ERR_CONFIG,
                  "%.400s: cannot read the configuration (%s); %s", path, strerror(error), remedy);
}

/* Reads up to n bytes, short only at the end of the file; -1 with errno set. */
static int64_t read_fully(int fd, char *out, int64_t n) {
  int64_t done = 0;
  while (done < n) {
    const ssize_t got = read(fd, out + done, (size_t)(n - done));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    done += got;
  }
  return done;
}

trm_status trm_config_read_file(trm_config *config, const char *path) {
  trm_status status = TRM_OK;
  char *text = NULL;
  struct stat info;
  config->unsettled = true; /* until it has been read */
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return read_error(path, errno);
  if (fstat(fd, &info) != 0) {
    status = read_error(path, errno);
    goto out;
  }
  if (S_ISDIR(info.st_mode)) {
    status = trm_fail(TRM_ERR_CONFIG, "%.400s: is a folder; give the YAML file in it", path);
    goto out;
  }
  TRM_TRY_OUT(TRM_ALLOC(&text, MAX_FILE_BYTES + 1, "configuration file"));
  const int64_t n = read_fully(fd, text, MAX_FILE_BYTES + 1);
  if (n < 0) {
    status = read_error(path, errno);
  } else if (n > MAX_FILE_BYTES) {
    status = trm_fail(TRM_ERR_CONFIG,
                      "%.400s: larger than 1 MiB; is it a configuration? Give a YAML file", path);
  } else {
    config->unsettled = false;
    status = read_bytes(config, text, (size_t)n, path);
  }
out:
  TRM_FREE(text);
  (void)close(fd); /* opened for reading: nothing can be lost */
  return status;
}
