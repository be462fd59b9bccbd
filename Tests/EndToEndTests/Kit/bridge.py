#!/usr/bin/env python3
"""A reference bridge for intercom.Cluster: joins daemons by a store in its own memory.

bridge.py DIRECTORY HOST=SOCKET=ADDRESS...

For each host it does what a bridge to a real store does, with nothing but Varlink: it attaches, keeps what the host tells of its
containers, and tells the others. A host is lost while DIRECTORY/lost-HOST is there; while DIRECTORY/forged is there, its lines
(JSON of the parameters of an Apply) are applied at the first host once, and the reply is printed.
"""

import json
import os
import socket
import sys
import threading
import time

INTERFACE = "intercom.Cluster."
# Entries of one Apply; see the interface's description.
BATCH = 256


class Connection:
    """A connection of one call after another."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.pending = b""

    def send(self, method, parameters, more=False):
        call = {"method": INTERFACE + method, "parameters": parameters}
        if more:
            call["more"] = True
        self.socket.sendall(json.dumps(call).encode() + b"\0")

    def receive(self):
        """The parameters of the next reply; nothing where the other end has closed."""
        while b"\0" not in self.pending:
            octets = self.socket.recv(1 << 16)
            if not octets:
                return None
            self.pending += octets
        message, self.pending = self.pending.split(b"\0", 1)
        reply = json.loads(message)
        if "error" in reply:
            raise RuntimeError(f"{reply['error']}: {reply['parameters'].get('message')}")
        return reply.get("parameters", {})

    def call(self, method, **parameters):
        self.send(method, parameters)
        return self.receive()


class Store:
    """What all hosts share: entries by host and key, and the hosts' states."""

    def __init__(self, directory):
        self.directory = directory
        self.lock = threading.RLock()
        self.entries = {}
        self.members = {}

    def state(self, host):
        return "lost" if os.path.exists(f"{self.directory}/lost-{host}") else "alive"

    def host(self, name):
        return {"host": name, "state": self.state(name), "address": self.members[name].address}


class Member(threading.Thread):
    """One host's part of the bridge."""

    def __init__(self, store, host, path, address):
        super().__init__(daemon=True)
        self.store, self.host, self.path, self.address = store, host, path, address
        self.calls = self.session = None
        store.members[host] = self
        store.entries[host] = {}

    def run(self):
        while True:
            try:
                self.attend()
            except (OSError, RuntimeError, AttributeError) as error:
                print(f"{self.host}: {error}", flush=True)
            self.session = None
            time.sleep(0.05)

    def attend(self):
        stream, self.calls = Connection(self.path), Connection(self.path)
        stream.send("Attach", {"agent": "bridge.py", "version": "1", "host": self.host}, more=True)
        while (reply := stream.receive()) is not None:
            if reply.get("ended"):
                print(f"{self.host}: ended", flush=True)
                os._exit(3)
            with self.store.lock:
                if "session" in reply:
                    self.session = reply["session"]
                    self.tell_all()
                self.take(reply)
                if reply.get("synced"):
                    print(f"{self.host}: synced", flush=True)

    def tell_all(self):
        self.call("Begin", expected=sum(len(entries) for entries in self.store.entries.values()))
        for host, entries in self.store.entries.items():
            if host == self.host:
                continue
            self.call("Apply", hosts=[self.store.host(host)])
            whole = list(entries.values())
            for start in range(0, len(whole), BATCH):
                self.call("Apply", put=whole[start : start + BATCH])
        self.call("Complete", cursor="0")
        self.call("Report", state="connected")

    def take(self, reply):
        mine = self.store.entries[self.host]
        for entry in reply.get("put", []):
            mine[entry["key"]] = entry
        for key in reply.get("gone", []):
            mine.pop(key, None)
        change = {
            "put": reply.get("put", []),
            "gone": [{"host": self.host, "key": key} for key in reply.get("gone", [])],
        }
        if change["put"] or change["gone"]:
            for member in self.store.members.values():
                if member is not self and member.session:
                    member.call("Apply", **change)

    def call(self, method, **parameters):
        try:
            return self.calls.call(method, session=self.session, **parameters)
        except OSError as error:
            print(f"{self.host}: {error}", flush=True)


def main():
    store = Store(sys.argv[1])
    for argument in sys.argv[2:]:
        Member(store, *argument.split("="))
    for member in store.members.values():
        member.start()
    told = {}
    while True:
        with store.lock:
            states = {host: store.state(host) for host in store.members}
            for host, state in states.items():
                for member in store.members.values():
                    if told.get(host, "alive") != state and member.host != host and member.session:
                        member.call("Apply", hosts=[store.host(host)])
            told = states
            forged = f"{sys.argv[1]}/forged"
            if os.path.exists(forged):
                first = next(iter(store.members.values()))
                for line in open(forged):
                    print("forged: " + json.dumps(first.call("Apply", **json.loads(line))), flush=True)
                os.rename(forged, forged + ".done")
        time.sleep(0.02)


main()
