"""Messages by chance and what dnspython makes of them: for each a line of its octets and what was read, or why it was refused.

differential.py COUNT SEED, with messages in hexadecimal digits on standard input: they are mutated, too.
"""

import random
import struct
import sys

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

# The types whose data is looked into here; dnspython knows more, and is to leave those as they are.
KNOWN = {dns.rdatatype.from_text(name) for name in "A AAAA NS CNAME PTR DNAME MX SRV SOA TXT HINFO OPT".split()}
read_data = dns.rdata.from_wire_parser
place = {"data": False}


def from_wire_parser(rdclass, rdtype, parser, origin=None):
    place["data"] = True
    if rdtype not in KNOWN or rdclass != dns.rdataclass.IN and rdtype != dns.rdatatype.OPT:
        data = dns.rdata.GenericRdata(rdclass, rdtype, parser.get_remaining())
    else:
        data = read_data(rdclass, rdtype, parser, origin)
    place["data"] = False
    return data


dns.rdata.from_wire_parser = from_wire_parser
# What options hold is for those who use them.
dns.edns.option_from_wire_parser = lambda code, parser: dns.edns.GenericOption(code, parser.get_remaining())
LABELS = ["a", "web", "Mixed", "_tcp", "x" * 63, "internal", "example", "b\\.c"]


def name():
    return ".".join(random.sample(LABELS, random.randint(1, 4))) + "."


DATA = {
    "A": lambda: "192.0.2.%d" % random.randrange(256),
    "AAAA": lambda: "2001:db8::%x" % random.randrange(1, 65536),
    "NS": name, "CNAME": name, "PTR": name, "DNAME": name,
    "MX": lambda: "%d %s" % (random.randrange(65536), name()),
    "SRV": lambda: "%d %d %d %s" % (random.randrange(9), random.randrange(9), random.randrange(65536), name()),
    "SOA": lambda: "%s %s 1 2 3 4 5" % (name(), name()),
    "TXT": lambda: '"%s" "two words"' % ("t" * random.randrange(255)),
    "HINFO": lambda: '"a" "b"',
    "TYPE65280": lambda: "\\# 3 010203",
}


def message():
    """A well-formed message, compressed."""
    kind = random.choice(list(DATA))
    query = dns.message.make_query(name(), kind, use_edns=random.choice([0, 0, False]), payload=1400)
    if query.edns >= 0 and random.random() < 0.5:
        query.use_edns(0, random.choice([0, dns.flags.DO]), 1232, options=[dns.edns.GenericOption(random.randrange(20), b"abcd")])
    if random.random() < 0.3:
        return query.to_wire()
    response = dns.message.make_response(query)
    for section in (response.answer, response.authority, response.additional):
        for _ in range(random.randrange(4)):
            which = random.choice(list(DATA))
            owner = random.choice([query.question[0].name.to_text(), name()])
            section.append(dns.rrset.from_text(owner, random.randrange(2**32), "IN", which, DATA[which]()))
    return response.to_wire(max_size=65535)


def mutated(wire):
    wire = bytearray(wire)
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        place = random.randrange(len(wire) + 1)
        manner = random.randrange(7)
        if manner == 0:
            del wire[place:]
        elif manner == 1:
            wire[place:place] = random.randbytes(random.randrange(1, 4))
        elif manner == 2:
            del wire[place:place + random.randrange(1, 4)]
        elif manner == 3 and len(wire) > 14:
            wire[place:place + 2] = struct.pack("!H", 0xC000 | random.randrange(len(wire)))
        elif manner == 4 and len(wire) >= 12:
            wire[random.choice([5, 7, 9, 11])] = random.randrange(4)
        elif place < len(wire):
            wire[place] ^= 1 << random.randrange(8) if manner == 5 else random.randrange(1, 256)
    # An update has other sections (RFC 2136).
    if len(wire) > 2 and wire[2] >> 3 & 15 == dns.opcode.UPDATE:
        wire[2] &= 0x87
    return bytes(wire)


def wire(name):
    return name.canonicalize().to_wire().hex()


def describe(read):
    lines = ["%d %d %d" % (read.id, read.flags & ~15, read.rcode())]
    lines += ["%s %d %d" % (wire(q.name), q.rdtype, q.rdclass) for q in read.question]
    for section, records in enumerate((read.answer, read.authority, read.additional)):
        lines += ["%d %s %d %d %d" % (section, wire(r.name), r.rdtype, r.rdclass, r.ttl) for r in records]
    if read.edns >= 0:
        options = ",".join("%d" % int(option.otype) for option in read.options)
        lines.append("edns %d %d %s" % (read.edns, 1 if read.ednsflags & dns.flags.DO else 0, options))
    return "|".join(lines)


random.seed(int(sys.argv[2]))
given = [bytes.fromhex(line.strip()) for line in sys.stdin]
for number in range(int(sys.argv[1])):
    octets = random.choice(given) if given and random.random() < 0.3 else message()
    if random.random() < 0.7:
        octets = mutated(octets)
    place["data"] = False
    try:
        read = dns.message.from_wire(octets, keyring=False, one_rr_per_rrset=True, ignore_trailing=True)
        print(octets.hex() + "|read|" + describe(read))
    except Exception as error:
        where = "data" if place["data"] else "frame"
        print("%s|refused|%s %s %s" % (octets.hex(), where, type(error).__name__, " ".join(str(error).split())))
