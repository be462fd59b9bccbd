// Addresses on their way into a gate: the messages to the opener, and the answers that wait for them.

import DNSWire
import Forwarding
import LinuxNet
import Registry
import Tables
import Testing

@testable import IntercomServer

@Suite("An admission")
struct AdmissionTests {
    private static let message = Admission(
        number: 0x0102_0304, cookie: 0xA0B0,
        [
            (ToldAddress(.v4(IPv4Address(bits: 0xC000_0201)), isOwn: false), 360),
            (ToldAddress(.v6(IPv6Address(bits: 0x2001_0DB8 << 96 | 1)), isOwn: true), 120),
        ])

    private static func read(_ octets: [UInt8]) -> Admission? { Admission(octets.span) }
    private static func readReply(_ octets: [UInt8]) -> AdmissionReply? { AdmissionReply(octets.span) }

    @Test("is a message of a fixed form, and is read as it was written")
    func form() {
        let octets = Self.message.octets
        let expected: [UInt8] =
            [1, 2, 3, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0xA0, 0xB0]
            + [192, 0, 2, 1] + [UInt8](repeating: 0, count: 12) + [0, 0, 1, 0x68, 4, 0, 0, 0]
            + [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1, 0, 0, 0, 120, 6, 1, 0, 0]
        #expect(octets == expected)
        #expect(Self.read(octets) == Self.message)
        let reply = AdmissionReply(number: 7, errno: 23, madeRoom: true)
        #expect(reply.octets == [0, 0, 0, 7, 0, 0, 0, 23, 1])
        #expect(Self.readReply(reply.octets) == reply)
    }

    @Test("is refused where a length, a family, an origin or a cookie is none")
    func refused() {
        let octets = Self.message.octets
        #expect(Self.read(octets.dropLast()) == nil)
        #expect(Self.read(octets + [0]) == nil)
        #expect(Self.read([]) == nil)
        for (place, value) in [(5, 0), (5, 3), (6, 1), (20, 1), (31, 9), (36, 5), (37, 2), (38, 1)] {
            var damaged = octets
            damaged[place] = UInt8(value)
            #expect(Self.read(damaged) == nil, "octet \(place)")
        }
        var without = octets
        without.replaceSubrange(8..<16, with: [UInt8](repeating: 0, count: 8))
        #expect(Self.read(without) == nil)
        #expect(Self.readReply([UInt8](repeating: 0, count: 8)) == nil)
    }
}

@Suite("An answer of a container with a gate")
struct AdmissionsTests {
    private static let box = ViewID(rawValue: 3)
    private static let client = WaitingClient.stream(.init(slot: 1, generation: 1))
    private static let start = Moment(nanoseconds: 1_000_000_000_000)

    /// An answer about `a.` with A records of the last octets given.
    private static func answer(_ hosts: [UInt8], ttl: UInt32 = 300) -> [UInt8] {
        var message: [UInt8] = [0, 1, 0x81, 0x80, 0, 1, 0, UInt8(hosts.count), 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]
        for host in hosts {
            message += [0xC0, 12, 0, 1, 0, 1]
            message += (0..<4).map { UInt8(truncatingIfNeeded: ttl >> (24 - 8 * UInt32($0))) }
            message += [0, 4, 192, 0, 2, host]
        }
        return message
    }

    /// Judges an answer, and holds it where it has to wait.
    private static func give(
        _ message: [UInt8], to admissions: inout Admissions, after seconds: Int = 0
    ) -> String {
        let now = start + .seconds(seconds)
        switch admissions.judge(message.span, for: box, of: .upstream, now: now) {
        case .open: return "open"
        case .refuse(let reason): return reason
        case .hold(let addresses):
            admissions.hold(message, for: client, of: box, addresses, now: now)
            return "held for \(addresses.count)"
        }
    }

    private static func connected() throws -> Admissions {
        var admissions = Admissions()
        admissions.connection = try UnixSocket.pairForMessages().takeFirst()
        return admissions
    }

