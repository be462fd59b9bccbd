// The one part that needs privileges: it enters namespaces and hands over what it made there. It never reads a packet.
//
// There are two ways to it. Run by hand, the daemon has the privileges itself, and a thread of its own enters. Under
// systemd the daemon has none: it asks a unit of its own, `intercomd --opener`.

import Attachment
import DNSWire
import LinuxNet
import SystemPackage

/// Carries out errands that take privileges.
///
/// Each waits until it is done. What fails says which call of the kernel failed, on either way.
protocol Opener: Sendable {
    /// Opens the namespace of a process; needs CAP_SYS_PTRACE for those of others.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/noSuchProcess`` when it has ended.
    func openNamespace(of process: borrowing ProcessDescriptor) throws(LinuxError) -> SourceNamespace

    /// Subscribes to changes of links and addresses; needs CAP_NET_ADMIN, and CAP_NET_BROADCAST to cover all namespaces.
    /// - Parameter receiveBuffer: octets of notifications that may wait.
    func subscribeKernel(receiveBuffer: Int32) throws(LinuxError) -> KernelSubscription

    /// Enters namespaces one after another, makes in each what its errand says, and brings its loopback interface up if it
    /// gets a listener; needs CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_BIND_SERVICE. What came of it is in the errands.
    func open(_ errands: [NamespaceErrand])

    /// Makes the listener of the host itself, at 127.0.0.11:53 in this process's own namespace; needs CAP_NET_BIND_SERVICE.
    /// - Throws: ``LinuxError``: `addressInUse` when another program of the host listens there.
    func openHostListener() throws(LinuxError) -> ListenerSockets

    /// Makes a listener at port 53 of an address of the host, for what comes in through one interface; in this process's own
    /// namespace. Needs CAP_NET_BIND_SERVICE.
    /// - Parameters:
    ///   - address: one that the interface has.
    ///   - interface: `ifi_index`.
    /// - Throws: ``LinuxError``: `addressInUse` when another program has the port, with its name if that can be found out.
    func openGatewayListener(at address: IPAddress, on interface: UInt32) throws(LinuxError) -> ListenerSockets

