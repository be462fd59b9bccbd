"""What the benchmarks have in common: a namespace, a daemon in it, and a client. Everything is removed at the end."""

import atexit
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

NAMES = 100
BIN = os.environ.get("INTERCOM_BIN", os.path.join(os.path.dirname(__file__), "..", ".build", "release"))


class Bench:
    """A scratch directory, namespaces and processes of one run."""

    def __init__(self):
        self.id = "icb%d" % os.getpid()
        self.directory = tempfile.mkdtemp(prefix="intercom-bench.")
        self.namespaces = []
        self.processes = []
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

    def bare_loop(self):
        """Compiles it, once."""
        path = self.path("bare-loop")
        if not os.path.exists(path):
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bare-loop.c")
            subprocess.run(["cc", "-O2", "-o", path, source], check=True)
        return path

    def upstream(self, ttl=3600, core=None):
        """Starts an upstream that answers everything at once, in this namespace; gives its address, port 53."""
        address = "127.%d.%d.%d" % (53 + len(self.processes), os.getpid() >> 8 & 255, os.getpid() & 255)
        pinned = ["taskset", "-c", core] if core else []
        self.start(pinned + [self.bare_loop(), address, "53", str(ttl)], "upstream-" + address)
        return address

    def intercom_configuration(self, namespace, upstreams=(), more=()):
        """One worker, and the names web0 ... in a network that the namespace is on."""
        lines = ["[server]", "workers = 1", "[discover]", "enabled = false"]
        lines += ["[forward]", "upstreams = [%s]" % ", ".join('"%s"' % upstream for upstream in upstreams)]
        lines += [*more, "[[network]]", 'name = "bench"']
        lines += ["[[container]]", 'name = "client"', 'netns = "/run/netns/%s"' % namespace]
        lines += ['networks = [{ name = "bench", ip = ["10.53.1.1"] }]']
        for number in range(NAMES):
            lines += ["[[container]]", 'name = "web%d"' % number]
            lines += ['networks = [{ name = "bench", ip = ["10.53.0.%d"] }]' % (number + 1)]
        return self.write("intercom.toml", "\n".join(lines) + "\n")


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
