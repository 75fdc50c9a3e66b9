"""The user's own optimizer and schedule: the example as a stranger builds it, against an installed Trireme;
one hash of the weights whatever the ranks, the threads and the sharing out, also when the run is stopped or
killed and goes on elsewhere; and libraries that do not fit.

Arguments: build folder, C compiler, whether the program may be installed (0: sanitized)."""
import os
import shutil
import signal

from harness import *

BUILD, COMPILER, INSTALLS = sys.argv[1], sys.argv[2], sys.argv[3] == "1"
HEADERS = os.path.join(SOURCE, "include")
folder = temp_folder()
config = small_setup(folder, text=SMALL.replace("width: 32", "width: 48").replace("schedule: {warmup_steps: 5}\n", ""))
quick = ["--set", "checkpoint.initial=false", "--set", "checkpoint.every=0", "--set", "log.tensorboard=false"]


def shell(*words, cwd=None):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd)
    check(done.returncode == 0, f"{' '.join(words)}: {done.stdout}")
    return done.stdout


def compile_text(name, text, *flags, include=HEADERS):
    """A library from C text; its path."""
    source, library = os.path.join(folder, name + ".c"), os.path.join(folder, name + ".so")
    with open(source, "w") as file:
        file.write(text)
    shell(COMPILER, "-std=c17", "-O2", "-ffp-contract=off", "-fPIC", "-shared", f"-I{include}", *flags, source, "-o",
          library, "-lm")
    return library


def built_example():
    """The folder of the example's libraries."""
    example, out = os.path.join(folder, "example"), os.path.join(folder, "example-build")
    if INSTALLS:
        prefix = os.path.join(folder, "prefix")
        shell("cmake", "--install", BUILD, "--prefix", prefix)
        shutil.copytree(os.path.join(prefix, "share", "trireme", "examples", "optimizer"), example)
        shell("cmake", "-S", example, "-B", out, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={COMPILER}",
              "-DCMAKE_C_FLAGS=-Wall -Wextra -Wconversion -Werror")
        shell("cmake", "--build", out)
    else:
        os.makedirs(out)
        for name in ("qhm", "unit_step", "triangle"):
            with open(os.path.join(SOURCE, "examples", "optimizer", name + ".c")) as file:
                shutil.move(compile_text(name, file.read()), out)
    return out


libraries = built_example()
QHM, UNIT, TRIANGLE = (os.path.join(libraries, name + ".so") for name in ("qhm", "unit_step", "triangle"))


def own(library, settings="", schedule=TRIANGLE, lr=0.2):
    words = ["optimizer.name=plugin", f"optimizer.plugin={library}", f"optimizer.plugin_settings={settings}",
             f"optimizer.lr={lr}"]
    if schedule:
        words += ["schedule.name=plugin", f"schedule.plugin={schedule}", "schedule.plugin_settings=half_period=4",
                  "schedule.warmup_steps=3"]
    return [word for option in words for word in ("--set", option)]


def rates(run_dir):
    return {int(r["step"]): float(r["lr"]) for r in rows(run_dir) if r["loss"]}


# ---- the same bits everywhere -----------------------------------------------------------------------

for name, library, settings, lr in (("qhm", QHM, "nu=0.7, beta = 0.9", 0.5), ("unit_step", UNIT, "beta=0.8", 0.01)):
    more = own(library, settings, lr=lr)
    if name == "qhm":
        more += ["--set", "optimizer.gradient_noise=1e-4"]
    base = os.path.join(folder, f"{name}-1x1")
    result = train(config, base, *quick, *more, ranks=1)
    good(result, name)
    check(f"optimizer.plugin: {name} 1.0 from" in result.err, f"the log names it: {result.err}")
    check(losses(base)[20] < losses(base)[1], f"{name} learns: {losses(base)[1]}, then {losses(base)[20]}")
    for ranks, threads, sharded in ((2, 2, "true"), (2, 1, "false"), (3, 1, "true"), (4, 1, "true")):
        got = os.path.join(folder, f"{name}-{ranks}x{threads}{sharded}")
        good(train(config, got, *quick, *more, "--set", f"optimizer.sharded={sharded}", ranks=ranks, threads=threads),
             f"{name} on {ranks} x {threads}, sharded {sharded}")
        equal(hashes(got), hashes(base), f"{name} on {ranks} x {threads}, sharded {sharded}")
    # Stopped half way on 2 ranks with shared-out state; goes on on 3 without.
    half = os.path.join(folder, f"{name}-half")
    good(train(config, half, *quick, *more, "--set", "checkpoint.every=7", "--set", "checkpoint.keep=99", "--set",
               "optimizer.sharded=true", ranks=2), f"{name}, half")
    checkpoint = os.path.join(half, "checkpoints", "step_00000007.h5")
    rest = os.path.join(folder, f"{name}-rest")
    good(train(config, rest, *quick, *more, f"--resume={checkpoint}", ranks=3), f"{name}, the rest")
    equal(hashes(rest)[20], hashes(base)[20], f"{name}: resumed at step 7")

