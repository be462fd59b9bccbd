// The opener where it is another process, which the service manager starts at the first call.

import DNSWire
import LinuxNet
import Logging
import Registry
import SystemPackage
import Varlink

/// Asks the opener at a socket. Each call has a connection of its own: if the opener dies, the next call starts another.
final class RemoteOpener: Opener {
    /// Timeout of a call.
    private static let timeout = Duration.seconds(5)
    /// Timeout for calls that take locks a hostile container can hold.
    private static let timeoutOfLocks = Duration.seconds(2)

    private let path: String
    private let logger: Logger

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    // MARK: - Calls

    func openNamespace(of process: borrowing ProcessDescriptor) throws(LinuxError) -> SourceNamespace {
        var answer = try ask(OpenerCalls.OpenProcess(pid: process.pid))
        let start = answer.reply.start
        let subject = "pid \(process.pid)"
        let namespace = try NetworkNamespace(passed: try answer.takeDescriptor(), subject)
        // Alive after the opening: the number meant this process then.
        guard process.isAlive else {
            throw LinuxError(call: "open", errno: .noSuchProcess, subject: subject, kind: .noSuchProcess)
        }
        return SourceNamespace(namespace: namespace, processStart: start)
    }

    func subscribeKernel(receiveBuffer: Int32) throws(LinuxError) -> KernelSubscription {
        var answer = try ask(OpenerCalls.SubscribeKernel(receiveBuffer: receiveBuffer))
        return KernelSubscription(
            adopting: RouteNetlink(adopting: try answer.takeDescriptor()), coversAll: answer.reply.coversAll,
            hostNumber: NamespaceID(rawValue: answer.reply.hostNumber))
    }

    func open(_ errands: [NamespaceErrand]) {
        var rest = errands[...]
        while !rest.isEmpty {
            let some = rest.prefix(OpenerCalls.maximumNamespaces)
            rest = rest.dropFirst(some.count)
            do throws(LinuxError) {
                try openAtOnce(some)
            } catch {
                // Those that have an outcome keep it.
                for errand in some { errand.carryOut { _ throws(LinuxError) in throw error } }
            }
        }
    }

    /// Has what fits into one call carried out.
    /// - Throws: ``LinuxError`` when nothing came of the call, or not of all.
    private func openAtOnce(_ errands: ArraySlice<NamespaceErrand>) throws(LinuxError) {
        let namespaces = errands.compactMap(\.namespaceDescriptor)
        let calls = errands.map {
            OpenerCalls.OpenNamespace(
                port: $0.listener?.port, orAnyPort: $0.takesAnyPort, receiveBuffer: $0.receiveBuffer)
        }
        guard namespaces.count == calls.count else { throw LinuxError(call: "setns", errno: .canceled) }
        if let errand = errands.first, let call = calls.first, calls.count == 1 {
            var answer = try ask(call, passing: namespaces)
            let reply = answer.reply
            errand.carryOut { _ throws(LinuxError) in try Self.take(reply, errand, from: &answer.descriptors) }
            return
        }
        var answer = try ask(OpenerCalls.OpenNamespaces(calls: calls), passing: namespaces)
        for (errand, opened) in zip(errands, answer.reply.namespaces) {
            errand.carryOut { _ throws(LinuxError) in
                if let failure = opened.failure { throw failure.error }
                guard let reply = opened.reply else { throw Self.tooLittle }
                return try Self.take(reply, errand, from: &answer.descriptors)
            }
        }
        guard answer.reply.namespaces.count >= calls.count else { throw Self.tooLittle }
    }

