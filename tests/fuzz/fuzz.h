/**
 * What the harnesses of tests/fuzz share. Each of them defines LLVMFuzzerTestOneInput, which libFuzzer
 * calls (preset `fuzz`); elsewhere fuzz_main.c calls it, with a corpus and random changes of it.
 *
 * An input that the program refuses is right; wrong are an assertion, a sanitizer's report, a crash, a
 * hang, and memory that is kept.
 */
#ifndef TRIREME_TESTS_FUZZ_H
#define TRIREME_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** Tries one input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** The part of an input that is still to be read. */
typedef struct fuzz_input {
  const uint8_t *data;
  size_t size;
} fuzz_input;

/** Takes a byte, two, or four, lowest first; 0 past the end. */
uint32_t fuzz_take(fuzz_input *in, int n_bytes);
/** Takes up to n bytes. */
fuzz_input fuzz_take_bytes(fuzz_input *in, size_t n);
/** Cuts the rest at lines "%%" into up to `most` pieces; returns how many, 1 at least. Parts left over
 *  are empty. */
int fuzz_take_texts(fuzz_input *in, fuzz_input *parts, int most);
/** A copy with a 0 behind it, without bytes 0; free() it. */
char *fuzz_text(fuzz_input in);

/** A folder of this process in memory where there is one (/dev/shm), removed at exit. */
const char *fuzz_folder(void);
/** Path of a name in it; the text is good for 32 more calls. */
const char *fuzz_path(const char *name);
/** Writes a file there; returns its path. */
const char *fuzz_file(const char *name, fuzz_input contents);
/** The same of a text. */
const char *fuzz_text_file(const char *name, const char *text);

/** Blocks that are allocated now, and that they are no more: ends the program where they are. */
int64_t fuzz_blocks(void);
void fuzz_expect_blocks(int64_t n);

#endif
