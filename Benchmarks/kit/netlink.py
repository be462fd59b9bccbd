"""A little of rtnetlink(7), and network namespaces as files: quicker than a program for each step."""

import ctypes
import ipaddress
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
MS_BIND, MNT_DETACH = 4096, 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE, NLM_F_DUMP = 1, 4, 0x200, 0x400, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR = 16, 17, 20, 21
IFLA_IFNAME, IFLA_MASTER, IFLA_LINKINFO, IFLA_NET_NS_FD = 3, 10, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL = 1, 2
IFF_UP = 1

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (what, os.strerror(error)))


class Namespace:
    """A namespace with a file in /run/netns, or that of this process; and a socket that was made inside."""

    def __init__(self, name=None):
        self.name = name
        self.sequence = 0
        if name:
            self.path = "/run/netns/" + name
            home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            check(libc.unshare(CLONE_NEWNET), "unshare")
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o444))
            check(libc.mount(b"/proc/thread-self/ns/net", self.path.encode(), b"none", MS_BIND, None), "mount")
            self.open()
            check(libc.setns(home, CLONE_NEWNET), "setns")
            os.close(home)
        else:
            self.path = "/proc/thread-self/ns/net"
            self.open()

    def open(self):
        # Without IPv6: what it says to all links of a bridge at once makes the kernel drop other packets.
        for which in ("all", "default"):
            with open("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % which, "w") as file:
                file.write("1")
        self.netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.netlink.bind((0, 0))
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def close(self):
        self.netlink.close()
        self.client.close()

    def delete(self):
        """As `ip netns del` does it."""
        self.close()
        check(libc.umount2(self.path.encode(), MNT_DETACH), "umount")
        os.unlink(self.path)

    def ask(self, kind, flags, body):
        self.sequence += 1
        self.netlink.send(struct.pack("=IHHII", 16 + len(body), kind, flags | NLM_F_REQUEST | NLM_F_ACK, self.sequence, 0) + body)
        error, = struct.unpack_from("=i", self.netlink.recv(65536), 16)
        if error:
            raise OSError(-error, os.strerror(-error))

    def dump(self, kind, body):
        """The bodies of all messages."""
        self.sequence += 1
        self.netlink.send(struct.pack("=IHHII", 16 + len(body), kind + 2, NLM_F_DUMP | NLM_F_REQUEST, self.sequence, 0) + body)
        while True:
            data = self.netlink.recv(65536)
            while data:
                length, kind, = struct.unpack_from("=IH", data)
                if kind == NLMSG_DONE:
                    return
                yield data[16:length]
                data = data[(length + 3) & ~3:]

    def index(self, name):
        return socket.if_nametoindex(name) if not self.name else next(
            struct.unpack_from("=i", link, 4)[0] for link in self.dump(RTM_NEWLINK, bytes(16))
            if attributes(link[16:])[IFLA_IFNAME].rstrip(b"\0").decode() == name)

    def set(self, index, up=None, master=None):
        flags = (0, 0) if up is None else (IFF_UP if up else 0, IFF_UP)
        body = struct.pack("=BxHiII", 0, 0, index, *flags)
        self.ask(RTM_NEWLINK, 0, body + (b"" if master is None else number(IFLA_MASTER, master)))

    def remove(self, index):
        self.ask(RTM_DELLINK, 0, struct.pack("=BxHiII", 0, 0, index, 0, 0))

    def address(self, index, text, add=True):
        interface = ipaddress.ip_interface(text)
        family = socket.AF_INET if interface.version == 4 else socket.AF_INET6
        body = struct.pack("=BBBBI", family, interface.network.prefixlen, 0, 0, index)
        body += attribute(IFA_LOCAL, interface.ip.packed) + attribute(IFA_ADDRESS, interface.ip.packed)
        self.ask(RTM_NEWADDR if add else RTM_DELADDR, NLM_F_CREATE | NLM_F_EXCL if add else 0, body)


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def number(kind, value):
    return attribute(kind, struct.pack("=i", value))


def attributes(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found[kind & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


def bridge(host, name, address):
    kind = attribute(IFLA_INFO_KIND, b"bridge\0")
    body = bytes(16) + attribute(IFLA_IFNAME, name.encode() + b"\0") + attribute(IFLA_LINKINFO, kind)
    host.ask(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)
    index = host.index(name)
    host.address(index, address)
    host.set(index, up=True)
    return index


def veth(host, name, namespace, master):
    """Connects a namespace to a bridge; gives the numbers of the host's end and of the other, which is called eth0."""
    fd = os.open(namespace.path, os.O_RDONLY)
    peer = bytes(16) + attribute(IFLA_IFNAME, b"eth0\0") + number(IFLA_NET_NS_FD, fd)
    info = attribute(IFLA_INFO_KIND, b"veth\0") + attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, peer))
    host.ask(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, bytes(16) + attribute(IFLA_IFNAME, name.encode() + b"\0") + attribute(IFLA_LINKINFO, info))
    os.close(fd)
    outer, inner = host.index(name), namespace.index("eth0")
    host.set(outer, up=True, master=master)
    namespace.set(1, up=True)
    namespace.set(inner, up=True)
    return outer, inner
