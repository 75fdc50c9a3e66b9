"""50 steps of models on sequences give the losses that PyTorch computed, on 1 and on 3 ranks.

sequences_losses.csv was written by sequences_torch.py from the same initial weights, data and
samples; the cases are the configurations that sequences_cases.py finds. No PyTorch is needed here.
"""

import os
import sys
import tempfile

import sequences_cases
from test_golden_decoder import HERE, MPIRUN, check, read_csv

LOSS_TOLERANCE = 2e-6
NORM_TOLERANCE = 5e-6


def check_run(path, case, ranks, expected):
    rows = [row for row in read_csv(os.path.join(path, "metrics.csv")) if row["loss"]]
    if [row["step"] for row in rows] != [row["step"] for row in expected]:
        sys.exit(f"{case} on {ranks} ranks: metrics.csv has {len(rows)} steps, not {len(expected)}")
    for row, want in zip(rows, expected):
        step = f"{want['step']} of {case} on {ranks} ranks"
        same = check("loss", step, float(row["loss"]), float(want["loss"]), LOSS_TOLERANCE)
        same &= check("gradient norm", step, float(row["grad_norm"]), float(want["grad_norm"]), NORM_TOLERANCE)
        if not same:  # the steps after it differ because this one does
            return False
    return True


def main():
    program = os.environ["TRIREME"]
    rows = read_csv(os.path.join(HERE, "sequences_losses.csv"))
    cases = sequences_cases.cases()
    if sorted({row["case"] for row in rows}) != cases:
        sys.exit("sequences_losses.csv does not hold the cases of sequences_cases.py; run tests/golden/make")
    good = True
    with tempfile.TemporaryDirectory(prefix="trireme-test-") as folder:
        data = sequences_cases.prepare(program, folder)
        for case in cases:
            expected = [row for row in rows if row["case"] == case]
            for ranks in (1, 3):
                launcher = [*MPIRUN, "-n", str(ranks)]
                path = sequences_cases.train(launcher, program, folder, data, case, f"{case}-{ranks}")
                good &= check_run(path, case, ranks, expected)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
