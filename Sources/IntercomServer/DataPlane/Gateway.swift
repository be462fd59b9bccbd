// Listeners at addresses of the host, for guests whose network stack is none of this kernel: who asks, and how often.

import DNSWire
import Forwarding
import LinuxNet
import Registry

/// A listener at an address of the host on a network. Who asks is known by the interface that the question has come in through (the
/// sockets are bound to it) and by its source address together.
struct Gateway: Sendable, Equatable {
    /// Number of the listener.
    let number: UInt32
    /// The network that it is for.
    let network: ScopeID
    /// Blocks of addresses on that network. Sources elsewhere get no answer.
    let subnets: [Subnet]
    /// Answers to sources on the network that no container has.
    let unknownSources: UnknownSources

    /// The source of a question.
    func source(_ address: UInt128, in directory: borrowing Directory) -> GuestSource {
        if let view = directory.view(ofSource: address, on: network) { return .container(view) }
        return isOnLink(address) ? .stranger : .offLink
    }

    /// True for sources that can be on the network: those of its subnets, and link-local ones (RFC 3927, RFC 4291 §2.5.6).
    private func isOnLink(_ source: UInt128) -> Bool {
        let address = IPAddress(number: source)
        return subnets.contains { $0.contains(address) } || address.isLinkLocal
    }
}

extension IPAddress {
    /// True for 169.254.0.0/16 (RFC 3927 §2.1) and fe80::/10 (RFC 4291 §2.5.6).
    fileprivate var isLinkLocal: Bool {
        switch self {
        case .v4(let address): address.bits >> 16 == 0xA9FE
        case .v6(let address): address.bits >> 118 == 0x3FA
        }
    }
}

/// A source at a gateway.
enum GuestSource {
    /// A container of the network has the address.
    case container(ViewID)
    /// Nobody that is known has it.
    case stranger
    /// It is not on the network.
    case offLink
}

/// The part of a worker that is about guests alone.
struct Guests: ~Copyable {
    /// Paces answers to them.
    var pacing = SourcePacing()
    /// Views whose first question somebody waits for.
    var awaited: Set<UInt32> = []
}

/// Paces datagrams to each source: a source may be forged, and answers are longer than questions (RFC 5358 §2).
///
/// Counts are kept in a table of fixed size; sources with the same place in it share their count.
struct SourcePacing: ~Copyable {
    /// Verdict on one more answer.
    enum Verdict {
        case answer
        /// A header with TC: no longer than the question, and a true client asks again over TCP.
        case truncate
        case drop
    }

    /// The time that a count is for.
    static var window: Lapse { .milliseconds(100) }
    /// Answers to a container's address in that time: 10,000 in a second.
    static var answersToKnown: UInt32 { 1000 }
    /// Answers to an address that no container has: 500 in a second.
    static var answersToUnknown: UInt32 { 50 }
    /// Of so many answers too many one is a truncated one, as in BIND's response rate limiting (`slip`).
    private static var slip: UInt32 { 2 }
    /// Places of the table; a power of two.
    private static var places: Int { 4096 }

    private struct Count {
        var window: UInt32 = 0
        var answers: UInt32 = 0
    }

    private var counts: [Count] = []
    private let seed = Entropy.word() | 1

    /// Takes note of one more answer to a source.
    /// - Parameters:
    ///   - source: its address as a number.
    ///   - limit: answers to it in one window.
    ///   - now: the time.
    mutating func judge(_ source: UInt128, limit: UInt32, now: Moment) -> Verdict {
        // A worker without a gateway has no table.
        if counts.isEmpty { counts = Array(repeating: Count(), count: Self.places) }
        let folded = UInt64(truncatingIfNeeded: source) ^ UInt64(truncatingIfNeeded: source >> 64)
        let place = Int(truncatingIfNeeded: (folded &* seed) >> 40) & (Self.places - 1)
        let window = UInt32(truncatingIfNeeded: now.nanoseconds / Self.window.nanoseconds)
        if counts[place].window != window { counts[place] = Count(window: window) }
        counts[place].answers &+= 1
        let answers = counts[place].answers
        if answers <= limit { return .answer }
        return answers % Self.slip == 0 ? .truncate : .drop
    }
}
