"""The servers that are compared: how each is told the same names, and started.

All know web0 ... web99 (an address each), `sixteen` and `many` (16 and 64 addresses), and forward everything else to an upstream that
answers at once. What one cannot do is found out by asking it.
"""

import os
import shutil
import signal
import subprocess
import sys

import kit

ADDRESSES = {"web%d" % n: ["10.53.0.%d" % (n + 1)] for n in range(kit.NAMES)}
ADDRESSES["sixteen"] = ["10.53.2.%d" % (n + 1) for n in range(16)]
ADDRESSES["many"] = ["10.53.3.%d" % (n + 1) for n in range(64)]
RECORDS = [(name, address) for name, addresses in ADDRESSES.items() for address in addresses]


class Server:
    """A server under way: its process, where it is asked, and from where."""

    def __init__(self, bench, namespace, process, address="127.0.0.11", source=None):
        self.bench, self.namespace, self.process, self.address, self.source = bench, namespace, process, address, source

    def end(self):
        kit.end(self.process)


class Stray:
    """A process that is no child of ours."""

    def __init__(self, pid):
        self.pid = pid

    def poll(self):
        return None if os.path.exists("/proc/%d" % self.pid) else 0

    def terminate(self):
        os.kill(self.pid, signal.SIGTERM)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout=None):
        kit.await_true(lambda: self.poll() is not None, "process %d does not end" % self.pid)


def started(bench, command, inside=True, **options):
    """Starts a server on its core, in a new namespace or, where it enters by itself, outside."""
    namespace = bench.namespace(str(len(bench.namespaces)))
    prefix = ["ip", "netns", "exec", namespace] if inside else []
    process = bench.start(prefix + ["taskset", "-c", kit.SERVER_CORE] + command(namespace), "log")
    return Server(bench, namespace, process, **options)


def bare_loop(bench):
    return started(bench, lambda _: [bench.bare_loop(), "127.0.0.11", "53"])


def uring_loop(bench):
    return started(bench, lambda _: [bench.compiled("uring-loop", "-luring"), "127.0.0.11", "53"])


def intercom_configuration(bench, namespace, upstream, aliases=0):
    """The names of all servers, and as many aliases of them (alias0 ...): while there are records of the operator, they are
    looked for, too."""
    more = [line for name in ("sixteen", "many") for line in (
        "[[container]]", 'name = "%s"' % name, 'networks = [{ name = "bench", ip = [%s] }]' % ", ".join(
            '"%s"' % address for address in ADDRESSES[name]))]
    for number in range(aliases):
        more += ["[[record]]", 'name = "alias%d"' % number, 'type = "CNAME"', 'data = "web%d.bench.internal"' % number]
    return bench.intercom_configuration(namespace, [upstream], containers=more)


def intercomd(bench):
    upstream = bench.upstream()

    def command(namespace):
        file = intercom_configuration(bench, namespace, upstream)
        return [os.path.join(kit.BIN, "intercomd"), "--config", file, "--socket", bench.path("socket"), "--state-dir",
                bench.path("state")]
    return started(bench, command, inside=False)


def dnsmasq(bench):
    hosts = bench.write("hosts", "".join("%s %s\n" % (address, name) for name, address in RECORDS))

    def command(namespace):
        upstream = bench.upstream(namespace=namespace)
        return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=", "--user=root",
                "--local=//", "--server=" + upstream, "--addn-hosts=" + hosts,
                "--listen-address=127.0.0.11", "--bind-interfaces"]
    return started(bench, command)


def unbound(bench):
    data = "".join('local-data: "%s. 5 IN A %s"\n' % record for record in RECORDS)
    zones = "".join('local-zone: "%s." static\n' % name for name in [*ADDRESSES, *("none%d" % n for n in range(kit.NAMES))])

    def command(namespace):
        upstream = bench.upstream(namespace=namespace)
        text = ('server:\nnum-threads: 1\ninterface: 127.0.0.11\nport: 53\nuse-syslog: no\nverbosity: 0\nchroot: ""\nusername: ""\n'
                'do-daemonize: no\npidfile: ""\ndirectory: "%s"\nmodule-config: "iterator"\nqname-minimisation: no\ndo-not-query-localhost: no\n%s%s'
                'forward-zone:\nname: "."\nforward-addr: %s\nremote-control:\ncontrol-enable: no\n'
                % (bench.directory, zones, data, upstream))
        return ["unbound", "-d", "-c", bench.write("unbound.conf", text)]
    return started(bench, command)


