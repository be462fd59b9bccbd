// A DNS server of the tests' own, that answers each name in the way that the name says.

import Foundation

extension House {
    /// Starts an upstream at an address, IPv6 with its scope, and waits until it answers.
    ///
    /// Every query is a line in the house's file `upstream-NAME`: transport, name, type. TXT records say `from NAME`.
    /// - Parameters:
    ///   - mode: `normal`, or `silent`, `servfail`, `refused` for every name.
    ///   - namespace: where it runs; by default that of the host.
    ///   - name: what it is called; by default its address.
    func startUpstream(
        _ address: String, mode: String = "normal", in namespace: String = "house", as name: String? = nil
    ) throws {
        let name = name ?? address
        let script = "\(directory)/upstream.py"
        try Self.upstreamScript.write(toFile: script, atomically: true, encoding: .utf8)
        try start(
            in: namespace, ["env"] + Self.pythonPath + ["python3", "-u", script, address, mode, name],
            log: "upstream-\(name)")
        guard eventually({ queries(of: name).first == "ready" }) else {
            throw CommandFailure(
                command: "upstream \(name)",
                output: Output(status: 1, out: queries(of: name).joined(separator: "\n"), err: ""))
        }
    }

    /// What an upstream was asked, a line each.
    func queries(of name: String) -> [String] {
        let text = (try? String(contentsOfFile: "\(directory)/upstream-\(name)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    private static let upstreamScript = ##"""
        import socket, struct, sys, threading, time
        import dns.flags, dns.message, dns.rcode, dns.rrset

        address, mode, called = sys.argv[1:]

        def respond(query, transport):
            question = query.question[0]
            name, kind = str(question.name), question.rdtype
            print(transport, name, kind, flush=True)
            response = dns.message.make_response(query, recursion_available=True)
            first = name.split(".")[0].lower()
            if first == "slow":
                time.sleep(0.3)
            if mode == "servfail" or first == "servfail":
                response.set_rcode(dns.rcode.SERVFAIL)
            elif mode == "refused":
                response.set_rcode(dns.rcode.REFUSED)
            elif first == "nothing":
                response.set_rcode(dns.rcode.NXDOMAIN)
                response.authority.append(dns.rrset.from_text("example.", 60, "IN", "SOA", "ns. host. 1 2 3 4 5"))
            elif first == "truncated" and transport == "udp":
                response.flags |= dns.flags.TC
            elif kind == 65280:
                response.answer.append(dns.rrset.from_text(name, 77, "IN", "TYPE65280", r"\# 4 deadbeef"))
            elif kind == 1:
                count = 100 if first in ("big", "truncated") else 1
                addresses = ["192.0.2.%d" % (n + 1) for n in range(count)]
                response.answer.append(dns.rrset.from_text(name, 300, "IN", "A", *addresses))
            elif kind == 16:
                response.answer.append(dns.rrset.from_text(name, 300, "IN", "TXT", '"from %s"' % called))
            return response

        def serve_udp(udp):
            while True:
                data, peer = udp.recvfrom(65535)
                query = dns.message.from_wire(data)
                response = respond(query, "udp")
                first = str(query.question[0].name).split(".")[0].lower()
                if mode == "silent" or first == "silent":
                    continue
                wire = response.to_wire(max_size=65535)
                if first == "spoofed":
                    # The wrong id, the wrong question, garbage, a query: none of them may be believed.
                    udp.sendto(struct.pack("!H", response.id ^ 0x5555) + wire[2:].replace(b"\xc0\x00\x02", b"\x06\x06\x06"), peer)
                    other = dns.message.make_query("other.example.", "A")
                    other.id, other.flags = response.id, response.flags
                    udp.sendto(other.to_wire(), peer)
                    udp.sendto(b"garbage", peer)
                    udp.sendto(data, peer)
                udp.sendto(wire, peer)

        def serve_tcp(connection):
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
                    wire = respond(dns.message.from_wire(read(length)), "tcp").to_wire(max_size=65535)
                    framed = struct.pack("!H", len(wire)) + wire
                    for octet in framed[:3]:
                        connection.sendall(bytes([octet]))
                    connection.sendall(framed[3:])
            except EOFError:
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
        """##
}
