"""Every exercise of examples/ in its quick size, from data that it makes itself: each prints its table, a second
start trains nothing again, and a mistake is told."""
from harness import *

if sanitized():
    skip("what is trained here is trained by other tests with sanitizers")
folder = temp_folder()
runner = os.path.join(SOURCE, "examples", "run-all")
environment = dict(os.environ, TRIREME=PROGRAM, TRIREME_DATA=os.path.join(folder, "none"))


def run_all(*words):
    return subprocess.run([runner, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
                          env=environment)


def exercises():
    base = os.path.join(SOURCE, "examples")
    return sorted(name for name in os.listdir(base) if os.path.exists(os.path.join(base, name, "run")))


def check_tables():
    done = run_all("--quick", "out")
    check(done.returncode == 0, f"run-all: {done.stdout}")
    for name in exercises():
        check(f"== {name}" in done.stdout, f"{name} was not run: {done.stdout}")
        tables = [file for file in os.listdir(os.path.join(folder, "out", name)) if file.endswith(".tsv") and "table" in file]
        check(tables, f"{name} left no table")
        for table in tables:
            with open(os.path.join(folder, "out", name, table)) as file:
                rows = [line.rstrip("\n").split("\t") for line in file]
            check(len(rows) > 1 and all(len(row) == len(rows[0]) for row in rows), f"{name}: {rows}")
            check(all(cell not in ("", "-") for row in rows for cell in row), f"{name}: {rows}")


def check_again():
    before = {path: os.path.getmtime(path) for path in all_metrics()}
    check(run_all("--quick", "out").returncode == 0, "the second start")
    check(before == {path: os.path.getmtime(path) for path in all_metrics()}, "what is there was trained again")


def all_metrics():
    return [os.path.join(base, name) for base, _, names in os.walk(os.path.join(folder, "out")) for name in names
            if name == "metrics.csv"]


check_tables()
check_again()
done = run_all("--fast")
check(done.returncode == 64 and "no option '--fast'" in done.stdout, done.stdout)
finish()
