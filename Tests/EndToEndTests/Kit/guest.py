"""A guest with a network stack of its own: the other end of a TAP device, which speaks ARP, IPv4 and UDP and nothing else.

Arguments: the TAP device, the guest's Ethernet address, the address that it asks. Each line of input is a source address, a name, a type
as a number and the octets of a datagram that it takes (0: no EDNS), for example "10.1.0.9 db 1 1232"; each line of output is the answer
in hexadecimal, or "-" where none came in time. The source may be anybody's: it answers ARP requests for whatever it has asked from.
"""

import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
SECONDS = 2
# Nobody answers a question that is dropped; the answer to another one behind it tells that it was.
ARP, IPV4 = 0x0806, 0x0800
PORT = 40053


def number(address):
    return bytes(int(part) for part in address.split("."))


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Guest:
    def __init__(self, device, mac, server):
        self.tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TAP | IFF_NO_PI))
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.server = number(server)
        self.gateway = None
        self.sources = set()

    def send(self, to, kind, payload):
        os.write(self.tap, to + self.mac + struct.pack("!H", kind) + payload)

    def arp(self, operation, to, source, target, wanted):
        header = struct.pack("!HHBBH", 1, IPV4, 6, 4, operation)
        self.send(to, ARP, header + self.mac + source + target + wanted)

    def frames(self, end):
        while (left := end - time.monotonic()) > 0:
            if select.select([self.tap], [], [], left)[0]:
                yield os.read(self.tap, 65536)

    def take_arp(self, frame):
        operation, mac, source, _, wanted = struct.unpack("!6xH6s4s6s4s", frame[14:42])
        if operation == 1 and wanted in self.sources:
            self.arp(2, mac, wanted, mac, source)
        if operation == 2 and source == self.server:
            self.gateway = mac

    def find(self, source):
        for _ in range(10):
            self.arp(1, b"\xff" * 6, source, bytes(6), self.server)
            for frame in self.frames(time.monotonic() + 0.2):
                if frame[12:14] == struct.pack("!H", ARP):
                    self.take_arp(frame)
                if self.gateway:
                    return
        raise OSError("no gateway")

    def ask(self, source, message, key):
        udp = struct.pack("!HHHH", PORT, 53, 8 + len(message), 0) + message
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + source + self.server
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        self.send(self.gateway, IPV4, header + udp)
        for frame in self.frames(time.monotonic() + SECONDS):
            kind, = struct.unpack("!H", frame[12:14])
            if kind == ARP:
                self.take_arp(frame)
            elif kind == IPV4 and frame[23] == 17 and frame[26:30] == self.server and frame[30:34] == source:
                answer = frame[14 + 20 + 8 : 14 + struct.unpack("!H", frame[16:18])[0]]
                if answer[:2] == key:
                    return answer
        return None


guest = Guest(*sys.argv[1:4])
for count, line in enumerate(sys.stdin):
    source, name, kind, size = line.split()
    source = number(source)
    guest.sources.add(source)
    key = struct.pack("!H", 7)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    extra = struct.pack("!BHHIH", 0, 41, int(size), 0, 0) if int(size) else b""
    message = key + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 1 if extra else 0)
    message += labels + b"\0" + struct.pack("!HH", int(kind), 1) + extra
    if not guest.gateway:
        guest.find(source)
    answer = guest.ask(source, message, key)
    print(answer.hex() if answer else "-", flush=True)
