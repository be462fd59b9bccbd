"""Puts nftables objects with user data that libnftables 1.0.6 crashes on into table `intercom` of its namespace, one after another.

Arguments: names of cases (none: all, one after another, each in a table made anew); `--keep`: the last one stays."""
import socket, struct, sys


def nla(type, value):
    attribute = struct.pack("=HH", 4 + len(value), type) + value
    return attribute + b"\0" * (-len(attribute) % 4)


def text(value):
    return value.encode() + b"\0"


def u32(value):
    return struct.pack(">I", value)


sequence = 0


def message(type, flags, body, family=2):
    """A request of nf_tables, acknowledged."""
    global sequence
    sequence += 1
    body = struct.pack("=BBH", family, 0, 0) + body
    return struct.pack("=IHHII", 16 + len(body), (10 << 8) | type, flags | 5, sequence, 0) + body


def send(*messages):
    """Sends a batch, and gives the errors of the kernel."""
    frame = lambda type: struct.pack("=IHHIIBBH", 20, type, 1, 0, 0, 0, 0, socket.htons(10))
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    s.settimeout(0.3)
    s.send(frame(0x10) + b"".join(messages) + frame(0x11))
    errors, answers = [], 0
    try:
        while answers < len(messages):
            data, offset = s.recv(65536), 0
            while offset < len(data):
                length, type, _, number, _ = struct.unpack("=IHHII", data[offset:offset + 16])
                if type == 2:
                    answers += 1
                    error = struct.unpack("=i", data[offset + 16:offset + 20])[0]
                    if error:
                        errors.append((number, error))
                offset += (length + 3) & ~3
    except OSError:
        pass
    return errors


T = "intercom"


def table():
    return message(0, 0x400, nla(1, text(T)))


def set_with(userdata):
    return message(9, 0x400, nla(1, text(T)) + nla(2, text("s")) + nla(3, u32(0)) + nla(4, u32(7)) + nla(5, u32(4))
                   + nla(10, u32(1)) + nla(13, userdata))


def tlv(type, value):
    return struct.pack("BB", type, len(value)) + value


def typeof(expression, data):
    return tlv(3, tlv(0, struct.pack("=I", expression)) + tlv(1, data))


cases = {}
for e in [0,1,2,3,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,40,255,0xffffffff]:
    cases[f"typeof-{e}"] = [table(), set_with(typeof(e, b""))]
    cases[f"typeof-{e}-junk"] = [table(), set_with(typeof(e, tlv(0, struct.pack("=I", 1)) + tlv(1, struct.pack("=I", 0xffff))))]
for d in range(0,40):
    for t in (0,5,20,100,0xffff,0x7fffffff,0xffffffff):
        cases[f"payload-{d}-{t:x}"] = [table(), set_with(typeof(7, tlv(0, struct.pack("=I", d)) + tlv(1, struct.pack("=I", t))))]

if __name__ == "__main__":
    names = [argument for argument in sys.argv[1:] if argument != "--keep"] or list(cases)
    refused = 0
    for name in names:
        # A table is made before it is deleted: there is one then.
        send(table(), message(2, 0, nla(1, text(T))))
        refused += bool(send(*cases[name]))
    if "--keep" not in sys.argv:
        send(table(), message(2, 0, nla(1, text(T))))
    print("%d cases, %d refused by the kernel" % (len(names), refused))
