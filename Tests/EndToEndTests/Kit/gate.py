"""Asks 127.0.0.11 for names that no policy allows, in every way that a query can be written.

Each line of output is what is wrong: an answer with records, or with another code than NXDOMAIN, REFUSED, FORMERR and NOTIMP. The last
line is the number of queries.
"""

import random
import socket
import struct
import sys

SERVER = ("127.0.0.11", 53)
EVIL = [
    b"evil.example", b"EVIL.eXample", b"x.evil.example", b"_dmarc.evil.example", b"_443._tcp.evil.example",
    b"allowed.example.evil.example", b"xallowed.example", b"evil", b"host.docker.internal", b"HOST.internal",
    b"host.containers.internal", b"gateway.n.internal", b"x.internal", b"x.local", b"8.8.8.8.in-addr.arpa",
    b"1.0.0.10.in-addr.arpa", b"b.a.9.8.ip6.arpa", b"google.internal", b"com", b"arpa", b"*.example", b"*",
]
random.seed(7)


def name(labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def names():
    for text in EVIL:
        yield name(text.split(b"."))
    # A dot inside of a label, octets that are no text, the longest name, the most labels.
    yield name([b"allowed.example"])
    yield name([b"x.allowed", b"example"])
    yield name([b"\x00\xff\x80", b"\x01", b"example"])
    yield name([b"x" * 63, b"y" * 63, b"z" * 63, b"w" * 61])
    yield name([b"a"] * 127)
    yield b"\0"
    for _ in range(100):
        yield name([bytes(random.randrange(256) for _ in range(random.randrange(1, 20))) for _ in range(3)])


def query(wire, kind, number, klass=1, flags=0x0100, edns=True, opcode=0):
    head = struct.pack("!HHHHHH", number, flags | opcode << 11, 1, 0, 0, 1 if edns else 0)
    opt = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0" if edns else b""
    return head + wire + struct.pack("!HH", kind, klass) + opt


def wrong(answer, what):
    code, answers = struct.unpack("!H", answer[2:4])[0] & 15, struct.unpack("!H", answer[6:8])[0]
    if answers > 0 or code not in (1, 3, 4, 5):
        print("%s: code %d, %d answers" % (what, code, answers))


def queries():
    kinds = list(range(1, 260)) + [32768, 65280, 65535, 0]
    for wire in names():
        for kind in (1, 28, 16, 12, 65, 255, 43, 48, 252, 10, 65280):
            yield query(wire, kind, 0)
    for kind in kinds:
        yield query(name([b"evil", b"example"]), kind, 0)
    for klass in (3, 4, 254, 255, 0):
        yield query(name([b"evil", b"example"]), 1, 0, klass)
    for opcode in (1, 2, 4, 5, 6):
        yield query(name([b"evil", b"example"]), 1, 0, opcode=opcode)
    for flags in (0x0000, 0x0110, 0x0120, 0x0140):
        yield query(name([b"evil", b"example"]), 1, 0, flags=flags, edns=False)
    # Compressed, against itself and against what stands before.
    yield query(b"\x04evil\xc0\x0c", 1, 0)
    yield query(b"\xc0\x0c", 1, 0)


def receive(stream, count):
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


everything = list(queries())
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(20)
udp.connect(SERVER)
for message in everything:
    udp.send(message)
    wrong(udp.recv(65535), "udp %s" % message.hex())
# All of them pipelined, those that can be read: the others end the connection.
readable = everything[:-2]
with socket.create_connection(SERVER, 20) as stream:
    for start in range(0, len(readable), 50):
        batch = [struct.pack("!H", number) + message[2:] for number, message in enumerate(readable[start:start + 50])]
        stream.sendall(b"".join(struct.pack("!H", len(message)) + message for message in batch))
        for _ in batch:
            length, = struct.unpack("!H", receive(stream, 2))
            answer = receive(stream, length)
            wrong(answer, "tcp %s" % batch[struct.unpack("!H", answer[:2])[0]].hex())
print(len(everything) + len(readable))
