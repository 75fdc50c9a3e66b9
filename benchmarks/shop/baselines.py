"""Simple methods on the purchases of a shop, for comparison with model.kind shop (README.md).

    pip install numpy
    python benchmarks/shop/baselines.py FOLDER --test-from 335

FOLDER has purchases.tsv (customer, product, day) and products.tsv (product, description). Known is
what was bought before --test-from; customers are those who had bought something, products all. Rankings
are of products that are new to the customer: recall and NDCG at 20. The logistic regression foresees
whether a customer buys a product within --month days from what `prepare shop` knows of the three: what
was sold lately, how the customer buys, how often and how long ago the pair was. It learns from days of
the past, as the model does.
"""

import argparse
import csv
import functools
import re

import numpy as np

K = 20


def read(folder):
    with open(f"{folder}/purchases.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with open(f"{folder}/products.tsv", newline="") as file:
        texts = list(csv.DictReader(file, delimiter="\t"))
    products = {row["product"]: i for i, row in enumerate(texts)}
    customers = {}
    for row in rows:
        customers.setdefault(row["customer"], len(customers))
    bought = sorted({(customers[r["customer"]], products[r["product"]], int(float(r["day"]))) for r in rows})
    return np.array(bought), len(customers), [row["description"] for row in texts]


class Past:
    """What is known before a day."""

    def __init__(self, bought, n_customers, n_products, day):
        past = bought[bought[:, 2] < day]
        self.day, self.shape = day, (n_customers, n_products)
        self.times = np.zeros(self.shape, "f4")
        np.add.at(self.times, (past[:, 0], past[:, 1]), 1)
        self.known = self.times > 0
        self.first = np.full(self.shape, day, "i4")
        np.minimum.at(self.first, (past[:, 0], past[:, 1]), past[:, 2])
        self.last = np.full(self.shape, -1, "i4")
        np.maximum.at(self.last, (past[:, 0], past[:, 1]), past[:, 2])
        self.sold = lambda low, high: np.bincount(
            past[(past[:, 2] >= day - high) & (past[:, 2] < day - low), 1], minlength=n_products)
        visits = np.unique(past[:, [0, 2]], axis=0)
        self.visits = lambda days: np.bincount(visits[visits[:, 1] >= day - days, 0], minlength=n_customers)
        self.last_visit = np.full(n_customers, -1)
        np.maximum.at(self.last_visit, visits[:, 0], visits[:, 1])
        self.customers = np.flatnonzero(self.last_visit >= 0)

    @functools.cached_property
    def product_facts(self):
        month, everything = self.sold(0, 30), self.sold(0, self.day + 1)
        return np.stack([np.log1p(4 * self.sold(0, 7)), np.log1p(2 * self.sold(0, 14)), np.log1p(month),
                         np.log1p(self.sold(30, 60)), np.log1p(30 * everything / self.day), month == 0,
                         everything == 0], 1)

    @functools.cached_property
    def customer_facts(self):
        return np.stack([np.log1p(self.visits(30)), np.log1p(self.visits(90)), np.log1p(self.visits(self.day + 1)),
                         np.log1p((self.day - self.last_visit) / 7), np.log1p(self.known.sum(1))], 1)

    def rows(self, customers, products):
        """[1 | product | customer | habits] of pairs."""
        times, last = self.times[customers, products], self.last[customers, products]
        known = times > 0
        between = np.where(times > 1, (last - self.first[customers, products]) / np.maximum(times - 1, 1), 0)
        habits = [known, np.where(known, np.log(np.maximum(times, 1)), 0),
                  np.where(known, np.log1p((self.day - last) / 7), 0), np.log1p(between / 7)]
        return np.concatenate([np.ones((len(times), 1)), self.product_facts[products],
                               self.customer_facts[customers], np.stack(habits, 1)], 1)


def rank(scores, past, bought):
    """Recall and NDCG of products new to the customer; `bought`: what is to be found."""
    discount, recalls, ndcgs = 1 / np.log2(np.arange(K) + 2), [], []
    for u in past.customers:
        relevant = bought[u] & ~past.known[u]
        if not relevant.any():
            continue
        top = np.argsort(-np.where(past.known[u], -np.inf, scores[u]), kind="stable")[:K]
        hits, n = relevant[top], relevant.sum()
        recalls.append(hits.sum() / n)
        ndcgs.append((hits * discount).sum() / discount[:min(K, n)].sum())
    return np.mean(recalls), np.mean(ndcgs), len(recalls)


def cosine(rows):
    norm = np.sqrt((rows * rows).sum(1, keepdims=True))
    unit = rows / np.maximum(norm, 1e-9)
    return unit @ unit.T


def words(texts, sold):
    lists = [set(re.findall(r"[a-z0-9']+", text.lower())) for text in texts]
    place = {word: i for i, word in enumerate(sorted(set().union(*lists)))}
    x = np.zeros((len(texts), len(place)), "f4")
    for i, found in enumerate(lists):
        x[i, [place[word] for word in found]] = 1
    documents = x[sold].sum(0)
    return x * np.where(documents > 0, np.log(sold.sum() / np.maximum(documents, 1)), 0)


def simple_methods(past, texts, bought):
    month = past.sold(0, 30)
    text = cosine(words(texts, past.sold(0, past.day + 1) > 0))
    item = cosine(past.known.T.astype("f4"))
    np.fill_diagonal(text, 0)
    np.fill_diagonal(item, 0)
    chosen = past.known.astype("f4")
    everybody = np.ones((len(chosen), 1), "f4")
    for name, scores in (("popularity, all days", everybody * past.sold(0, past.day + 1)),
                         ("popularity, last 30 days", everybody * month),
                         ("item cosine", chosen @ item),
                         ("text cosine", chosen @ text),
                         ("(item + 0.3 text) x (0.1 + log(1 + last 30 days))",
                          (chosen @ (item + 0.3 * text)) * (0.1 + np.log1p(month)))):
        recall, ndcg, n = rank(scores, past, bought)
        print(f"{name:52s} recall {recall:.4f}  ndcg {ndcg:.4f}  ({n} customers)", flush=True)
    rng = np.random.default_rng(1)
    cold = past.sold(0, past.day + 1) == 0
    for name, scores in (("text cosine", chosen @ text), ("popularity (all equal: drawn)", rng.random(chosen.shape))):
        found = []
        for u in past.customers:
            relevant = bought[u] & cold
            if relevant.any():
                top = np.argsort(-np.where(cold, scores[u], -np.inf), kind="stable")[:K]
                found.append(relevant[top].sum() / relevant.sum())
        print(f"{name:52s} recall of {cold.sum()} products nobody had bought {np.mean(found):.4f}", flush=True)


def fit(x, y, weight, rounds=12):
    """Logistic regression by Newton's method, with a trace of L2."""
    w = np.zeros(x.shape[1])
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (weight * (p - y)) + 1e-3 * w
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(len(w))
        w -= np.linalg.solve(hessian, gradient)
    return w


def learn(bought, shape, test_from, month, share):
    rng, xs, ys, weights = np.random.default_rng(1), [], [], []
    for day in range(test_from - month, 59, -7):
        past = Past(bought, *shape, day)
        target = np.zeros(shape, bool)
        ahead = bought[(bought[:, 2] >= day) & (bought[:, 2] < day + month)]
        target[ahead[:, 0], ahead[:, 1]] = True
        target[past.last_visit < 0] = False
        ones = np.argwhere(target)
        n = int(share * len(past.customers) * shape[1])
        rest = np.stack([rng.choice(past.customers, n), rng.integers(0, shape[1], n)], 1)
        rest = rest[~target[rest[:, 0], rest[:, 1]]]
        pairs = np.concatenate([ones, rest])
        xs.append(past.rows(pairs[:, 0], pairs[:, 1]))
        ys.append(np.r_[np.ones(len(ones)), np.zeros(len(rest))])
        weights.append(np.r_[np.ones(len(ones)), np.full(len(rest), 1 / share)])
    return fit(np.concatenate(xs), np.concatenate(ys), np.concatenate(weights))


def auc(scores, labels):
    """By mid-ranks."""
    values, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    n = labels.sum()
    return (ranks[place][labels].sum() - n * (n + 1) / 2) / (n * (len(labels) - n))


def regression(bought, past, month):
    w = learn(bought, past.shape, past.day, month, 1 / 500)
    ahead = bought[(bought[:, 2] >= past.day) & (bought[:, 2] < past.day + month)]
    target = np.zeros(past.shape, bool)
    target[ahead[:, 0], ahead[:, 1]] = True
    logits = np.zeros((len(past.customers), past.shape[1]), "f4")
    every = np.arange(past.shape[1])
    for i, u in enumerate(past.customers):
        logits[i] = past.rows(np.full(len(every), u), every) @ w
    labels = target[past.customers]
    loss = np.logaddexp(0, np.where(labels, -logits, logits)).mean(dtype="f8")
    print(f"logistic regression: auc {auc(logits.ravel(), labels.ravel()):.4f}  log loss {loss:.6f}")
    rate = labels.mean()
    print(f"the share of pairs that are bought for each, {rate:.5f}: log loss "
          f"{-(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)):.6f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--test-from", type=int, default=335)
    parser.add_argument("--month", type=int, default=30)
    given = parser.parse_args()
    bought, n_customers, texts = read(given.folder)
    past = Past(bought, n_customers, len(texts), given.test_from)
    after = np.zeros(past.shape, bool)
    ahead = bought[bought[:, 2] >= given.test_from]
    after[ahead[:, 0], ahead[:, 1]] = True
    simple_methods(past, texts, after)
    regression(bought, past, given.month)


if __name__ == "__main__":
    main()
