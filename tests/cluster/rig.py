"""A cluster on one machine, for tests: hosts with a network and a name of their own, and Slurm on them.

Each host is a process that holds a network, a host name and a mount namespace; one more holds the
switch. Nothing is added to the machine's own network. Faults are those of the field: a cable pulled,
the power gone, a daemon killed. Needs root, or whoever may make namespaces; skips the test otherwise.
"""
import atexit
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "fault"))
from launching import *

NET = "10.213.7"


def need(*programs, packages):
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        skip(f"no {', '.join(missing)}; apt-get install {packages}")


class Hosts:
    """h1 to hN on a switch; `state` is a folder that all see."""

    def __init__(self, n):
        need("ip", "nsenter", "unshare", packages="iproute2 util-linux")
        self.state = tempfile.mkdtemp(prefix="trireme-rig-")
        self.holders = {}
        atexit.register(self.down)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        with open(self.path("hosts"), "w") as file:
            file.write("127.0.0.1 localhost\n")
            file.writelines(f"{NET}.{i} h{i}\n" for i in range(1, n + 1))
        self.hold("switch", "")
        self.inside("switch", "ip link add br0 type bridge forward_delay 0 && ip link set br0 up")
        for i in range(1, n + 1):
            self.hold(f"h{i}", f"hostname h{i}; mount --bind {self.path('hosts')} /etc/hosts; "
                      "mount -t tmpfs none /dev/shm; ip link set lo up; ")
            self.inside("switch", f"ip link add p{i} type veth peer name eth0 netns "
                        f"{self.holders[f'h{i}'].pid} && ip link set p{i} master br0 up")
            self.inside(f"h{i}", f"ip addr add {NET}.{i}/24 dev eth0 && ip link set eth0 up")
        self.names = [f"h{i}" for i in range(1, n + 1)]

    def path(self, name):
        return os.path.join(self.state, name)

    def hold(self, name, setup):
        """A process that keeps a host's namespaces."""
        ready = self.path(f"{name}.pid")
        words = ["unshare", "--net", "--uts", "--mount", "sh", "-c",
                 f"set -e; {setup} echo $$ >{ready}; exec sleep 100000"]
        self.holders[name] = subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        end = time.monotonic() + 10
        while not os.path.exists(ready) or not open(ready).read():
            if self.holders[name].poll() is not None or time.monotonic() > end:
                skip("namespaces may not be made here: " +
                     self.holders[name].stderr.read().decode().strip())
            time.sleep(0.02)

    def words(self, name, command):
        return ["nsenter", "--target", str(self.holders[name].pid), "--net", "--uts", "--mount",
                "--wd=.", "--", *command]

    def inside(self, name, text):
        subprocess.run(self.words(name, ["sh", "-c", text]), check=True, capture_output=True)

    def environment(self):
        """For Open MPI between the hosts: TCP alone, a stand-in for ssh, and its folders go with the rig."""
        os.makedirs(self.path("tmp"), exist_ok=True)
        return {"TMPDIR": self.path("tmp"), "TRM_RIG": self.state,
                "OMPI_MCA_plm_rsh_agent": os.path.join(HERE, "rsh"),
                "OMPI_MCA_pml": "ob1", "OMPI_MCA_btl": "tcp,vader,self",
                "OMPI_MCA_btl_tcp_if_include": "eth0", "OMPI_MCA_oob_tcp_if_include": "eth0",
                "OMPI_MCA_mpi_yield_when_idle": "1"}

    def processes(self, name):
        """All on a host but its holder."""
        holder = self.holders[name].pid
        here = os.readlink(f"/proc/{holder}/ns/net")
        found = []
        for pid in processes():
            try:
                if pid != holder and os.readlink(f"/proc/{pid}/ns/net") == here:
                    found.append(pid)
            except OSError:
                pass
        return found

    def cut(self, name):
        open(self.path(f"{name}.cut"), "w").close()
        self.inside("switch", f"ip link set p{name[1:]} down")

    def freeze(self, name):
        open(self.path(f"{name}.frozen"), "w").close()
        for pid in self.processes(name):
            kill(pid, signal.SIGSTOP)

    def thaw(self, name):
        os.remove(self.path(f"{name}.frozen"))
        for pid in self.processes(name):
            kill(pid, signal.SIGCONT)

    def power_off(self, name):
        self.cut(name)
        for pid in self.processes(name):
            kill(pid)

    def power_on(self, name):
        self.inside("switch", f"ip link set p{name[1:]} up")
        if os.path.exists(self.path(f"{name}.cut")):
            os.remove(self.path(f"{name}.cut"))

    def down(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for name in self.holders:
            if self.holders[name].poll() is None and name != "switch":
                for number in (signal.SIGTERM, signal.SIGKILL):
                    for pid in self.processes(name):
                        kill(pid, number)
                    time.sleep(0.1)
        for holder in self.holders.values():
            holder.kill()
            holder.wait()
        shutil.rmtree(self.state, ignore_errors=True)


SLURM_CONF = """
ClusterName=rig
SlurmctldHost=h1({net}.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={s}/munge.sock,cred_expire=5
CredType=cred/munge
StateSaveLocation={s}/state
SlurmdSpoolDir={s}/spool-%n
TmpFS={s}/tmp-%n
SlurmctldPidFile={s}/slurmctld.pid
SlurmdPidFile={s}/slurmd-%n.pid
SlurmctldLogFile={s}/slurmctld.log
SlurmdLogFile={s}/slurmd-%n.log
PlugStackConfig={s}/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=pmix
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=1
SlurmctldParameters=preempt_send_user_signal
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=20
KillWait=15
JobRequeue=1
"""


class Slurm:
    """slurmctld on h1, a slurmd on each host."""

    def __init__(self, hosts):
        need("slurmctld", "slurmd", "sbatch", "munged", packages="slurmctld slurmd slurm-client munge")
        self.hosts, s = hosts, hosts.state
        os.chmod(s, 0o755)
        os.makedirs(f"{s}/state")
        with open(f"{s}/munge.key", "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(os.urandom(128))
        open(f"{s}/plugstack.conf", "w").close()
        with open(f"{s}/slurm.conf", "w") as file:
            file.write(SLURM_CONF.format(s=s, net=NET))
            for i, name in enumerate(hosts.names, 1):
                os.makedirs(f"{s}/spool-{name}")
                os.makedirs(f"{s}/tmp-{name}")
                file.write(f"NodeName={name} NodeAddr={NET}.{i} CPUs=2 CoresPerSocket=2 "
                           "RealMemory=500 State=UNKNOWN\n")
            nodes = ",".join(hosts.names)
            file.write(f"PartitionName=main Nodes={nodes} Default=YES State=UP PriorityTier=1 "
                       f"GraceTime=15\nPartitionName=urgent Nodes={nodes} State=UP PriorityTier=10\n")
        munged = ["munged", "--force", f"--key-file={s}/munge.key", f"--socket={s}/munge.sock",
                  f"--pid-file={s}/munged.pid", f"--log-file={s}/munged.log",
                  f"--seed-file={s}/munge.seed"]
        subprocess.run(hosts.words("h1", munged), check=True, capture_output=True)
        self.run("slurmctld", "-c")
        for name in hosts.names:
            self.boot(name)
        wait_for(lambda: self.run("sinfo", "-h", "-t", "idle", "-o", "%D") == str(len(hosts.names)),
                 30, "the nodes are up")

    def boot(self, name):
        """Starts the daemon of a node, without what steps have left in its folders when the power went."""
        for folder in ("spool", "tmp"):
            for left in os.listdir(f"{self.hosts.state}/{folder}-{name}"):
                path = f"{self.hosts.state}/{folder}-{name}/{left}"
                if "pmix" in left:
                    shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        self.run("slurmd", "-N", name, host=name)

    def run(self, *words, host="h1", **more):
        env = dict(environment(), SLURM_CONF=f"{self.hosts.state}/slurm.conf", **more,
                   **self.hosts.environment())
        del env["OMPI_MCA_plm_rsh_agent"]  # srun starts the daemons
        done = subprocess.run(self.hosts.words(host, list(map(str, words))), env=env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.stdout.strip()

    def submit(self, *words, log, **more):
        return self.run("sbatch", "--parsable", f"--output={log}", *words, **more)

    def fields(self, job):
        """What scontrol shows of a job, by name."""
        shown = self.run("scontrol", "show", "job", job)
        return dict(word.split("=", 1) for word in shown.split() if "=" in word)

    def field(self, job, name):
        return self.fields(job).get(name)

    def state(self, job):
        """RUNNING, PENDING, ...; and how often it was put back."""
        fields = self.fields(job)
        return fields.get("JobState", "gone"), int(fields.get("Restarts", -1))
