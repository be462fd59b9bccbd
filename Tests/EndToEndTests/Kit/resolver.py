# A stand-in for dockerd's resolver: at random ports of 127.0.0.11, UDP and TCP at different ones.
#
# It knows `task-1`, `task-2.front`, `host.docker.internal`, the address 10.1.0.9 and names under `example`; `big.example`
# over TCP alone. With the argument `loop` it asks 127.0.0.11:53 whatever it is asked. Each query is a line of its output:
# transport, name.
import socket, sys, threading
import dns.flags, dns.message, dns.rcode, dns.rdatatype, dns.rrset

KNOWN = ("task-1.", "task-2.front.", "host.docker.internal.")


def answer(wire, transport):
    query = dns.message.from_wire(wire)
    question = query.question[0]
    name = question.name.to_text().lower()
    print(transport, name, flush=True)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    if name.startswith("big.") and transport == "udp":
        reply.flags |= dns.flags.TC
    elif name == "9.0.1.10.in-addr.arpa.":
        reply.answer.append(dns.rrset.from_text(name, 600, "IN", "PTR", "task-1.front."))
    elif name in KNOWN or name.endswith(".example."):
        if question.rdtype == dns.rdatatype.A:
            reply.answer.append(dns.rrset.from_text(name, 600, "IN", "A", "192.0.2.50"))
    else:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply.to_wire()


def serve_stream(listener):
    while True:
        connection, _ = listener.accept()
        if "loop" in sys.argv:
            connection.close()
            continue
        length = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
        reply = answer(connection.recv(length, socket.MSG_WAITALL), "tcp")
        connection.sendall(len(reply).to_bytes(2, "big") + reply)


udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.11", 0))
tcp = socket.socket()
tcp.bind(("127.0.0.11", 0))
tcp.listen()
threading.Thread(target=serve_stream, args=(tcp,), daemon=True).start()
print("ready", udp.getsockname()[1], tcp.getsockname()[1], flush=True)


def forward(wire, peer):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.settimeout(5)
        other.sendto(wire, ("127.0.0.11", 53))
        try:
            udp.sendto(other.recv(4096), peer)
        except OSError:
            pass


while True:
    wire, peer = udp.recvfrom(4096)
    if "loop" in sys.argv:
        threading.Thread(target=forward, args=(wire, peer), daemon=True).start()
    else:
        udp.sendto(answer(wire, "udp"), peer)
