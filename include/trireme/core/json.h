/** Pieces of JSON (RFC 8259). */
#ifndef TRIREME_CORE_JSON_H
#define TRIREME_CORE_JSON_H

#include <stdio.h>

/** A text in quotes; what is no UTF-8 becomes U+FFFD. */
void trm_json_text(FILE *file, const char *text);
/** A number that reads back as the same double; null where it is not finite, as JSON has no such. */
void trm_json_real(FILE *file, double value);

#endif