    /// Result of an errand.
    private static func take(
        _ reply: OpenerCalls.OpenNamespace.Reply, _ errand: NamespaceErrand, from descriptors: inout PassedDescriptors
    ) throws(LinuxError) -> OpenedNamespace {
        guard let socket = descriptors.next() else { throw tooLittle }
        let netlink = RouteNetlink(adopting: socket)
        var listener: ListenerSockets?
        if errand.listener != nil, reply.refusal == nil {
            guard let udp = descriptors.next(), let tcp = descriptors.next() else { throw tooLittle }
            listener = ListenerSockets(udp: udp, tcp: tcp, cookie: reply.cookie)
        }
        return OpenedNamespace(
            cookie: reply.cookie, number: NamespaceID(rawValue: reply.number),
            hostNumber: NamespaceID(rawValue: reply.hostNumber), listener: listener, refusal: reply.refusal?.error,
            netlink: netlink)
    }

    func openHostListener() throws(LinuxError) -> ListenerSockets {
        var answer = try ask(OpenerCalls.OpenHostListener())
        let cookie = answer.reply.cookie
        let udp = try answer.takeDescriptor()
        return ListenerSockets(udp: udp, tcp: try answer.takeDescriptor(), cookie: cookie)
    }

    func openGatewayListener(at address: IPAddress, on interface: UInt32) throws(LinuxError) -> ListenerSockets {
        var answer = try ask(OpenerCalls.OpenGatewayListener(address: "\(address)", interface: interface))
        let cookie = answer.reply.cookie
        let udp = try answer.takeDescriptor()
        return ListenerSockets(udp: udp, tcp: try answer.takeDescriptor(), cookie: cookie)
    }

