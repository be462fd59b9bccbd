// An upstream of the tests' own on the loopback interface: what it answers is in the name that it is asked for.

import DNSWire
import Synchronization
import Testing

@testable import IntercomServer
@testable import LinuxNet

/// Answers over UDP and TCP at one port. Everything that it was asked is recorded.
///
/// The first label says how: `nx` NXDOMAIN, `gone` the same with a SOA record, `servfail` SERVFAIL, `big` 60 addresses (TC over UDP), `silent`
/// nothing, `private` the address 10.0.0.1, `mixed` that and 192.0.2.53, `to-NAME` a CNAME record to that name, in which `--` stands for a
/// dot, `via-NAME` the same with the address of that name; anything else is one address, 192.0.2.53.
final class StandInUpstream: Sendable {
    let server: ServerAddress
    private let asked = Mutex<[String]>([])
    private let isOver = Atomic<Bool>(false)
    private let sockets: ListenerSockets
    private let thread = Mutex<ThreadHandle?>(nil)

    /// - Parameter number: the address, in 127.0.0.0/8.
    init(_ number: UInt32 = 0x7F00_0001) throws {
        sockets = try .atLoopback(SocketAddress(v4: number, port: 0))
        let address = try sockets.udp.localAddress()
        server = ServerAddress(address: .v4(IPv4Address(bits: number)), port: address.port)
        let handle = try Thread.start(name: "upstream") { [self] in run() }
        thread.withLock { $0 = handle }
    }

    /// Questions so far, as `udp a.example. A`.
    var questions: [String] { asked.withLock(\.self) }

    func forget() { asked.withLock { $0 = [] } }

    func stop() {
        isOver.store(true, ordering: .relaxed)
        thread.withLock { $0.take() }?.join()
    }

    // MARK: - Serving

    private func run() {
        var buffer = [UInt8](repeating: 0, count: 65_537)
        var receiver = UDPReceiver(slots: 8, slotSize: 4096)
        var streams: [Handover<Descriptor>] = []
        while !isOver.load(ordering: .relaxed) {
            var isIdle = true
            if let count = try? receiver.receive(from: sockets.udp), count > 0 {
                isIdle = false
                for packet in 0..<count {
                    let query = [UInt8](copying: receiver.packet(packet))
                    guard let answer = answer(query, over: .datagram) else { continue }
                    _ = try? sockets.udp.send(answer.span, to: receiver.source(packet))
                }
            }
            if let accepted = try? TCPSocket.accept(from: sockets.tcp) { streams.append(Handover(accepted)) }
            var open: [Handover<Descriptor>] = []
            for stream in streams {
                guard let connection = stream.take() else { continue }
                do throws(LinuxError) {
                    guard let count = try connection.receive(into: &buffer) else {
                        open.append(Handover(connection))
                        continue
                    }
                    guard count > 2 else { continue }
                    isIdle = false
                    // Whole queries, one behind another: the tests' are short.
                    var rest = buffer[..<count]
                    while rest.count > 2 {
                        let query = rest.dropFirst(2).prefix(Int(rest[rest.startIndex + 1]))
                        rest = rest[query.endIndex...]
                        guard let answer = answer(Array(query), over: .stream) else { continue }
                        let length = [UInt8(answer.count >> 8), UInt8(truncatingIfNeeded: answer.count)]
                        _ = try connection.send((length + answer).span)
                    }
                    open.append(Handover(connection))
                } catch {
                    continue
                }
            }
            streams = open
            if isIdle { Thread.pause(milliseconds: 1) }
        }
    }

    private func answer(_ query: [UInt8], over transport: Transport) -> [UInt8]? {
        guard let (name, type, end) = Self.question(of: query) else { return nil }
        asked.withLock { $0.append("\(transport == .stream ? "tcp" : "udp") \(name) \(type)") }
        let first = name.split(separator: ".").first.map(String.init) ?? ""
        if first == "silent" { return nil }
        var (flags, records): (UInt16, [[UInt8]]) = (0x8180, [Self.record(.a, [192, 0, 2, 53])])
        var authority: [[UInt8]] = []
        if first == "nx" { (flags, records) = (0x8183, []) }
        if first == "gone" {
            (flags, records) = (0x8183, [])
            // Of the zone above; MNAME and RNAME are the root.
            let numbers = (1...5).flatMap { [0, 0, 0, UInt8(60 + $0)] as [UInt8] }
            authority = [Self.record(.soa, [0, 0] + numbers, owner: 12 + 1 + first.utf8.count)]
        }
        if first == "private" { records = [Self.record(.a, [10, 0, 0, 1])] }
        if first == "mixed" { records = [Self.record(.a, [10, 0, 0, 1]), Self.record(.a, [192, 0, 2, 53])] }
        if first == "servfail" { (flags, records) = (0x8182, []) }
        if first == "big" {
            records = (0..<60).map { Self.record(.a, [192, 0, 2, $0]) }
            if transport == .datagram { (flags, records) = (0x8380, []) }
        }
        if first.hasPrefix("to-"), let target = try? Name(first.dropFirst(3).replacing("--", with: ".")) {
            records = [Self.record(.cname, target.wire)]
        }
        if first.hasPrefix("via-"), let target = try? Name(first.dropFirst(4).replacing("--", with: ".")) {
            // The target stands behind the fixed part of the first record.
            records = [Self.record(.cname, target.wire), Self.record(.a, [192, 0, 2, 53], owner: end + 12)]
        }
        let counts: [UInt8] =
            [
                0, 1, UInt8(records.count >> 8), UInt8(truncatingIfNeeded: records.count), 0, UInt8(authority.count), 0,
                0,
            ]
        return query[..<2] + [UInt8(flags >> 8), UInt8(truncatingIfNeeded: flags)] + counts + query[12..<end]
            + (records + authority).flatMap(\.self)
    }

    /// A record that lives 60 seconds.
    /// - Parameter owner: the offset of its name; that of the question's name by default.
    private static func record(_ type: RecordType, _ data: [UInt8], owner: Int = 12) -> [UInt8] {
        [
            0xC0 | UInt8(owner >> 8), UInt8(truncatingIfNeeded: owner), UInt8(type.rawValue >> 8),
            UInt8(truncatingIfNeeded: type.rawValue), 0, 1, 0, 0, 0, 60,
        ]
            + [UInt8(data.count >> 8), UInt8(truncatingIfNeeded: data.count)] + data
    }

    private static func question(of query: [UInt8]) -> (name: String, type: RecordType, end: Int)? {
        var position = 12
        var labels: [String] = []
        while position < query.count, query[position] > 0 {
            let end = position + 1 + Int(query[position])
            guard end < query.count else { return nil }
            labels.append(String(decoding: query[position + 1..<end], as: UTF8.self))
            position = end
        }
        guard position + 5 <= query.count else { return nil }
        let type = RecordType(rawValue: UInt16(query[position + 1]) << 8 | UInt16(query[position + 2]))
        return (labels.map { $0.lowercased() + "." }.joined(), type, position + 5)
    }
}

extension [UInt8] {
    /// The octets of a span.
    fileprivate init(copying span: Span<UInt8>) { self = span.indices.map { span[$0] } }
}
