/* YAML into the table: a small grammar over libyaml's events, so that every message has its line. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "config_internal.h"
#include "trireme/core/memory.h"

enum { MAX_FILE_BYTES = 1 << 20, MAX_NAME = 128 };

typedef struct reader {
  trm_config *config;
  const char *label;
  const char *text;
  yaml_parser_t parser;
  yaml_event_t event;   /* the present one; owned */
  int64_t *key_lines;   /* [n_slots] line of the key's value in this file, 0 if none */
  int64_t *group_lines; /* [n_slots] the same for a group, at the row of its first key */
} reader;

static trm_config_origin here(const reader *r) {
  return (trm_config_origin){.label = r->label, .line = (int64_t)r->event.start_mark.line + 1};
}

static trm_status syntax_error(const reader *r) {
  const yaml_parser_t *p = &r->parser;
  trm_config_origin origin = {.label = r->label, .line = (int64_t)p->problem_mark.line + 1};
  const char *problem = p->problem ? p->problem : "cannot be read";
  if (p->error == YAML_MEMORY_ERROR) {
    return trm_fail(TRM_ERR_MEMORY, "%.400s: no memory to read it", r->label);
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

static trm_status refuse(const reader *r, const char *what) {
  return trm_config_fail(here(r), "%s are not used in a configuration; write the value itself",
                         what);
}

/* Steps to the next event. What a configuration has no use for is refused here, once. */
static trm_status next(reader *r) {
  const yaml_char_t *anchor = NULL, *tag = NULL;
  yaml_event_delete(&r->event);
  if (!yaml_parser_parse(&r->parser, &r->event)) return syntax_error(r);
  switch (r->event.type) {
  case YAML_ALIAS_EVENT:
    return refuse(r, "aliases (*name)");
  case YAML_SCALAR_EVENT:
    anchor = r->event.data.scalar.anchor;
    tag = r->event.data.scalar.tag;
    break;
  case YAML_MAPPING_START_EVENT:
    anchor = r->event.data.mapping_start.anchor;
    tag = r->event.data.mapping_start.tag;
    break;
  case YAML_SEQUENCE_START_EVENT:
    anchor = r->event.data.sequence_start.anchor;
    tag = r->event.data.sequence_start.tag;
    break;
  default:
    break;
  }
  if (anchor) return refuse(r, "anchors (&name)");
  if (tag) return refuse(r, "tags (!name)");
  return TRM_OK;
}

static const char *scalar_text(const reader *r) {
  return (const char *)r->event.data.scalar.value;
}

/* Nothing after the colon, or YAML's words for it. */
static bool scalar_is_null(const reader *r) {
  const char *text = scalar_text(r);
  if (r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  return text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

/* A name of a group or key, copied: the event goes with the next step. Cut when too long to be one. */
static trm_status read_name(const reader *r, char name[MAX_NAME]) {
  if (r->event.type != YAML_SCALAR_EVENT) {
    return trm_config_fail(here(r),
                           "a name is due here, not a list or mapping; write 'key: value'");
  }
  if (strlen(scalar_text(r)) != r->event.data.scalar.length) {
    return trm_config_fail(here(r), "a name with a zero byte; write a plain name");
  }
  (void)snprintf(name, MAX_NAME, "%s", scalar_text(r));
  return TRM_OK;
}

static trm_status check_first(const reader *r, const char *name, int64_t *line) {
  const trm_config_origin origin = here(r);
  if (*line > 0) {
    return trm_config_fail(origin, "'%s' stands twice (first in line %lld); keep one of them", name,
                           (long long)*line);
  }
  *line = origin.line;
  return TRM_OK;
}

/* A word of a list, as the present event. */
static trm_status check_item(const reader *r, const char *name) {
  if (r->event.type != YAML_SCALAR_EVENT) {
    return trm_config_fail(here(r), "%s: an item of its list holds a list; write '- item'", name);
  }
  if (scalar_is_null(r) || scalar_text(r)[0] == '\0') {
    return trm_config_fail(here(r), "%s: an item of its list is empty; remove it", name);
  }
  if (strlen(scalar_text(r)) != r->event.data.scalar.length) {
    return trm_config_fail(here(r), "%s has a zero byte in its value; remove it", name);
  }
  if (strchr(scalar_text(r), ',')) {
    return trm_config_fail(here(r),
                           "%s: the item '%.80s' of its list has a comma; make it two items, or "
                           "write the list as one text",
                           name, scalar_text(r));
  }
  return TRM_OK;
}

/* The text of a list as it grows. */
typedef struct list_text {
  char text[TRM_CONFIG_STRING_BYTES];
  size_t n;
} list_text;

/* The present event's word, behind what stands between it and the word before. */
static trm_status add_word(const reader *r, const char *name, const char *between,
                           list_text *list) {
  if (list->n + strlen(between) + strlen(scalar_text(r)) + 1 > sizeof list->text) {
    return trm_config_fail(here(r), "%s: its list has %d bytes or more; use a shorter one", name,
                           (int)sizeof list->text);
  }
  list->n += (size_t)snprintf(list->text + list->n, sizeof list->text - list->n, "%s%s", between,
                              scalar_text(r));
  return TRM_OK;
}

/* An item {match: "head/w*", lr: 10x} is the text "head/w* lr=10x". */
static trm_status add_mapping(reader *r, const char *name, const char *between, list_text *list) {
  for (bool first = true;; first = false) {
    TRM_TRY(next(r));
    if (r->event.type == YAML_MAPPING_END_EVENT && !first) return TRM_OK;
    const bool match = r->event.type == YAML_SCALAR_EVENT && strcmp(scalar_text(r), "match") == 0;
    if (first != match) {
      return trm_config_fail(
          here(r),
          "%s: an item of its list that is a mapping begins with what it is for, "
          "once: {match: ..., key: value}",
          name);
    }
    if (!first) {
      TRM_TRY(check_item(r, name));
      TRM_TRY(add_word(r, name, " ", list));
    }
    TRM_TRY(next(r));
    TRM_TRY(check_item(r, name));
    TRM_TRY(add_word(r, name, first ? between : "=", list));
  }
}

/* A list for a key of text, "[10, 10]" or an item a line: its items with commas between. */
static trm_status read_list(reader *r, int index) {
  list_text list = {.text = ""};
  const char *name = r->config->slots[index].name;
  const trm_config_origin origin = here(r);
  for (;;) {
    const char *between = list.n ? "," : "";
    TRM_TRY(next(r));
    if (r->event.type == YAML_SEQUENCE_END_EVENT) break;
    if (r->event.type == YAML_MAPPING_START_EVENT) {
      TRM_TRY(add_mapping(r, name, between, &list));
    } else {
      TRM_TRY(check_item(r, name));
      TRM_TRY(add_word(r, name, between, &list));
    }
  }
  return trm_config_assign(r->config, index, list.text, origin);
}

static trm_status read_value(reader *r, int index) {
  char allowed[TRM_ALLOWED_TEXT_BYTES];
  const trm_config_slot *slot = &r->config->slots[index];
  const trm_config_row *row = trm_config_row_used(r->config, slot);
  trm_config_allowed(slot, row ? row->key : slot->rows[0].key, allowed);
  if (r->event.type == YAML_MAPPING_START_EVENT) {
    return trm_config_fail(here(r), "%s holds further keys; there are two levels only, allowed: %s",
                           slot->name, allowed);
  }
  if (r->event.type == YAML_SEQUENCE_START_EVENT && slot->type == TRM_CONFIG_STRING) {
    return read_list(r, index);
  }
  if (r->event.type != YAML_SCALAR_EVENT) {
    return trm_config_fail(here(r), "%s is a list; allowed: one value, %s", slot->name, allowed);
  }
  if (scalar_is_null(r)) {
    return trm_config_fail(here(r), "%s has no value; remove the line or give one, allowed: %s",
                           slot->name, allowed);
  }
  if (strlen(scalar_text(r)) != r->event.data.scalar.length) {
    return trm_config_fail(here(r), "%s has a zero byte in its value; remove it", slot->name);
  }
  return trm_config_assign(r->config, index, scalar_text(r), here(r));
}

/* The keys of one group, up to the end of its mapping. */
static trm_status read_group(reader *r, const char *group) {
  for (;;) {
    char leaf[MAX_NAME];
    char name[2 * MAX_NAME + 1];
    TRM_TRY(next(r));
    if (r->event.type == YAML_MAPPING_END_EVENT) return TRM_OK;
    TRM_TRY(read_name(r, leaf));
    (void)snprintf(name, sizeof name, "%s.%s", group, leaf);
    const int index = trm_config_find(r->config, name, strlen(name));
    if (index < 0) return trm_config_unknown(r->config, name, here(r));
    TRM_TRY(check_first(r, name, &r->key_lines[index]));
    TRM_TRY(next(r));
    TRM_TRY(read_value(r, index));
  }
}

static trm_status check_group_name(const reader *r, const char *name, int *row) {
  const size_t n = strlen(name);
  *row = trm_config_find_group(r->config, name, n);
  if (*row >= 0) return check_first(r, name, &r->group_lines[*row]);
  if (trm_config_find(r->config, name, n) < 0) return trm_config_unknown(r->config, name, here(r));
  const int n_group = (int)trm_config_group_length(name);
  return trm_config_fail(here(r),
                         "'%s' stands outside its group; write '%.*s:' and below it '%s: ...'",
                         name, n_group, name, name + n_group + 1);
}

/* "groups: [...]": a list where a group would stand is the value of the key that the program says. */
static trm_status read_list_of_key(reader *r, int index) {
  TRM_TRY(check_first(r, r->config->slots[index].name, &r->key_lines[index]));
  TRM_TRY(next(r));
  return read_value(r, index);
}

/* The key of that name, -1: it is none. */
static int find_list(const trm_config *config, const char *name) {
  const trm_config_parts *parts = &config->parts;
  if (!parts->list || strcmp(parts->list, name) != 0) return -1;
  return trm_config_find(config, parts->list_key, strlen(parts->list_key));
}

/* All groups, up to the end of the outer mapping. */
static trm_status read_groups(reader *r) {
  for (;;) {
    char name[MAX_NAME];
    int row;
    TRM_TRY(next(r));
    if (r->event.type == YAML_MAPPING_END_EVENT) return TRM_OK;
    TRM_TRY(read_name(r, name));
    const int list = find_list(r->config, name);
    if (list >= 0) {
      TRM_TRY(read_list_of_key(r, list));
      continue;
    }
    TRM_TRY(check_group_name(r, name, &row));
    TRM_TRY(next(r));
    if (r->event.type == YAML_MAPPING_START_EVENT) {
      TRM_TRY(read_group(r, name));
    } else if (r->event.type != YAML_SCALAR_EVENT || !scalar_is_null(r)) {
      return trm_config_fail(here(r), "group '%s' has a value of its own; write '%s' below it",
                             name, "key: value");
    }
  }
}

static trm_status read_stream(reader *r) {
  TRM_TRY(next(r)); /* start of the stream */
  TRM_TRY(next(r));
  if (r->event.type == YAML_STREAM_END_EVENT) return TRM_OK; /* empty, or comments only */
  TRM_TRY(next(r));
  if (r->event.type == YAML_MAPPING_START_EVENT) {
    TRM_TRY(read_groups(r));
  } else if (r->event.type != YAML_SCALAR_EVENT || !scalar_is_null(r)) {
    return trm_config_fail(here(r), "not groups of keys; write 'group:' and below it, indented by "
                                    "spaces, 'key: value'");
  }
  TRM_TRY(next(r)); /* end of the document */
  TRM_TRY(next(r));
  if (r->event.type == YAML_STREAM_END_EVENT) return TRM_OK;
  return trm_config_fail(here(r), "a second document begins; one file holds one configuration");
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
  status = read_stream(&r);
out:
  yaml_event_delete(&r.event);
  yaml_parser_delete(&r.parser);
  TRM_FREE(r.key_lines);
  TRM_FREE(r.group_lines);
  return status;
}

trm_status trm_config_read_text(trm_config *config, const char *text, const char *label) {
  return read_bytes(config, text, strlen(text), label);
}

static trm_status read_error(const char *path, int error) {
  const char *remedy = error == ENOENT || error == ENOTDIR
                           ? "give the path of a YAML file ('trireme help config' lists its keys)"
                       : error == EACCES ? "make it readable"
                                         : "check the path and the disk";
  return trm_fail(TRM_ERR_CONFIG, "%.400s: cannot read the configuration (%s); %s", path,
                  strerror(error), remedy);
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
    status = read_bytes(config, text, (size_t)n, path);
  }
out:
  TRM_FREE(text);
  (void)close(fd); /* opened for reading: nothing can be lost */
  return status;
}
