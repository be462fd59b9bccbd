// Sockets that were made in a namespace for later: whoever connects them sends from there.

internal import CLinux

/// Purpose of a socket to a DNS server.
package struct SocketKind: Hashable, Sendable {
    /// TCP; else UDP.
    package let isStream: Bool
    /// IPv6; else IPv4.
    package let isV6: Bool

    package init(isStream: Bool, isV6: Bool) {
        self.isStream = isStream
        self.isV6 = isV6
    }

    /// A socket of this kind in the namespace of the calling thread, not connected.
    func makeSocket() throws(LinuxError) -> Descriptor {
        let family = isV6 ? AF_INET6 : AF_INET
        let socket = try Descriptor.socket(family, isStream ? SOCK_STREAM : SOCK_DGRAM)
        if isStream { try socket.setNoDelay() } else { try socket.omitPathMTUDiscovery(family) }
        return socket
    }
}

/// Sockets that are not connected yet, by their kind. They keep their namespace alive, and are closed with this.
package struct SocketBatch: ~Copyable, Sendable {
    private var sockets: [(kind: SocketKind, number: Int32)] = []

    package init() {}

    /// True when none is left.
    package var isEmpty: Bool { sockets.isEmpty }

    /// The descriptors' numbers, good as long as they are here.
    package var numbers: [Int32] { sockets.map(\.number) }

    /// Number of sockets of a kind.
    package func count(of kind: SocketKind) -> Int { sockets.count { $0.kind == kind } }

    /// Keeps a socket of this kind.
    package mutating func add(_ socket: consuming Descriptor, _ kind: SocketKind) {
        sockets.append((kind, socket.release()))
    }

    /// Adds all of another batch.
    package mutating func add(_ other: consuming SocketBatch) {
        while let socket = other.sockets.popLast() { sockets.append(socket) }
    }

    /// Takes one of a kind; nil where there is none.
    package mutating func take(_ kind: SocketKind) -> Descriptor? {
        guard let index = sockets.firstIndex(where: { $0.kind == kind }) else { return nil }
        return Descriptor(adopting: sockets.remove(at: index).number)
    }

    deinit {
        for socket in sockets { _ = Descriptor(adopting: socket.number) }
    }
}

extension NamespaceEntry {
    /// Makes sockets inside a namespace.
    /// - Parameters:
    ///   - namespace: where they are to be.
    ///   - kind: UDP or TCP, IPv4 or IPv6.
    ///   - count: the number of sockets.
    ///   - isMarked: true gives them ``SocketMark/ownQuestion``: our rules there do not lead their questions back to us.
    /// - Throws: ``LinuxError`` when it cannot be entered, or none can be made.
    package static func openSockets(
        in namespace: borrowing NetworkNamespace, _ kind: SocketKind, count: Int, isMarked: Bool
    ) throws(LinuxError) -> SocketBatch {
        try run(in: namespace) { () throws(LinuxError) in
            var batch = SocketBatch()
            for _ in 0..<count {
                let socket = try kind.makeSocket()
                if isMarked { try socket.setMark(SocketMark.ownQuestion) }
                batch.add(socket, kind)
            }
            return batch
        }
    }
}
