"""20 steps of each model of a small shop give the losses that PyTorch computed, on 3 ranks, and of the
first on 1 too.

shop_losses.csv was written by shop_torch.py from the same initial weights, data and samples; the cases
are in shop_cases.py. No PyTorch is needed here.
"""

import os
import sys
import tempfile

import shop_cases
from compare import HERE, MPIRUN, check_run, read_csv

LOSSES = ("loss", 5e-6)
NORMS = ("grad_norm", 5e-5)


def main():
    program = os.environ["TRIREME"]
    rows = read_csv(os.path.join(HERE, "shop_losses.csv"))
    if sorted({row["case"] for row in rows}) != sorted(shop_cases.CASES):
        sys.exit("shop_losses.csv does not hold the cases of shop_cases.py; run tests/golden/make")
    good = True
    with tempfile.TemporaryDirectory(prefix="trireme-test-") as folder:
        data = shop_cases.prepare(program, folder)
        for case in shop_cases.CASES:
            expected = [row for row in rows if row["case"] == case]
            for ranks in (1, 3) if case == "softmax" else (3,):
                path = shop_cases.train([*MPIRUN, "-n", str(ranks)], program, folder, data, case, f"{case}-{ranks}")
                good &= check_run(path, f"{case} on {ranks} ranks", expected, LOSSES, NORMS)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