# The schedule is the formula of its page: 3 steps of warm-up, then triangles of 4 up and 4 down from a tenth.
triangle = {step: 0.2 * (0.1 + 0.9 * (t if t <= 4 else 8 - t) / 4) for step in range(4, 21) for t in [(step - 4) % 8]}
base = os.path.join(folder, "triangle")
good(train(config, base, *quick, "--set", "optimizer.name=sgd", *own(QHM)[8:], "--set", "optimizer.lr=0.2"), "triangle")
for step, rate in triangle.items():
    check(abs(rates(base)[step] - rate) < 1e-6, f"rate of step {step}: {rates(base)[step]}, expected {rate}")

# nu = 1, beta = 0 and nu = 0 are both plain SGD, as ours without momentum.
plain = {}
for name, words in (("nu=0", own(QHM, "nu=0", None)), ("beta=0", own(QHM, "nu=1, beta=0", None)),
                    ("sgd", ["--set", "optimizer.name=sgd", "--set", "optimizer.momentum=0", "--set", "optimizer.lr=0.2"])):
    good(train(config, os.path.join(folder, name), *quick, *words, "--set", "optimizer.weight_decay=0"), name)
    plain[name] = losses(os.path.join(folder, name))
equal(plain["nu=0"], plain["beta=0"], "plain SGD in two ways")
check(all(abs(plain["nu=0"][step] - plain["sgd"][step]) < 1e-5 for step in plain["sgd"]), f"as sgd: {plain}")

# Which optimizer made the weights is no matter to their mean, in either order.
for order in (["nu=0", "sgd", "triangle"], ["triangle", "sgd", "nu=0"]):
    good(run("average", *(os.path.join(folder, name) for name in order), "-o", os.path.join(folder, "mean.h5")),
         f"mean of {order}")

# Killed while it trains, it goes on.
killed = os.path.join(folder, "killed")
more = [*own(QHM, "nu=0.7, beta = 0.9", lr=0.5), "--set", "train.steps=120", "--set", "checkpoint.every=4"]
process = start("train", config, "--set", f"run.dir={killed}", *more, ranks=2)
wait_for(lambda: os.path.isdir(os.path.join(killed, "checkpoints")) and len(checkpoints(killed)) > 2, 60, "checkpoints")
for pid in [*children(process.pid), process.pid]:
    os.kill(pid, signal.SIGKILL)
process.communicate()
check(max(hashes(killed)) < 120, "it was killed on its way")
good(train(config, killed, *more, "--resume", ranks=3), "killed, then resumed")
good(train(config, os.path.join(folder, "whole"), *more, ranks=1), "never killed")
equal(hashes(killed)[120], hashes(os.path.join(folder, "whole"))[120], "killed and resumed")

# ---- another library, and who may name one --------------------------------------------------------

base = os.path.join(folder, "qhm-1x1")
with open(os.path.join(SOURCE, "examples", "optimizer", "qhm.c")) as file:
    TEXT = file.read()
newer = compile_text("newer", TEXT.replace('"1.0"', '"1.1"'))
rebuilt = compile_text("rebuilt", TEXT, "-O0", "-g")
NOISE = ["--set", "optimizer.gradient_noise=1e-4"]
more = own(newer, "nu=0.7, beta = 0.9", lr=0.5) + NOISE
one_line(train(config, base, *quick, *more, "--resume"), 78, "qhm 1.1", "was made with qhm 1.0", "--allow-changes")
more = own(rebuilt, "nu=0.7, beta = 0.9", lr=0.5) + NOISE
one_line(train(config, base, *quick, *more, "--resume"), 78, "another file of qhm 1.0", "--allow-changes")
other = own(QHM, "nu=0.5, beta = 0.9", lr=0.5) + NOISE
one_line(train(config, base, *quick, *other, "--resume"), 78, "optimizer.plugin_settings is nu=0.5")
result = train(config, base, *quick, *more, "--resume", "--allow-changes", "--set", "train.steps=21")
good(result, "another library on request")
check("warning: optimizer.plugin is qhm 1.0" in result.err, result.err)

# Whoever reads a checkpoint loads nothing: the library it names may be anything by now.
mark = os.path.join(folder, "mark")
trap = compile_text("trap", TEXT)
good(train(config, os.path.join(folder, "trapped"), *quick, *own(trap, schedule=None), "--set", "checkpoint.every=10"),
     "a run to be trapped")
original = os.path.join(folder, "original.so")
shutil.copy(trap, original)
compile_text("trap", TEXT + '#include <stdio.h>\n__attribute__((constructor)) static void spring(void) '
             '{ fclose(fopen("%s", "w")); }\n' % mark)
