// Machines that systemd-machined knows (org.freedesktop.machine1(5)): containers of systemd-nspawn.

/// A machine that runs.
package struct Machine: Equatable, Sendable {
    /// A link of the host that belongs to it: the host's end of a veth (`--network-veth`), or the bridge of that
    /// (`--network-bridge`, `--network-zone`).
    package struct HostLink: Equatable, Sendable {
        /// Name of the link, as `ve-web` or `vz-front`.
        package var name: String
        /// The bridge that it is, or that it is plugged into; nil: none.
        package var bridge: String?

        package init(name: String, bridge: String?) {
            self.name = name
            self.bridge = bridge
        }
    }

    /// Start of the name of a zone's bridge (systemd-nspawn(1), `--network-zone`).
    private static let zonePrefix = "vz-"

    /// Its name: a host name of at most 64 octets, one label or several.
    package var name: String
    /// Process 1 in it, as the host sees it.
    package var leader: Int32
    /// The host's ends of its links.
    package var links: [HostLink]

    package init(name: String, leader: Int32, links: [HostLink]) {
        self.name = name
        self.leader = leader
        self.links = links
    }

    /// The container that is published. Its endpoints and addresses come from the kernel.
    package var container: RuntimeContainer? {
        guard leader > 0, let name = RuntimeName.whole(name) else { return nil }
        var container = RuntimeContainer(name: name, id: id)
        container.pid = leader
        return container
    }

    /// Sixteen hexadecimal digits made of the name (64-bit FNV-1a).
    ///
    /// The first 12 characters of an id are a name, and several machines may have names that begin alike; and
    /// the machine's own id, `/etc/machine-id`, is the same in all clones of a tree.
    private var id: String {
        // Offset basis and prime of the algorithm.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for octet in name.utf8 { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Networks that no bridge's name says: a zone is called as for `--network-zone`, and a pair is a network of its own.
    package var networks: [RuntimeNetwork] {
        links.compactMap { link in
            var network: RuntimeNetwork
            if let bridge = link.bridge {
                guard bridge.hasPrefix(Self.zonePrefix) else { return nil }
                network = RuntimeNetwork(name: String(bridge.dropFirst(Self.zonePrefix.count)), id: "")
                network.interface = bridge
            } else {
                network = RuntimeNetwork(name: link.name, id: "")
                network.interface = link.name
            }
            return RuntimeName.whole(network.name) == nil ? nil : network
        }
    }
}

extension Publication {
    /// Publication of all machines.
    package init(_ machines: [Machine]) {
        var networks: [String: RuntimeNetwork] = [:]
        for network in machines.flatMap(\.networks) { networks[network.name] = network }
        self.init(
            networks: networks.values.sorted { $0.name < $1.name },
            containers: machines.compactMap(\.container).sorted { $0.id < $1.id })
    }
}
