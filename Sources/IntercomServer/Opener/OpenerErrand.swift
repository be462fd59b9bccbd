// One call of the daemon to its opener: checked, carried out, answered.

import DNSWire
import LinuxNet
import Registry
import SystemPackage
import Varlink

/// Carries out the calls of ``OpenerCalls`` with the privileges of this process.
struct OpenerErrand: ~Copyable, Sendable {
    /// Does what a call asks for, once it is checked.
    let opener: any Opener
    /// The opener's own namespace, which is the host's.
    private let host: NamespaceIdentity
    /// The process that calls (SO_PEERCRED).
    private let caller: Int32
    private let connection: Descriptor

    /// - Parameters:
    ///   - host: the opener's own namespace.
    ///   - caller: the process that calls; its namespace is as forbidden as the host's.
    ///   - connection: takes the reply.
    ///   - opener: does what a call asks for, once it is checked.
    init(
        host: NamespaceIdentity, caller: Int32, connection: consuming Descriptor,
        by opener: any Opener = LocalOpener()
    ) {
        self.opener = opener
        self.host = host
        self.caller = caller
        self.connection = connection
    }

    /// - Parameter descriptors: what came with the call: a namespace, where that needs one.
    /// - Throws: ``LinuxError`` when the reply cannot be sent.
    func carryOut(_ message: [UInt8], _ descriptors: consuming PassedDescriptors?) throws(LinuxError) {
        do throws(LinuxError) {
            guard let call = try? VarlinkCall(message: message) else { throw Self.refusal("no call") }
            var descriptors = descriptors
            if call.method == OpenerCalls.OpenNamespaces.method {
                return try openNamespaces(try Self.parameters(call), descriptors.take())
            }
            let passed = descriptors?.next()
            switch call.method {
            case OpenerCalls.OpenProcess.method: try openProcess(try Self.parameters(call))
            case OpenerCalls.SubscribeKernel.method: try subscribeKernel(try Self.parameters(call))
            case OpenerCalls.OpenNamespace.method: try openNamespace(try Self.parameters(call), passed)
            case OpenerCalls.OpenHostListener.method: try openHostListener()
            case OpenerCalls.OpenGatewayListener.method: try openGatewayListener(try Self.parameters(call))
            case OpenerCalls.OpenSockets.method: try openSockets(try Self.parameters(call), passed)
            case OpenerCalls.FindServers.method: try findServers(passed)
            case OpenerCalls.FindListeners.method: try findListeners(try Self.parameters(call), passed)
            case OpenerCalls.FindHolders.method: try findHolders(try Self.parameters(call), passed)
            case OpenerCalls.FindTranslation.method: try findTranslation(try Self.parameters(call), passed)
            case OpenerCalls.FindInhabitants.method: try findInhabitants(passed)
            case OpenerCalls.FindProcesses.method: try findProcesses(try Self.parameters(call))
            case OpenerCalls.SetRedirection.method: try setRedirection(try Self.parameters(call), passed)
            case OpenerCalls.RepairRedirection.method: try repairRedirection(try Self.parameters(call), passed)
            case OpenerCalls.RemoveRedirection.method: try removeRedirection(try Self.parameters(call), passed)
            case OpenerCalls.ReadResolverFile.method: try readResolverFile(try Self.parameters(call), passed)
            case OpenerCalls.SetGate.method: try setGate(try Self.parameters(call))
            case OpenerCalls.SetGates.method: try setGates(try Self.parameters(call))
            case OpenerCalls.RemoveGates.method: try removeGates(try Self.parameters(call))
            case OpenerCalls.ListGates.method: try listGates(try Self.parameters(call))
            case OpenerCalls.MonitorGates.method: try monitorGates()
            case OpenerCalls.OpenAdmissions.method: try openAdmissions()
            case OpenerCalls.WriteResolverFile.method: try writeResolverFile(try Self.parameters(call))
            case OpenerCalls.RemoveResolverFile.method: try removeResolverFile(try Self.parameters(call))
            default: throw Self.refusal(call.method)
            }
        } catch {
            try refuse(error)
        }
    }

    /// Answers that the call cannot be carried out.
    /// - Throws: ``LinuxError`` when the reply cannot be sent.
    func refuse(_ error: LinuxError) throws(LinuxError) {
        let reply = VarlinkReply.encode(error: OpenerFailure.name, OpenerFailure(error))
        _ = try connection.send(reply.span, passing: [])
    }

    // MARK: - Calls

    private func openProcess(_ call: OpenerCalls.OpenProcess) throws(LinuxError) {
        let opened = try opener.openNamespace(of: try ProcessDescriptor(pid: call.pid))
        // That of the very file that is handed out: a process may change its namespace at any time.
        try requireContainer(opened.namespace.identity)
        try reply(
            to: OpenerCalls.OpenProcess.self, .init(start: opened.processStart),
            passing: [opened.namespace.descriptor.rawValue])
    }