    /// Connected, with a gate that is ready.
    /// - Parameter opener: takes the other end.
    private static func gated(_ opener: inout Descriptor?) throws -> Admissions {
        var pair = try UnixSocket.pairForMessages()
        opener = pair.second.take()
        var admissions = Admissions()
        admissions.connection = pair.takeFirst()
        _ = admissions.setGate(of: box, .ready(cookie: 9), now: start)
        return admissions
    }

    @Test("waits for its addresses once, and goes out at once while they are fresh")
    func once() throws {
        var admissions = try Self.connected()
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        #expect(Self.give(Self.answer([]), to: &admissions) == "open")
        #expect(Self.give(Self.answer([1, 2]), to: &admissions) == "held for 2")
        let messages = admissions.takeSent()
        #expect(messages.count == 1 && messages[0].cookie == 9 && messages[0].entries.map(\.seconds) == [360, 360])
        #expect(admissions.take(AdmissionReply(number: 1, errno: 0, madeRoom: false)).map(\.refusal) == [nil])
        #expect(admissions.isEmpty && admissions.deadline == nil)
        #expect(Self.give(Self.answer([2, 1]), to: &admissions) == "open")
        // The cache gives it with less of its time.
        #expect(Self.give(Self.answer([1], ttl: 250), to: &admissions, after: 50) == "open")
        #expect(Self.give(Self.answer([1]), to: &admissions, after: 61) == "held for 1")
        #expect(Self.give(Self.answer([3]), to: &admissions, after: 61) == "held for 1")
        #expect(admissions.takeSent().map(\.number) == [2, 3])
    }

    @Test("joins an admission that is under way, and asks for what is missing alone")
    func joined() throws {
        var admissions = try Self.connected()
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        #expect(Self.give(Self.answer([1, 2]), to: &admissions) == "held for 2")
        #expect(admissions.takeSent().map(\.entries.count) == [1, 1])
        #expect(admissions.take(AdmissionReply(number: 2, errno: 0, madeRoom: false)).isEmpty)
        #expect(admissions.take(AdmissionReply(number: 1, errno: 0, madeRoom: false)).count == 3)
        // A reply that nobody waits for says nothing.
        #expect(admissions.take(AdmissionReply(number: 1, errno: 0, madeRoom: false)).isEmpty)
    }

    @Test("is refused, and the opener is lost, where a request cannot be sent to it")
    func unsent() throws {
        // Nobody has the other end.
        var admissions = try Self.connected()
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        #expect(admissions.flush().map(\.refusal) == ["the opener cannot be reached"])
        #expect(admissions.takeNotices() == [.lost])
        let isConnected = admissions.isConnected
        #expect(!isConnected)
        #expect(Self.give(Self.answer([2]), to: &admissions) == "the opener cannot be reached")
    }

    @Test("is refused, and others wait on, where the opener takes requests more slowly than they come")
    func slowOpener() throws {
        var opener: Descriptor?
        var admissions = try Self.gated(&opener)
        var refused: [String?] = []
        for host: UInt8 in 1...250 where refused.isEmpty {
            for ttl: UInt32 in 0..<40 where refused.isEmpty {
                // Each with more time than the one before: it is asked for anew.
                let view = ViewID(rawValue: 100 + UInt32(host))
                if ttl == 0 { _ = admissions.setGate(of: view, .ready(cookie: UInt64(host)), now: Self.start) }
                let message = Self.answer([host], ttl: 300 + 600 * ttl)
                guard
                    case .hold(let addresses) = admissions.judge(
                        message.span, for: view, of: .upstream, now: Self.start)
                else { continue }
                admissions.hold(message, for: Self.client, of: view, addresses, now: Self.start)
                refused = admissions.flush().map(\.refusal)
            }
        }
        #expect(refused == ["the gate cannot be changed"])
        guard case .failed(_, let errno)? = admissions.takeNotices().last else {
            Issue.record("nobody is told")
            return
        }
        let isConnected = admissions.isConnected
        #expect(errno == 11 && isConnected)
        let isOver = admissions.isEmpty
        #expect(!isOver)
        // The other end is there, and reads nothing.
        switch opener {
        case .some(let opener): #expect(try WorkerTown.isReadable(opener, within: 0))
        case .none: Issue.record("there is no other end")
        }
    }

