"""launch/image: the root file system that it makes holds all that two ranks need; started by chroot."""
import shutil

from harness import *

if os.getuid() != 0:
    skip("debootstrap and chroot want root")
for tool in ("debootstrap", "unshare"):
    if not shutil.which(tool):
        skip(f"no {tool}; apt-get install debootstrap util-linux")
folder = temp_folder()
root, build = os.path.join(folder, "root"), sys.argv[1]
made = subprocess.run([os.path.join(SOURCE, "launch", "image"), build, root], timeout=1500,
                      stdin=subprocess.DEVNULL, capture_output=True, text=True)
if made.returncode != 0 and ("Failed getting" in made.stderr or "Couldn't download" in made.stderr):
    skip(f"the mirror cannot be reached: {made.stderr.strip()}")
if not check(made.returncode == 0, f"launch/image: {made.stdout}{made.stderr}"):
    finish()
config = small_setup(os.path.join(root, "root"))
with open(config) as file:  # its paths as they are seen from inside
    text = file.read().replace(root, "")
with open(config, "w") as file:
    file.write(text)
inside = ("mount -t proc proc proc && mount --rbind /dev dev && "
          "exec chroot . env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root sh -c "
          "'cd /root && trireme-run -n 2 -b none -- train small.yaml && trireme inspect data.h5'")
done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "sh", "-c", inside], cwd=root, timeout=300,
                      stdin=subprocess.DEVNULL, capture_output=True, text=True)
check(done.returncode == 0 and "2 ranks x 1 thread" in done.stderr,
      f"training inside: exit code {done.returncode}; {done.stdout}{done.stderr}")
check(os.path.exists(os.path.join(root, "root/runs/small/checkpoints/step_00000020.h5")), "a checkpoint")
shutil.rmtree(folder)
finish()
