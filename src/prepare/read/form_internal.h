/** What form a table of text has: what parts its fields, and what stands before its lines. */
#ifndef TRIREME_PREPARE_FORM_INTERNAL_H
#define TRIREME_PREPARE_FORM_INTERNAL_H

#include "bytes_internal.h"
#include "trireme/prepare/reading.h"

/** Separators beside tab, comma, semicolon and '|', which stand for themselves. */
enum { TRM_BLANKS = ' ', TRM_COLONS = ':' };

/** "tab" and so on to the character that stands for it; 0 when `name` is NULL. @return TRM_ERR_USAGE */
trm_status trm_separator_find(const char *name, char *separator);
/** "tabs", for messages. */
const char *trm_separator_name(char separator);

/** A field at text[0]: how many bytes it has with its quotes, up to the separator or the end. Blanks before
 *  a field that blanks part are not of it. */
int64_t trm_field_length(const char *text, int64_t bytes, char separator, bool quotes);

/** What the fields of a table are. */
typedef enum trm_field_sort {
  TRM_FIELDS_IDS,    /* ids and numbers; lines may be comments */
  TRM_FIELDS_VALUES, /* numbers and texts */
  TRM_FIELDS_TEXTS,  /* texts, which blanks do not part */
} trm_field_sort;

/**
 * What parts the fields of the lines that are in the buffer: what gives all lines equally many fields, at
 * least two; else what most of them have. Quotes are seen, but not where tabs part texts.
 */
char trm_separator_guess(const trm_bytes *bytes, trm_field_sort sort);

/** Takes a first line "sep=;", by which a spreadsheet tells another what parts fields. Returns what; 0:
 *  there is no such line. */
char trm_separator_told(trm_bytes *bytes);

typedef enum trm_preamble {
  TRM_PREAMBLE_NONE,
  TRM_PREAMBLE_MATRIX_MARKET, /* %%MatrixMarket matrix coordinate real general; comments; the size */
  TRM_PREAMBLE_KONECT,        /* % asym unweighted; % edges nodes nodes */
} trm_preamble;

/** What stands before the lines of a table. */
typedef struct trm_table_head {
  trm_preamble preamble;
  char words[64]; /* of its first line: "coordinate real symmetric", "bip weighted" */
  bool symmetric, skew, weighted; /* Matrix Market: one triangle is listed; entries have values */
  bool bipartite, asymmetric;     /* KONECT */
} trm_table_head;

/** Reads the first line of the buffer where it is one of the preambles; takes nothing.
 *  @return TRM_ERR_DATA for forms of Matrix Market that list no edges */
trm_status trm_table_head_read(const trm_bytes *bytes, trm_table_head *head);

#endif
