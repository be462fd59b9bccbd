"""A DNS server that answers each name in the way that its first label says.

    upstream.py ADDRESS MODE NAME

MODE is normal, or silent, servfail or refused for every name, or tcp: silent over UDP alone,
or lying: every reply over UDP has another id, and none comes over TCP,
or silent-s: silent over UDP to names that begin with s. A name silent.… is never answered. Every query is a line of output: transport, name, type.
TXT records say "from NAME"; A records are 192.0.2.1, or 192.0.2.1 to 192.0.2.100 for big and truncated.
"""

import socket
import struct
import sys
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

address, mode, called = sys.argv[1:]
asked = {}
lock = threading.Lock()


def first_label(query):
    return str(query.question[0].name).split(".")[0].lower()


def count(query, transport):
    """How often this name was asked over this transport, this time included."""
    with lock:
        key = (str(query.question[0].name).lower(), query.question[0].rdtype, transport)
        asked[key] = asked.get(key, 0) + 1
        return asked[key]


def respond(query, transport):
    question = query.question[0]
    name, kind = str(question.name), question.rdtype
    print(transport, name, kind, flush=True)
    response = dns.message.make_response(query, recursion_available=True)
    first = first_label(query)
    if mode == "servfail" or first == "servfail":
        response.set_rcode(dns.rcode.SERVFAIL)
    elif mode == "refused":
        response.set_rcode(dns.rcode.REFUSED)
    elif first == "nothing":
        response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority.append(dns.rrset.from_text("example.", 60, "IN", "SOA", "ns. host. 1 2 3 4 5"))
    elif first in TRUNCATED and transport == "udp":
        response.flags |= dns.flags.TC
    elif first.startswith("alias-"):
        # alias-web--corp.example is a CNAME to web.corp, of which this server knows the address 192.0.2.66.
        target = first[len("alias-"):].replace("--", ".") + "."
        response.answer.append(dns.rrset.from_text(name, 300, "IN", "CNAME", target))
        if kind == 1:
            response.answer.append(dns.rrset.from_text(target, 300, "IN", "A", "192.0.2.66"))
    elif first == "signed" and kind == 1:
        # Validated, as this server says; with its signature for those that ask for it (DO).
        response.flags |= dns.flags.AD
        response.answer.append(dns.rrset.from_text(name, 300, "IN", "A", "192.0.2.1"))
        if query.ednsflags & dns.flags.DO:
            signature = "A 8 3 300 20380101000000 20200101000000 1 example.com. AAAA"
            response.answer.append(dns.rrset.from_text(name, 300, "IN", "RRSIG", signature))
    elif first == "bogus" and not query.flags & dns.flags.CD:
        # Its signatures are wrong: told to those alone that check by themselves (CD).
        response.set_rcode(dns.rcode.SERVFAIL)
    elif kind == 15:
        response.answer.append(dns.rrset.from_text(name, 300, "IN", "MX", "10 " + name, "20 www." + name))
    elif kind == 65280:
        response.answer.append(dns.rrset.from_text(name, 77, "IN", "TYPE65280", r"\# 4 deadbeef"))
    elif kind == 1 and first == "chain":
        response.answer.append(dns.rrset.from_text(name, 300, "IN", "CNAME", "target.evil.example."))
        response.answer.append(dns.rrset.from_text("target.evil.example.", 300, "IN", "A", "192.0.2.1"))
    elif kind == 1 and first in ("inside", "mixed"):
        addresses = ["10.0.0.1", "169.254.169.254"] + (["192.0.2.1"] if first == "mixed" else [])
        response.answer.append(dns.rrset.from_text(name, 300, "IN", "A", *addresses))
    elif kind == 1:
        number = 100 if first in ("big", "truncated", "closing", "bytewise") else 1
        addresses = ["192.0.2.%d" % (n + 1) for n in range(number)]
        ttl = 1 if first == "brief" else 300
        response.answer.append(dns.rrset.from_text(name, ttl, "IN", "A", *addresses))
    elif kind == 16 and first == "huge":
        texts = ['"%03d%s"' % (n, "x" * 250) for n in range(230)]
        response.answer.append(dns.rrset.from_text(name, 300, "IN", "TXT", *texts))
    elif kind == 16:
        response.answer.append(dns.rrset.from_text(name, 300, "IN", "TXT", '"from %s"' % called))
    return response


# Answered over TCP alone.
TRUNCATED = ("truncated", "closing", "bytewise", "huge")