    private func subscribeKernel(_ call: OpenerCalls.SubscribeKernel) throws(LinuxError) {
        let made = try opener.subscribeKernel(receiveBuffer: try Self.room(call.receiveBuffer))
        try reply(
            to: OpenerCalls.SubscribeKernel.self,
            .init(coversAll: made.coversAll, hostNumber: made.hostNumber.rawValue),
            passing: [made.netlink.descriptor.rawValue])
    }

    private func openNamespace(_ call: OpenerCalls.OpenNamespace, _ passed: consuming Descriptor?) throws(LinuxError) {
        let errand = try errand(call, passed)
        opener.open([errand])
        let opened = try errand.take()
        try reply(to: OpenerCalls.OpenNamespace.self, Self.reply(opened), passing: Self.descriptors(opened))
    }

    private func openNamespaces(
        _ call: OpenerCalls.OpenNamespaces, _ passed: consuming PassedDescriptors?
    ) throws(LinuxError) {
        var passed = passed
        guard (1...OpenerCalls.maximumNamespaces).contains(call.calls.count) else {
            throw Self.refusal("\(call.calls.count) namespaces")
        }
        let errands = call.calls.map { call -> Result<NamespaceErrand, LinuxError> in
            do throws(LinuxError) {
                return .success(try errand(call, passed?.next()))
            } catch {
                return .failure(error)
            }
        }
        opener.open(errands.compactMap { try? $0.get() })
        var outcomes: [OpenerCalls.OpenNamespaces.Opened] = []
        var descriptors: [Int32] = []
        // They are closed here when they have been passed on.
        var made: [Handover<OpenedNamespace>] = []
        for errand in errands {
            do throws(LinuxError) {
                let opened = try errand.get().take()
                outcomes.append(.init(reply: Self.reply(opened)))
                descriptors += Self.descriptors(opened)
                made.append(Handover(opened))
            } catch {
                outcomes.append(.init(failure: OpenerFailure(error)))
            }
        }
        try withExtendedLifetime(made) { () throws(LinuxError) in
            try reply(to: OpenerCalls.OpenNamespaces.self, .init(namespaces: outcomes), passing: descriptors)
        }
    }

    private func errand(
        _ call: OpenerCalls.OpenNamespace, _ passed: consuming Descriptor?
    ) throws(LinuxError) -> NamespaceErrand {
        if let port = call.port, port != 53, port != 0 { throw Self.refusal("port \(port)") }
        return NamespaceErrand(
            in: try namespace(passed),
            listener: call.port.map { SocketAddress(v4: IPv4Address.intercom.bits, port: $0) },
            takesAnyPort: call.orAnyPort ?? false, receiveBuffer: try call.receiveBuffer.map(Self.room))
    }

    private static func reply(_ opened: borrowing OpenedNamespace) -> OpenerCalls.OpenNamespace.Reply {
        .init(
            cookie: opened.cookie, number: opened.number.rawValue, hostNumber: opened.hostNumber.rawValue,
            refusal: opened.refusal.map { OpenerFailure($0) })
    }

    /// The socket of rtnetlink, and those of the listener if there is one.
    private static func descriptors(_ opened: borrowing OpenedNamespace) -> [Int32] {
        let netlink = opened.netlink.descriptor.rawValue
        switch opened.listener {
        case .some(let listener): return [netlink, listener.udp.rawValue, listener.tcp.rawValue]
        case .none: return [netlink]
        }
    }

    private func openHostListener() throws(LinuxError) {
        let listener = try opener.openHostListener()
        try reply(
            to: OpenerCalls.OpenHostListener.self, .init(cookie: listener.cookie),
            passing: [listener.udp.rawValue, listener.tcp.rawValue])
    }

    /// An address of loopback, of nobody or of a group is refused, and so is a socket that hears more than one interface.
    private func openGatewayListener(_ call: OpenerCalls.OpenGatewayListener) throws(LinuxError) {
        guard let address = IPAddress(call.address), address.isOneHost, !address.isLoopback, call.interface > 0 else {
            throw Self.refusal("address '\(call.address)' on interface \(call.interface)")
        }
        let listener = try opener.openGatewayListener(at: address, on: call.interface)
        try reply(
            to: OpenerCalls.OpenGatewayListener.self, .init(cookie: listener.cookie),
            passing: [listener.udp.rawValue, listener.tcp.rawValue])
    }