def nsd(bench):
    zone = bench.write("zone", "$ORIGIN .\n$TTL 5\n@ SOA ns. ns. 1 3600 600 86400 5\n@ NS ns.\n"
                       + "".join("%s A %s\n" % record for record in RECORDS))
    text = ('server:\nserver-count: 1\nip-address: 127.0.0.11\nusername: ""\nzonesdir: ""\npidfile: ""\nzonelistfile: "%s"\n'
            'xfrdfile: "%s"\ndatabase: ""\nrrl-ratelimit: 0\nrrl-whitelist-ratelimit: 0\nzone:\nname: "."\nzonefile: "%s"\n'
            'remote-control:\ncontrol-enable: no\n' % (bench.path("zone.list"), bench.path("xfrd.state"), zone))
    return started(bench, lambda _: ["nsd", "-d", "-c", bench.write("nsd.conf", text)])


def aardvark(bench):
    # It answers who asks from an address of a container.
    directory = bench.path("aardvark")
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)

    def command(namespace):
        subprocess.run(["ip", "-n", namespace, "address", "add", "10.53.255.254/16", "dev", "lo"], check=True)
        upstream = bench.upstream(namespace=namespace)
        with open(os.path.join(directory, "bench"), "w") as file:
            file.write("10.53.255.254\n" + "".join(
                "id%d %s  %s %s\n" % (number, address, name, upstream) for number, (name, address) in enumerate(RECORDS)))
        return ["/usr/lib/podman/aardvark-dns", "--config", directory, "--port", "53", "run"]
    server = started(bench, command, address="10.53.255.254", source="10.53.0.1")
    # What was started ends, and has left another process behind.
    server.process.wait()
    pids = subprocess.run(["pgrep", "--full", "--exact", ".*aardvark-dns --config %s .*" % directory], capture_output=True, text=True)
    server.process = Stray(int(pids.stdout.split()[0]))
    bench.processes.append(server.process)
    return server


class Docker(Server):
    """dockerd in a namespace of its own, with one network; asked from within a container."""

    def __init__(self, bench):
        host = bench.namespace("docker%d" % len(bench.namespaces))
        self.socket = "unix://" + bench.path("docker.sock")
        process = bench.start(
            ["nsenter", "--net=/run/netns/" + host, "taskset", "-c", kit.SERVER_CORE, "dockerd", "--data-root", bench.path("docker"),
             "--exec-root", bench.path("docker-exec"), "--pidfile", bench.path("docker.pid"), "--host", self.socket], "log")
        super().__init__(bench, host, process)
        kit.await_true(lambda: self.run("info"), "dockerd does not start: " + bench.path("log"))
        root = bench.path("root")
        for name in ("etc", "proc", "sys", "dev", "usr"):
            os.makedirs(os.path.join(root, name))
        for name in ("bin", "lib", "lib64"):
            os.symlink("usr/" + name, os.path.join(root, name))
        subprocess.run("tar --create --directory %s . | docker --host %s import - bench" % (root, self.socket), shell=True, check=True,
                       stdout=subprocess.DEVNULL)
        self.must("network", "create", "bench", "--subnet", "10.53.0.0/16")
        upstream = bench.upstream(namespace=host, address="10.53.0.1")
        containers = [("web", [name for name in ADDRESSES if name.startswith("web")])]
        containers += [("sixteen%d" % number, ["sixteen"]) for number in range(16)]
        for name, aliases in containers:
            self.must("run", "--detach", "--name", name, "--network", "bench", "--dns", upstream, "--volume", "/usr:/usr:ro",
                      *("--network-alias=" + alias for alias in aliases), "bench", "/usr/bin/sleep", "600")
        pid = self.run("inspect", "--format", "{{.State.Pid}}", "web").stdout.strip()
        self.namespace = "%s-client" % host
        subprocess.run(["ip", "netns", "attach", self.namespace, pid], check=True)
        bench.namespaces.append(self.namespace)

    def run(self, *arguments):
        done = subprocess.run(["docker", "--host", self.socket, *arguments], capture_output=True, text=True)
        return done if done.returncode == 0 else None

    def must(self, *arguments):
        if not self.run(*arguments):
            sys.exit("docker %s failed" % " ".join(arguments))

    def end(self):
        names = self.run("ps", "--all", "--quiet").stdout.split()
        self.run("rm", "--force", *names)
        kit.end(self.process)


SERVERS = {"bare loop": bare_loop, "intercomd": intercomd, "dnsmasq": dnsmasq, "unbound": unbound, "nsd": nsd,
           "aardvark-dns": aardvark, "docker": Docker, "io_uring loop": uring_loop}
# Those that are compared when nobody says which.
USUAL = ["bare loop", "intercomd", "dnsmasq", "unbound", "nsd", "aardvark-dns"]
