"""Models on images and tables give the losses that PyTorch computed, on 1 and on 3 ranks.

images_losses.csv was written by images_torch.py from the same initial weights, data and samples; the
cases are those of images_cases.py. No PyTorch is needed here.
"""

import os
import sys
import tempfile

import images_cases
from compare import HERE, MPIRUN, check_run, read_csv

LOSSES = ("loss", 5e-6)
NORMS = ("grad_norm", 5e-5)


def main():
    program = os.environ["TRIREME"]
    rows = read_csv(os.path.join(HERE, "images_losses.csv"))
    if {row["case"] for row in rows} != set(images_cases.CASES):
        sys.exit("images_losses.csv does not hold the cases of images_cases.py; run tests/golden/make")
    good = True
    with tempfile.TemporaryDirectory(prefix="trireme-test-") as folder:
        data = images_cases.prepare(program, folder)
        for case in images_cases.CASES:
            expected = [row for row in rows if row["case"] == case]
            for ranks in images_cases.ranks_of(case):
                launcher = [*MPIRUN, "-n", str(ranks)]
                path = images_cases.train(launcher, program, folder, data, case, f"{case}-{ranks}")
                good &= check_run(path, f"{case} on {ranks} ranks", expected, LOSSES, NORMS)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
