// Sockets of rtnetlink(7): they answer questions about their namespace, and tell of its changes.

internal import CLinux
internal import SystemPackage

/// A netlink socket of one namespace, that in which it was made, whatever thread uses it.
package struct RouteNetlink: ~Copyable, Sendable {
    /// What there was to receive.
    package enum Reception: Hashable, Sendable {
        /// A datagram: there may be more.
        case received
        /// Nothing has come since.
        case empty
        /// Something was lost: there was no room for it. Only asking shows what is.
        case overflowed
    }

    /// Readable when something has come.
    package let descriptor: Descriptor
    private var lastSequence: UInt32 = 0

    /// Room for whatever comes: the kernel fills at most this much with one part of a dump, and events are shorter. Many
    /// sockets share one buffer.
    package static func makeBuffer() -> [UInt8] { [UInt8](repeating: 0, count: 32 * 1024) }

    /// A socket for questions, in the namespace that this thread is in.
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package init() throws(LinuxError) {
        let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let made = Descriptor(adopting: try system("socket", "rtnetlink") { socket(AF_NETLINK, type, NETLINK_ROUTE) })
        try system("bind", "rtnetlink") { clinux_bind_netlink(made.rawValue) }
        // Errors come with words, and what a kernel does not know in a question it refuses.
        try made.setOption(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        try made.setOption(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        descriptor = made
    }

    /// A socket that hears of changes: of links and addresses, and of namespaces' numbers.
    /// - Parameters:
    ///   - allNamespaces: whether it hears those that have a number here too (NETLINK_LISTEN_ALL_NSID, Linux 4.2); that
    ///     needs CAP_NET_BROADCAST over this one, and over each that is to be heard.
    ///   - receiveBuffer: octets that may wait in it, the kernel's bookkeeping included, as far as the kernel allows.
    /// - Throws: ``LinuxError``: `notPermitted` or `noProtocolOption` where it may not hear other namespaces.
    package static func hearing(allNamespaces: Bool, receiveBuffer: Int32) throws(LinuxError) -> RouteNetlink {
        let socket = try RouteNetlink()
        if allNamespaces { try socket.descriptor.setOption(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1) }
        try socket.descriptor.setReceiveBuffer(receiveBuffer)
        for group in [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NSID] {
            try socket.descriptor.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Int32(group.rawValue))
        }
        return socket
    }

    /// Takes over a socket that was made by ``init()`` or ``hearing(allNamespaces:receiveBuffer:)`` in another process.
    package init(adopting descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    // MARK: - Questions

    /// Asks, and gives `body` each message of the answer; and in their order with these what the kernel tells meanwhile, if
    /// this socket hears that. The buffer is one of ``makeBuffer()``.
    /// - Returns: false where what was dumped changed meanwhile (NLM_F_DUMP_INTR): it has to be asked for again.
    /// - Throws: ``LinuxError`` when the kernel refuses; with its words, where it has any.
    @discardableResult
    package mutating func ask(
        _ question: NetlinkRequest, using buffer: inout [UInt8], _ body: (RouteMessage) -> Void = { _ in }
    ) throws(LinuxError) -> Bool {
        lastSequence &+= 1
        var question = question
        question.sequence = lastSequence
        _ = try descriptor.send(question.bytes.span)
        var isWhole = true
        while true {
            // The kernel answers while it is asked: what has not come now does not come.
            guard let (count, origin) = try take(question.name, into: &buffer) else {
                throw LinuxError(call: question.name, errno: .noData, subject: "no answer")
            }
            guard origin.port == 0 else { continue }
            let end: NetlinkAcknowledgement?
            do throws(NetlinkError) {
                let datagram = buffer.span.extracting(first: count)
                // What is told to many is no answer.
                end = try origin.groups == 0 ? readAnswer(datagram, &isWhole, body) : read(datagram, body)
            } catch {
                throw LinuxError(call: question.name, errno: .badMessage, subject: "\(error)")
            }
            guard let end else { continue }
            if end.errorNumber == 0 { return isWhole }
            throw LinuxError(call: question.name, errno: Errno(rawValue: end.errorNumber), subject: end.text)
        }
    }

    /// The number of a namespace in this socket's; it is given one where it has none, which needs CAP_NET_ADMIN here.
    /// - Throws: ``LinuxError``.
    package mutating func number(
        of namespace: borrowing NetworkNamespace, using buffer: inout [UInt8]
    ) throws(LinuxError) -> NamespaceID {
        if let number = try knownNumber(of: namespace, &buffer) { return number }
        do throws(LinuxError) {
            try ask(.assignID(to: namespace), using: &buffer)
        } catch  where error.errno == .fileExists {
            // Somebody else was quicker, such as the kernel for a veth.
        }
        guard let number = try knownNumber(of: namespace, &buffer) else {
            throw LinuxError(call: "RTM_NEWNSID", errno: .noData, subject: "\(namespace.identity)")
        }
        return number
    }

    private mutating func knownNumber(
        of namespace: borrowing NetworkNamespace, _ buffer: inout [UInt8]
    ) throws(LinuxError) -> NamespaceID? {
        var number: NamespaceID?
        try ask(.id(of: namespace), using: &buffer) { if case .namespaceID(let message) = $0 { number = message.id } }
        return number == .notAssigned ? nil : number
    }

    /// Reads one datagram of the answer to the last question.
    /// - Returns: the answer's end, if this is it.
    private func readAnswer(
        _ datagram: Span<UInt8>, _ isWhole: inout Bool, _ body: (RouteMessage) -> Void
    ) throws(NetlinkError) -> NetlinkAcknowledgement? {
        var messages = NetlinkReader(datagram)
        while let message = try messages.next() {
            guard message.sequence == lastSequence else { continue }
            if message.flags.contains(.dumpInterrupted) { isWhole = false }
            if message.type == .error || message.type == .done { return try NetlinkAcknowledgement(message) }
            if let known = try RouteMessage(message) { body(known) }
        }
        return nil
    }

    /// Reads one datagram of what is told.
    private func read(
        _ datagram: Span<UInt8>, _ body: (RouteMessage) -> Void
    ) throws(NetlinkError) -> NetlinkAcknowledgement? {
        var messages = NetlinkReader(datagram)
        while let message = try messages.next() {
            if let known = try RouteMessage(message) { body(known) }
        }
        return nil
    }

    // MARK: - What is told

    /// Takes one datagram of what the kernel tells, and gives `body` each message of it with the number of its namespace;
    /// nil: this socket's own, if that has no number in itself.
    /// - Throws: ``LinuxError``: `badMessage` for a message that cannot be read.
    package func receive(
        using buffer: inout [UInt8], _ body: (RouteMessage, NamespaceID?) -> Void
    ) throws(LinuxError) -> Reception {
        let taken: (count: Int, origin: clinux_netlink_origin)?
        do throws(LinuxError) {
            taken = try take("recvmsg", into: &buffer)
        } catch  where error.errno == .noBufferSpace {
            return .overflowed
        }
        guard let (count, origin) = taken else { return .empty }
        guard origin.port == 0 else { return .received }
        if origin.is_truncated != 0 { return .overflowed }
        let namespace = origin.has_nsid == 0 ? nil : NamespaceID(rawValue: origin.nsid)
        do throws(NetlinkError) {
            _ = try read(buffer.span.extracting(first: count)) { body($0, namespace) }
        } catch {
            throw LinuxError(call: "recvmsg", errno: .badMessage, subject: "\(error)")
        }
        return .received
    }

    /// Receives one datagram; nil when none waits.
    private func take(
        _ call: String, into buffer: inout [UInt8]
    ) throws(LinuxError) -> (count: Int, origin: clinux_netlink_origin)? {
        var origin = clinux_netlink_origin()
        let count = try systemUnlessBlocked(call, "rtnetlink") {
            // The array's own storage and its count, and one record that the shim fills; used while the closure runs.
            unsafe buffer.withUnsafeMutableBytes {
                unsafe clinux_receive_netlink(descriptor.rawValue, $0.baseAddress, $0.count, &origin)
            }
        }
        return count.map { ($0, origin) }
    }
}
