/** Fields of CSV files. */
#ifndef TRIREME_TRAIN_CSV_H
#define TRIREME_TRAIN_CSV_H

#include <stdio.h>

/** Writes a text as a field: in quotes where it has to be (RFC 4180); ends of lines become blanks. */
void trm_csv_field(const char *text, FILE *file);
/** Cuts a line of numbers and words at commas, in place; returns how many fields there are, at most
 *  `most`. */
int trm_csv_cut(char *line, char **fields, int most);

#endif