    func set(_ lead: Lead, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> SetLead {
        var answer = try ask(
            OpenerCalls.SetRedirection(
                port: lead.port, v6Port: lead.v6Port, addresses: lead.addresses.map(\.description),
                lock: lead.wireLock),
            in: namespace)
        let reply = answer.reply
        let monitor = try answer.takeDescriptor()
        let writer = NftablesWriter(adopting: try answer.takeDescriptor())
        var v6Listener: ListenerSockets?
        if let cookie = reply.cookie {
            let udp = try answer.takeDescriptor()
            v6Listener = ListenerSockets(udp: udp, tcp: try answer.takeDescriptor(), cookie: cookie)
        }
        let led =
            lead == .lock
            ? .lock
            : Lead(
                to: lead.port, v6Port: reply.v6Port, from: (reply.addresses ?? []).compactMap { IPAddress($0) },
                isLocked: lead.isLocked)
        return SetLead(
            led, monitor: NftablesMonitor(adopting: monitor, writer: writer), v6Listener: v6Listener)
    }

    func repair(_ lead: Lead, by writer: borrowing NftablesWriter) throws(LinuxError) {
        _ = try ask(
            OpenerCalls.RepairRedirection(
                port: lead.port, v6Port: lead.v6Port, addresses: lead.addresses.map(\.description),
                lock: lead.wireLock),
            passing: [writer.descriptor.rawValue]
        ).reply
    }

    func remove(_ lead: Lead, by writer: borrowing NftablesWriter) throws(LinuxError) {
        _ = try ask(
            OpenerCalls.RemoveRedirection(
                port: lead.port, v6Port: lead.v6Port, addresses: lead.addresses.map(\.description),
                lock: lead.wireLock),
            passing: [writer.descriptor.rawValue]
        ).reply
    }

    func readResolverFile(
        of process: borrowing ProcessDescriptor, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> ReadResolverFile {
        let reply = try ask(OpenerCalls.ReadResolverFile(pid: process.pid), in: namespace).reply
        return ReadResolverFile(text: reply.text, isHosts: reply.isHosts ?? false)
    }

    func openSockets(
        in namespace: borrowing NetworkNamespace, _ kind: SocketKind, count: Int, isMarked: Bool
    ) throws(LinuxError) -> SocketBatch {
        let count = min(count, OpenerCalls.maximumSockets)
        var answer = try ask(
            OpenerCalls.OpenSockets(stream: kind.isStream, v6: kind.isV6, count: count, marked: isMarked),
            in: namespace)
        var batch = SocketBatch()
        for _ in 0..<count { batch.add(try answer.takeDescriptor(), kind) }
        return batch
    }

    func findServers(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> BoundPorts {
        let reply = try ask(OpenerCalls.FindServers(), in: namespace).reply
        return BoundPorts(datagram: reply.datagram, stream: reply.stream)
    }

    func findListeners(
        onPort port: UInt16, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> [IPAddress] {
        try ask(OpenerCalls.FindListeners(port: port), in: namespace).reply.addresses.compactMap { IPAddress($0) }
    }

    func findHolders(
        ofPort port: UInt16?, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> [PortHolder] {
        try ask(OpenerCalls.FindHolders(port: port), in: namespace).reply.holders
    }

    func findTranslation(
        of address: IPAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation? {
        try ask(OpenerCalls.FindTranslation(address: address.description), in: namespace).reply.translation
    }

    func findTranslation(
        ofConnectionsTo address: SocketAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation? {
        let call = OpenerCalls.FindTranslation(address: "\(IPAddress(address))", port: address.port)
        return try ask(call, in: namespace).reply.translation
    }

    func findProcesses(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [FoundProcess] {
        try ask(OpenerCalls.FindInhabitants(), in: namespace).reply.processes
    }

    func findProcess(_ pid: Int32) throws(LinuxError) -> FoundProcess? {
        try ask(OpenerCalls.FindProcesses(pid: pid)).reply.processes.first
    }

    func findContainerProcesses(after number: Int32) throws(LinuxError) -> [FoundProcess] {
        try ask(OpenerCalls.FindProcesses(after: number)).reply.processes
    }

    func findProcessesWithoutFile(after number: Int32) throws(LinuxError) -> [FoundProcess] {
        try ask(OpenerCalls.FindProcesses(after: number, withoutFile: true)).reply.processes
    }

    func writeResolverFile(
        ofNamespace name: String, _ configuration: ResolverConfiguration
    ) throws(LinuxError) -> Bool {
        try ask(
            OpenerCalls.WriteResolverFile(name: name, search: configuration.search, options: configuration.options)
        ).reply.isThere
    }

    func removeResolverFile(ofNamespace name: String) throws(LinuxError) {
        _ = try ask(OpenerCalls.RemoveResolverFile(name: name)).reply
    }

    // MARK: - Gates

    func set(_ gates: [GateOrder]) -> [LinuxError?] {
        let calls = gates.map { OpenerCalls.SetGate($0) }
        do throws(LinuxError) {
            if let call = calls.first, calls.count == 1 {
                _ = try ask(call).reply
                return [nil]
            }
            let outcomes = try ask(OpenerCalls.SetGates(gates: calls)).reply.outcomes
            guard outcomes.count == gates.count else { throw Self.tooLittle }
            return outcomes.map { $0.failure?.error }
        } catch {
            return gates.map { _ in error }
        }
    }

    func removeGates(_ gates: AddressGates.Listing) throws(LinuxError) {
        _ = try ask(OpenerCalls.RemoveGates(cookies: gates.cookies, devices: gates.devices)).reply
    }

    func removeAllGates() throws(LinuxError) {
        _ = try ask(OpenerCalls.RemoveGates(cookies: [], devices: [], all: true)).reply
    }

    func listGates(after cookie: UInt64) throws(LinuxError) -> AddressGates.Listing {
        let reply = try ask(OpenerCalls.ListGates(after: cookie)).reply
        return AddressGates.Listing(cookies: reply.cookies, devices: reply.devices)
    }

    func monitorGates() throws(LinuxError) -> AddressGateMonitor {
        var answer = try ask(OpenerCalls.MonitorGates())
        return AddressGateMonitor(adopting: try answer.takeDescriptor())
    }

    func openAdmissions() throws(LinuxError) -> Descriptor {
        var answer = try ask(OpenerCalls.OpenAdmissions())
        return try answer.takeDescriptor()
    }

    // MARK: - Messages

    /// The opener has sent fewer descriptors than it says.
    private static let tooLittle = LinuxError(call: "recvmsg", errno: .badMessage, subject: "the opener")

    /// A reply with the descriptors that came with it.
    private struct Answer<Reply>: ~Copyable {
        let reply: Reply
        var descriptors: PassedDescriptors

        mutating func takeDescriptor() throws(LinuxError) -> Descriptor {
            guard let descriptor = descriptors.next() else { throw RemoteOpener.tooLittle }
            return descriptor
        }
    }

    private func ask<Call: OpenerCall>(
        _ call: Call, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> Answer<Call.Reply> {
        try ask(call, passing: [namespace.descriptor.rawValue])
    }

    private func ask<Call: OpenerCall>(
        _ call: Call, passing descriptors: [Int32] = []
    ) throws(LinuxError) -> Answer<Call.Reply> {
        let message = VarlinkCall.encode(method: Call.method, parameters: call)
        var buffer = [UInt8](repeating: 0, count: OpenerCalls.maximumReply)
        let received: Descriptor.Received
        do throws(LinuxError) {
            received = try exchange(message, descriptors, &buffer, takesLocks: Call.takesLocks)
        } catch {
            // A call that waits for a container's locks fails, and that is not the opener's fault.
            if !Call.takesLocks || error.errno != .timedOut {
                logger.error(
                    "the opener cannot be reached: \(error)", metadata: .about(.openerUnreachable, limitedAs: "opener"))
                throw LinuxError(call: error.call, errno: error.errno, subject: error.subject, kind: .openerAway)
            }
            throw error
        }
        return try read(received, buffer)
    }

    private func read<Reply: Decodable>(
        _ received: consuming Descriptor.Received, _ buffer: [UInt8]
    ) throws(LinuxError) -> Answer<Reply> {
        let message = Array(buffer[..<received.count].prefix { $0 != 0 })
        let unreadable = LinuxError(call: "recvmsg", errno: .badMessage, subject: path)
        guard let response = try? VarlinkResponse(message: message) else { throw unreadable }
        if response.error != nil {
            guard let failure = try? response.parameters(OpenerFailure.self) else { throw unreadable }
            throw failure.error
        }
        guard let reply = try? response.parameters(Reply.self) else { throw unreadable }
        return Answer(reply: reply, descriptors: received.takeDescriptors())
    }

    /// Sends a message and waits for the other; once more where the opener has ended over it.
    /// - Parameter takesLocks: see ``OpenerCall/takesLocks``.
    private func exchange(
        _ message: [UInt8], _ descriptors: [Int32], _ buffer: inout [UInt8], takesLocks: Bool
    ) throws(LinuxError) -> Descriptor.Received {
        let silence = LinuxError(call: "recvmsg", errno: .timedOut, subject: path)
        for _ in 1...2 {
            let connection = try UnixSocket.connectForMessages(
                path: path, timeout: takesLocks ? Self.timeoutOfLocks : Self.timeout)
            do throws(LinuxError) {
                let sent = try connection.send(message.span, passing: descriptors)
                guard sent != nil, let received = try connection.receivePassed(into: &buffer) else {
                    throw silence
                }
                if received.count > 0 { return received }
            } catch  where [.brokenPipe, .connectionReset].contains(error.errno) {
                // It has ended while it was asked.
            }
        }
        throw LinuxError(call: "recvmsg", errno: .connectionReset, subject: path)
    }
}

extension OpenerCalls.SetGate {
    fileprivate init(_ gate: GateOrder) {
        self.init(
            cookie: gate.cookie, devices: gate.devices, formerDevices: gate.formerDevices,
            networks: gate.terms.networks.map(\.description), blocks: gate.terms.blocks.map(\.description),
            sources: gate.terms.sources.map(\.description))
    }
}

extension Lead {
    /// The lock in a message to the opener.
    fileprivate var wireLock: OpenerCalls.Lock? {
        guard isLocked else { return nil }
        return addresses.isEmpty ? .only : .beside
    }
}
