// Links and addresses of one place on their way from the kernel: asked for one after the other, read in parts.

import LinuxNet
import SystemPackage

/// A dump of links, then one of addresses.
///
/// Whoever is root in a container makes as many links as the machine has memory for, and the kernel works some microseconds
/// for each. So one turn reads a part; and since no more than ``KernelNamespace/containerLimit`` is kept of a container, what
/// comes behind the first part is only taken off the socket.
struct KernelReading: Sendable {
    /// Attempts at a dump that a change interrupts (NLM_F_DUMP_INTR), before it has to wait.
    private static let attempts = 4
    /// Datagrams of 32 KiB that one turn reads of a container: 1,300 links without attributes of their own, 25,000 addresses.
    private static let partsPerTurn = 64

    private let place: Place
    private var requests = [NetlinkRequest.links(), .addresses()]
    private var attempts = 0
    private var isAsked = false
    /// True behind the first part of an answer.
    private var isPastLimit = false
    private var hasBegun = false

    init(of place: Place) {
        self.place = place
    }

    /// Reads on.
    /// - Returns: true at the end; false where another call has to go on.
    /// - Throws: ``LinuxError``; then a new reading has to begin.
    mutating func goOn(
        by netlink: inout RouteNetlink, into topology: inout KernelTopology, using buffer: inout [UInt8]
    ) throws(LinuxError) -> Bool {
        if !hasBegun { topology.beginDump(of: place) }
        hasBegun = true
        while let request = requests.first {
            if !isAsked { try netlink.begin(request, using: &buffer) { topology.take($0, from: place) } }
            isAsked = true
            let progress = try netlink.read(
                request.name, atMost: place == .host ? .max : Self.partsPerTurn, using: &buffer
            ) {
                if !isPastLimit { topology.take($0, from: place) }
            }
            switch progress {
            case .unfinished:
                isPastLimit = true
                topology.noteMore(in: place)
                return false
            case .interrupted where !isPastLimit:
                attempts += 1
                guard attempts < Self.attempts else {
                    throw LinuxError(
                        call: request.name, errno: .resourceTemporarilyUnavailable, subject: "\(place) keeps changing")
                }
            case .interrupted, .whole:
                requests.removeFirst()
                attempts = 0
                isPastLimit = false
            }
            isAsked = false
        }
        topology.endDump(of: place)
        return true
    }
}
