// Sockets of rtnetlink(7): they answer questions about their namespace, and notify of its changes.

internal import CLinux
internal import SystemPackage

/// A netlink socket of the namespace in which it was made, whatever thread uses it.
///
/// It is connected to the kernel: what others send to its port is refused to them (ECONNREFUSED). Only members of a group
/// still reach it, by sending to that group; each datagram's sender is checked.
package struct RouteNetlink: ~Copyable, Sendable {
    /// The result of one ``receive(using:_:)``.
    package enum Reception: Hashable, Sendable {
        /// A datagram: there may be more.
        case received
        /// No datagram waits.
        case empty
        /// The receive buffer overflowed: notifications are lost, and only a dump shows what is. What waits in the buffer
        /// is older than that; nothing is added before it has been read.
        case overflowed
    }

    /// State of the reading of a reply.
    package enum Progress: Hashable, Sendable {
        /// There is more of it.
        case unfinished
        /// To its end.
        case whole
        /// To its end; but what was dumped changed meanwhile (NLM_F_DUMP_INTR): it has to be asked for again.
        case interrupted
    }

    /// Datagrams of others, and notifications, that may come while an answer is read: more is a flood.
    private static let maximumStrays = 1024
    /// Datagrams of an answer that is given up, taken before the next request: 2 MiB, some milliseconds of the kernel's work.
    private static let maximumRest = 64

    /// Readable when something has come.
    package let descriptor: Descriptor
    private var lastSequence: UInt32 = 0
    /// True while an answer has not been read to its end: the kernel refuses the next dump until it has (EBUSY).
    private var isAnswering = false
    /// False from a part of the answer that says it was interrupted.
    private var isWhole = true

    /// Room for any datagram: the kernel fills at most this much with one part of a dump, and notifications are shorter.
    /// Many sockets share one buffer.
    package static func makeBuffer() -> [UInt8] { [UInt8](repeating: 0, count: 32 * 1024) }

    /// A socket for questions, in the namespace that this thread is in.
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package init() throws(LinuxError) {
        let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let made = Descriptor(adopting: try system("socket", "rtnetlink") { socket(AF_NETLINK, type, NETLINK_ROUTE) })
        try system("connect", "rtnetlink") { clinux_connect_netlink(made.rawValue) }
        // Errors come with words, and the kernel refuses what it does not know in a question.
        try made.setOption(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        try made.setOption(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        descriptor = made
    }

    /// A socket that notifies of changes: of links and addresses.
    /// - Parameters:
    ///   - allNamespaces: whether it covers those that have a number here too (NETLINK_LISTEN_ALL_NSID, Linux 4.2); that
    ///     needs CAP_NET_BROADCAST over this one, and over each that is to be covered.
    ///   - receiveBuffer: octets that may wait in it, the kernel's bookkeeping included, as far as the kernel allows.
    /// - Throws: ``LinuxError``: `notPermitted` or `noProtocolOption` where it may not cover other namespaces.
    package static func subscribed(allNamespaces: Bool, receiveBuffer: Int32) throws(LinuxError) -> RouteNetlink {
        let socket = try RouteNetlink()
        if allNamespaces { try socket.descriptor.setOption(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1) }
        try socket.join([RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR], receiveBuffer: receiveBuffer)
        return socket
    }

    /// A socket that notifies of changes of routes, in the namespace that this thread is in alone. It takes no privilege.
    /// - Parameter receiveBuffer: octets that may wait in it.
    /// - Throws: ``LinuxError``.
    package static func subscribedToRoutes(receiveBuffer: Int32) throws(LinuxError) -> RouteNetlink {
        let socket = try RouteNetlink()
        try socket.join([RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE], receiveBuffer: receiveBuffer)
        return socket
    }

    private func join(_ groups: [rtnetlink_groups], receiveBuffer: Int32) throws(LinuxError) {
        try descriptor.setReceiveBuffer(receiveBuffer)
        for group in groups {
            try descriptor.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Int32(bitPattern: group.rawValue))
        }
    }

    /// Takes over a socket made by ``init()`` or ``subscribed(allNamespaces:receiveBuffer:)`` in another process.
    package init(adopting descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    // MARK: - Questions

    /// Asks, and gives `body` each message of the answer; and in their order with these the notifications that come meanwhile,
    /// if this socket is subscribed. The buffer is one of ``makeBuffer()``. It never waits.
    /// - Returns: false where what was dumped changed meanwhile (NLM_F_DUMP_INTR): it has to be asked for again.
    /// - Throws: ``LinuxError`` when the kernel refuses, with its words where it has any; `noBufferSpace` where notifications
    ///   or what others send are too many.
    @discardableResult
    package mutating func ask(
        _ question: NetlinkRequest, using buffer: inout [UInt8], _ body: (RouteMessage) -> Void = { _ in }
    ) throws(LinuxError) -> Bool {
        try begin(question, using: &buffer, body)
        return try read(question.name, using: &buffer, body) == .whole
    }

    /// Asks; ``read(_:atMost:using:_:)`` takes the answer. A rest of the answer before is taken off the socket first.
    /// - Parameters:
    ///   - question: as for ``ask(_:using:_:)``.
    ///   - buffer: one of ``makeBuffer()``.
    ///   - body: is given the notifications among that rest.
    /// - Throws: ``LinuxError``: `resourceTemporarilyUnavailable` where so much is left of the answer before that a next call
    ///   has to go on with it.
    package mutating func begin(
        _ question: NetlinkRequest, using buffer: inout [UInt8], _ body: (RouteMessage) -> Void = { _ in }
    ) throws(LinuxError) {
        if isAnswering { try readRest(question.name, &buffer, body) }
        lastSequence &+= 1
        var question = question
        question.sequence = lastSequence
        guard try descriptor.send(question.bytes.span, flags: .doNotWait) != nil else {
            throw LinuxError(call: question.name, errno: .resourceTemporarilyUnavailable, subject: "no room to send")
        }
        isAnswering = true
        isWhole = true
    }

    /// Reads the answer to the last question, or a part of it: the kernel makes each part when the one before is taken, so
    /// that one which is left waiting costs nothing.
    /// - Parameters:
    ///   - name: the question's, for errors.
    ///   - limit: the most datagrams of the answer, of up to 32 KiB each.
    ///   - buffer: one of ``makeBuffer()``.
    ///   - body: is given each message, as in ``ask(_:using:_:)``.
    /// - Throws: ``LinuxError``, as ``ask(_:using:_:)``.
    package mutating func read(
        _ name: String, atMost limit: Int = .max, using buffer: inout [UInt8], _ body: (RouteMessage) -> Void
    ) throws(LinuxError) -> Progress {
        var parts = 0
        var strays = 0
        while strays < Self.maximumStrays {
            guard parts < limit else { return .unfinished }
            // The kernel answers while it is asked: what has not come now does not come.
            guard let (count, origin) = try receiveNetlink(descriptor, name, into: &buffer) else {
                isAnswering = false
                throw LinuxError(call: name, errno: .noData, subject: "no answer")
            }
            // Notifications are for a group, answers for this socket alone.
            let isAnswer = origin.port == 0 && origin.groups == 0
            if isAnswer { parts += 1 } else { strays += 1 }
            guard origin.port == 0 else { continue }
            let end: NetlinkAcknowledgement?
            do throws(NetlinkError) {
                let datagram = buffer.span.extracting(first: count)
                end = try isAnswer ? readAnswer(datagram, body) : readNotification(datagram, body)
            } catch {
                throw LinuxError(call: name, errno: .badMessage, subject: "\(error)")
            }
            guard let end else { continue }
            isAnswering = false
            if end.errorNumber == 0 { return isWhole ? .whole : .interrupted }
            throw LinuxError(call: name, errno: Errno(rawValue: end.errorNumber), subject: end.text)
        }
        throw LinuxError(call: name, errno: .noBufferSpace, subject: "flooded by others")
    }

    /// Reads the rest of an answer that was given up, and the notifications among it.
    private mutating func readRest(
        _ call: String, _ buffer: inout [UInt8], _ body: (RouteMessage) -> Void
    ) throws(LinuxError) {
        var parts = 0
        var strays = 0
        while parts < Self.maximumRest, strays < Self.maximumStrays {
            guard let (count, origin) = try receiveNetlink(descriptor, call, into: &buffer) else {
                isAnswering = false
                return
            }
            if origin.port == 0, origin.groups == 0 { parts += 1 } else { strays += 1 }
            guard origin.port == 0, origin.groups != 0 else { continue }
            _ = try? readNotification(buffer.span.extracting(first: count), body)
        }
        guard strays < Self.maximumStrays else {
            throw LinuxError(call: call, errno: .noBufferSpace, subject: "flooded by others")
        }
        throw LinuxError(
            call: call, errno: .resourceTemporarilyUnavailable, subject: "the answer before has not ended")
    }

    /// The number of a namespace in this socket's; it is given one where it has none, which needs CAP_NET_ADMIN here.
    /// - Throws: ``LinuxError``.
    package mutating func number(
        of namespace: borrowing NetworkNamespace, using buffer: inout [UInt8]
    ) throws(LinuxError) -> NamespaceID {
        let number = try knownNumber(of: namespace, using: &buffer)
        if number != .notAssigned { return number }
        do throws(LinuxError) {
            try ask(.assignID(to: namespace), using: &buffer)
        } catch  where error.errno == .fileExists {
            // Somebody else was quicker, such as the kernel for a veth.
        }
        let assigned = try knownNumber(of: namespace, using: &buffer)
        guard assigned != .notAssigned else {
            throw LinuxError(call: "RTM_NEWNSID", errno: .noData, subject: "\(namespace.identity)")
        }
        return assigned
    }

    /// The number that a namespace has in this socket's already; ``NamespaceID/notAssigned`` where it has none.
    ///
    /// The kernel gives one itself where a link leads there: to the peer of a veth, to the parent of a macvlan. It takes no
    /// privilege to ask.
    /// - Throws: ``LinuxError``.
    package mutating func knownNumber(
        of namespace: borrowing NetworkNamespace, using buffer: inout [UInt8]
    ) throws(LinuxError) -> NamespaceID {
        var number = NamespaceID.notAssigned
        try ask(.id(of: namespace), using: &buffer) { if case .namespaceID(let message) = $0 { number = message.id } }
        return number
    }

    /// The number that the namespace of a process has in this socket's; ``NamespaceID/notAssigned`` where it has none.
    /// - Throws: ``LinuxError``; `noSuchProcess` when the process has ended.
    mutating func knownNumber(ofNamespaceOf pid: Int32, using buffer: inout [UInt8]) throws(LinuxError) -> NamespaceID {
        var number = NamespaceID.notAssigned
        try ask(.id(ofNamespaceOf: pid), using: &buffer) {
            if case .namespaceID(let message) = $0 { number = message.id }
        }
        return number
    }

    /// Reads one datagram of the answer to the last question.
    /// - Returns: the answer's end, if this is it.
    private mutating func readAnswer(
        _ datagram: Span<UInt8>, _ body: (RouteMessage) -> Void
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

    /// Reads one datagram of notifications.
    private func readNotification(
        _ datagram: Span<UInt8>, _ body: (RouteMessage) -> Void
    ) throws(NetlinkError) -> NetlinkAcknowledgement? {
        var messages = NetlinkReader(datagram)
        while let message = try messages.next() {
            if let known = try RouteMessage(message) { body(known) }
        }
        return nil
    }

    // MARK: - Notifications

    /// Takes one datagram, and gives `body` each message of it with the number of the namespace that it is about; nil: this
    /// socket's own, if that has no number in itself. What was not sent by the kernel is passed over.
    /// - Throws: ``LinuxError``: `badMessage` for a message that cannot be read.
    package func receive(
        using buffer: inout [UInt8], _ body: (RouteMessage, NamespaceID?) -> Void
    ) throws(LinuxError) -> Reception {
        let taken: (count: Int, origin: clinux_netlink_origin)?
        do throws(LinuxError) {
            taken = try receiveNetlink(descriptor, "recvmsg", into: &buffer)
        } catch  where error.errno == .noBufferSpace {
            return .overflowed
        }
        guard let (count, origin) = taken else { return .empty }
        guard origin.port == 0 else { return .received }
        if origin.is_truncated != 0 { return .overflowed }
        let namespace = origin.has_nsid == 0 ? nil : NamespaceID(rawValue: origin.nsid)
        do throws(NetlinkError) {
            _ = try readNotification(buffer.span.extracting(first: count)) { body($0, namespace) }
        } catch {
            throw LinuxError(call: "recvmsg", errno: .badMessage, subject: "\(error)")
        }
        return .received
    }
}
