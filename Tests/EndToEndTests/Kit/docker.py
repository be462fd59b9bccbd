#!/usr/bin/env python3
"""A socket of Docker's Engine API with containers of its own, or one that behaves badly: docker.py SOCKET MODE

Modes: an API version (1.41, 1.44, 1.52) answers well. hang, cut, huge, garbage, endless, refusal, no-events do what they say: hang
accepts and says nothing, cut ends in the middle of a body, huge sends a list of 100 MB, endless sends a head without an end, refusal
knows no such version, no-events ends the stream of events at once, locked has a container that starts: its first inspection is answered when
its event has been sent, as dockerd does under its lock, and any other after half a minute. Lines on standard input are events that are sent
on, as JSON.
"""

import json
import os
import queue
import socket
import sys
import threading
import time

WEB, DB, SIDE, HOST, LATE = (character * 64 for character in "abcde")
STARTED = threading.Event()


def networks(version):
    custom = {
        "Name": "front", "Id": "f" * 64, "Driver": "bridge", "Internal": False, "Options": {},
        "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.1.0.0/24", "Gateway": "10.1.0.1"}]}, "Containers": {}}
    default = {
        "Name": "bridge", "Id": "b" * 64, "Driver": "bridge", "Internal": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": [{"Subnet": "172.17.0.0/16"}]},
        "Options": {
            "com.docker.network.bridge.default_bridge": "true", "com.docker.network.bridge.name": "docker0"}}
    if version >= 1.44:
        for network in (custom, default):
            network.update({"EnableIPv4": True, "EnableIPv6": False, "Status": {"IPAM": {"Subnets": {}}}})
    return [
        default, custom, {"Name": "host", "Id": "h" * 64, "Driver": "host", "IPAM": {"Config": None}, "Options": None},
        {"Name": "none", "Id": "n" * 64, "Driver": "null", "IPAM": {"Config": []}, "Options": None}]


def endpoint(version, network, address, name, aliases):
    """As each version writes it: DNSNames since 1.44, no short id in Aliases since 1.45, null for nothing before."""
    written = {"Aliases": aliases or (None if version < 1.44 else []), "IPAddress": address, "IPPrefixLen": 24, "Links": None,
               "NetworkID": network[0] * 64, "GlobalIPv6Address": "", "DriverOpts": None}
    if version < 1.44 and aliases:
        written["Aliases"] = aliases + [WEB[:12] if name == "web" else DB[:12]]
    if version >= 1.44:
        written["DNSNames"] = None if network == "bridge" else [name] + aliases + [DB[:12]]
    if version >= 1.52:
        written["GwPriority"] = 0
    return {network: written}


def container(version, identity):
    name, mode, settings, health, ports = {
        WEB: ("web", "default", endpoint(version, "bridge", "172.17.0.2", "web", []), "unhealthy", {"80/tcp": {}}),
        DB: ("shop.db.1", "front", endpoint(version, "front", "10.1.0.2", "shop.db.1", ["db"]), None, None),
        SIDE: ("side", "container:" + WEB, {}, None, None),
        LATE: ("late", "front", endpoint(version, "front", "10.1.0.3", "late", []), None, None),
        HOST: ("hosty", "host", {"host": {"IPAddress": ""}}, None, None)}[identity]
    state = {"Status": "running", "Running": True, "Paused": False, "Restarting": False, "Pid": 4000 + ord(identity[0]),
             "StartedAt": "2026-01-01T00:00:00Z"}
    if health:
        state["Health"] = {"Status": health, "FailingStreak": 3, "Log": []}
    network = {"SandboxKey": "/var/run/docker/netns/" + identity[:12], "Ports": {"80/tcp": None} if ports else {},
               "Networks": settings}
    if version < 1.52:
        network.update({"Bridge": "", "IPAddress": "172.17.0.2" if name == "web" else "", "MacAddress": ""})
    labels = {"intercom.alias": "*.app.test"} if name == "web" else {}
    return {
        "Id": identity, "Name": "/" + name, "State": state, "Mounts": [],
        "Config": {"Hostname": identity[:12], "Domainname": "", "ExposedPorts": ports, "Labels": labels,
                   "Env": ["PATH=/bin"], "Healthcheck": {"Test": ["CMD", "true"]} if health else None},
        "HostConfig": {"NetworkMode": mode, "Dns": ["10.9.9.9"] if name == "web" else [], "Links": None},
        "NetworkSettings": network}


class Connection:
    def __init__(self, sock, mode, subscribers):
        self.sock, self.mode, self.subscribers = sock, mode, subscribers

    def run(self):
        try:
            request = b""
            while b"\r\n\r\n" not in request:
                octets = self.sock.recv(65536)
                if not octets:
                    return
                request += octets
            self.answer(request.split()[1].decode())
        except OSError:
            pass
        finally:
            self.sock.close()

    def send(self, status, body, headers=b""):
        body = json.dumps(body).encode() + b"\n"
        self.sock.sendall(b"HTTP/1.1 %s\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s" % (
            status, headers, len(body), body))

    def answer(self, path):
        if self.mode == "hang":
            time.sleep(3600)
        elif self.mode == "garbage":
            self.sock.sendall(os.urandom(4096))
        elif self.mode == "endless":
            self.sock.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                self.sock.sendall(b"X-More: %s\r\n" % (b"x" * 1000))
        elif self.mode == "refusal":
            self.send(b"400 Bad Request", {"message": "client version 1.52 is too new. Maximum supported API version is 1.41"})
        elif path.startswith("/events"):
            self.events()
        elif self.mode == "cut":
            self.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{\"Id\":")
        elif self.mode == "huge":
            self.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n[")
            for _ in range(100):
                self.sock.sendall(b" " * 1000000)
        else:
            self.lists(path, 1.41 if self.mode in ("no-events", "locked") else float(self.mode))

    def events(self):
        self.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        if self.mode == "no-events":
            self.sock.sendall(b"0\r\n\r\n")
            return
        mine = queue.Queue()
        self.subscribers.append(mine)
        while True:
            line = mine.get()
            self.sock.sendall(b"%x\r\n%s\r\n" % (len(line), line))

    def lists(self, path, version):
        if path == "/networks":
            self.send(b"200 OK", networks(version))
        elif path == "/containers/json":
            self.send(b"200 OK", [
                {"Id": identity, "Names": ["/x"], "State": "running"} for identity in (WEB, DB, SIDE, HOST)])
        else:
            identity = path.split("/")[2]
            if self.mode == "locked" and identity == LATE:
                if STARTED.is_set():
                    time.sleep(30)
                STARTED.wait()
            if identity in (WEB, DB, SIDE, HOST, LATE):
                self.send(b"200 OK", container(version, identity))
            else:
                self.send(b"404 Not Found", {"message": "No such container: " + identity})


def main():
    path, mode = sys.argv[1:]
    subscribers = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)

    def pass_events_on():
        for line in sys.stdin.buffer:
            for subscriber in list(subscribers):
                subscriber.put(line)
            if b'"start"' in line:
                STARTED.set()

    threading.Thread(target=pass_events_on, daemon=True).start()
    while True:
        connection = Connection(listener.accept()[0], mode, subscribers)
        threading.Thread(target=connection.run, daemon=True).start()


main()
