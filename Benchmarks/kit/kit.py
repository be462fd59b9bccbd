"""What the benchmarks have in common: a namespace, a daemon in it, and a client. Everything is removed at the end."""

import atexit
import glob
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

NAMES = 100
SERVER_CORE, CLIENT_CORE = "1", "0"
# Before a server's command: on a machine that has others to serve it comes before them; who asks comes before it (sched(7)).
REALTIME = ["chrt", "--fifo", "1"]
TICKS = os.sysconf("SC_CLK_TCK")
BENCHMARKS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get("INTERCOM_BIN", os.path.join(os.path.dirname(BENCHMARKS), ".build", "release"))


# Writes each name that it is asked for; answers with an A record after a while, or never.
SLOW_UPSTREAM = """
import socket, sys, threading, time
address, milliseconds, silent = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((address, 53))
print("ready")
waiting = []
def answer():
    while True:
        if not waiting:
            time.sleep(0.0005)
            continue
        due, packet, peer = waiting.pop(0)
        time.sleep(max(0, due - time.monotonic()))
        s.sendto(packet, peer)
threading.Thread(target=answer, daemon=True).start()
while True:
    query, peer = s.recvfrom(4096)
    end = 12
    while query[end]:
        end += query[end] + 1
    print(query[12:end])
    if silent:
        continue
    record = bytes([0xC0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 10, 53, 0, 1])
    packet = query[:2] + bytes([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]) + query[12:end + 5] + record
    waiting.append((time.monotonic() + milliseconds / 1000, packet, peer))
"""