trapped = os.path.join(folder, "trapped")
good(run("evaluate", trapped), "evaluate")
good(run("inspect", os.path.join(trapped, "checkpoints", checkpoints(trapped)[-1])), "inspect")
good(run("generate", trapped, "-n", "3"), "generate")
one_line(run("verify", trapped), 64, "never loaded from a path in a checkpoint", "--plugin FILE.so")
good(run("verify", trapped, "--plugin", original), "verify with the library")
good(run("bisect", trapped, trapped, "--plugin", original), "bisect with the library")
check(not os.path.exists(mark), "a library was loaded from a path in a checkpoint")
one_line(run("verify", trapped, "--plugin", rebuilt), 78, "another file of qhm 1.0")
equal(run("train", config, "--check", *own(trap)).code, 0, "check")
check(os.path.exists(mark), "the trap works")

# ---- what does not fit is one line ------------------------------------------------------------------

missing = os.path.join(folder, "missing.so")


def refused(library, code, *parts, settings="", ranks=0):
    one_line(train(config, os.path.join(folder, "x"), *own(library, settings, None), ranks=ranks), code, *parts)
    check(not os.path.exists(os.path.join(folder, "x")), "nothing is left behind")


def changed(name, before, after):
    check(before in TEXT, before)
    return compile_text(name, TEXT.replace(before, after))


refused(missing, 66, "optimizer.plugin", missing, "No such file")
refused(missing, 66, "optimizer.plugin", missing, "No such file", ranks=2)
refused(folder, 74, "directory")
refused(config, 78, "cannot be loaded as a shared library")
refused(compile_text("nothing", "int nothing;\n"), 78, "has no trm_plugin_optimizer_entry")
refused(TRIANGLE, 78, "has no trm_plugin_optimizer_entry", "one of the other kind")
HEAD = "TRM_PLUGIN_OPTIMIZER_HEAD"
refused(changed("abi", HEAD, HEAD + ", .abi = 7"), 78, "version 7 of plug-ins, this program has 1", "plugin.h")
refused(changed("size", HEAD, HEAD + ", .bytes = 40"), 78, "has 40 bytes")
refused(changed("real", HEAD, HEAD + ", .real_bytes = 8"), 78, "numbers of 8")
refused(changed("states", ".n_states = 1", ".n_states = 9"), 78, "9 state arrays", "0 to 8")
refused(changed("negative", ".n_states = 1", ".n_states = -1"), 78, "-1 state arrays")
refused(changed("nameless", ".n_states = 1", ".n_states = 2"), 78, "state array 1 no name")
refused(changed("twice", '.n_states = 1,\n                        .state_names = {"m"}',
                '.n_states = 2, .state_names = {"m", "m"}'), 78, "state array 1 no name of its own")
refused(changed("anonymous", '"qhm"', '""'), 78, "has no name")
refused(changed("stepless", ".step = step", ".step = 0 * sizeof(step)"), 78, "has no step")
refused(QHM, 78, "no setting 'mu'", "did you mean 'nu'?", "it has nu, beta", settings="mu=0.5")
refused(QHM, 78, "nu is '2'", "from 0 to 1", settings="nu=2")
refused(QHM, 78, "nu is 'x'", settings="nu=x")
refused(QHM, 78, "nu is given twice", settings="nu=0.1 nu=0.2")
refused(QHM, 78, "'nu' is no setting", settings="nu")
refused(QHM, 78, "optimizer.plugin_settings has 4096 bytes or more", settings="nu=0.5" + 4090 * " ")
one_line(train(config, os.path.join(folder, "x"), "--set", "optimizer.name=plugin"), 78, "optimizer.plugin has no value")
one_line(train(config, os.path.join(folder, "x"), "--set", "optimizer.plugin=x.so"), 78, "it is for optimizer.name plugin")
one_line(train(config, os.path.join(folder, "x"), *own(QHM), "--set", "schedule.plugin_settings=half_period=1.5"), 78,
         "schedule.plugin_settings: triangle 1.0: half_period is 1.5")

# Numbers that are none, and where they are.
def diverges(result, *parts):
    equal(result.code, 76, result.err)
    errors = [line for line in result.lines() if line.startswith("error: ")]
    check(len(errors) == 1 and all(part in errors[0] for part in parts), f"{parts} in one line: {result.err}")


spoilt = changed("spoilt", "m[i] + decay * w);",
                 "m[i] + decay * w);\n    if (s->step == 4 && s->parameter->n_dims == 1) s->w[i] = 0.0f / 0.0f;")
for ranks, sharded in ((1, "false"), (2, "true")):
    diverges(train(config, os.path.join(folder, f"nan-{ranks}"), *quick, *own(spoilt), "--set",
                   f"optimizer.sharded={sharded}", ranks=ranks), "step 5: the gradients are finite",
             "optimizer.plugin (qhm 1.0)", "bias")
with open(os.path.join(SOURCE, "examples", "optimizer", "triangle.c")) as file:
    endless = compile_text("endless", file.read().replace("return low +", "if (m->step > 5) return -1;\n  return low +"))
diverges(train(config, os.path.join(folder, "rate"), *quick, *own(QHM, schedule=endless)),
         "step 7: the learning rate of schedule.name plugin is -1")
finish()
