// Answers that wait until their addresses may be reached, and the addresses that may.

import DNSWire
import Forwarding
import LinuxNet
import Registry
import Tables

/// The gate of a view.
enum GateState: Sendable, Equatable {
    /// It is in force for the namespace with this cookie.
    case ready(cookie: UInt64)
    /// It cannot be, for a reason that people are told: no address may be told.
    case failed(String)
}

/// Addresses of a worker's containers.
struct GateCounters: Sendable, Equatable {
    /// Those that were let through since the start, each time they were.
    var admitted: UInt64 = 0
    /// Those that may be reached now.
    var told = 0
    /// Times that addresses have made room for others.
    var madeRoom: UInt64 = 0

    /// Adds those of another worker, or another container.
    mutating func add(_ other: GateCounters) {
        admitted &+= other.admitted
        told += other.told
        madeRoom &+= other.madeRoom
    }
}

/// An answer that waits.
struct HeldAnswer: Sendable {
    let message: [UInt8]
    let client: WaitingClient
    let view: ViewID
    /// Its addresses, and the seconds for which each is to be reached.
    let addresses: [(address: ToldAddress, seconds: UInt32)]
    /// Admissions that it waits for; 0 while its view has no gate yet.
    var missing = 0
    /// The moment from which it waits.
    let since: Moment

    /// The moment at which it has waited long enough.
    var deadline: Moment { since + Admissions.patience }
}

/// Answers of a worker that wait for an acknowledgement of the opener's, and what is known of the sets in the kernel.
struct Admissions: ~Copyable {
    /// The most answers that wait, of all containers and of one.
    static let limit = 4096
    static let limitOfView = 256
    /// The least time for which an address is reached: programs look names up well before they connect.
    static let shortestTime: UInt32 = 60
    /// The longest: a cache keeps no record longer (RFC 8767 §4).
    static let longestTime: UInt32 = 7 * 24 * 3600
    /// Seconds more than an answer needs, so that one for the same name soon after finds its addresses fresh.
    static let slack: UInt32 = 60
    /// Time for which an answer waits.
    static var patience: Lapse { .seconds(2) }

    /// Fate of an answer.
    enum Verdict {
        /// It goes out: it has no addresses, or they may be reached for long enough.
        case open
        case hold([(address: ToldAddress, seconds: UInt32)])
        /// No address may be told, for this reason.
        case refuse(String)
    }

    /// Something that the control plane has to see to.
    enum Notice: Equatable {
        /// An address could not be let through the gate of a view.
        case failed(ViewID, errno: Int32)
        /// Addresses of a view have made room for others.
        case madeRoom(ViewID)
        /// The connection to the opener is lost.
        case lost
    }

    /// Addresses that the opener was asked to let through, and the answers that wait for them.
    struct Request {
        let view: ViewID
        let until: [(address: ToldAddress, moment: Moment)]
        var answers: [Ticket]
    }

    /// The connection to the opener's thread; nil while there is none.
    var connection: Descriptor?
    var gates: [ViewID: GateState] = [:]
    /// Addresses in the sets of a view, and how long they are there.
    var known: [ViewID: [ToldAddress: Moment]] = [:]
    /// Addresses that were known when the gate of their view was set anew: they are asked for until that is acknowledged.
    var owed: [ViewID: [ToldAddress: Moment]] = [:]
    var held = SlotTable<HeldAnswer>()
    var heldOfView: [ViewID: Int] = [:]
    /// Answers of views that have no gate yet.
    var ungated: [ViewID: [Ticket]] = [:]
    var requests: [UInt32: Request] = [:]
    /// Admissions under way, by what they admit.
    var pending: [ViewID: [ToldAddress: (request: UInt32, until: Moment)]] = [:]
    var lastNumber: UInt32 = 0
    var messages: [Admission] = []
    /// Notices for the control plane.
    var notices: [Notice] = []
    /// Counts since the start.
    var counted = GateCounters()
    /// Counts of each view since it has a gate.
    var countedOfView: [ViewID: GateCounters] = [:]
    /// The moment at which an answer has waited long enough, or earlier; nil: none waits.
    var deadline: Moment?

    var isConnected: Bool {
        switch connection {
        case .some: true
        case .none: false
        }
    }

    /// True when no answer waits.
    var isEmpty: Bool { held.isEmpty }

    /// Counts addresses.
    func counters(now: Moment) -> GateCounters {
        var counters = counted
        counters.told = known.values.reduce(0) { $0 + $1.values.count { $0 > now } }
        return counters
    }

    /// Counts the addresses of each view.
    func countersOfViews(now: Moment) -> [ViewID: GateCounters] {
        var counters = countedOfView
        for (view, addresses) in known { counters[view, default: .init()].told = addresses.values.count { $0 > now } }
        return counters
    }

    /// Gives away the notices.
    mutating func takeNotices() -> [Notice] {
        defer { notices = [] }
        return notices
    }

    // MARK: - Judging

    /// Finds out whether the addresses of an answer may be told to a view.
    /// - Parameters:
    ///   - message: the answer.
    ///   - view: who asked.
    ///   - teller: the author of its addresses.
    ///   - now: the time.
    func judge(_ message: Span<UInt8>, for view: ViewID, of teller: Teller, now: Moment) -> Verdict {
        let addresses = Self.addresses(of: message, of: teller)
        if addresses.isEmpty { return .open }
        if case .failed(let reason)? = gates[view] { return .refuse(reason) }
        let fresh = known[view]
        if addresses.allSatisfy({ Self.isThere($0, in: fresh, now) }) { return .open }
        guard isConnected || gates[view] == nil else { return .refuse(Self.openerAway) }
        guard held.count < Self.limit, heldOfView[view, default: 0] < Self.limitOfView else {
            return .refuse("too many answers wait")
        }
        return .hold(addresses)
    }

