"""The guide's commands, in their order, in an empty folder, as a reader would type them; and its Python, against
what the program says of the same weights."""
from harness import *

if sanitized():
    skip("the same commands run elsewhere with sanitizers")
folder = temp_folder()
environ = environment()
environ["PATH"] = os.path.dirname(PROGRAM) + os.pathsep + environ["PATH"]
environ.update(OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_mpi_yield_when_idle="1",
               OMPI_MCA_hwloc_base_binding_policy="none")
with open(os.path.join(SOURCE, "docs", "GUIDE.md")) as file:
    guide = file.read()


def shell(text):
    done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", text.replace("| head -40", "> help.txt")], cwd=folder,
                          env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240)
    check(done.returncode == 0, f"{text}ended with {done.returncode}: {done.stdout}")
    return done.stdout


blocks = re.findall(r"^```sh\n(.*?)^```", guide, re.M | re.S)
outputs = [shell(block) for block in blocks]
check(len(blocks) > 5, "the guide has commands")
stopped = re.findall(r"^\d+,(\w+),", outputs[-1], re.M)
check(len(stopped) == 2 and stopped[0] == stopped[1], f"stopped and not, the same weights: {outputs[-1]}")
check(any(re.search(r"best step \d+ validation loss", output) for output in outputs), "the best step is told")
columns = set(re.findall(r"^\| (`[^|]*) \|", guide, re.M))
with open(os.path.join(folder, "runs", "lm", "metrics.csv")) as file:
    for column in file.readline().strip().split(","):
        check(f"`{column}`" in guide, f"the guide has no column {column}")

python = re.search(r"^```python\n(.*?)^```", guide, re.M | re.S).group(1)
done = subprocess.run([sys.executable, "-c", "import h5py, torch"], stderr=subprocess.DEVNULL)
if done.returncode == 0:
    done = subprocess.run([sys.executable, "-c", python], cwd=folder, stdout=subprocess.PIPE, text=True)
    told = min(valid_losses(os.path.join(folder, "runs", "lm")).values())
    check(done.returncode == 0 and abs(float(done.stdout.split()[-1]) - told) < 1e-5, f"{done.stdout}, not {told}")
else:
    print("without h5py and torch the guide's Python is not run")
finish()
