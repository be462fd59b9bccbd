"""How soon the host's name follows its addresses.

follow.py CONTAINER LINK NAME ADDRESS/PREFIX TIMES, in the host's namespace: gives LINK the address and takes it again, and asks for NAME in
the namespace of the file CONTAINER until that is answered. Prints the microseconds from each change in the kernel to such an answer.
"""

import ctypes
import ipaddress
import os
import socket
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
RTM_NEWADDR, RTM_DELADDR, NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE = 20, 21, 1, 4, 0x400
IFA_ADDRESS, IFA_LOCAL, IFA_F_NODAD = 1, 2, 2
SECONDS = 5


def client(container):
    """A socket that asks in the container."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(container, os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    for namespace in (there, home):
        if libc.setns(namespace, CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), "setns")
        if namespace == there:
            asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.connect(("127.0.0.11", 53))
    asker.settimeout(SECONDS)
    return asker


def change(netlink, kind, index, interface):
    """Adds or deletes an address, without duplicate address detection: it is there at once."""
    octets = interface.ip.packed
    family = socket.AF_INET if interface.version == 4 else socket.AF_INET6
    body = struct.pack("=BBBBI", family, interface.network.prefixlen, IFA_F_NODAD if interface.version == 6 else 0, 0, index)
    for attribute in (IFA_LOCAL, IFA_ADDRESS):
        body += struct.pack("=HH", 4 + len(octets), attribute) + octets
    flags = NLM_F_REQUEST | NLM_F_ACK | (NLM_F_CREATE if kind == RTM_NEWADDR else 0)
    netlink.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
    error, = struct.unpack_from("=i", netlink.recv(65536), 16)
    if error:
        raise OSError(-error, os.strerror(-error))


def has(asker, question, octets):
    asker.send(question)
    return octets in asker.recv(65535)[len(question):]


container, link, name, address, times = sys.argv[1:]
interface = ipaddress.ip_interface(address)
labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
question = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 1 if interface.version == 4 else 28, 1)
asker = client(container)
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
index = socket.if_nametoindex(link)
for _ in range(int(times)):
    for kind in (RTM_NEWADDR, RTM_DELADDR):
        # Before the reply of the kernel: the daemon hears of it no later than we.
        start = time.perf_counter()
        change(netlink, kind, index, interface)
        while has(asker, question, interface.ip.packed) != (kind == RTM_NEWADDR):
            if time.perf_counter() - start > SECONDS:
                sys.exit("%s is not followed" % address)
        print(round((time.perf_counter() - start) * 1e6))