    /// True for an address that can be reached for long enough.
    private static func isThere(
        _ one: (address: ToldAddress, seconds: UInt32), in known: [ToldAddress: Moment]?, _ now: Moment
    ) -> Bool {
        known?[one.address].map { $0 >= now + .seconds(Int(one.seconds)) } ?? false
    }

    /// Addresses of the answer section that leave the namespace, and the seconds for which each is to be reached. None of an
    /// answer about containers, nor of an operator's alias, which may lead to one.
    static func addresses(of message: Span<UInt8>, of teller: Teller) -> [(address: ToldAddress, seconds: UInt32)] {
        guard teller != .containers, let whole = try? Message(message), whole.header.answerCount > 0 else { return [] }
        var addresses: [(address: ToldAddress, seconds: UInt32)] = []
        var records = whole.records
        while let record = try? records.next(), record.section == .answer {
            let address: IPAddress
            switch record.type {
            case .cname where teller == .operators: return []
            case .a where record.rdataLength == 4: address = .v4(IPv4Address(bits: message.word32(record.rdataOffset)))
            case .aaaa where record.rdataLength == 16:
                let bits =
                    UInt128(message.word64(record.rdataOffset)) << 64 | UInt128(message.word64(record.rdataOffset + 8))
                address = .v6(IPv6Address(bits: bits))
            default: continue
            }
            guard address.isOneHost, !address.isLoopback else { continue }
            let seconds = min(max(record.ttl, shortestTime), longestTime)
            addresses.append((ToldAddress(address, isOwn: teller == .operators), seconds))
        }
        return addresses
    }

    // MARK: - Holding

    /// Keeps an answer until its addresses may be reached.
    mutating func hold(
        _ message: [UInt8], for client: WaitingClient, of view: ViewID,
        _ addresses: [(address: ToldAddress, seconds: UInt32)], now: Moment
    ) {
        let answer = HeldAnswer(message: message, client: client, view: view, addresses: addresses, since: now)
        let ticket = held.insert(answer)
        heldOfView[view, default: 0] += 1
        deadline = min(deadline ?? answer.deadline, answer.deadline)
        if case .ready(let cookie)? = gates[view] {
            admit(ticket, view, cookie, now)
        } else {
            ungated[view, default: []].append(ticket)
        }
    }

    /// Asks for what is missing of an answer, and not for what is under way already.
    mutating func admit(_ ticket: Ticket, _ view: ViewID, _ cookie: UInt64, _ now: Moment) {
        guard let position = held.position(of: ticket) else { return }
        var new: [(address: ToldAddress, seconds: UInt32)] = []
        var waited: Set<UInt32> = []
        let fresh = known[view]
        for (address, seconds) in held[position].addresses
        where !Self.isThere((address, seconds), in: fresh, now) {
            if let under = pending[view]?[address], under.until >= now + .seconds(Int(seconds)) {
                waited.insert(under.request)
            } else if !new.contains(where: { $0.address == address }) {
                new.append((address, seconds + Self.slack))
            }
        }
        if !new.isEmpty { waited.insert(request(new, view, cookie, now)) }
        held[position].missing = waited.count
        for number in waited { requests[number]?.answers.append(ticket) }
    }

    mutating func request(
        _ addresses: [(address: ToldAddress, seconds: UInt32)], _ view: ViewID, _ cookie: UInt64, _ now: Moment
    ) -> UInt32 {
        lastNumber &+= 1
        let until = addresses.map { (address: $0.address, moment: now + .seconds(Int($0.seconds))) }
        requests[lastNumber] = Request(view: view, until: until, answers: [])
        for (address, moment) in until { pending[view, default: [:]][address] = (lastNumber, moment) }
        messages.append(Admission(number: lastNumber, cookie: cookie, addresses))
        return lastNumber
    }
}

extension ToldAddress {
    init(_ address: IPAddress, isOwn: Bool) {
        switch address {
        case .v4(let address): self.init(bits: UInt128(address.bits), isV6: false, isOwn: isOwn)
        case .v6(let address): self.init(bits: address.bits, isV6: true, isOwn: isOwn)
        }
    }
}

/// The author of addresses, for a gate.
enum Teller {
    /// Containers: their root gives them any address. They go out and are let through nowhere, for their networks are free.
    case containers
    /// The operator and the host: they may lead to the host.
    case operators
    /// An upstream.
    case upstream
}

extension AnswerSource {
    /// The author of its addresses.
    var teller: Teller {
        switch self {
        case .link, .network: .containers
        case .host, .record: .operators
        default: .upstream
        }
    }
}

extension Answer {
    /// SERVFAIL in the place of an answer whose addresses cannot be let through.
    static func unreachable(behind answer: [UInt8], because reason: String) -> Answer {
        let query = Responder.query(behind: answer.span)
        var name = FoldedName()
        let read = (try? Query(query.span, name: &name)) ?? .empty
        let text = String("policy: addresses cannot be reached: \(reason)".prefix(Responder.maximumExplanation))
        return serverFailure(to: query.span, read, because: ErrorDetail(.other, text: text))
    }
}
