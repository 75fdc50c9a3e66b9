#!/usr/bin/env python3
"""What Optuna's TPESampler(multivariate=False) proposes after histories of trials: tpe_optuna.csv.

usage: tpe_optuna.py --output tests/golden/tpe_optuna.csv     (pip install optuna)

The histories are made here: trials that are complete, pruned at several lengths, and under way. For each the
file has the trials (a line "trial", with the state, the value, the length and the values of the parameters) and
of 4000 proposals the quantiles 0, 1/40, ..., 1 of a number, or the share of each choice.
tests/unit/test_train_tpe.c compares the distributions of trm_tpe_propose with them.
"""
import argparse
import warnings

import numpy
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

N, QUANTILES = 4000, 40
SPACE = {"rate": FloatDistribution(1e-5, 1e-1, log=True), "beta": FloatDistribution(0.0, 0.99),
         "batch": IntDistribution(8, 512, log=True), "layers": IntDistribution(1, 9, step=2),
         "kind": CategoricalDistribution(["a", "b", "c"]), "momentum": FloatDistribution(0.0, 1.0)}
STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "running": TrialState.RUNNING}


def history(n, seed):
    """[(state, value, length, values)]; momentum is there with kind b alone."""
    r = numpy.random.default_rng(seed)
    trials = []
    for i in range(n):
        values = {"rate": float(10 ** r.uniform(-5, -1)), "beta": float(r.uniform(0, 0.99)),
                  "batch": int(round(float(numpy.exp(r.uniform(numpy.log(8), numpy.log(512)))))),
                  "layers": int(1 + 2 * r.integers(5)), "kind": "abc"[r.integers(3)]}
        if values["kind"] == "b":
            values["momentum"] = float(r.uniform(0, 1))
        cost = (numpy.log10(values["rate"]) + 3) ** 2 + values["beta"] + 0.1 * values["layers"]
        cost += (values["kind"] == "a") + 0.2 * r.normal()
        state = "running" if i >= n - 3 else "pruned" if i % 4 == 1 else "complete"
        trials.append((state, round(float(cost), 6), int(1 + i % 3) if state == "pruned" else 0, values))
    return trials


def study_of(trials):
    study = optuna.create_study(direction="minimize")
    for state, value, length, values in trials:
        study.add_trial(create_trial(
            state=STATES[state], params=values, distributions={key: SPACE[key] for key in values},
            value=value if state == "complete" else None,
            intermediate_values={length: value} if state == "pruned" else {}))
    return study


def proposals(trials, key):
    study = study_of(trials)
    sampler = optuna.samplers.TPESampler(multivariate=False, seed=1)
    trial = FrozenTrial(number=10000, trial_id=10000, state=TrialState.RUNNING, value=None, datetime_start=None,
                        datetime_complete=None, params={}, distributions={}, user_attrs={}, system_attrs={},
                        intermediate_values={})
    return [sampler.sample_independent(study, trial, key, SPACE[key]) for _ in range(N)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True)
    output = parser.parse_args().output
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    lines = [f"# by tpe_optuna.py, Optuna {optuna.__version__}, numpy {numpy.__version__}; {N} proposals each"]
    for number, (n, seed) in enumerate(((14, 3), (45, 4), (90, 5))):
        trials = history(n, seed)
        lines.append(f"history,{number},{len(trials)}")
        for state, value, length, values in trials:
            lines.append("trial," + ",".join([state, f"{value:.9g}", str(length)]
                                             + [str(values.get(key, "-")) for key in SPACE]))
        for key, distribution in SPACE.items():
            drawn = proposals(trials, key)
            if isinstance(distribution, CategoricalDistribution):
                said = [drawn.count(choice) / N for choice in distribution.choices]
            else:
                said = numpy.quantile(drawn, numpy.linspace(0, 1, QUANTILES + 1), method="inverted_cdf")
            lines.append(f"proposed,{key}," + ",".join(f"{x:.9g}" for x in said))
    with open(output, "w") as file:
        file.write("\n".join(lines) + "\n")


main()