    private func openSockets(_ call: OpenerCalls.OpenSockets, _ passed: consuming Descriptor?) throws(LinuxError) {
        guard (1...OpenerCalls.maximumSockets).contains(call.count) else {
            throw Self.refusal("\(call.count) sockets")
        }
        let batch = try opener.openSockets(
            in: try namespace(passed), SocketKind(isStream: call.stream, isV6: call.v6), count: call.count,
            isMarked: call.marked ?? false)
        try reply(to: OpenerCalls.OpenSockets.self, .init(), passing: batch.numbers)
    }

    private func findServers(_ passed: consuming Descriptor?) throws(LinuxError) {
        let ports = try opener.findServers(in: try namespace(passed))
        try reply(to: OpenerCalls.FindServers.self, .init(datagram: ports.datagram, stream: ports.stream))
    }

    private func findListeners(_ call: OpenerCalls.FindListeners, _ passed: consuming Descriptor?) throws(LinuxError) {
        let addresses = try opener.findListeners(onPort: call.port, in: try namespace(passed))
        try reply(to: OpenerCalls.FindListeners.self, .init(addresses: addresses.map(\.description)))
    }

    private func findHolders(_ call: OpenerCalls.FindHolders, _ passed: consuming Descriptor?) throws(LinuxError) {
        let holders = try opener.findHolders(ofPort: call.port, in: try namespace(passed))
        try reply(to: OpenerCalls.FindHolders.self, .init(holders: holders))
    }

    private func findTranslation(
        _ call: OpenerCalls.FindTranslation, _ passed: consuming Descriptor?
    ) throws(LinuxError) {
        let refusal = Self.refusal("address '\(call.address)'")
        if let port = call.port {
            guard let address = IPAddress(call.address), address.isOneHost, port > 0 else { throw refusal }
            let server = SocketAddress(address, port: port)
            let translation = try opener.findTranslation(ofConnectionsTo: server, in: try namespace(passed))
            return try reply(to: OpenerCalls.FindTranslation.self, .init(translation: translation))
        }
        guard let address = try? IPAddress(ofResolver: call.address) else { throw refusal }
        let translation = try opener.findTranslation(of: address, in: try namespace(passed))
        try reply(to: OpenerCalls.FindTranslation.self, .init(translation: translation))
    }

    private func findInhabitants(_ passed: consuming Descriptor?) throws(LinuxError) {
        let processes = try opener.findProcesses(in: try namespace(passed))
        try reply(to: OpenerCalls.FindInhabitants.self, .init(processes: processes))
    }

    private func findProcesses(_ call: OpenerCalls.FindProcesses) throws(LinuxError) {
        let processes =
            if let pid = call.pid {
                [try opener.findProcess(pid)].compactMap(\.self)
            } else if call.withoutFile == true {
                try opener.findProcessesWithoutFile(after: call.after ?? 0)
            } else {
                try opener.findContainerProcesses(after: call.after ?? 0)
            }
        try reply(to: OpenerCalls.FindProcesses.self, .init(processes: processes))
    }

    private func setRedirection(
        _ call: OpenerCalls.SetRedirection, _ passed: consuming Descriptor?
    ) throws(LinuxError) {
        let lead = try Self.lead(call.port, call.v6Port, call.addresses, call.lock)
        var made = try opener.set(lead, in: try namespace(passed))
        let v6Listener = made.v6Listener.take()
        let led = made.lead
        let monitor = made.takeMonitor()
        var descriptors = [monitor.descriptor.rawValue, monitor.writer.descriptor.rawValue]
        var cookie: UInt64?
        switch v6Listener {
        case .some(let listener):
            descriptors += [listener.udp.rawValue, listener.tcp.rawValue]
            cookie = listener.cookie
        case .none: break
        }
        do throws(LinuxError) {
            try reply(
                to: OpenerCalls.SetRedirection.self,
                .init(addresses: led.addresses.map(\.description), v6Port: led.v6Port, cookie: cookie),
                passing: descriptors)
        } catch {
            // It took too long: nobody would remove the rules.
            try? opener.remove(led, by: monitor.writer)
            throw error
        }
    }

    private func repairRedirection(
        _ call: OpenerCalls.RepairRedirection, _ passed: consuming Descriptor?
    ) throws(LinuxError) {
        try opener.repair(try Self.lead(call.port, call.v6Port, call.addresses, call.lock), by: try writer(passed))
        try reply(to: OpenerCalls.RepairRedirection.self, .init())
    }

    private func removeRedirection(
        _ call: OpenerCalls.RemoveRedirection, _ passed: consuming Descriptor?
    ) throws(LinuxError) {
        try opener.remove(try Self.lead(call.port, call.v6Port, call.addresses, call.lock), by: try writer(passed))
        try reply(to: OpenerCalls.RemoveRedirection.self, .init())
    }

