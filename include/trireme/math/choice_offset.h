/** Where probabilities of purchases start. */
#ifndef TRIREME_MATH_CHOICE_OFFSET_H
#define TRIREME_MATH_CHOICE_OFFSET_H

/** Log-odds that TRM_CHOICE_EACH adds to every score: a customer buys few of all products in a month, and
 *  biases that had to come from 1 in 2 would take hundreds of steps. About 1 in 400. */
static const double trm_choice_offset = -6;

#endif