class Bench:
    """A scratch directory, namespaces and processes of one run."""

    def __init__(self):
        self.id = "icb%d" % os.getpid()
        self.directory = tempfile.mkdtemp(prefix="intercom-bench.")
        self.namespaces = []
        self.processes = []
        self.addresses = 0
        atexit.register(self.close)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(130))

    def close(self):
        for process in self.processes:
            end(process)
        for name in self.namespaces:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
            shutil.rmtree("/etc/netns/" + name, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def namespace(self, name):
        name = "%s-%s" % (self.id, name)
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.namespaces.append(name)
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        return name

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def start(self, command, log):
        output = open(self.path(log), "w")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.processes.append(process)
        return process

    def log(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def compiled(self, name, *libraries):
        """Compiles a program of C, once."""
        path = self.path(name)
        if not os.path.exists(path):
            source, = glob.glob(os.path.join(BENCHMARKS, "*", name + ".c"))
            subprocess.run(["cc", "-O2", "-o", path, source, *libraries], check=True)
        return path

    def bare_loop(self):
        """The least that any server does."""
        return self.compiled("bare-loop")

    def address(self):
        """One of 127.0.0.0/8 that nobody else has."""
        self.addresses += 1
        return "127.%d.%d.%d" % (53 + self.addresses, os.getpid() >> 8 & 255, os.getpid() & 255)

    def upstream(self, ttl=3600, namespace=None, address=None):
        """Starts an upstream that answers everything at once, here or in a namespace; gives its address, port 53."""
        address = address or self.address()
        prefix = ["ip", "netns", "exec", namespace] if namespace else []
        self.start(prefix + ["taskset", "-c", CLIENT_CORE, self.bare_loop(), address, "53", str(ttl)], "upstream-" + address)
        return address

    def slow_upstream(self, milliseconds, silent=False):
        """Starts an upstream that takes its time, or never answers; gives its address and its log of names."""
        address = self.address()
        self.start([sys.executable, "-u", "-c", SLOW_UPSTREAM, address, str(milliseconds), str(int(silent))], "upstream-" + address)
        while "ready" not in self.log("upstream-" + address):
            time.sleep(0.05)
        return address, "upstream-" + address

    def intercom_configuration(self, namespace, upstreams=(), more=(), containers=()):
        """One worker, and the names web0 ... in a network that the namespace is on."""
        lines = ["[server]", "workers = 1", "[discover]", "enabled = false"]
        lines += ["[forward]", "upstreams = [%s]" % ", ".join('"%s"' % upstream for upstream in upstreams)]
        lines += [*more, "[[network]]", 'name = "bench"']
        lines += ["[[container]]", 'name = "client"', 'netns = "/run/netns/%s"' % namespace]
        lines += ['networks = [{ name = "bench", ip = ["10.53.1.1"] }]']
        for number in range(NAMES):
            lines += ["[[container]]", 'name = "web%d"' % number]
            lines += ['networks = [{ name = "bench", ip = ["10.53.0.%d"] }]' % (number + 1)]
        return self.write("intercom.toml", "\n".join([*lines, *containers]) + "\n")


def family(pid):
    """A process and those that it has begotten."""
    members = [pid]
    for member in members:
        for task in os.listdir("/proc/%d/task" % member):
            with open("/proc/%d/task/%s/children" % (member, task)) as file:
                members += [int(child) for child in file.read().split()]
    return members


def cpu(pid):
    """The CPU time of a process so far, in user space and in the kernel, in seconds; and exactly, both together.

    Its children count, also those that have ended: some servers have one for each connection.
    """
    user = system = exact = 0
    for member in family(pid):
        try:
            with open("/proc/%d/stat" % member) as file:
                fields = [int(field) for field in file.read().rsplit(")", 1)[1].split()[11:15]]
            user += fields[0] + fields[2]
            system += fields[1] + fields[3]
            exact += (fields[2] + fields[3]) * 1e9 / TICKS
            for task in os.listdir("/proc/%d/task" % member):
                with open("/proc/%d/task/%s/schedstat" % (member, task)) as file:
                    exact += int(file.read().split()[0])
        except FileNotFoundError:
            # It has ended in the middle: by the next time its parent has its sum.
            continue
    return user / TICKS, system / TICKS, exact / 1e9


def dnsperf(namespace, address, queries, seconds, more=()):
    """The command that asks for a while, as fast as the answers come."""
    return ["ip", "netns", "exec", namespace, "taskset", "-c", CLIENT_CORE, "dnsperf", "-s", address, "-d", queries, "-l", str(seconds),
            "-c", "4", "-T", "1", "-q", "100", "-e", *more]


def cost(pid, client):
    """Lets a client ask; gives what a query cost the server, in microseconds."""
    before = cpu(pid)
    output = subprocess.run(client, check=True, capture_output=True, text=True).stdout
    user, system, exact = (b - a for a, b in zip(before, cpu(pid)))
    completed = int(re.search(r"Queries completed:\s+(\d+)", output).group(1))
    lost = int(re.search(r"Queries lost:\s+(\d+)", output).group(1))
    rate = float(re.search(r"Queries per second:\s+([\d.]+)", output).group(1))
    # The exact sum, split as the ticks are.
    share = user / (user + system) if user + system else 0
    return {"rate": rate, "lost": lost, "user": exact * share / completed * 1e6,
            "system": exact * (1 - share) / completed * 1e6, "total": exact / completed * 1e6}


def latencies(client):
    """Lets a client ask that reports each query; gives how long half of them took at most, and 99 and 99.9 of 100, in microseconds."""
    output = subprocess.run([*client, "-v"], check=True, capture_output=True, text=True).stdout
    # "> NOERROR web1 A 0.000045", in seconds; "> T web1 A" where no answer came for five of them.
    told = [line.split() for line in output.splitlines() if line.startswith("> ")]
    times = sorted(5 if words[1] == "T" else float(words[-1]) for words in told)
    if not times:
        sys.exit("no query was answered: " + " ".join(client))
    return {"p%s" % part: times[int(len(times) * part / 100)] * 1e6 for part in (50, 99, 99.9)}


def write_result(name, text):
    """Writes a file below results/."""
    directory = os.path.join(BENCHMARKS, "results")
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, name), "w") as file:
        file.write(text)


def await_true(condition, otherwise, seconds=30):
    """Waits until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(otherwise)
        time.sleep(0.1)


def bound(address, port=53):
    """A UDP socket that nobody reads from: an upstream that is silent."""
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind((address, port))
    return silent


def workers_first(process):
    """Puts the workers of a daemon that was started REALTIME before its other threads, as their short turns do elsewhere."""
    for task in os.listdir("/proc/%d/task" % process.pid):
        with open("/proc/%d/task/%s/comm" % (process.pid, task)) as file:
            if file.read().startswith("worker"):
                os.sched_setscheduler(int(task), os.SCHED_FIFO, os.sched_param(2))


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def query(name, number=1):
    """A query for an address with EDNS, as dig asks it."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    header = struct.pack("!6H", number & 0xFFFF, 0x0100, 1, 0, 0, 1)
    return header + labels + b"\0\0\1\0\1" + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


def await_answer(namespace, address, port=53, seconds=60):
    """Waits until a server answers."""
    script = (
        "import socket,sys;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.settimeout(1);"
        "s.connect((sys.argv[1],int(sys.argv[2])));s.send(bytes.fromhex(sys.argv[3]));s.recv(4096)"
    )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        command = ["ip", "netns", "exec", namespace, sys.executable, "-c", script, address, str(port)]
        if subprocess.run(command + [query("web0").hex()], stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.05)
    sys.exit("no server answers at %s port %d in %s" % (address, port, namespace))
