#include "csv.h"

#include <string.h>

void trm_csv_field(const char *text, FILE *file) {
  if (!strpbrk(text, ",\"\n\r")) {
    (void)fputs(text, file);
    return;
  }
  (void)fputc('"', file);
  for (; *text; ++text) {
    if (*text == '"') (void)fputc('"', file);
    (void)fputc(*text == '\n' || *text == '\r' ? ' ' : *text, file);
  }
  (void)fputc('"', file);
}

int trm_csv_cut(char *line, char **fields, int most) {
  int n = 0;
  for (char *at = line; at && n < most;) {
    fields[n++] = at;
    at = strchr(at, ',');
    if (at) *at++ = 0;
  }
  return n;
}
