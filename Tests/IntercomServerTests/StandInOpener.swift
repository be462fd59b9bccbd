// An opener of the tests' own: it needs no rights, and does what a test says.

import DNSWire
import Logging
import Registry
import Synchronization
import SystemPackage

@testable import Attachment
@testable import IntercomServer
@testable import LinuxNet

/// Carries out what a test gives it to do, and refuses everything else as a kernel would.
struct StandInOpener: Opener {
    var hostListener: @Sendable () throws(LinuxError) -> ListenerSockets = { () throws(LinuxError) in throw refusal }
    var gatewayListener: @Sendable (IPAddress, UInt32) throws(LinuxError) -> ListenerSockets = {
        (_, _) throws(LinuxError) in throw refusal
    }
    var setGates: @Sendable ([GateOrder]) -> [LinuxError?] = { $0.map { _ in refusal } }
    var admissions: @Sendable () throws(LinuxError) -> Descriptor = { () throws(LinuxError) in throw refusal }
    var writeFile: @Sendable (String, ResolverConfiguration) throws(LinuxError) -> Bool = {
        (_, _) throws(LinuxError) in throw refusal
    }
    var removeFile: @Sendable (String) throws(LinuxError) -> Void = { (_) throws(LinuxError) in throw refusal }
    var namespaceOfProcess: @Sendable (Int32) throws(LinuxError) -> SourceNamespace = { (_) throws(LinuxError) in
        throw refusal
    }
    var enter: @Sendable (NamespaceIdentity, NamespaceErrand) throws(LinuxError) -> OpenedNamespace = {
        (_, _) throws(LinuxError) in throw refusal
    }
    var setLead: @Sendable (Lead, NamespaceIdentity) throws(LinuxError) -> SetLead = {
        (_, _) throws(LinuxError) in throw refusal
    }
    var readFile: @Sendable (Int32) throws(LinuxError) -> ReadResolverFile = { (_) throws(LinuxError) in throw refusal }
    var sockets: @Sendable (NamespaceIdentity, SocketKind, Int, _ isMarked: Bool) throws(LinuxError) -> SocketBatch = {
        (_, _, _, _) throws(LinuxError) in throw refusal
    }
    var servers: @Sendable (NamespaceIdentity) throws(LinuxError) -> BoundPorts = { (_) throws(LinuxError) in
        throw refusal
    }
    var listeners: @Sendable (UInt16, NamespaceIdentity) throws(LinuxError) -> [IPAddress] = {
        (_, _) throws(LinuxError) in throw refusal
    }
    var holders: @Sendable (UInt16?, NamespaceIdentity) throws(LinuxError) -> [PortHolder] = {
        (_, _) throws(LinuxError) in throw refusal
    }
    var translation: @Sendable (IPAddress, NamespaceIdentity) throws(LinuxError) -> FoundTranslation? = {
        (_, _) throws(LinuxError) in throw refusal
    }
    var processes: @Sendable (NamespaceIdentity) throws(LinuxError) -> [FoundProcess] = { (_) throws(LinuxError) in
        throw refusal
    }
    var process: @Sendable (Int32) throws(LinuxError) -> FoundProcess? = { (_) throws(LinuxError) in throw refusal }
    var withoutFile: @Sendable (_ after: Int32) throws(LinuxError) -> [FoundProcess] = { (_) throws(LinuxError) in
        throw refusal
    }
    var ofContainers: @Sendable (_ after: Int32) throws(LinuxError) -> [FoundProcess] = { (_) throws(LinuxError) in
        throw refusal
    }

    /// Answer of a kernel to whom it gives no rights.
    static let refusal = LinuxError(call: "setns", errno: .notPermitted)

    func openHostListener() throws(LinuxError) -> ListenerSockets { try hostListener() }

    func openGatewayListener(at address: IPAddress, on interface: UInt32) throws(LinuxError) -> ListenerSockets {
        try gatewayListener(address, interface)
    }

    func set(_ gates: [GateOrder]) -> [LinuxError?] { setGates(gates) }

    func openAdmissions() throws(LinuxError) -> Descriptor { try admissions() }

    func writeResolverFile(
        ofNamespace name: String, _ configuration: ResolverConfiguration
    ) throws(LinuxError) -> Bool { try writeFile(name, configuration) }

    func removeResolverFile(ofNamespace name: String) throws(LinuxError) { try removeFile(name) }

    func openNamespace(of process: borrowing ProcessDescriptor) throws(LinuxError) -> SourceNamespace {
        try namespaceOfProcess(process.pid)
    }

    func open(_ errands: [NamespaceErrand]) {
        for errand in errands {
            errand.carryOut { namespace throws(LinuxError) in try enter(namespace.identity, errand) }
        }
    }

    func set(_ lead: Lead, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> SetLead {
        try setLead(lead, namespace.identity)
    }

    func readResolverFile(
        of process: borrowing ProcessDescriptor, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> ReadResolverFile { try readFile(process.pid) }

    func openSockets(
        in namespace: borrowing NetworkNamespace, _ kind: SocketKind, count: Int, isMarked: Bool
    ) throws(LinuxError) -> SocketBatch { try sockets(namespace.identity, kind, count, isMarked) }

    func findServers(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> BoundPorts {
        try servers(namespace.identity)
    }

    func findListeners(onPort port: UInt16, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [IPAddress]
    { try listeners(port, namespace.identity) }

    func findHolders(ofPort port: UInt16?, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [PortHolder]
    { try holders(port, namespace.identity) }

    func findTranslation(
        of address: IPAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation? { try translation(address, namespace.identity) }

    func findProcesses(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [FoundProcess] {
        try processes(namespace.identity)
    }

    func findProcess(_ pid: Int32) throws(LinuxError) -> FoundProcess? { try process(pid) }

    func findProcessesWithoutFile(after number: Int32) throws(LinuxError) -> [FoundProcess] { try withoutFile(number) }

    func findContainerProcesses(after number: Int32) throws(LinuxError) -> [FoundProcess] { try ofContainers(number) }

    // MARK: - What no test has asked for yet

    func subscribeKernel(receiveBuffer: Int32) throws(LinuxError) -> KernelSubscription { throw Self.refusal }

    func repair(_ lead: Lead, by writer: borrowing NftablesWriter) throws(LinuxError) { throw Self.refusal }

    func remove(_ lead: Lead, by writer: borrowing NftablesWriter) throws(LinuxError) { throw Self.refusal }

    func findTranslation(
        ofConnectionsTo address: SocketAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation? { throw Self.refusal }

    func removeGates(_ gates: AddressGates.Listing) throws(LinuxError) { throw Self.refusal }

    func removeAllGates() throws(LinuxError) { throw Self.refusal }

    func listGates(after cookie: UInt64) throws(LinuxError) -> AddressGates.Listing { throw Self.refusal }

    func monitorGates() throws(LinuxError) -> AddressGateMonitor { throw Self.refusal }
}