    @Test("is refused where the opener ends with requests that it has not read")
    func brokenOff() throws {
        var admissions: Admissions
        do {
            var opener: Descriptor?
            admissions = try Self.gated(&opener)
            #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
            #expect(admissions.flush().isEmpty)
            switch opener {
            case .some(let opener): #expect(try WorkerTown.isReadable(opener, within: 0))
            case .none: Issue.record("there is no other end")
            }
        }
        var buffer = [UInt8](repeating: 0, count: 64)
        #expect(admissions.receive(into: &buffer).map(\.refusal) == ["the opener cannot be reached"])
        #expect(admissions.takeNotices() == [.lost])
        #expect(admissions.receive(into: &buffer).isEmpty && admissions.takeNotices().isEmpty, "it is told once")
    }

    @Test("does not keep a worker for as long as the opener replies: some replies are left for the next turn")
    func manyReplies() throws {
        var opener: Descriptor?
        var admissions = try Self.gated(&opener)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        // Replies to nobody, and behind them the one that is waited for.
        let noise = AdmissionReply(number: 77, errno: 0, madeRoom: false).octets
        let reply = AdmissionReply(number: 1, errno: 0, madeRoom: false).octets
        switch opener {
        case .some(let opener):
            for _ in 0..<256 { #expect(try opener.send(noise.span) == noise.count) }
            #expect(try opener.send(reply.span) == reply.count)
        case .none: Issue.record("there is no other end")
        }
        var buffer = [UInt8](repeating: 0, count: 64)
        #expect(admissions.receive(into: &buffer).isEmpty)
        #expect(admissions.receive(into: &buffer).map(\.refusal) == [nil])
    }

    @Test("is about addresses of both families, but for those that are not of one host, and loopback")
    func families() throws {
        func record(_ type: UInt8, _ data: [UInt8]) -> [UInt8] {
            [0xC0, 12, 0, type, 0, 1, 0, 0, 1, 0, 0, UInt8(data.count)] + data
        }
        func v6(_ first: [UInt8], _ last: UInt8) -> [UInt8] {
            first + [UInt8](repeating: 0, count: 15 - first.count) + [last]
        }
        let records = [
            record(28, v6([0x20, 0x01, 0x0D, 0xB8], 7)), record(28, v6([], 1)), record(28, v6([0xFF, 2], 1)),
            record(28, [1, 2, 3]), record(1, [192, 0, 2, 1]), record(1, [127, 0, 0, 1]), record(1, [224, 0, 0, 1]),
        ]
        let message: [UInt8] =
            [0, 1, 0x81, 0x80, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0, 1, 0x61, 0, 0, 28, 0, 1]
            + records.flatMap(\.self)
        let addresses = Admissions.addresses(of: message.span, of: .upstream).map(\.address)
        let expected = [
            ToldAddress(.v6(IPv6Address(bits: 0x2001_0DB8 << 96 | 7)), isOwn: false),
            ToldAddress(.v4(IPv4Address(bits: 0xC000_0201)), isOwn: false),
        ]
        #expect(addresses == expected)
    }

    @Test("is counted by container and by worker, and the counts are added up")
    func added() {
        var counters = GateCounters(admitted: 1, told: 2, madeRoom: 3)
        counters.add(GateCounters(admitted: .max, told: 5, madeRoom: 6))
        #expect(counters == GateCounters(admitted: 0, told: 7, madeRoom: 9))
    }

    @Test(
        "goes out once, when the kernel has its addresses, and waits no longer than two seconds, whatever happens in whatever order",
        arguments: 0..<200 as Range<UInt64>)
    func histories(_ seed: UInt64) {
        var history = RandomAdmissions(Random(state: seed))
        for _ in 0..<1000 { history.step() }
        history.finish()
    }

    @Test(
        "under way to a gate that is set anew is asked for again, and what is said of the gate before counts for nothing"
    )
    func underWay() throws {
        var admissions = try Self.connected()
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        _ = admissions.setGate(of: Self.box, nil, now: Self.start)
        let isOut = admissions.isEmpty
        #expect(isOut, "without a gate it goes out")
        _ = admissions.setGate(of: Self.box, .ready(cookie: 10), now: Self.start)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        _ = admissions.setGate(of: Self.box, .ready(cookie: 10), now: Self.start)
        #expect(admissions.takeSent().map(\.cookie) == [9, 10, 10])
        for number: UInt32 in [1, 2] {
            #expect(admissions.take(AdmissionReply(number: number, errno: 0, madeRoom: false)).isEmpty)
        }
        #expect(admissions.take(AdmissionReply(number: 3, errno: 0, madeRoom: false)).map(\.refusal) == [nil])
        #expect(Self.give(Self.answer([1]), to: &admissions) == "open")
    }

    @Test("waits for an address once more that has made room for others meanwhile, and goes out with all of them")
    func displaced() throws {
        var admissions = try Self.connected()
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        #expect(admissions.take(AdmissionReply(number: 1, errno: 0, madeRoom: false)).count == 1)
        #expect(Self.give(Self.answer([3]), to: &admissions) == "held for 1")
        #expect(Self.give(Self.answer([1, 2]), to: &admissions) == "held for 2")
        #expect(admissions.takeSent().map(\.entries.count) == [1, 1, 1], "the first is there")
        #expect(admissions.take(AdmissionReply(number: 2, errno: 0, madeRoom: true)).count == 1)
        #expect(admissions.take(AdmissionReply(number: 3, errno: 0, madeRoom: false)).isEmpty)
        #expect(admissions.takeSent().map { $0.entries.map(\.octets) } == [[[192, 0, 2, 1]]])
        #expect(admissions.take(AdmissionReply(number: 4, errno: 0, madeRoom: false)).map(\.refusal) == [nil])
        let isOut = admissions.isEmpty
        #expect(isOut)
    }

    @Test("waits for its gate, is refused where that cannot be, and gives up after two seconds")
    func closed() throws {
        var admissions = try Self.connected()
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        #expect(admissions.takeSent().isEmpty)
        #expect(admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start).isEmpty)
        #expect(admissions.takeSent().count == 1)
        #expect(admissions.expire(now: Self.start + .seconds(1)).isEmpty)
        #expect(admissions.expire(now: Self.start + .seconds(2)).count == 1 && admissions.isEmpty)
        // Its acknowledgement comes too late for it, and in time for the next.
        #expect(admissions.take(AdmissionReply(number: 1, errno: 0, madeRoom: false)).isEmpty)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "open")
        #expect(admissions.setGate(of: Self.box, .failed("no nftables"), now: Self.start).isEmpty)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "no nftables")
        #expect(Self.give(Self.answer([]), to: &admissions) == "open")
    }

    @Test("is refused with the kernel's refusal, and when the opener goes; what was told is told to a new gate again")
    func lost() throws {
        var admissions = try Self.connected()
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        let refused = admissions.take(AdmissionReply(number: 1, errno: 2, madeRoom: false))
        #expect(refused.map(\.refusal) == ["the gate cannot be changed"])
        #expect(admissions.takeNotices() == [.failed(Self.box, errno: 2)])
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        _ = admissions.take(AdmissionReply(number: 2, errno: 0, madeRoom: false))
        #expect(Self.give(Self.answer([2]), to: &admissions) == "held for 1")
        #expect(admissions.lose().map(\.refusal) == [Admissions.openerAway] && admissions.isEmpty)
        #expect(admissions.takeNotices() == [.lost] && admissions.lose().isEmpty && admissions.takeNotices().isEmpty)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "open")
        #expect(Self.give(Self.answer([2]), to: &admissions) == "the opener cannot be reached")
        admissions.connection = try UnixSocket.pairForMessages().takeFirst()
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        let messages = admissions.takeSent()
        #expect(messages.count == 1 && messages[0].entries.map(\.octets) == [[192, 0, 2, 1]])
    }

    @Test("that was told is told to a gate that is set anew again and again, until one has it")
    func gateSetTwice() throws {
        var admissions = try Self.connected()
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        _ = admissions.take(AdmissionReply(number: 1, errno: 0, madeRoom: false))
        _ = admissions.takeSent()
        for _ in 0..<3 {
            _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
            #expect(admissions.takeSent().map { $0.entries.map(\.octets) } == [[[192, 0, 2, 1]]])
        }
        // The sets were gone when two of the three came there.
        for number: UInt32 in [2, 3] { _ = admissions.take(AdmissionReply(number: number, errno: 2, madeRoom: false)) }
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        #expect(admissions.takeSent().count == 1)
        _ = admissions.take(AdmissionReply(number: 5, errno: 0, madeRoom: false))
        #expect(Self.give(Self.answer([1]), to: &admissions) == "open")
        _ = admissions.setGate(of: Self.box, nil, now: Self.start)
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        #expect(admissions.takeSent().isEmpty, "a gate that is another starts without")
    }

    @Test("is asked for once more where other addresses may have made room for the last ones")
    func room() throws {
        var admissions = try Self.connected()
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
        _ = admissions.take(AdmissionReply(number: 1, errno: 0, madeRoom: false))
        #expect(Self.give(Self.answer([2]), to: &admissions) == "held for 1")
        _ = admissions.take(AdmissionReply(number: 2, errno: 0, madeRoom: true))
        #expect(Self.give(Self.answer([2]), to: &admissions) == "open")
        #expect(Self.give(Self.answer([1]), to: &admissions) == "held for 1")
    }

    @Test("has no share of the room that others wait in")
    func bounded() throws {
        var admissions = try Self.connected()
        _ = admissions.setGate(of: Self.box, .ready(cookie: 9), now: Self.start)
        for number in 0..<Admissions.limitOfView {
            #expect(
                Self.give(Self.answer([UInt8(number % 256)], ttl: UInt32(100 + number)), to: &admissions)
                    == "held for 1")
        }
        #expect(Self.give(Self.answer([1], ttl: 10_000), to: &admissions) == "too many answers wait")
    }

