"""Hosts that share names on one etcd, all on this machine: each host is a network namespace on an underlay, with an intercomd and an
intercom-etcd; each container is a namespace; etcd has three members. Everything ends with the process that made it."""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get("INTERCOM_BIN", os.path.join(REPOSITORY, ".build", "release"))
TICKS = os.sysconf("SC_CLK_TCK")


def seclude():
    """Runs this program again with processes, mounts and a /run/netns of its own, so that nothing is left of it however it ends."""
    if os.environ.get("INTERCOM_LAB"):
        return
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    directory = tempfile.mkdtemp(prefix="intercom-lab.")
    try:
        # The child of unshare is the first process of its namespace: with it all others end, and it ends with this one.
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--net", "sh", "-c",
             "mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec \"$@\"", "sh", sys.executable, *sys.argv],
            env=dict(os.environ, INTERCOM_LAB=directory), preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
    finally:
        if os.environ.get("INTERCOM_LAB_KEEP"):
            print("kept: " + directory)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    sys.exit(done.returncode)


def run(*command, check=True, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if check and done.returncode:
        raise RuntimeError("%s: %s%s" % (" ".join(command), done.stdout, done.stderr))
    return done.stdout


def await_true(condition, what, seconds=20.0, interval=0.05):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("waited %g s until %s" % (seconds, what))
        time.sleep(interval)


def batch(commands, *options):
    run("ip", *options, "-batch", "-", input="\n".join(commands) + "\n")


def processor(pid):
    """Seconds of processor time that a process has used."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid, field="VmRSS"):
    """Resident memory of a process in MB (10^6 octets)."""
    with open("/proc/%d/status" % pid) as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith(field))


class Varlink:
    """A connection to a control socket."""

    def __init__(self, path, interface="intercom.Control"):
        self.interface = interface
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.rest = b""

    def send(self, method, parameters, **more):
        call = {"method": "%s.%s" % (self.interface, method), "parameters": parameters, **more}
        self.socket.sendall(json.dumps(call, separators=(",", ":")).encode() + b"\0")

    def reply(self):
        while b"\0" not in self.rest:
            octets = self.socket.recv(1 << 20)
            if not octets:
                raise OSError("the daemon has ended the connection")
            self.rest += octets
        line, _, self.rest = self.rest.partition(b"\0")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError("refused: %s" % reply)
        return reply

    def call(self, method, **parameters):
        self.send(method, parameters)
        return self.reply().get("parameters", {})

    def list(self, method, field, **parameters):
        """All replies of a list."""
        self.send(method, parameters, more=True)
        entries = []
        while True:
            reply = self.reply()
            entries += reply["parameters"][field]
            if not reply.get("continues"):
                return entries


class Member:
    """A member of etcd, in a namespace of its own."""

    def __init__(self, lab, number):
        self.lab, self.number = lab, number
        self.name, self.address = "etcd%d" % number, "192.0.2.%d" % (10 + number)
        self.data, self.process = lab.path(self.name), None
        lab.attach(self.name, self.address)

    @property
    def endpoint(self):
        return "https://%s:2379" % self.address

    @property
    def peer(self):
        return "%s=http://%s:2380" % (self.name, self.address)

    def start(self):
        # Calls of the lab itself go to a port without TLS, which only this namespace reaches.
        own = self.endpoint
        command = ["etcd", "--name", self.name, "--data-dir", self.data, "--logger", "zap", "--log-outputs", "stderr", "--log-level", "warn",
                   "--listen-client-urls", own + ",http://127.0.0.1:2381", "--advertise-client-urls", own,
                   "--listen-peer-urls", "http://%s:2380" % self.address, "--initial-advertise-peer-urls", "http://%s:2380" % self.address,
                   "--initial-cluster", ",".join(member.peer for member in self.lab.members),
                   "--trusted-ca-file", self.lab.tls("ca.crt"), "--cert-file", self.lab.tls(self.name + ".crt"),
                   "--key-file", self.lab.tls(self.name + ".key"), "--client-cert-auth"]
        self.process = self.lab.start(self.name, command, self.name + ".log")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)


class Host:
    """A host: its daemon, under a service manager, and its bridge, which is started again whenever it ends."""

    def __init__(self, lab, number, workers=1, ttl=5, more=""):
        self.lab, self.number = lab, number
        self.name, self.address = "host%d" % number, "192.0.2.%d" % (100 + number)
        self.clock, self.is_held, self.bridge, self.starts = "", False, None, 0
        self.control = lab.path(self.name, "control.sock")
        os.makedirs(lab.path(self.name, "manager"))
        lab.attach(self.name, self.address)
        self.write("intercom.toml", """
            [server]
            workers = %d
            [discover]
            enabled = false
            [cluster]
            networks = ["frontend"]
            socket = "%s"
            [[network]]
            name = "frontend"
            subnets = ["10.0.0.0/8", "fd00:30::/64"]
            """ % (workers, lab.path(self.name, "cluster.sock")))
        self.write("etcd.toml", """
            endpoints = [%s]
            host = "%s"
            address = "%s"
            socket = "%s"
            ttl = %d
            %s
            [tls]
            ca = "%s"
            cert = "%s"
            key = "%s"
            """ % (", ".join('"%s"' % member.endpoint for member in lab.members), self.name, self.address,
                   lab.path(self.name, "cluster.sock"), ttl, more, *map(lab.tls, ("ca.crt", self.name + ".crt", self.name + ".key"))))

    def write(self, name, text):
        with open(self.lab.path(self.name, name), "w") as file:
            file.write("\n".join(line.strip() for line in text.splitlines()) + "\n")

    def start_daemon(self):
        path = self.lab.path
        self.manager = self.lab.start(
            self.name, [sys.executable, os.path.join(HERE, "supervisor.py"), path(self.name, "manager"), os.path.join(BIN, "intercomd"),
                        "--config", path(self.name, "intercom.toml"), "--socket", self.control, "--state-dir", path(self.name, "state")],
            self.name + "-daemon.log")
        await_true(lambda: os.path.exists(self.control), "%s's daemon listens" % self.name)

    @property
    def daemon(self):
        """The daemon that runs now."""
        with open(self.lab.path(self.name, "manager", "pid")) as file:
            return int(file.read())

    def start_bridge(self):
        self.starts += 1
        command = ["intercom-etcd", "--config", self.lab.path(self.name, "etcd.toml"), "--state-dir", self.lab.path(self.name, "etcd")]
        command[0] = os.path.join(BIN, command[0])
        fake = ["env", "LD_PRELOAD=" + FAKETIME, "FAKETIME=" + self.clock] if self.clock else []
        self.bridge = self.lab.start(self.name, fake + command, self.name + "-bridge.log")

    def keep_bridge(self):
        """Starts the bridge again if it has ended, as the service manager would after RestartSec."""
        if not self.is_held and self.bridge is not None and self.bridge.poll() is not None:
            self.start_bridge()

    def connect(self):
        return Varlink(self.control)

    def call(self, method, **parameters):
        """Calls the daemon, again if it has ended meanwhile: then it may have done already what is to be removed."""
        deadline, is_repeated = time.monotonic() + 10, False
        while True:
            try:
                return self.connect().call(method, **parameters)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                is_repeated = True
                time.sleep(0.02)
            except RuntimeError as error:
                if not is_repeated or "NoSuchContainer" not in str(error):
                    raise
                return {}

    def octets(self):
        """Octets that this host has sent and received on the underlay."""
        text = run("ip", "-n", self.name, "-s", "-json", "link", "show", "eth0")
        counts = json.loads(text)[0]["stats64"]
        return counts["rx"]["bytes"] + counts["tx"]["bytes"]


FAKETIME = next((path for path in (
    "/usr/lib/%s-linux-gnu/faketime/libfaketime.so.1" % os.uname().machine,) if os.path.exists(path)), "")


class Lab:
    """The underlay, etcd, and all hosts."""

    def __init__(self, hosts, with_users=True, **options):
        self.directory = os.environ["INTERCOM_LAB"]
        self.processes = []
        run("ip", "netns", "add", "underlay")
        batch(["link add wire type bridge", "link set wire up", "link set lo up", "addr add 192.0.2.254/24 dev wire"], "-n", "underlay")
        self.members = []
        for number in (1, 2, 3):
            self.members.append(Member(self, number))
        names = ["%s=%s" % (member.name, member.address) for member in self.members]
        names += ["host%d=192.0.2.%d" % (number, 100 + number) for number in range(1, hosts + 1)]
        # Valid from ten days ago on, where that can be made: clocks of hosts may be wrong by less.
        run(os.path.join(REPOSITORY, "Tests", "Demo", "certificates"), self.path("tls"), *names,
            env=dict(os.environ, **({"LD_PRELOAD": FAKETIME, "FAKETIME": "-10d"} if FAKETIME else {})))
        self.with_users = with_users
        for member in self.members:
            member.start()
        await_true(self.has_leader, "etcd has a leader", 30)
        self.hosts = [Host(self, number, **options) for number in range(1, hosts + 1)]
        if with_users:
            self.add_users()

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def tls(self, name):
        return self.path("tls", name)

    def attach(self, name, address):
        """Makes a namespace on the underlay."""
        run("ip", "netns", "add", name)
        batch(["link add %s type veth peer name eth0 netns %s" % (name, name), "link set %s master wire up" % name], "-n", "underlay")
        # Without IPv6, whose routers are looked for now and then: octets on the wire are counted.
        batch(["link set lo up", "link set eth0 addrgenmode none", "addr add %s/24 dev eth0" % address, "link set eth0 up"], "-n", name)

    def plug(self, name, is_in):
        """Pulls the cable of a host or member, or puts it back."""
        run("ip", "-n", "underlay", "link", "set", name, "up" if is_in else "down")

    def start(self, namespace, command, log):
        with open(self.path(log), "ab") as output:
            # nsenter replaces itself: the process is the command's.
            process = subprocess.Popen(["nsenter", "--net=/run/netns/" + namespace, *command], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output, env=dict(os.environ, SWIFT_BACKTRACE="enable=no"))
        self.processes.append(process)
        return process

    # etcd

    def etcdctl(self, *arguments, namespace="underlay", check=True, **options):
        endpoints = ",".join(member.endpoint for member in self.members)
        return run("nsenter", "--net=/run/netns/" + namespace, "env", "ETCDCTL_API=3", "etcdctl", "--cacert", self.tls("ca.crt"), "--cert",
                   self.tls("root.crt"), "--key", self.tls("root.key"), "--endpoints", options.pop("endpoints", endpoints),
                   "--command-timeout", "3s", *arguments, check=check, **options)

    def has_leader(self):
        """True when etcd answers what a majority of its members agrees on."""
        try:
            self.etcdctl("get", "x")
            return True
        except RuntimeError:
            return False

    def leader(self):
        """The member that leads; None where none does."""
        text = self.etcdctl("--write-out", "json", "endpoint", "status", check=False)
        for status in json.loads(text or "[]"):
            if status["Status"].get("leader") == status["Status"]["header"]["member_id"]:
                return next(member for member in self.members if member.endpoint == status["Endpoint"])
        return None

    def add_users(self):
        """Makes users, without whom every certificate may do everything."""
        environment = dict(os.environ, ETCDCTL_API="3", ETCDCTL_CACERT=self.tls("ca.crt"), ETCDCTL_CERT=self.tls("root.crt"),
                           ETCDCTL_KEY=self.tls("root.key"), ETCDCTL_ENDPOINTS=self.members[0].endpoint)
        script = "etcdctl user add root --no-password && etcdctl user grant-role root root\n"
        for host in self.hosts:
            script += run(os.path.join(BIN, "intercom-etcd"), "roles", host.name, "--config", self.path(host.name, "etcd.toml"))
        script += "etcdctl auth enable\n"
        run("nsenter", "--net=/run/netns/underlay", "sh", "-c", script, env=environment)

    def revision(self):
        return json.loads(self.etcdctl("--write-out", "json", "get", "x"))["header"]["revision"]

    # Containers

    def namespace(self, name):
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        return "/run/netns/" + name


def inside(path, body):
    """Calls a function on a thread inside a network namespace; sockets that it makes stay there."""
    result = []

    def enter():
        with open(path) as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000) != 0:
                raise OSError("cannot enter " + path)
        result.append(body())
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return result[0]


def asking(path):
    """A socket by which a container asks."""
    def connect():
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asker.connect(("127.0.0.11", 53))
        return asker
    return inside(path, connect)


def prefer_short_turns():
    """Has this thread run soon after it is woken, beside others that compute (sched_setattr(2), as of Linux 6.12; else it does nothing)."""
    number = {"x86_64": 314, "aarch64": 274}.get(os.uname().machine)
    # struct sched_attr: SCHED_OTHER, and turns of 0.1 ms.
    attributes = struct.pack("=IIQiIQQQ", 48, 0, 0, 0, 0, 100_000, 0, 0)
    if number:
        ctypes.CDLL(None, use_errno=True).syscall(number, 0, attributes, 0)


def load():
    """The load of the machine, of the last minute."""
    return os.getloadavg()[0]


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def log_lines(path, pattern):
    """Lines of a log that match."""
    with open(path, errors="replace") as file:
        return [line.rstrip("\n") for line in file if re.search(pattern, line)]
