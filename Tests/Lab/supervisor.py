#!/usr/bin/env python3
"""A service manager for one daemon: it keeps the descriptors that the daemon stores, and starts it again whenever it ends.

supervisor.py DIRECTORY COMMAND...   DIRECTORY/pid is the daemon that runs now; DIRECTORY/environment, VARIABLE=VALUE lines, is read anew
each time; while DIRECTORY/held is there, none is started.
"""

import array
import ctypes
import os
import select
import signal
import socket
import sys
import time

directory, command = sys.argv[1], sys.argv[2:]
libc = ctypes.CDLL(None, use_errno=True)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(directory + "/notify")
# Descriptors by the name that the daemon gave them, sd_pid_notify_with_fds(3).
store = {}


def environment():
    try:
        with open(directory + "/environment") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except FileNotFoundError:
        return {}


def start():
    handed = [(name, fd) for name, fds in store.items() for fd in fds]
    pid = os.fork()
    if pid:
        with open(directory + "/pid.new", "w") as file:
            file.write(str(pid))
        os.rename(directory + "/pid.new", directory + "/pid")
        return os.pidfd_open(pid)
    libc.prctl(1, signal.SIGKILL)
    os.environ.update(environment(), NOTIFY_SOCKET=directory + "/notify")
    if handed:
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(handed)), LISTEN_FDNAMES=":".join(name for name, _ in handed))
    # Out of the way first, then to where they are expected.
    high = [os.dup2(fd, 3000 + number) for number, (_, fd) in enumerate(handed)]
    for number, fd in enumerate(high):
        os.dup2(fd, 3 + number)
    os.closerange(3 + len(handed), 4000)
    os.execv(command[0], command)


def take_notice():
    data, ancillary, _, _ = notify.recvmsg(65536, socket.CMSG_SPACE(253 * 4))
    fds = array.array("i")
    for _, _, content in ancillary:
        fds.frombytes(content[:len(content) // 4 * 4])
    said = dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
    name = said.get("FDNAME", "stored")
    if "FDSTORE" in said:
        store.setdefault(name, []).extend(fds)
    if "FDSTOREREMOVE" in said:
        for fd in store.pop(name, []):
            os.close(fd)


child = start()
while True:
    for ready in select.select([notify, child], [], [])[0]:
        if ready is notify:
            take_notice()
            continue
        os.waitid(os.P_PIDFD, child, os.WEXITED)
        os.close(child)
        while select.select([notify], [], [], 0)[0]:
            take_notice()
        while os.path.exists(directory + "/held"):
            time.sleep(0.02)
        child = start()
