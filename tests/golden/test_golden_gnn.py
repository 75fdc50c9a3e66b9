"""20 steps of each model on small graphs give the losses that PyTorch computed, on 1 and on 3 ranks.

gnn_losses.csv was written by gnn_torch.py from the same initial weights, data and samples; the cases
are in gnn_cases.py. No PyTorch is needed here. What is seen is below 5e-7 for the losses and 4e-6 for
the norms of the gradients.
"""

import os
import sys
import tempfile

import gnn_cases
from compare import HERE, MPIRUN, check_run, read_csv

LOSSES = ("loss", 5e-6)
NORMS = ("grad_norm", 5e-5)


def main():
    program = os.environ["TRIREME"]
    rows = read_csv(os.path.join(HERE, "gnn_losses.csv"))
    cases = list(gnn_cases.CASES)
    if sorted({row["case"] for row in rows}) != sorted(cases):
        sys.exit("gnn_losses.csv does not hold the cases of gnn_cases.py; run tests/golden/make")
    good = True
    with tempfile.TemporaryDirectory(prefix="trireme-test-") as folder:
        data = gnn_cases.prepare(program, folder)
        for case in cases:
            expected = [row for row in rows if row["case"] == case]
            for ranks in (1, 3):
                if ranks == 3 and "blocks: 1 " in gnn_cases.batch_line(case):
                    continue  # a rank has a block at least
                path = gnn_cases.train([*MPIRUN, "-n", str(ranks)], program, folder, data, case, f"{case}-{ranks}")
                good &= check_run(path, f"{case} on {ranks} ranks", expected, LOSSES, NORMS)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
