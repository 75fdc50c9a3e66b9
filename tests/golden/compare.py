"""What the tests against an independent program share: runs of ours beside the losses that it computed."""

import csv
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MPIRUN = [os.environ.get("TRM_MPIEXEC", "mpirun"), *os.environ["TRM_MPI_FLAGS"].split()]


def read_csv(path):
    with open(path) as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def check(name, step, got, want, tolerance):
    difference = abs(got - want) / abs(want)
    if difference <= tolerance:
        return True
    print(f"step {step}: {name} is {got:.9g}, PyTorch's {want:.9g}: "
          f"relative difference {difference:.2e}, allowed {tolerance:.0e}", file=sys.stderr)
    return False


def check_run(path, what, expected, losses, norms):
    """Losses and norms of gradients of every step in metrics.csv against the rows `expected`; `losses` and `norms`
    are each a column of those and the relative difference that is allowed."""
    rows = [row for row in read_csv(os.path.join(path, "metrics.csv")) if row["loss"]]
    if [row["step"] for row in rows] != [row["step"] for row in expected]:
        sys.exit(f"{what}: metrics.csv has {len(rows)} steps, not {len(expected)}")
    for row, want in zip(rows, expected):
        step = f"{want['step']} of {what}"
        same = check("loss", step, float(row["loss"]), float(want[losses[0]]), losses[1])
        same &= check("gradient norm", step, float(row["grad_norm"]), float(want[norms[0]]), norms[1])
        if not same:  # the steps after it differ because this one does
            return False
    return True