    /// Leads questions of a namespace's programs to its listener by nftables; needs CAP_SYS_ADMIN and CAP_NET_ADMIN.
    /// - Returns: the rules that are in force, without addresses of the namespace's own; what notifies when somebody changes
    ///   them; and a listener at ::1 where one was needed.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/noNftables`` when there can be no rules.
    func set(_ lead: Lead, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> SetLead

    /// Writes the rules anew in the namespace of a writer, whatever is there.
    func repair(_ lead: Lead, by writer: borrowing NftablesWriter) throws(LinuxError)

    /// Removes the rules from the namespace of a writer.
    func remove(_ lead: Lead, by writer: borrowing NftablesWriter) throws(LinuxError)

    /// Reads `/etc/resolv.conf` as a process sees it; needs CAP_SYS_PTRACE for those of others.
    /// - Parameters:
    ///   - process: reaches the file by its root directory.
    ///   - namespace: the one that it has to be in.
    /// - Throws: ``LinuxError``, also for what is no regular file or is longer than ``OpenerCalls/maximumResolverFile``.
    func readResolverFile(
        of process: borrowing ProcessDescriptor, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> ReadResolverFile

    /// Makes sockets that ask upstreams from inside a namespace; needs CAP_SYS_ADMIN, and CAP_NET_ADMIN for marked ones.
    /// - Parameters:
    ///   - namespace: where they are to be.
    ///   - kind: UDP or TCP, IPv4 or IPv6.
    ///   - count: 1 to ``OpenerCalls/maximumSockets``.
    ///   - isMarked: true: our rules in that namespace do not lead their questions back to us (``SocketMark``).
    func openSockets(
        in namespace: borrowing NetworkNamespace, _ kind: SocketKind, count: Int, isMarked: Bool
    ) throws(LinuxError) -> SocketBatch

    /// Lists the ports of the servers that are bound to 127.0.0.11 inside a namespace; needs CAP_SYS_ADMIN. Nothing is changed.
    func findServers(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> BoundPorts

    /// Lists the addresses at which programs inside a namespace listen on a TCP port; needs CAP_SYS_ADMIN. Nothing is changed.
    func findListeners(onPort port: UInt16, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [IPAddress]

    /// Lists the servers inside a namespace that have a port of 127.0.0.11; needs CAP_SYS_ADMIN, and CAP_SYS_PTRACE to say
    /// which processes these are. Nothing is changed.
    /// - Parameters:
    ///   - port: the port; nil: any, at that very address.
    ///   - namespace: the one to look into.
    func findHolders(ofPort port: UInt16?, in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [PortHolder]

    /// Finds out where address translation leads questions of a namespace's programs; needs CAP_SYS_ADMIN, CAP_NET_ADMIN, and
    /// CAP_SYS_PTRACE to say which process is there. A datagram is sent from the namespace that every server drops.
    /// - Parameters:
    ///   - address: the address whose port 53 they ask.
    ///   - namespace: the one to look into.
    /// - Returns: nil where their questions go there.
    func findTranslation(
        of address: IPAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation?

    /// Finds out where address translation leads connections of a namespace's programs; needs what
    /// ``findTranslation(of:in:)`` needs. A connection is begun from the namespace, and given up.
    /// - Parameters:
    ///   - address: the address and port that they connect to.
    ///   - namespace: the one to look into.
    /// - Returns: nil where their connections go there.
    func findTranslation(
        ofConnectionsTo address: SocketAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> FoundTranslation?

    /// Lists the first few processes in a namespace; needs CAP_SYS_PTRACE for those of others.
    func findProcesses(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> [FoundProcess]

    /// Describes a process; nil: there is none. Needs CAP_SYS_PTRACE for those of others.
    func findProcess(_ pid: Int32) throws(LinuxError) -> FoundProcess?

    /// Lists containers of runtimes whose namespaces have links into the host's: the first process of each, by its number.
    /// - Parameter number: processes up to this one are left out.
    /// - Returns: at most ``OpenerCalls/maximumProcesses``: more may follow those.
    func findContainerProcesses(after number: Int32) throws(LinuxError) -> [FoundProcess]

    /// Lists processes in other namespaces that have no file of `/etc/netns` as their `/etc/resolv.conf`, the first of each
    /// namespace; needs CAP_SYS_PTRACE for those of others.
    /// - Parameter number: processes up to this one are left out.
    /// - Returns: at most ``OpenerCalls/maximumProcesses``: more may follow those.
    func findProcessesWithoutFile(after number: Int32) throws(LinuxError) -> [FoundProcess]

    /// Writes `/etc/netns/NAME/resolv.conf` for a namespace of that name, unless somebody else's is there.
    /// - Returns: whether it is there.
    func writeResolverFile(ofNamespace name: String, _ configuration: ResolverConfiguration) throws(LinuxError) -> Bool

    /// Sets gates of containers in the host's namespace, in place of those that they had; needs CAP_NET_ADMIN.
    /// - Returns: the failure of each, of kind ``LinuxError/Kind/noNftables`` when there can be none; nil: it is in force.
    func set(_ gates: [GateOrder]) -> [LinuxError?]

    /// Removes gates of containers, by the cookies of their namespaces and the host's ends of their links; needs CAP_NET_ADMIN.
    func removeGates(_ gates: AddressGates.Listing) throws(LinuxError)

    /// Removes all that there is of gates; needs CAP_NET_ADMIN.
    func removeAllGates() throws(LinuxError)

    /// Lists what there is of gates, by number; needs CAP_NET_ADMIN.
    /// - Parameter cookie: namespaces up to this one are left out.
    /// - Returns: at most ``OpenerCalls/maximumGates`` namespaces: more may follow those. Of devices all, at the first call.
    func listGates(after cookie: UInt64) throws(LinuxError) -> AddressGates.Listing

    /// Subscribes to changes of nftables in the host's namespace; needs CAP_NET_ADMIN.
    func monitorGates() throws(LinuxError) -> AddressGateMonitor

    /// Connects a worker with a thread that carries out its ``Admission``s; needs CAP_NET_ADMIN.
    func openAdmissions() throws(LinuxError) -> Descriptor

    /// Removes that file if it is ours.
    func removeResolverFile(ofNamespace name: String) throws(LinuxError)
}

/// The resolv.conf of a process.
struct ReadResolverFile: Sendable, Equatable {
    /// Its text, with `?` for octets that are no printable ASCII; nil: there is no such file.
    var text: String?
    /// True where the process has the host's root directory, perhaps for a moment only.
    var isHosts = false
}

/// A namespace, and when the process began by which it was reached (``ProcessDescriptor/start()``).
struct SourceNamespace: ~Copyable, Sendable {
    let namespace: NetworkNamespace
    let processStart: UInt64?

    consuming func takeNamespace() -> NetworkNamespace { namespace }
}

extension NamespaceSource {
    /// Opens the namespace. A file is opened by anybody who sees it; that of another's process is not.
    /// - Parameter process: the one that it belongs to, if it does.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/noSuchProcess`` when the process has ended.
    func openNamespace(
        of process: borrowing ProcessDescriptor?, by opener: any Opener
    ) throws(LinuxError) -> SourceNamespace {
        switch process {
        case .some(let process) where isNamespaceFile(of: process.pid): return try opener.openNamespace(of: process)
        default: break
        }
        guard case .path(let path) = self else { throw LinuxError(call: "open", errno: .noSuchProcess) }
        return SourceNamespace(namespace: try NetworkNamespace(path: path), processStart: try? process?.start())
    }

    private func isNamespaceFile(of pid: Int32) -> Bool {
        switch self {
        case .pid: true
        case .path(let path): (Files.trail(of: path).last ?? path) == "/proc/\(pid)/ns/net"
        }
    }
}