    @Test(
        "lets the addresses of an operator's records and of upstreams through, and none that containers give themselves",
        arguments: [
            (.upstream, false, 1), (.upstream, true, 1), (.operators, false, 1), (.operators, true, 0),
            (.containers, false, 0), (.containers, true, 0),
        ] as [(Teller, Bool, Int)])
    func tellers(_ teller: Teller, isAlias: Bool, count: Int) {
        let alias: [UInt8] = [0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 3, 1, 0x62, 0]
        let message: [UInt8] =
            [0, 1, 0x81, 0x80, 0, 1, 0, isAlias ? 2 : 1, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]
            + (isAlias ? alias : [])
            + [UInt8](isAlias ? [0xC0, 31] : [0xC0, 12]) + [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]
        #expect(Admissions.addresses(of: message.span, of: teller).count == count)
    }

    @Test("leaves out addresses that never leave the container, and keeps times between a minute and a week")
    func addresses() {
        let message: [UInt8] =
            [0, 1, 0x81, 0x80, 0, 1, 0, 4, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]
            + [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]
            + [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 0, 0, 0, 0]
            + [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 1]
            + [0xC0, 12, 0, 1, 0, 1, 0x7F, 0xFF, 0xFF, 0xFF, 0, 4, 192, 0, 2, 2]
        let told = Admissions.addresses(of: message.span, of: .operators)
        #expect(told.map(\.address.bits) == [0xC000_0201, 0xC000_0202])
        #expect(told.map(\.seconds) == [60, 604_800])
        #expect(told.map(\.address.isOwn) == [true, true])
    }
}

extension Admissions {
    /// Messages that were not sent yet.
    fileprivate mutating func takeSent() -> [Admission] {
        defer { messages = [] }
        return messages
    }
}
