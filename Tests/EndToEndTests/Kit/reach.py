"""Tries to reach addresses; a line each: way, address, outcome.

    reach.py SECONDS WAY:ADDRESS:PORT …

WAY is tcp, udp, icmp, raw (a UDP datagram by a raw socket), spoofed=SOURCE (the same with another source address), frame=MAC (to a
hardware address, whatever the routes say), tagged=MAC (such a frame with a VLAN tag), or other=MAC (frames that are no IP for who does not look for it). An outcome is "reached", or the errno that the program gets, or "silence". IPv6 addresses are in
brackets.
"""

import errno
import socket
import struct
import sys
import time


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def datagram(source, target, port):
    """An IPv4 packet with a UDP datagram."""
    payload = b"way out"
    udp = struct.pack("!HHHH", 5353, port, 8 + len(payload), 0) + payload
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(target))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + udp


def own_address():
    return "10.1.0.2"


def connect(family, address, port):
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(patience)
        client.connect((address, port))
        client.send(b"way out\n")
        return "reached" if client.recv(16) else "closed"


def send(family, address, port):
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.settimeout(patience)
        client.connect((address, port))
        client.send(b"way out")
        return "reached" if client.recv(16) else "closed"


def ping(family, address):
    with socket.socket(family, socket.SOCK_RAW, 1 if family == socket.AF_INET else 58) as client:
        client.settimeout(patience)
        client.connect((address, 0))
        kind = 8 if family == socket.AF_INET else 128
        message = struct.pack("!BBHHH", kind, 0, 0, 4711, 1) + b"way out"
        if family == socket.AF_INET:
            message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
        client.send(message)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            reply = client.recv(2048)
            reply = reply[20:] if family == socket.AF_INET else reply
            if reply[0] in (0, 129):
                return "reached"
        return "silence"


def raw(source, target, port):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as client:
        client.sendto(datagram(source, target, port), (target, 0))
    return "sent"


def frame(mac, ether_type, payload):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as client:
        client.bind(("eth0", 0))
        own = client.getsockname()[4]
        client.send(bytes.fromhex(mac.replace("-", "")) + own + struct.pack("!H", ether_type) + payload)
    return "sent"


def attempt(way, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if way == "tcp":
        return connect(family, address, port)
    if way == "udp":
        return send(family, address, port)
    if way == "icmp":
        return ping(family, address)
    if way == "raw":
        return raw(own_address(), address, port)
    kind, value = way.split("=")
    if kind == "spoofed":
        return raw(value, address, port)
    if kind == "frame":
        return frame(value, 0x0800, datagram(own_address(), address, port))
    if kind == "tagged":
        return frame(value, 0x8100, b"\0\x05\x08\0" + datagram(own_address(), address, port))
    # Two VLAN tags, and a private protocol.
    frame(value, 0x88A8, b"\0\x01\x81\0\0\x02\x08\0" + datagram(own_address(), address, port))
    return frame(value, 0x88B5, datagram(own_address(), address, port))


patience = float(sys.argv[1])
for argument in sys.argv[2:]:
    way, rest = argument.split(":", 1)
    address, port = rest.rsplit(":", 1)
    try:
        outcome = attempt(way, address.strip("[]"), int(port))
    except (TimeoutError, socket.timeout):
        outcome = "silence"
    except OSError as error:
        outcome = errno.errorcode.get(error.errno, str(error))
    print(way, address.strip("[]"), outcome, flush=True)
