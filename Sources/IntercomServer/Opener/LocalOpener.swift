// The opener where this process has the privileges itself: a thread is made for each errand.

import LinuxNet

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

    func set(
        _ redirection: PortRedirection, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> NftablesMonitor {
        try redirection.set(in: namespace)
    }

    func repair(_ redirection: PortRedirection, by writer: borrowing NftablesWriter) throws(LinuxError) {
        try redirection.write(by: writer)
    }

    func remove(_ redirection: PortRedirection, by writer: borrowing NftablesWriter) throws(LinuxError) {
        try redirection.remove(by: writer)
    }

    func openSockets(
        in namespace: borrowing NetworkNamespace, _ kind: SocketKind, count: Int
    ) throws(LinuxError) -> SocketBatch {
        try NamespaceEntry.openSockets(in: namespace, kind, count: count)
    }

    func findServers(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> BoundPorts {
        try NamespaceEntry.boundPorts(at: Containers.listenerAddress, in: namespace)
    }

    func writeResolverFile(
        ofNamespace name: String, _ configuration: ResolverConfiguration
    ) throws(LinuxError) -> Bool {
        try ResolverFiles.write(configuration.render(), ofNamespace: name)
    }

    func removeResolverFile(ofNamespace name: String) throws(LinuxError) {
        try ResolverFiles.remove(ofNamespace: name)
    }
}
