"""Asks 1,000 questions a second from 100 namespaces in turn, each once, while the daemon is ended in various ways.

    load.py ROOT CONTROL-SOCKET PATH PID-FILE SECONDS=WHAT…

ROOT is where the daemon's machine is seen from here, and is put before the other paths. The namespaces are PATH0 to
PATH99. WHAT happens after so many seconds: TERM or KILL, which is sent to the last process in
PID-FILE, or a command. KILL waits until no question is in the daemon's hands: nobody could answer such a one any more.
"""

import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

import varlink

NAMESPACES, RATE, PATIENCE = 100, 1000, 2
CLONE_NEWNET = 0x40000000
# Flags and counts of a header that asks one question, with RD.
HEADER = bytes.fromhex("01000001000000000000")

root, control, path, pid_file, *arguments = sys.argv[1:]
events = [(float(at), what) for at, what in (a.split("=", 1) for a in arguments)]
total = int(RATE * (events[-1][0] + 1.5))

libc = ctypes.CDLL(None)
sockets = {}
epoll = select.epoll()
with varlink.Client("unix:" + root + control).open("intercom.Control") as daemon:
    daemon.CreateNetwork("load")
    for number in range(NAMESPACES):
        address = "10.0.1.%d" % number
        daemon.AddContainer(
            name="c%d" % number, netns=path + str(number), networks=[{"name": "load", "addresses": [address]}])
home = os.open("/proc/self/ns/net", os.O_RDONLY)
for number in range(NAMESPACES):
    namespace = os.open(root + path + str(number), os.O_RDONLY)
    libc.setns(namespace, CLONE_NEWNET)
    os.close(namespace)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("127.0.0.11", 53))
    s.setblocking(False)
    sockets[s.fileno()] = s
    epoll.register(s, select.EPOLLIN)
libc.setns(home, CLONE_NEWNET)

order = list(sockets.values())
waiting, running, lost, wrong, sent, worst = {}, [], 0, 0, 0, 0
start = time.monotonic()
while sent < total or waiting:
    now = time.monotonic()
    if events and now >= start + events[0][0]:
        what = events[0][1]
        if what not in ("TERM", "KILL"):
            running.append(subprocess.Popen(what, shell=True, stdout=subprocess.DEVNULL))
            events.pop(0)
        elif what == "TERM" or not waiting:
            with open(root + pid_file) as file:
                os.kill(int(file.read().split()[-1]), getattr(signal, "SIG" + what))
            events.pop(0)
    while sent < total and now >= start + sent / RATE:
        name = b"c%d" % (sent % 97)
        question = struct.pack("!H", sent) + HEADER + bytes([len(name)]) + name + bytes.fromhex("0000010001")
        order[sent % NAMESPACES].send(question)
        waiting[sent] = now
        sent += 1
    for fd, _ in epoll.poll(0.001):
        answer = sockets[fd].recv(512)
        number, = struct.unpack("!H", answer[:2])
        asked = waiting.pop(number, None)
        if asked is not None:
            worst = max(worst, time.monotonic() - asked)
            wrong += answer[-4:] != bytes([10, 0, 1, number % 97])
    for number in [n for n, at in waiting.items() if now - at > PATIENCE]:
        del waiting[number]
        lost += 1
failed = sum(process.wait() != 0 for process in running)
print("asked %d, lost %d, wrong %d, commands failed %d; the longest wait was %.2f s" % (total, lost, wrong, failed, worst))
