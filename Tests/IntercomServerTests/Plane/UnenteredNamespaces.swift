// Containers in namespaces of their own, and an opener of the tests' own that says what is in each.

import Attachment
import DNSWire
import Foundation
import Registry
import Synchronization
import SystemPackage
import Testing

@testable import IntercomServer
@testable import LinuxNet

/// Namespaces that nobody enters: listeners in them are at the loopback interface of this process, where a test asks them.
final class UnenteredNamespaces: Sendable {
    /// Contents of one.
    struct Inside: Sendable {
        /// Why no listener can be made.
        var refusal: LinuxError?
        var resolverFile: String? = "nameserver 127.0.0.11\n"
        /// Ports of servers at 127.0.0.11 beside the listener.
        var servers = BoundPorts()
        /// Addresses at which programs listen, by their ports.
        var listeners: [UInt16: [IPAddress]] = [:]
        var holders: [PortHolder] = []
        var translation: FoundTranslation?
        /// True where programs may ask; else no question can be sent from there but to upstreams.
        var asks = false
        /// The namespace.
        fileprivate(set) var identity: NamespaceIdentity?
        /// The listener that was made last.
        fileprivate(set) var listener: SocketAddress?
    }

    /// Processes of the machine beside them.
    struct Machine: Sendable {
        /// Processes of runtimes' containers.
        var ofContainers: [FoundProcess] = []
        /// Processes that have another resolv.conf than their namespaces.
        var withoutFile: [FoundProcess] = []
        /// Processes that are looked up by their numbers.
        var processes: [FoundProcess] = []
    }

    private let inside = Mutex<[Int32: Inside]>([:])
    let machine = Mutex(Machine())
    private let containers = Mutex<[ContainerProcess]>([])

    /// A process that waits in its namespace until ``end()``.
    func add(_ change: (inout Inside) -> Void = { _ in }) throws -> Int32 {
        let container = try ContainerProcess()
        let identity = try container.namespace().identity
        let pid = container.pid
        self.change(pid) { $0.identity = identity }
        self.change(pid) { change(&$0) }
        containers.withLock { $0.append(container) }
        return pid
    }

    func change(_ pid: Int32, _ change: (inout Inside) -> Void) {
        inside.withLock { change(&$0[pid, default: Inside()]) }
    }

    /// Ends the process, and with it the namespace.
    func end(_ pid: Int32) {
        containers.withLock { containers in
            for container in containers where container.pid == pid { container.end() }
        }
    }

    func end() { containers.withLock { $0 = [] } }

    /// The namespace of a process.
    static func identity(_ pid: Int32) -> NamespaceIdentity {
        NamespaceIdentity(ofFileAt: "/proc/\(pid)/ns/net") ?? NamespaceIdentity(device: 0, inode: 0)
    }

    /// A process as the opener describes it.
    static func found(
        _ pid: Int32, _ command: String, in namespace: NamespaceIdentity? = nil, docker id: String? = nil
    ) -> FoundProcess {
        let group = id.map { "0::/system.slice/docker-\($0.padding(toLength: 64, withPad: "0", startingAt: 0)).scope" }
        return FoundProcess(
            ListedProcess(
                pid: pid, command: command, namespace: namespace ?? identity(pid), controlGroups: group ?? "",
                isPlugged: true))
    }

    /// The listener of a process's container.
    func listener(of pid: Int32) throws -> SocketAddress {
        try #require(inside.withLock { $0[pid]?.listener }, "it has a listener")
    }

    // MARK: - The opener

    var opener: StandInOpener {
        var opener = StandInOpener()
        opener.namespaceOfProcess = { [self] pid throws(LinuxError) in
            _ = try look(at: Self.identity(pid))
            let namespace = try NetworkNamespace(process: try ProcessDescriptor(pid: pid))
            return SourceNamespace(namespace: namespace, processStart: UInt64(pid))
        }
        opener.enter = { [self] namespace, errand throws(LinuxError) in try enter(namespace, errand) }
        opener.setLead = { lead, _ throws(LinuxError) in
            let monitor = NftablesMonitor(
                adopting: try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 0)),
                writer: NftablesWriter(adopting: try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 0))))
            return SetLead(lead, monitor: monitor, v6Listener: nil)
        }
        opener.readFile = { [self] pid throws(LinuxError) in
            ReadResolverFile(text: try look(at: Self.identity(pid)).resolverFile)
        }
        opener.sockets = { [self] namespace, kind, count, isMarked throws(LinuxError) in
            // A proof would depend on who else is at port 53 of this machine, and connections on its routes.
            guard try look(at: namespace).asks || isMarked else { throw StandInOpener.refusal }
            var batch = SocketBatch()
            for _ in 0..<count { batch.add(try kind.makeSocket(), kind) }
            return batch
        }
        opener.servers = { [self] namespace throws(LinuxError) in try look(at: namespace).servers }
        opener.listeners = { [self] port, namespace throws(LinuxError) in
            try look(at: namespace).listeners[port] ?? []
        }
        opener.holders = { [self] port, namespace throws(LinuxError) in
            try look(at: namespace).holders.filter { port == nil || $0.port == port }
        }
        opener.translation = { [self] _, namespace throws(LinuxError) in try look(at: namespace).translation }
        opener.ofContainers = { [self] number throws(LinuxError) in
            machine.withLock { $0.ofContainers.filter { $0.pid > number } }
        }
        opener.withoutFile = { [self] number throws(LinuxError) in
            machine.withLock { $0.withoutFile.filter { $0.pid > number } }
        }
        opener.process = { [self] pid throws(LinuxError) in
            machine.withLock { $0.processes.first { $0.pid == pid } }
        }
        return opener
    }

    /// - Throws: ``LinuxError`` for a namespace of others.
    private func look(at namespace: NamespaceIdentity) throws(LinuxError) -> Inside {
        guard let found = inside.withLock({ $0.values.first { $0.identity == namespace } }) else {
            throw StandInOpener.refusal
        }
        return found
    }

    private func enter(_ namespace: NamespaceIdentity, _ errand: NamespaceErrand) throws(LinuxError) -> OpenedNamespace
    {
        let refusal = try look(at: namespace).refusal
        var listener: ListenerSockets?
        if errand.listener != nil, refusal == nil {
            let made = try ListenerSockets.atLoopback()
            let address = try made.udp.localAddress()
            inside.withLock { inside in
                for pid in inside.keys where inside[pid]?.identity == namespace { inside[pid]?.listener = address }
            }
            listener = consume made
        }
        return OpenedNamespace(
            cookie: namespace.inode, number: .notAssigned, hostNumber: .notAssigned, listener: listener,
            refusal: errand.listener == nil ? nil : refusal, netlink: try RouteNetlink())
    }
}
