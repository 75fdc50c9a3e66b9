/** Options that a command does not have and people try: what they are here. */
#ifndef TRIREME_APP_OPTION_WORDS_H
#define TRIREME_APP_OPTION_WORDS_H

#include "app.h"

/** What is to be done instead of `word` ("--dry-run", "-k"), a part of a sentence; NULL: nothing is known. */
const char *app_option_advice(const char *command, const char *word);
/** The option of these that `word` is a longer, shorter or joined form of: "--beam-size" of "--beam",
 *  "--out" of "--output"; NULL: none, or several. */
const char *app_option_related(const app_option *options, int n, const char *word);
/** The command that a word of other programs means: "fit" is "train"; NULL: none is known. */
const char *app_command_meant(const char *word);

#endif