    /// Rules that lead port 53 of checked addresses to 127.0.0.11 and ::1, and nothing else anywhere else; or refuse it.
    private static func lead(
        _ port: UInt16, _ v6Port: UInt16?, _ addresses: [String]?, _ lock: OpenerCalls.Lock?
    ) throws(LinuxError) -> Lead {
        if lock == .only { return .lock }
        let addresses = addresses ?? []
        guard addresses.count <= OpenerCalls.maximumLedAddresses else {
            throw refusal("\(addresses.count) addresses")
        }
        var others: [IPAddress] = []
        for text in addresses {
            guard let address = try? IPAddress(ofResolver: text) else { throw refusal("address '\(text)'") }
            others.append(address)
        }
        return Lead(to: port, v6Port: v6Port, from: others, isLocked: lock != nil)
    }

    private func readResolverFile(
        _ call: OpenerCalls.ReadResolverFile, _ passed: consuming Descriptor?
    ) throws(LinuxError) {
        let namespace = try namespace(passed)
        let file = try opener.readResolverFile(of: try ProcessDescriptor(pid: call.pid), in: namespace)
        try reply(to: OpenerCalls.ReadResolverFile.self, .init(text: file.text, isHosts: file.isHosts))
    }

    private func writeResolverFile(_ call: OpenerCalls.WriteResolverFile) throws(LinuxError) {
        for word in call.search + call.options {
            guard (1...255).contains(word.utf8.count), word.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw Self.refusal("'\(word)' in a resolv.conf")
            }
        }
        // The name has to be that of a namespace.
        let path = "/run/netns/\(call.name)"
        _ = try ResolverFiles.path(ofNamespace: call.name)
        try requireContainer(try NetworkNamespace(path: path).identity, path)
        let isThere = try opener.writeResolverFile(
            ofNamespace: call.name, ResolverConfiguration(search: call.search, options: call.options))
        try reply(to: OpenerCalls.WriteResolverFile.self, .init(isThere: isThere))
    }

    private func removeResolverFile(_ call: OpenerCalls.RemoveResolverFile) throws(LinuxError) {
        try opener.removeResolverFile(ofNamespace: call.name)
        try reply(to: OpenerCalls.RemoveResolverFile.self, .init())
    }

    // MARK: - Messages

    /// The descriptor that came with the call, if it is a network namespace and not the host's.
    private func namespace(_ passed: consuming Descriptor?) throws(LinuxError) -> NetworkNamespace {
        guard let passed else { throw Self.refusal("no namespace") }
        let namespace = try NetworkNamespace(passed: passed, "what the call brought")
        try requireContainer(namespace.identity)
        return namespace
    }

    /// The descriptor that came with the call, if it is an nfnetlink socket of a namespace that is not the host's.
    private func writer(_ passed: consuming Descriptor?) throws(LinuxError) -> NftablesWriter {
        guard let passed else { throw Self.refusal("no socket") }
        let writer = try NftablesWriter(passed: passed)
        try requireContainer(try NetworkNamespace(of: writer.descriptor).identity)
        return writer
    }

    /// But for the host's listener and those of gateways, nothing is handed out, made or changed in the opener's own namespace, that of the machine's first process, and the
    /// caller's.
    private func requireContainer(_ namespace: NamespaceIdentity, _ subject: String? = nil) throws(LinuxError) {
        let forbidden = [host, .ofFirstProcess, NamespaceIdentity(ofFileAt: "/proc/\(caller)/ns/net")]
        guard !forbidden.contains(namespace) else {
            throw LinuxError(
                call: "opener", errno: .notPermitted, subject: subject ?? "the host's namespace", kind: .hostNamespace)
        }
    }

    /// Octets that may wait in a socket of rtnetlink: no more than a host can spare.
    private static func room(_ octets: Int32) throws(LinuxError) -> Int32 {
        guard (0...OpenerCalls.maximumReceiveBuffer).contains(octets) else {
            throw refusal("a buffer of \(octets) octets")
        }
        return octets
    }

    func reply<Call: OpenerCall>(
        to call: Call.Type, _ reply: Call.Reply, passing descriptors: [Int32] = []
    ) throws(LinuxError) {
        _ = try connection.send(VarlinkReply.encode(reply).span, passing: descriptors)
    }

    private static func parameters<Call: OpenerCall>(_ call: VarlinkCall) throws(LinuxError) -> Call {
        do throws(InvalidParameter) {
            return try call.parameters(Call.self)
        } catch {
            throw refusal("\(call.method): \(error.parameter)")
        }
    }

    /// The opener does not do this for anybody.
    static func refusal(_ subject: String) -> LinuxError {
        LinuxError(call: "opener", errno: .notPermitted, subject: subject)
    }
}
