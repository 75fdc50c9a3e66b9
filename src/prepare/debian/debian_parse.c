/**
 * Stanzas to packages and their texts.
 *
 * A stanza is a run of lines up to an empty one; a line that begins with a space or a tab goes on
 * with the field before it. Indexes come from many hands: fields in any order, CRLF, stanzas
 * without a description, a last stanza that is cut off are all taken as they are; a stanza without
 * a name and a line without a colon are passed over.
 */
#include <string.h>
#include <strings.h>

#include "debian_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

/* No stanza of a real index is near this; a file without empty lines is no index. */
enum { MAX_STANZA_BYTES = 16 << 20 };

typedef struct span {
  const char *text;
  int64_t n;
} span;

/* The fields that are used; each value with its continuation lines, the line ends in it. */
typedef struct stanza {
  span package, section, description, description_en, provides, tags;
  span relation[TRM_N_RELATIONS];
} stanza;

static span trim(span s) {
  while (s.n > 0 && strchr(" \t\r\n", s.text[0])) ++s.text, --s.n;
  while (s.n > 0 && strchr(" \t\r\n", s.text[s.n - 1])) --s.n;
  return s;
}

static bool named(const char *name, int64_t n, const char *wanted) {
  return n == (int64_t)strlen(wanted) && strncasecmp(name, wanted, (size_t)n) == 0;
}

/* Where the value of a field goes; NULL when it is not used. */
static span *field_place(stanza *s, const char *name, int64_t n) {
  if (named(name, n, "Package")) return &s->package;
  if (named(name, n, "Section")) return &s->section;
  if (named(name, n, "Description")) return &s->description;
  if (named(name, n, "Description-en")) return &s->description_en;
  if (named(name, n, "Provides")) return &s->provides;
  if (named(name, n, "Tag")) return &s->tags;
  for (int kind = 0; kind < TRM_N_RELATIONS; ++kind) {
    if (named(name, n, trm_relation_names[kind])) return &s->relation[kind];
  }
  return NULL;
}

static void parse_fields(const char *text, int64_t bytes, stanza *s) {
  memset(s, 0, sizeof *s);
  span *value = NULL;
  for (int64_t at = 0; at < bytes;) {
    const char *line = text + at, *newline = memchr(line, '\n', (size_t)(bytes - at));
    const int64_t n = newline ? newline - line + 1 : bytes - at;
    at += n;
    if (line[0] == ' ' || line[0] == '\t') {
      if (value) value->n = line + n - value->text;
      continue;
    }
    const char *colon = memchr(line, ':', (size_t)n);
    value = colon ? field_place(s, line, colon - line) : NULL;
    if (value && value->text) value = NULL; /* a field given twice: the first stays */
    if (value) *value = (span){colon + 1, line + n - (colon + 1)};
  }
}

/* Appends UTF-8; bytes that are none become U+FFFD. */
static trm_status append_clean(trm_debian_index *index, trm_buffer *to, span s) {
  if (s.n == 0) return TRM_OK;
  int64_t clean = 0; /* start of a run that is good so far */
  for (int64_t at = 0; at < s.n;) {
    uint32_t cp;
    const int length = trm_utf8_decode(s.text + at, s.n - at, &cp);
    if (length > 0) {
      at += length;
      continue;
    }
    TRM_TRY(trm_buffer_append(to, s.text + clean, at - clean));
    TRM_TRY(trm_buffer_append(to, "\xEF\xBF\xBD", 3));
    ++index->n_replaced;
    clean = ++at;
  }
  return trm_buffer_append(to, s.text + clean, s.n - clean);
}

/* The first line is the synopsis. Of the others one leading space is taken away, and a line "." is
 * an empty one. */
static trm_status append_description(trm_debian_index *index, span s) {
  trm_buffer *text = &index->text;
  while (s.n > 0) {
    const char *newline = memchr(s.text, '\n', (size_t)s.n);
    span line = {s.text, newline ? newline - s.text : s.n};
    s.n -= line.n + (newline ? 1 : 0);
    s.text += line.n + (newline ? 1 : 0);
    while (line.n > 0 && strchr(" \t\r", line.text[line.n - 1])) --line.n;
    if (line.n > 0 && strchr(" \t", line.text[0])) ++line.text, --line.n;
    if (line.n == 1 && line.text[0] == '.') line.n = 0;
    TRM_TRY(append_clean(index, text, line));
    TRM_TRY(trm_buffer_append(text, "\n", 1));
  }
  return TRM_OK;
}

/* "name (section): synopsis\nlong description\n\n" */
static trm_status append_text(trm_debian_index *index, span name, span section, span description) {
  trm_buffer *text = &index->text;
  TRM_TRY(trm_buffer_append(text, name.text, name.n));
  if (section.n > 0) {
    TRM_TRY(trm_buffer_append(text, " (", 2));
    TRM_TRY(trm_buffer_append(text, section.text, section.n));
    TRM_TRY(trm_buffer_append(text, ")", 1));
  }
  if (description.n > 0) {
    TRM_TRY(trm_buffer_append(text, ": ", 2));
    TRM_TRY(append_description(index, description));
  } else {
    TRM_TRY(trm_buffer_append(text, "\n", 1));
  }
  TRM_TRY(trm_buffer_append(text, "\n", 1));
  return trm_buffer_append(&index->text_offsets, &text->n, (int64_t)sizeof text->n);
}

