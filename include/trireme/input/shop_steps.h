/**
 * Steps over a shop. A *window* is a day and the month after it: what is known before the day is what a
 * model sees, what is bought in the month is what it is to say. Windows lie `stride` days apart, the last
 * one ends where the days to train on do. A sample is a customer in a window; an epoch has each once, in
 * steps that are of one window each. Which customers a step has is a function of (seed, step) alone.
 *
 * Not collective; knows nothing of MPI. Belongs to one thread.
 */
#ifndef TRIREME_INPUT_SHOP_STEPS_H
#define TRIREME_INPUT_SHOP_STEPS_H

#include "trireme/core/batch.h"
#include "trireme/input/partition.h"
#include "trireme/input/shop.h"

typedef struct trm_shop_steps_options {
  const trm_shop *shop;              /* kept, as what follows */
  const trm_shop_calendar *calendar; /* of it */
  const trm_partition *partition; /* into n_blocks parts, whose order is that of the collection */
  const struct trm_row_exchange *rows; /* of other processes' rows of the collection; NULL: none */
  uint64_t seed;
  int64_t end;           /* days before it are for training */
  int64_t first, stride; /* no window's day is before `first` */
  int64_t month;         /* days of it */
  bool all_customers;    /* whoever bought something before; else who also buys in the month */
  int64_t batch;         /* customers a step, at most */
  int64_t n_blocks;      /* V */
  int64_t first_block, n_local; /* this caller's */
  int64_t negatives; /* products drawn for a step, by how often they were sold; 0: all products */
  bool rivals;       /* each product that is bought gets one that is not */
  double id_drop;    /* probability that a product's own vector is left out of a step */
} trm_shop_steps_options;

typedef struct trm_shop_steps trm_shop_steps;

/** @return TRM_ERR_CONFIG where no window fits or none has a customer, TRM_ERR_MEMORY */
trm_status trm_shop_steps_create(const trm_shop_steps_options *options, trm_shop_steps **out);
/** NULL is accepted; sets NULL. */
void trm_shop_steps_destroy(trm_shop_steps **steps);

/** Samples and steps of an epoch; windows. */
int64_t trm_shop_epoch_samples(const trm_shop_steps *steps);
int64_t trm_shop_epoch_steps(const trm_shop_steps *steps);
int64_t trm_shop_windows(const trm_shop_steps *steps);
/** The day of a step's window. */
int64_t trm_shop_step_day(const trm_shop_steps *steps, int64_t step);
/** Ids of the samples of a step, epoch * samples + place in the list of an epoch: ids[at most batch],
 *  block b has [offsets[b], offsets[b + 1]) of the V. */
void trm_shop_samples(const trm_shop_steps *steps, int64_t step, int64_t *ids, int64_t *offsets);

/** Sizes that no step exceeds, for a dry pass: collection, choices and ids, whose structs are the
 *  steps' own. */
void trm_shop_bounds(trm_shop_steps *steps, trm_graph_batch *batch);
/** A step's collection, choices, and the products of this caller with a vector of their own. Facts,
 *  hops and features are the caller's to add. Valid until the next call. Takes no memory. */
void trm_shop_step_make(trm_shop_steps *steps, int64_t step, trm_graph_batch *batch);

/** Whether a pair was bought on a day in [from, to). */
bool trm_shop_bought(const trm_shop *shop, int64_t pair, int64_t from, int64_t to);
/** Where lists of some customers go. */
typedef struct trm_shop_room {
  int64_t *known_offsets, *bought_offsets; /* [customers + 1] */
  int32_t *known, *bought;                 /* [most_known], [most_bought] */
  float *habits;                           /* [most_known, TRM_SHOP_HABITS] */
  int64_t most_known, most_bought;         /* what there is room for */
} trm_shop_room;
/** What customers[n] had bought before `day`, with habits, and what they buy in [day, to): `known` and
 *  `bought` of choices, whose n_products is there. numbers[n_products]: the number of a product in the
 *  lists, rising with the product, -1: it is left out; NULL: its own. */
void trm_shop_lists(const trm_shop *shop, const int32_t *customers, int64_t n, int64_t day,
                    int64_t to, const int32_t *numbers, const trm_shop_room *room,
                    trm_choices *choices);

/** Facts (trm_shop_facts) of nodes ids[n]: facts[n, TRM_SHOP_FACTS]. */
void trm_shop_facts_fill(const trm_shop_calendar *calendar, const int32_t *ids, int64_t n,
                         int64_t day, float *facts);
/** Of nodes ids[n] the products that were sold before `day` and have a row in the table of vectors:
 *  rows[n_products] says which, -1: none. Returns how many; id_rows and id_places have room for n. */
int64_t trm_shop_ids_list(const trm_shop_calendar *calendar, const int32_t *ids, int64_t n,
                          int64_t day, const int32_t *rows, int32_t *id_rows, int32_t *id_places);

#endif
