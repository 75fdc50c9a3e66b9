"""50 steps of models on sequences give the losses that PyTorch computed, on 1 and on 3 ranks.

sequences_losses.csv was written by sequences_torch.py from the same initial weights, data and
samples; the cases are the configurations that sequences_cases.py finds. No PyTorch is needed here.
"""

import os
import sys
import tempfile

import sequences_cases
from compare import HERE, MPIRUN, check_run, read_csv

LOSSES = ("loss", 2e-6)
NORMS = ("grad_norm", 5e-6)


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
                good &= check_run(path, f"{case} on {ranks} ranks", expected, LOSSES, NORMS)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