/* Names offered by a package, for telling virtual packages from unknown ones. */
static trm_status add_provided(trm_debian_index *index, span provides) {
  while (provides.n > 0) {
    const char *comma = memchr(provides.text, ',', (size_t)provides.n);
    span one = {provides.text, comma ? comma - provides.text : provides.n};
    provides.n -= one.n + (comma ? 1 : 0);
    provides.text += one.n + (comma ? 1 : 0);
    one = trim(one);
    int64_t n = 0;
    while (n < one.n && !strchr(" \t\r\n(:", one.text[n])) ++n;
    int32_t id;
    bool added;
    if (n > 0) TRM_TRY(trm_names_add(&index->provided, one.text, n, &id, &added));
  }
  return TRM_OK;
}

static trm_status add_package(trm_debian_index *index, const stanza *s, span name, span section) {
  int32_t id, section_id = -1;
  bool added;
  TRM_TRY(trm_names_add(&index->packages, name.text, name.n, &id, &added));
  if (!added) {
    ++index->n_duplicates;
    return TRM_OK;
  }
  if (section.n > 0) {
    TRM_TRY(trm_names_add(&index->sections, section.text, section.n, &section_id, &added));
  }
  const int64_t zero = 0;
  if (id == 0) TRM_TRY(trm_buffer_append(&index->text_offsets, &zero, (int64_t)sizeof zero));
  TRM_TRY(trm_buffer_append(&index->section, &section_id, (int64_t)sizeof section_id));
  for (int kind = 0; kind < TRM_N_RELATIONS; ++kind) {
    trm_buffer *text = &index->relations[kind];
    TRM_TRY(trm_buffer_append(text, s->relation[kind].text, s->relation[kind].n));
    TRM_TRY(trm_buffer_append(&index->relation_ends[kind], &text->n, (int64_t)sizeof text->n));
  }
  trm_buffer *tags = &index->tags;
  TRM_TRY(trm_buffer_append(tags, s->tags.text, s->tags.n));
  TRM_TRY(trm_buffer_append(&index->tag_ends, &tags->n, (int64_t)sizeof tags->n));
  TRM_TRY(add_provided(index, s->provides));
  span description = trim(s->description);
  if (description.n == 0) description = trim(s->description_en);
  return append_text(index, name, section, description);
}

static trm_status end_stanza(trm_debian_index *index) {
  stanza s;
  parse_fields(index->stanza.data, index->stanza.n, &s);
  index->stanza.n = 0;
  /* Name and section become keys and text alike, so they are cleaned before either. */
  trm_buffer *scratch = &index->scratch;
  scratch->n = 0;
  TRM_TRY(append_clean(index, scratch, trim(s.package)));
  const int64_t n_name = scratch->n;
  if (n_name == 0) return TRM_OK;
  TRM_TRY(append_clean(index, scratch, trim(s.section)));
  const span name = {scratch->data, n_name};
  const span section = {scratch->data + n_name, scratch->n - n_name};
  return add_package(index, &s, name, section);
}

static bool is_blank(const char *line, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    if (!strchr(" \t\r\n", line[i]) || line[i] == 0) return false;
  }
  return true;
}

/* Lines are gathered in index->stanza, where the last one may wait for its end. */
trm_status trm_debian_feed(trm_debian_index *index, const char *text, int64_t bytes,
                           const char *label) {
  trm_buffer *stanza_text = &index->stanza;
  index->n_bytes += bytes;
  while (bytes > 0) {
    const char *newline = memchr(text, '\n', (size_t)bytes);
    const int64_t n = newline ? newline - text + 1 : bytes;
    TRM_TRY(trm_buffer_append(stanza_text, text, n));
    text += n;
    bytes -= n;
    if (stanza_text->n > MAX_STANZA_BYTES) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: no package index: %d bytes without an empty line; a compressed file "
                      "must be unpacked first",
                      label, MAX_STANZA_BYTES);
    }
    if (!newline) break;
    int64_t line = stanza_text->n - 1; /* start of the line just ended */
    while (line > 0 && stanza_text->data[line - 1] != '\n') --line;
    if (!is_blank(stanza_text->data + line, stanza_text->n - line)) continue;
    TRM_TRY(end_stanza(index));
  }
  return TRM_OK;
}

trm_status trm_debian_end(trm_debian_index *index) {
  return index->stanza.n > 0 ? end_stanza(index) : TRM_OK;
}

void trm_debian_free(trm_debian_index *index) {
  trm_names_free(&index->packages);
  trm_names_free(&index->sections);
  trm_names_free(&index->provided);
  trm_buffer_free(&index->text);
  trm_buffer_free(&index->text_offsets);
  trm_buffer_free(&index->section);
  trm_buffer_free(&index->tags);
  trm_buffer_free(&index->tag_ends);
  for (int kind = 0; kind < TRM_N_RELATIONS; ++kind) {
    trm_buffer_free(&index->relations[kind]);
    trm_buffer_free(&index->relation_ends[kind]);
  }
  trm_buffer_free(&index->stanza);
  trm_buffer_free(&index->scratch);
}

/* After "name (section)" come ": " and the description, or the end. */
void trm_debian_description(const trm_debian_index *index, int64_t package, const char **text,
                            int64_t *bytes) {
  const int64_t *offsets = (const int64_t *)(const void *)index->text_offsets.data;
  const int64_t *names = trm_names_offsets(&index->packages);
  const int64_t *sections = trm_names_offsets(&index->sections);
  const int32_t section = ((const int32_t *)(const void *)index->section.data)[package];
  int64_t at = offsets[package] + names[package + 1] - names[package];
  if (section >= 0) at += 3 + sections[section + 1] - sections[section];
  *text = index->text.data + at;
  *bytes = offsets[package + 1] - at;
}
