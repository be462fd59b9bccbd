"""Questions and answers of DNS, as much as the lab needs: A, AAAA, PTR and SRV."""

import ipaddress
import struct

A, PTR, AAAA, SRV = 1, 12, 28, 33
NXDOMAIN = 3


def question(number, name, kind):
    """A query with EDNS for 16,384 octets."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    header = struct.pack(">6H", number & 0xFFFF, 0x0100, 1, 0, 0, 1)
    return header + labels + struct.pack(">B2H", 0, kind, 1) + struct.pack(">B2HIH", 0, 41, 16384, 0, 0)


def reverse(address):
    """The name under which an address is looked up."""
    return ipaddress.ip_address(address).reverse_pointer


def name_at(packet, position):
    """The name that begins at a position, and the position behind it."""
    labels, end = [], None
    while packet[position]:
        if packet[position] >= 0xC0:
            end = end or position + 2
            position = (packet[position] & 0x3F) << 8 | packet[position + 1]
        else:
            labels.append(packet[position + 1:position + 1 + packet[position]].decode())
            position += 1 + packet[position]
    return ".".join(labels), end or position + 1


def answer(packet):
    """Number, response code, and the data of all answers as text, sorted."""
    number, flags, questions, answers = struct.unpack(">4H", packet[:8])
    position = 12
    for _ in range(questions):
        position = name_at(packet, position)[1] + 4
    found = []
    for _ in range(answers):
        position = name_at(packet, position)[1]
        kind, _, _, length = struct.unpack(">2HIH", packet[position:position + 10])
        position += 10
        data = packet[position:position + length]
        if kind in (A, AAAA):
            found.append(str(ipaddress.ip_address(data)))
        elif kind == PTR:
            found.append(name_at(packet, position)[0])
        elif kind == SRV:
            found.append("%d %s" % (struct.unpack(">H", data[4:6])[0], name_at(packet, position + 6)[0]))
        position += length
    return number, flags & 15, sorted(found)
