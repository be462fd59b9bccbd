"""The truth about all containers, as the driver made them, and its comparison with what each host answers and lists."""

import select
import threading
import time

import hosts
import wire

NETWORK = "frontend"
# Names that were removed and are still looked for: the last of each host.
REMEMBERED = 40


class Truth:
    """What each host has: {host: {name: {"addresses": [...], "aliases": [...], "ports": [...]}}}."""

    def __init__(self, lab):
        self.lab = lab
        self.lock = threading.RLock()
        self.containers = {host.name: {} for host in lab.hosts}
        self.removed = {host.name: {} for host in lab.hosts}
        self.changes = 0

    def add(self, host, name, addresses, aliases=(), ports=(), **more):
        """Adds a container to a host, or replaces it."""
        attachment = {"name": NETWORK, "addresses": list(addresses), "aliases": list(aliases)}
        with self.lock:
            host.call("AddContainer", name=name, networks=[attachment], ports=list(ports), replace=True, **more)
            self.note_former(host.name, name)
            self.containers[host.name][name] = {"addresses": sorted(addresses), "aliases": sorted(aliases), "ports": list(ports)}
            self.changes += 1

    def remove(self, host, name):
        with self.lock:
            host.call("RemoveContainer", name=name)
            self.note_former(host.name, name)
            del self.containers[host.name][name]
            self.changes += 1

    def note_former(self, host, name):
        former = self.removed[host]
        if name in self.containers[host]:
            former.pop(name, None)
            former[name] = self.containers[host][name]["addresses"]
            while len(former) > REMEMBERED:
                del former[next(iter(former))]

    def questions(self):
        """All questions and their right answers, (name, type): (code, data), as the network is to any container."""
        names, right = {}, {}
        for containers in self.containers.values():
            for name, container in containers.items():
                for each in {name, *container["aliases"]}:
                    names.setdefault(each, []).extend(container["addresses"])
                for address in container["addresses"]:
                    right[wire.reverse(address), wire.PTR] = (0, ["%s.%s.internal" % (name, NETWORK)])
                for port in container["ports"]:
                    # One container alone has each service here.
                    right["_%s._tcp.%s" % (port["service"], name), wire.SRV] = (0, ["%d %s.%s.internal" % (port["port"], name, NETWORK)])
        for former in self.removed.values():
            for name, addresses in former.items():
                if name not in names:
                    right[name, wire.A] = (wire.NXDOMAIN, [])
                for address in addresses:
                    right.setdefault((wire.reverse(address), wire.PTR), (wire.NXDOMAIN, []))
        for name, addresses in names.items():
            for kind, is_kind in ((wire.A, lambda address: ":" not in address), (wire.AAAA, lambda address: ":" in address)):
                right[name, kind] = (0, sorted(filter(is_kind, addresses)))
        return right

    def listing(self, host):
        """What `container ls --remote` of a host should show."""
        return {(other, name): (container["addresses"], container["aliases"])
                for other, containers in self.containers.items() if other != host for name, container in containers.items()}


def listed(host):
    """What it shows."""
    found = {}
    for container in host.connect().list("ListContainers", "containers", remote=True):
        addresses = sorted(address.split("/")[0] for network in container["networks"] for address in network["addresses"])
        aliases = sorted(alias for network in container["networks"] for alias in network["aliases"])
        found[container["host"], container["name"]] = (addresses, aliases)
    return found


def differences(expected, found):
    return ["%s: %s is missing" % (host, name) for host, name in expected.keys() - found.keys()] + [
        "%s: %s is still there" % (host, name) for host, name in found.keys() - expected.keys()] + [
        "%s: %s is %s, not %s" % (key[0], key[1], found[key], value) for key, value in expected.items() if key in found and found[key] != value]


def wrong_answers(asker, right, patience=3.0):
    """Asks everything, 64 questions at a time; gives those that were answered otherwise."""
    asker.setblocking(False)
    queue, waiting, wrong, number = list(right), {}, [], 0
    while queue or waiting:
        while queue and len(waiting) < 64:
            number = number + 1 & 0xFFFF
            asker.send(wire.question(number, *queue[-1]))
            waiting[number] = (time.monotonic(), queue.pop())
        if select.select([asker], [], [], 0.2)[0]:
            got, code, data = wire.answer(asker.recv(1 << 16))
            if got in waiting:
                _, asked = waiting.pop(got)
                if (code, data) != right[asked]:
                    wrong.append("%s %d: %d %s, not %d %s" % (*asked, code, data, *right[asked]))
        for late in [key for key, (sent, _) in waiting.items() if time.monotonic() > sent + patience]:
            wrong.append("%s %d: no answer" % waiting.pop(late)[1])
    return wrong


class Judge:
    """Compares all hosts with the truth, until they are equal or the time is over."""

    def __init__(self, truth, sockets):
        self.truth, self.sockets = truth, sockets

    def host_is_wrong(self, host):
        expected = self.truth.listing(host.name)
        found = listed(host)
        if found != expected:
            return differences(expected, found)
        states = {entry["name"]: entry["state"] for entry in host.connect().call("ListHosts")["hosts"]}
        if lost := [name for name, state in states.items() if state != "alive"]:
            return ["%s is %s" % (name, states[name]) for name in lost]
        return wrong_answers(self.sockets[host.name], self.truth.questions())

    def settle(self, limit):
        """Seconds until all hosts are equal to the truth, and what is otherwise when the limit is over. Nothing changes meanwhile."""
        with self.truth.lock:
            start, wrong, left = time.monotonic(), {}, list(self.truth.lab.hosts)
            while left:
                try:
                    wrong = self.host_is_wrong(left[-1])
                except OSError as error:
                    wrong = [str(error)]
                if not wrong:
                    left.pop()
                elif time.monotonic() > start + limit:
                    return time.monotonic() - start, {left[-1].name: wrong}
                else:
                    time.sleep(0.05)
            return time.monotonic() - start, {}
