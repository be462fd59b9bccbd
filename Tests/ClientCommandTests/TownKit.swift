// Towns for tests: networks and containers as the daemon lists them.

import ControlAPI

@testable import ClientCommand

extension ControlAPI.Network {
    init(_ name: String, subnets: [String] = [], internal: Bool = false, continued: Bool? = nil) {
        self.init(
            name: name, interface: nil, subnets: subnets, internal: `internal`, upstreams: [], routes: [],
            forwardFrom: "host", ttl: 5, source: "control", containers: [], facts: [], continued: continued)
    }
}

extension ControlAPI.Container {
    init(
        _ name: String, on networks: [String], address: String = "10.0.0.2", state: String = "ready",
        reason: String? = nil, links: [Link] = [], ended: Int? = nil
    ) {
        self.init(
            name: name, id: nil, hostname: nil, netns: "/run/netns/\(name)", pid: nil,
            networks: networks.map { Endpoint(network: $0, addresses: [address], aliases: [], names: [name]) },
            links: links, ports: [], resolvConf: nil, listener: state == "ready" ? "127.0.0.11:53" : nil,
            listen: "direct", draining: false, state: state, reason: reason, cure: nil, ended: ended,
            source: "control", facts: [])
    }
}

extension Doctor.Reply {
    init(_ findings: [Doctor.Finding] = []) {
        self.init(findings: findings, further: 0, containerCount: 0)
    }
}

extension Town {
    /// A town of this many containers, five to a network.
    static func of(_ count: Int) -> Town {
        Town(
            networks: (0..<(count + 4) / 5).map { Network("net\($0)", subnets: ["10.0.\($0).0/24"]) },
            containers: (0..<count).map {
                Container("c\($0)", on: ["net\($0 / 5)"], address: "10.0.\($0 / 5).\($0 % 5 + 2)")
            },
            checkup: Doctor.Reply())
    }
}
