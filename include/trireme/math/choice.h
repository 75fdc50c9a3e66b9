/** What a choice among products costs. */
#ifndef TRIREME_MATH_CHOICE_H
#define TRIREME_MATH_CHOICE_H

/**
 * Losses of a customer u with scores s[J] of products, t_j = s_j - log q_j with q the probability that
 * product j is among them, and weight w for each product p that is bought. What had been bought before
 * (known) and what had not are two lists; a product competes within its own.
 *
 *   softmax  w sum over p of -log(e^t_p / (e^t_p + sum over j in p's list that are not bought of e^t_j))
 *   pairs    w sum over p of -log sigmoid(s_p - s_r) with p's rival r; p without one does not count
 *   each     sum over j of -log sigmoid(s_j) of what is bought, -log(1 - sigmoid(s_j)) / q_j of the rest
 *
 * Sources: Bengio, Senecal 2008, IEEE Trans. Neural Networks 19(4) (sampled softmax); Rendle et al. 2009,
 * arXiv:1205.2618 (pairs).
 */
typedef enum trm_choice_loss {
  TRM_CHOICE_SOFTMAX,
  TRM_CHOICE_PAIRS,
  TRM_CHOICE_EACH,
} trm_choice_loss;

#endif
