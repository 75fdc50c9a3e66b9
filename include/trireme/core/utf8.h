/** UTF-8, strict: no overlong forms, no surrogates, nothing past U+10FFFF (RFC 3629). */
#ifndef TRIREME_CORE_UTF8_H
#define TRIREME_CORE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

enum { TRM_N_CODE_POINTS = 0x110000, TRM_UTF8_MAX_BYTES = 4 };

enum { TRM_UTF8_INVALID = -1, TRM_UTF8_INCOMPLETE = 0 };

/**
 * Decodes the code point at text[0]; `bytes` >= 1 are there.
 * @return its length 1 to 4; TRM_UTF8_INCOMPLETE when the text ends inside a character that was
 *         valid so far; TRM_UTF8_INVALID
 */
int trm_utf8_decode(const char *text, int64_t bytes, uint32_t *code_point);

/** Writes a code point that is no surrogate; returns its length. Not 0-terminated. */
int trm_utf8_encode(uint32_t code_point, char out[TRM_UTF8_MAX_BYTES]);

/** What a character is that cannot be seen, or is taken for a blank ("a no-break space"); NULL: it is none
 *  of those. Blank, tab and line ends are not. */
const char *trm_text_invisible(uint32_t code_point);

/** A piece of text on one line: control characters, quotes and what cannot be seen escaped, invalid bytes as \xNN.
 *  Always 0-terminated; cut at a whole character. Returns the bytes of `text` that fitted. */
int64_t trm_text_escape(const char *text, int64_t bytes, char *out, int64_t size);
/** The same for people, with " ..." behind a text that was cut; `more`: it goes on in any case. */
void trm_text_escape_cut(const char *text, int64_t bytes, bool more, char *out, int64_t size);

#endif
