/**
 * Counter-based random numbers: Philox 4x32-10 of Random123.
 * Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3" (SC'11).
 *
 * A number is a pure function of (seed, purpose, step, salt) in the key and (sample, position) in
 * the counter, so neither rank, thread, block nor restart can change it.
 */
#ifndef TRIREME_CORE_RANDOM_H
#define TRIREME_CORE_RANDOM_H

#include <stdint.h>

/** What a number is drawn for; values are stored in no file but fix the stream: never renumber. */
typedef enum trm_random_purpose {
  TRM_RANDOM_INIT = 1,     /* initial weights */
  TRM_RANDOM_SHUFFLE = 2,  /* order of samples */
  TRM_RANDOM_DROPOUT = 3,  /* dropout masks */
  TRM_RANDOM_PHASE = 4,    /* offset of the windows of a text in an epoch */
  TRM_RANDOM_GENERATE = 5, /* sampling of tokens */
  TRM_RANDOM_TEST = 6,     /* tests and synthetic data */
  TRM_RANDOM_NEIGHBOR = 7, /* sampled neighbours */
  TRM_RANDOM_EDGE = 8,     /* edges left out (DropEdge) */
  TRM_RANDOM_NEGATIVE = 9, /* items a user did not choose */
  TRM_RANDOM_SPLIT = 10,   /* random splits of a data set */
  TRM_RANDOM_AUGMENT = 11, /* what is done to samples before training on them */
  TRM_RANDOM_ATTACK = 12,  /* where attacks on inputs start */
  TRM_RANDOM_NOISE = 13,   /* noise on gradients */
  TRM_RANDOM_SEARCH = 14,  /* values of a search */
  TRM_RANDOM_PART = 15,    /* which of the training part is trained on */
  TRM_RANDOM_IDS = 16,     /* products whose vector is left out of a step */
} trm_random_purpose;

typedef struct trm_random_key {
  uint32_t k[2];
} trm_random_key;

/**
 * Key from (seed, purpose, step, salt); salt tells apart users of one purpose, e.g. layers.
 * A chain of trm_mix64, whose links are bijections: keys that differ in one of the four numbers only
 * never collide. Pure, as all functions here: any thread may call them.
 */
trm_random_key trm_random_key_make(uint64_t seed, trm_random_purpose purpose, uint64_t step,
                                   uint64_t salt);

/** Four 32-bit words for counter (sample, position). */
void trm_random_words(trm_random_key key, uint64_t sample, uint64_t position, uint32_t out[4]);

/** Uniform double in [0, 1), 53 random bits. */
double trm_random_uniform(trm_random_key key, uint64_t sample, uint64_t position);

/**
 * Uniform integer in [0, n), n > 0, without modulo bias past 2^-64 (multiply-shift on 64 bits).
 * Source: Lemire 2019, "Fast random integer generation in an interval", arXiv:1805.10941, without
 * its rejection step.
 */
uint64_t trm_random_below(trm_random_key key, uint64_t sample, uint64_t position, uint64_t n);

/** Standard normal (Box-Muller on doubles). */
double trm_random_normal(trm_random_key key, uint64_t sample, uint64_t position);

/**
 * 64-bit finaliser (splitmix64), for mixing ids into keys: a bijection without 0 as a fixed point.
 * Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators" (OOPSLA'14),
 * figure 15, with the constants of variant 13.
 */
uint64_t trm_mix64(uint64_t x);

#endif