def forged(wire):
    """The answer with another address."""
    return wire.replace(b"\xc0\x00\x02", b"\x06\x06\x06")


def damaged(first, query, wire, transport):
    """The answer as some servers and middleboxes garble it; None: dropped."""
    if first == "cut" and transport == "udp":
        return wire[:-7]
    if first == "short":
        # An address of three octets.
        return wire.replace(b"\x00\x04\xc0\x00\x02\x01", b"\x00\x03\xc0\x00\x02")
    if first == "tail":
        # One additional record more than there is.
        return wire[:10] + struct.pack("!H", struct.unpack("!H", wire[10:12])[0] + 1) + wire[12:]
    if first == "formerr" and query.edns >= 0:
        # The query sent back, its OPT record included.
        raw = query.to_wire()
        return raw[:2] + b"\x81\x01" + raw[4:]
    if first.startswith("edns") and query.edns >= 0:
        return None
    return wire


def wrong_id(wire):
    number, = struct.unpack("!H", wire[:2])
    return struct.pack("!H", number ^ 0x5555) + forged(wire[2:])


def wrong_question(query):
    other = dns.message.make_response(dns.message.make_query("other.example.", "A"))
    other.id = query.id
    other.answer.append(dns.rrset.from_text("other.example.", 300, "IN", "A", "6.6.6.1"))
    return other.to_wire()


held = []


def is_halved(first, query):
    """Some servers, and firewalls before them, know A alone."""
    return first == "halved" and query.question[0].rdtype == 28


def serve_udp(udp):
    while True:
        data, peer = udp.recvfrom(65535)
        query = dns.message.from_wire(data)
        wire = respond(query, "udp").to_wire(max_size=65535)
        first = first_label(query)
        wire = damaged(first, query, wire, "udp")
        times = count(query, "udp")
        if wire is None:
            continue
        if is_halved(first, query):
            continue
        if mode in ("silent", "tcp") or mode == "silent-s" and first.startswith("s") or first == "silent" or first == "dropped" and times == 1:
            continue
        if mode == "lying":
            udp.sendto(wrong_id(wire), peer)
            continue
        if first == "spoofed":
            # The wrong id, the wrong question, garbage, a query: none of them may be believed.
            for packet in (wrong_id(wire), wrong_question(query), b"garbage", data):
                udp.sendto(packet, peer)
        if first == "flooded":
            # Nothing but wrong ones, over UDP.
            for _ in range(20):
                udp.sendto(wrong_id(wire), peer)
            continue
        if first == "garbled" and times == 1:
            udp.sendto(wire[:12] + b"\xc0\x0c" * 20, peer)
            udp.sendto(forged(wire)[:-3], peer)
        if first == "delayed":
            threading.Timer(0.3, udp.sendto, (wire, peer)).start()
            continue
        if first.startswith("held"):
            # Answered once there are three, the last one first.
            held.append((wire, peer))
            if len(held) == 3:
                while held:
                    udp.sendto(*held.pop())
            continue
        udp.sendto(wire, peer)
        if first == "twice":
            udp.sendto(wire, peer)
            udp.sendto(forged(wire), peer)


def serve_tcp(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(count):
        data = b""
        while len(data) < count:
            part = connection.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    try:
        while True:
            length, = struct.unpack("!H", read(2))
            query = dns.message.from_wire(read(length))
            wire = respond(query, "tcp").to_wire(max_size=65535)
            first = first_label(query)
            wire = damaged(first, query, wire, "tcp")
            if wire is None or mode in ("silent", "lying") or first == "silent" or is_halved(first, query):
                continue
            framed = struct.pack("!H", len(wire)) + wire
            if first == "closing" and count(query, "tcp") == 1:
                connection.sendall(framed[: len(framed) // 2])
                raise EOFError
            slow = len(framed) if first == "bytewise" else 3
            for octet in framed[:slow]:
                connection.sendall(bytes([octet]))
            connection.sendall(framed[slow:])
    except (EOFError, OSError):
        connection.close()


family, _, _, _, place = socket.getaddrinfo(address, 53, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind(place)
tcp = socket.socket(family, socket.SOCK_STREAM)
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp.bind(place)
tcp.listen()
threading.Thread(target=serve_udp, args=(udp,), daemon=True).start()
print("ready", flush=True)
while True:
    connection, _ = tcp.accept()
    threading.Thread(target=serve_tcp, args=(connection,), daemon=True).start()
