// An opener of the tests' own that does whatever it is asked: as the kernel would for a process with every privilege.

import DNSWire
import Registry
import Synchronization
import SystemPackage

@testable import Attachment
@testable import IntercomServer
@testable import LinuxNet

/// Notes what it is asked, and hands over sockets of this process's own namespace.
final class WillingOpener: Opener {
    private let asked = Mutex<[String]>([])
    private let resolverFile: ReadResolverFile
    /// Failure of rules that are to be set, as where a program of the container owns their table.
    let rulesFailure = Mutex<LinuxError?>(nil)

    /// - Parameter resolverFile: the resolv.conf of every process.
    init(resolverFile: ReadResolverFile = ReadResolverFile(text: "nameserver 127.0.0.11\n")) {
        self.resolverFile = resolverFile
    }

    /// Calls since the last time, in their order.
    func takeAsked() -> [String] {
        asked.withLock { asked in
            defer { asked = [] }
            return asked
        }
    }

    private func note(_ words: String) { asked.withLock { $0.append(words) } }

    // MARK: - Namespaces

    func openNamespace(of process: borrowing ProcessDescriptor) throws(LinuxError) -> SourceNamespace {
        SourceNamespace(namespace: try NetworkNamespace(process: process), processStart: 7)
    }

    func open(_ errands: [NamespaceErrand]) {
        for errand in errands {
            note(
                "open \(errand.listener?.description ?? "-") any \(errand.takesAnyPort) room \(errand.receiveBuffer ?? 0)"
            )
            errand.carryOut { namespace throws(LinuxError) in
                // As where a program has the port.
                let isTaken = errand.listener?.port == 53 && !errand.takesAnyPort
                return OpenedNamespace(
                    cookie: namespace.identity.inode, number: NamespaceID(rawValue: 4), hostNumber: .notAssigned,
                    listener: errand.listener == nil || isTaken ? nil : try .atLoopback(),
                    refusal: isTaken ? LinuxError(call: "bind", errno: .addressInUse) : nil, netlink: try RouteNetlink()
                )
            }
        }
    }

    func subscribeKernel(receiveBuffer: Int32) throws(LinuxError) -> KernelSubscription {
        note("subscribe \(receiveBuffer)")
        return KernelSubscription(
            adopting: try RouteNetlink(), coversAll: true, hostNumber: NamespaceID(rawValue: 5))
    }

    // MARK: - Listeners

    func openHostListener() throws(LinuxError) -> ListenerSockets {
        note("host listener")
        return try .atLoopback()
    }

    func openGatewayListener(at address: IPAddress, on interface: UInt32) throws(LinuxError) -> ListenerSockets {
        note("gateway listener \(address) \(interface)")
        return try .atLoopback()
    }

    // MARK: - Rules

    func set(_ lead: Lead, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> SetLead {
        if let failure = rulesFailure.withLock({ $0 }) { throw failure }
        note("lead \(lead.addresses) to \(lead.port) locked \(lead.isLocked)")
        let monitor = NftablesMonitor(adopting: try .pair(), writer: NftablesWriter(adopting: try .pair()))
        let v6 = lead.addresses.contains { if case .v6 = $0 { true } else { false } }
        var led = lead
        if v6 { led.v6Port = 5354 }
        return SetLead(led, monitor: monitor, v6Listener: v6 ? try .atLoopback() : nil)
    }

    func repair(_ lead: Lead, by writer: borrowing NftablesWriter) throws(LinuxError) { note("repair") }

    func remove(_ lead: Lead, by writer: borrowing NftablesWriter) throws(LinuxError) { note("remove") }

    // MARK: - What is in a namespace

    func readResolverFile(
        of process: borrowing ProcessDescriptor, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> ReadResolverFile { resolverFile }

    func openSockets(
        in namespace: borrowing NetworkNamespace, _ kind: SocketKind, count: Int, isMarked: Bool
    ) throws(LinuxError) -> SocketBatch {
        note("sockets \(count) stream \(kind.isStream) v6 \(kind.isV6) marked \(isMarked)")
        var batch = SocketBatch()
        for _ in 0..<count { batch.add(try kind.makeSocket(), kind) }
        return batch
    }

    func findServers(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> BoundPorts {
        BoundPorts(datagram: [53, 41_000], stream: [53])
    }

    func findListeners(onPort port: UInt16, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [IPAddress]
    { port == 80 ? [.v4(.intercom), .v6(IPv6Address(bits: 1))] : [] }

    func findHolders(ofPort port: UInt16?, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [PortHolder]
    { [PortHolder(port: port ?? 53, process: nil)] }

    func findTranslation(
        of address: IPAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation? { FoundTranslation(destination: "of \(address)", process: nil) }

    func findTranslation(
        ofConnectionsTo address: SocketAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation? { FoundTranslation(destination: "to \(address)", process: nil) }

    func findProcesses(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [FoundProcess] {
        [try findProcess(ProcessDescriptor.own)].compactMap(\.self)
    }

    // MARK: - Processes

    func findProcess(_ pid: Int32) throws(LinuxError) -> FoundProcess? { try LocalOpener().findProcess(pid) }

    func findProcessesWithoutFile(after number: Int32) throws(LinuxError) -> [FoundProcess] {
        note("without file \(number)")
        return []
    }

    func findContainerProcesses(after number: Int32) throws(LinuxError) -> [FoundProcess] {
        note("containers \(number)")
        return []
    }

    // MARK: - Files

    func writeResolverFile(
        ofNamespace name: String, _ configuration: ResolverConfiguration
    ) throws(LinuxError) -> Bool {
        note("write \(name)")
        return true
    }

    func removeResolverFile(ofNamespace name: String) throws(LinuxError) { note("remove file \(name)") }

    // MARK: - Gates

    func set(_ gates: [GateOrder]) -> [LinuxError?] {
        gates.map { gate in
            note("gate \(gate.cookie) \(gate.devices) \(gate.terms.blocks) \(gate.terms.sources)")
            return gate.cookie == 2 ? LinuxError(call: "nftables", errno: .invalidArgument, subject: "two") : nil
        }
    }

    func removeGates(_ gates: AddressGates.Listing) throws(LinuxError) {
        note("remove gates \(gates.cookies) \(gates.devices)")
    }

    func removeAllGates() throws(LinuxError) { note("remove all gates") }

    func listGates(after cookie: UInt64) throws(LinuxError) -> AddressGates.Listing {
        AddressGates.Listing(cookies: [cookie + 1], devices: [9])
    }

    func monitorGates() throws(LinuxError) -> AddressGateMonitor { AddressGateMonitor(adopting: try .pair()) }

    func openAdmissions() throws(LinuxError) -> Descriptor { try .pair() }
}

extension Descriptor {
    /// One end of a connection whose other end is closed.
    static func pair() throws(LinuxError) -> Descriptor { try UnixSocket.pairForMessages().takeFirst() }
}
