// Messages of the kernel: it is not hostile, but names of links are chosen in containers.

import Registry

@testable import IntercomServer
@testable import LinuxNet

/// Messages of rtnetlink, behind one another, into the topology: the first octet says of whose namespace.
func fuzzNetlink(_ octets: Span<UInt8>) {
    guard octets.count > 0 else { return }
    let sender = octets[0]
    var topology = KernelTopology(selection: InterfaceSelection(patterns: ["*"], exclude: ["x*"]))
    for id in 0..<2 as Range<Int32> {
        topology.add(
            WatchedNamespace(
                id: NamespaceID(rawValue: id), hostID: NamespaceID(rawValue: 9),
                cookie: NamespaceCookie(rawValue: UInt64(id) + 1), name: "c\(id)", path: "/run/netns/c\(id)"))
    }
    do throws(NetlinkError) {
        var reader = NetlinkReader(octets.extracting(droppingFirst: 1))
        var number: UInt8 = 0
        while let message = try reader.next() {
            number &+= 1
            switch message.type {
            case .error, .done:
                let end = try NetlinkAcknowledgement(message)
                expect(end.errorNumber >= 0, "errno \(end.errorNumber)")
            default:
                guard let read = try RouteMessage(message) else { continue }
                let isOfHost = (sender &+ number) & 2 == 0
                let place = NamespaceID(rawValue: Int32((sender &+ number) & 1))
                topology.take(read, from: isOfHost ? .host : .namespace(place))
            }
        }
    } catch {
        expect(!"\(error)".isEmpty, "an error without words")
    }
    takeChanges(of: &topology)
    _ = try? ConnectionTracking.read(octets)
    _ = try? NewFlows.destination(from: SocketAddress(v4: 0x7F00_0001, port: 53), in: octets)
}

/// The registry takes what is found in the kernel, without exception.
private func takeChanges(of topology: inout KernelTopology) {
    guard var town = try? Town() else { return }
    for change in topology.takeChanges() {
        switch change {
        case .network(let network): town.registry.observe(network)
        case .networkGone(let interface): town.registry.forget(network: interface)
        case .container(let container), .readdressed(let container): town.registry.observe(container)
        case .containerGone(let cookie): town.registry.forget(container: cookie)
        }
        town.settle()
    }
    expect(topology.takeChanges().isEmpty, "changes are told twice")
}
