// Names of the host where it has no address that the container could reach: the answer says why.

import DNSWire
import Registry
import Testing

@testable import IntercomServer

@Suite("A name of the host")
struct HostNameRuleTests {
    /// The answer to a question of a container on one network, with EDNS.
    /// - Parameters:
    ///   - name: the name that is asked for.
    ///   - isInternal: true where the network may not use upstreams.
    ///   - addresses: those that the host has on it, by the kernel.
    ///   - host: those of the configuration; nil: it says nothing.
    private func answer(
        to name: String, isInternal: Bool, addresses: [String] = [], host: [String]? = nil
    ) throws -> (Outcome, [UInt8]) {
        var registry = Registry(domain: try Name("internal"), ttl: 5)
        var network = NetworkDefinition(name: "front", source: .control)
        network.interface = "br0"
        network.isInternal = isInternal
        network.host = host?.compactMap { IPAddress($0) }
        registry.observe(
            ObservedNetwork(
                interface: InterfaceIndex(rawValue: 3), interfaceName: "br0", subnets: [],
                hostAddresses: addresses.compactMap { IPAddress($0) }))
        try registry.createNetwork(network)
        var app = ContainerDefinition(name: "app", source: .control)
        app.endpoints = [EndpointDefinition(network: "front")]
        let id = try registry.addContainer(app)
        var responder = Responder(settings: ServerSettings(Configuration(), workers: 1), seed: 7)
        for change in registry.takeChanges() { responder.directory.apply(change) }
        var message: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
        message += try Name(name).wire + [0, 1, 0, 1] + [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
        var buffer = [UInt8](repeating: 0, count: 65_535)
        let outcome = responder.respond(to: message.span, view: id.view, over: .datagram, into: buffer.mutableSpan)
        guard case .answered(let length, _) = outcome else { return (outcome, []) }
        return (outcome, Array(buffer[..<length]))
    }

    @Test(
        "that has no address there is denied with the reason where no upstream may be asked",
        arguments: ["host.internal", "Host.Docker.Internal", "host.containers.internal"])
    func denied(_ name: String) throws {
        for (addresses, host) in [([], nil), (["10.1.0.1"], [])] as [([String], [String]?)] {
            let (_, denial) = try answer(to: name, isInternal: true, addresses: addresses, host: host)
            #expect(denial.count > 12 && denial[3] & 15 == UInt8(ResponseCode.nameError.rawValue))
            // EDE 15, then its text, at the end of the answer.
            let text = "the host has no address on the networks of this container; none of them may use upstreams"
            #expect(Array(denial.suffix(text.utf8.count + 2)) == [0, 15] + Array(text.utf8))
        }
    }

    @Test(
        "has the addresses that the kernel tells, or those of the configuration; where there is none an upstream may know it"
    )
    func addresses() throws {
        for (addresses, host, last) in [
            (["10.1.0.1"], nil, 1), (["10.1.0.1"], ["10.1.0.9"], 9), ([], ["10.1.0.9"], 9),
        ] as [([String], [String]?, UInt8)] {
            let (_, octets) = try answer(to: "host.internal", isInternal: true, addresses: addresses, host: host)
            #expect(octets.count > 12 && octets[7] == 1 && octets[3] & 15 == 0)
            // An OPT record of 11 octets stands behind the address.
            #expect(Array(octets.dropLast(11).suffix(4)) == [10, 1, 0, last])
        }
        for (addresses, host) in [([], nil), (["10.1.0.1"], [])] as [([String], [String]?)] {
            let outcome = try answer(to: "host.internal", isInternal: false, addresses: addresses, host: host).0
            guard case .forward = outcome else {
                Issue.record("it is not forwarded")
                continue
            }
        }
    }
}
