"""Asks a hook as systemd-resolved 259 does (src/resolve/resolved-hook.c): resolved.py SOCKET, a lookup a line on standard input.

A connection of its own brings the filter, with "more", and stays open. A name that the filter leaves out is not asked about. Lookups
go over pooled connections. What has no rcode, an error, and a hook that is not there mean "go on with DNS".

Each line is `NAME TYPE[,TYPE]…`, `@filter`, `@reset` (the filter's connection is lost, and with it the filter) or `@wait SECONDS` (until
the filter is told anew). What comes out is a line each: `skipped`, `DNS`, or the code and the records, sorted.
"""
import base64, json, socket, struct, sys

TYPES = {"A": 1, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "ANY": 255}
path = sys.argv[1]


class Connection:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.buffer = b""

    def send(self, method, parameters=None, more=False):
        call = {"method": "io.systemd.Resolve.Hook." + method}
        if parameters is not None:
            call["parameters"] = parameters
        if more:
            call["more"] = True
        self.socket.sendall(json.dumps(call).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the hook has hung up")
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)


class Filter:
    def __init__(self):
        self.domains, self.link = None, None

    def acquire(self):
        try:
            self.link = Connection()
            self.link.send("QueryFilter", more=True)
            self.take(self.link.receive())
        except OSError:
            self.reset()

    def take(self, reply):
        # Without "continues" it is the last, and nothing is known any more.
        if reply.get("error") or not reply.get("continues"):
            return self.reset()
        self.domains = reply["parameters"].get("filterDomains")

    def reset(self):
        self.link, self.domains = None, None

    def passes(self, name):
        labels = name.lower().rstrip(".").split(".")
        return self.domains is None or any(".".join(labels[i:]) in self.domains for i in range(len(labels)))


def name(data, offset):
    labels = []
    while data[offset]:
        assert data[offset] < 64, "a name in a raw record is compressed"
        labels.append(data[offset + 1:offset + 1 + data[offset]].decode())
        offset += 1 + data[offset]
    return ".".join(labels), offset + 1


def record(raw):
    data = base64.b64decode(raw, validate=True)
    owner, offset = name(data, 0)
    kind, cls, ttl, length = struct.unpack_from("!HHIH", data, offset)
    rdata = data[offset + 10:]
    assert cls == 1 and len(rdata) == length, "not one whole record"
    if kind == 1:
        text = socket.inet_ntop(socket.AF_INET, rdata)
    elif kind == 28:
        text = socket.inet_ntop(socket.AF_INET6, rdata)
    elif kind in (5, 12):
        text = name(rdata, 0)[0]
    elif kind == 33:
        text = "%d %d %d " % struct.unpack_from("!HHH", rdata) + name(rdata, 6)[0]
    else:
        text = rdata.hex()
    return "%s %d %s" % (owner, kind, text)


pool = []


def look_up(query):
    connection = pool.pop() if pool else Connection()
    connection.send("ResolveRecord", {"question": [{"key": {"class": 1, "type": t, "name": n}} for n, t in query]})
    reply = connection.receive()
    if reply.get("error"):
        return "error " + reply["error"]
    pool.append(connection)
    parameters = reply.get("parameters", {})
    code = parameters.get("rcode")
    if code is None:
        return "DNS"
    assert 0 <= code < 24
    return " | ".join(["%d" % code] + sorted(record(a["raw"]) for a in parameters.get("answer") or []))


hook = Filter()
hook.acquire()
for line in sys.stdin:
    words = line.split()
    try:
        if words[0] == "@filter":
            print(" ".join(hook.domains) if hook.domains is not None else "none", flush=True)
        elif words[0] == "@reset":
            hook.reset()
            print("reset", flush=True)
        elif words[0] == "@wait":
            hook.link.socket.settimeout(float(words[1]))
            hook.take(hook.link.receive())
            print(" ".join(hook.domains), flush=True)
        else:
            query = [(n, TYPES[t]) for n in words[0].split(",") for t in words[1].split(",")]
            print(look_up(query) if hook.passes(query[0][0]) else "skipped", flush=True)
    except (ConnectionError, FileNotFoundError):
        pool.clear()
        print("DNS", flush=True)
