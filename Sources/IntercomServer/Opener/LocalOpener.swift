// The opener where this process has the privileges itself: a thread is made for each errand.

import DNSWire
import Diagnosis
import LinuxNet
import SystemPackage

/// Enters namespaces by itself.
struct LocalOpener: Opener {
    func openNamespace(of process: borrowing ProcessDescriptor) throws(LinuxError) -> SourceNamespace {
        let namespace = try NetworkNamespace(process: process)
        return SourceNamespace(namespace: namespace, processStart: try process.start())
    }

    func subscribeKernel(receiveBuffer: Int32) throws(LinuxError) -> KernelSubscription {
        try KernelSubscription.open(receiveBuffer: receiveBuffer)
    }

    func open(_ errands: [NamespaceErrand]) {
        do throws(LinuxError) {
            try NamespaceEntry.carryOut(errands)
        } catch {
            for errand in errands { errand.carryOut { _ throws(LinuxError) in throw error } }
        }
    }

    func openHostListener() throws(LinuxError) -> ListenerSockets {
        try NamespaceEntry.makeOwnListener(at: Containers.listenerAddress)
    }

    func openGatewayListener(at address: IPAddress, on interface: UInt32) throws(LinuxError) -> ListenerSockets {
        try NamespaceEntry.makeGatewayListener(at: SocketAddress(address, port: 53), on: interface)
    }

    func set(_ lead: Lead, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> SetLead {
        try lead.set(in: namespace)
    }

    func repair(_ lead: Lead, by writer: borrowing NftablesWriter) throws(LinuxError) {
        try lead.rules.write(by: writer)
    }

    func remove(_ lead: Lead, by writer: borrowing NftablesWriter) throws(LinuxError) {
        try lead.rules.remove(by: writer)
    }

    func readResolverFile(
        of process: borrowing ProcessDescriptor, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> ReadResolverFile {
        let root = try ContainerRoot(of: process)
        // In the namespace after its root was opened, and alive: it is the container's root.
        guard try NetworkNamespace(process: process).identity == namespace.identity else {
            throw LinuxError(
                call: "open", errno: .noSuchProcess, subject: "pid \(process.pid) in \(namespace.identity)",
                kind: .noSuchProcess)
        }
        let octets = try root.bytes(of: "/etc/resolv.conf", limit: OpenerCalls.maximumResolverFile)
        return ReadResolverFile(
            text: octets.map { String(decoding: $0.map(Self.printable), as: UTF8.self) }, isHosts: root.isOwn)
    }

    /// The octet if it can be part of a line, else `?`: nothing that counts in a resolv.conf has others.
    private static func printable(_ octet: UInt8) -> UInt8 {
        switch octet {
        case 0x20...0x7E, UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): octet
        default: UInt8(ascii: "?")
        }
    }

    func openSockets(
        in namespace: borrowing NetworkNamespace, _ kind: SocketKind, count: Int, isMarked: Bool
    ) throws(LinuxError) -> SocketBatch {
        try NamespaceEntry.openSockets(in: namespace, kind, count: count, isMarked: isMarked)
    }

    func findServers(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> BoundPorts {
        try NamespaceEntry.boundPorts(at: Containers.listenerAddress, in: namespace)
    }

    func findListeners(
        onPort port: UInt16, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> [IPAddress] {
        try NamespaceEntry.addresses(listeningOn: port, in: namespace).map { address in
            switch address {
            case .v4(let bits): .v4(IPv4Address(bits: bits))
            case .v6(let bits): .v6(IPv6Address(bits: bits))
            }
        }
    }

    func findHolders(
        ofPort port: UInt16?, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> [PortHolder] {
        try NamespaceEntry.holders(ofPort: port, at: Containers.listenerAddress, in: namespace).map { held in
            PortHolder(port: held.port, process: held.process.map { FoundProcess($0) })
        }
    }

    func findTranslation(
        of address: IPAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation? {
        try NamespaceEntry.translation(of: SocketAddress(address, port: 53), in: namespace).map {
            found throws(LinuxError) in try describe(found, in: namespace)
        }
    }

    func findTranslation(
        ofConnectionsTo address: SocketAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation? {
        // Listeners are looked for at ports of DNS servers alone.
        try NamespaceEntry.translation(ofConnectionsTo: address, in: namespace).map {
            FoundTranslation(destination: $0.destination.description, process: nil)
        }
    }

    private func describe(
        _ found: Translation, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation {
        let destination = found.destination
        let holders =
            found.isLocal
            ? try NamespaceEntry.holders(ofPort: destination.port, at: destination, in: namespace) : []
        return FoundTranslation(
            destination: destination.description,
            process: holders.lazy.compactMap(\.process).first.map { FoundProcess($0) })
    }

    func findProcesses(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [FoundProcess] {
        try ProcessTable.processes(in: namespace.identity, limit: OpenerCalls.maximumInhabitants)
            .map { FoundProcess($0) }
    }

    func findProcess(_ pid: Int32) throws(LinuxError) -> FoundProcess? {
        try ProcessTable.process(pid).map { FoundProcess($0) }
    }

    func findContainerProcesses(after number: Int32) throws(LinuxError) -> [FoundProcess] {
        try ProcessTable.firstProcesses(after: number, limit: OpenerCalls.maximumProcesses) { process in
            RuntimeContainer(controlGroups: process.controlGroups) != nil
        }.map { FoundProcess($0) }
    }

    func findProcessesWithoutFile(after number: Int32) throws(LinuxError) -> [FoundProcess] {
        try ProcessTable.processes(
            withoutMountAt: "/etc/resolv.conf", from: "/netns/", after: number, limit: OpenerCalls.maximumProcesses
        ).map { FoundProcess($0) }
    }

    func writeResolverFile(
        ofNamespace name: String, _ configuration: ResolverConfiguration
    ) throws(LinuxError) -> Bool {
        try ResolverFiles.write(configuration.render(), ofNamespace: name)
    }

    func set(_ gates: [GateOrder]) -> [LinuxError?] { GateOrder.set(gates) }

    func removeGates(_ gates: AddressGates.Listing) throws(LinuxError) {
        try AddressGates().remove(cookies: gates.cookies, devices: gates.devices)
    }

    func removeAllGates() throws(LinuxError) { try AddressGates().removeAll() }

    func listGates(after cookie: UInt64) throws(LinuxError) -> AddressGates.Listing {
        var listing = try AddressGates.list()
        listing.cookies = Array(listing.cookies.drop { $0 <= cookie }.prefix(OpenerCalls.maximumGates))
        listing.devices = cookie == 0 ? Array(listing.devices.prefix(OpenerCalls.maximumGates)) : []
        return listing
    }

    func monitorGates() throws(LinuxError) -> AddressGateMonitor { try AddressGateMonitor() }

    func openAdmissions() throws(LinuxError) -> Descriptor { try AdmissionService.start() }

    func removeResolverFile(ofNamespace name: String) throws(LinuxError) {
        try ResolverFiles.remove(ofNamespace: name)
    }
}
