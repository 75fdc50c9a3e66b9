"""Ranks that were started with different things: one line names what differs, and both values, and the
job ends at once. The program of another build, the configuration, the data set, its kind."""
import concurrent.futures

from harness import *

folder = temp_folder()
config = small_setup(folder)


def two(*first, second, program=PROGRAM):
    """Rank 0 with the words of `first`, rank 1 with those of `second` and another program file."""
    words = [MPIEXEC, *MPI_FLAGS, "-n", "1", PROGRAM, *first, ":", "-n", "1", program, *second]
    done = subprocess.run(words, env=environment(), timeout=60, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def words(name="run", path=config, *more):
    return ["train", path, "--set", f"run.dir={folder}/{name}", *more]


def check_config():
    more = ["--set", "optimizer.lr=0.5", "--set", "eval.every=7"]
    result = two(*words(), second=words("run", config, *more))
    one_line(result, 78, "optimizer.lr: rank 0 (", "has 0.001, rank 1 (", "has 0.5 (and 1 more differ)",
             "same configuration")


def check_data(name, tokens, difference):
    data = os.path.join(folder, f"{name}.h5")
    good(run("prepare", "synth", "--tokens", tokens, "--vocab", 17, "--seed", 5, "-o", data), name)
    result = two(*words(name), second=words(name, config, "--set", f"data.path={data}"))
    one_line(result, 78, difference, "rank 1 (", "data.path must lead")


def check_build():
    if not other_build(f"{folder}/trireme"):
        return
    result = two(*words("build"), second=words("build"), program=f"{folder}/trireme")
    one_line(result, 78, "the program: rank 0 (", "trireme 0", ", build ", "rank 1 (",
             "start the same file")


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for done in [pool.submit(check_config), pool.submit(check_build),
                 pool.submit(check_data, "longer", 7000, "length in bytes"),
                 pool.submit(check_data, "other", 6000, "checksum")]:
        done.result()
finish()
