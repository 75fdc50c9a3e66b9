"""Random kills over one run under launch/run --restart: what test_launch_kills.py, on this host, and
cluster/test_kills.py, on several, share. Standard library only."""
import random

from launching import *

# No key depends on the length of the run, which is known when all kills are done.
KEYS = ["--set", "eval.every=0", "--set", "log.tensorboard=false", "--set", "schedule.name=constant",
        "--set", "schedule.warmup_steps=0"]


class Kills:
    """`n` kills of one run, by `ways`: {kind: (how often, function)}.

    A function kills, waits until launch/run has noticed, and returns the process that goes on; None
    where that kind cannot be done now. `begin(keys)` starts launch/run, `ranks(process)` lists its ranks.
    """

    def __init__(self, n, seed, begin, ranks, ways):
        random.seed(seed)
        self.n, self.seed, self.ranks, self.ways = n, seed, ranks, ways
        self.folder = temp_folder()
        self.config = small_setup(self.folder)
        self.run_dir = os.path.join(self.folder, "killed")
        keys = ["--resume", "--set", f"run.dir={self.run_dir}", *ENDLESS, *KEYS, "--set",
                "checkpoint.every=2", "--set", "checkpoint.keep=3"]
        self.begin = lambda: begin(self.config, keys)
        self.counts = {kind: 0 for kind in ways}

    def done(self):
        return sum(self.counts.values())

    def kill(self, process, saved):
        """One more, when a checkpoint after `saved` is there; None when the run has ended."""
        wait_for(lambda: process.poll() is not None or
                 (newest(self.run_dir) > saved and self.ranks(process)), 240,
                 lambda: f"a checkpoint after step {saved}: {text(process)[-500:]!r}")
        while process.poll() is None:
            time.sleep(random.uniform(0, 0.3))
            kinds = random.choices(list(self.ways), [often for often, _ in self.ways.values()])
            went_on = self.ways[kinds[0]][1](process) if self.ranks(process) else None
            if went_on:
                self.counts[kinds[0]] += 1
                return went_on
        return None

    def check_bits(self):
        """A few steps more; all are those of a run that nobody touched."""
        steps = ["--set", f"train.steps={newest(self.run_dir) + 10}", *KEYS]
        whole = os.path.join(self.folder, "whole")
        good(train(self.config, self.run_dir, "--resume", *steps, timeout=600), "to its end")
        good(train(self.config, whole, *steps, "--set", "checkpoint.every=1000", timeout=3600), "undisturbed")
        equal(hashes(self.run_dir), hashes(whole), f"weights after {self.counts}, seed {self.seed}")

    def finish(self, loud):
        """All kills, then to the end."""
        process, saved = self.begin(), -1
        while self.done() < self.n:
            went_on = self.kill(process, saved)
            if not went_on:
                break
            process, saved = went_on, newest(self.run_dir)
            if loud and self.done() % 10 == 0:
                print(f"{self.done()} kills ({self.counts}), step {saved}", flush=True)
        process.send_signal(signal.SIGTERM)
        result = end(process, 120)
        equal(result.code, 75, f"the run is stopped; it said {result.err[-1000:]!r}")
        equal(self.done(), self.n, f"kills: {self.counts}")
        self.check_bits()
        if loud:
            print(f"{self.done()} kills ({self.counts}), seed {self.seed}: the weights of an undisturbed run")
        finish()


def noticed(process, what):
    """Runs `what`; returns the process when launch/run has said that it starts again, or has ended."""
    lost = lambda: len(re.findall("starting again", text(process)))
    before = lost()
    what()
    wait_for(lambda: process.poll() is not None or lost() > before, 120,
             lambda: f"a loss is noticed; launch/run said {text(process)[-500:]!r}")
    return process
