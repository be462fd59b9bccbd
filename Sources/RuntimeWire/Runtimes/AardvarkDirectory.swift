// All files of aardvark-dns at one moment: networks, and containers that may be on several of them.

import DNSWire

/// The contents of aardvark-dns's directory.
package struct AardvarkDirectory: Equatable, Sendable {
    /// The directory of root's podman.
    package static let path = "/run/containers/networks/aardvark-dns"

    private let files: [AardvarkNetwork]
    private let definitions: [String: PodmanNetwork]

    /// - Parameters:
    ///   - files: those that could be read.
    ///   - definitions: the networks' own files, as far as they could be read.
    package init(_ files: [AardvarkNetwork], definitions: [PodmanNetwork]) {
        self.files = files.sorted { $0.name < $1.name }
        self.definitions = Dictionary(definitions.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Networks that have a file, by name.
    package var networks: [RuntimeNetwork] {
        files.map { file in
            let definition = definitions[file.name]
            var network = RuntimeNetwork(name: file.name, id: definition?.id ?? "")
            network.interface = definition?.interface
            network.subnets = definition?.subnets ?? []
            network.isInternal = file.isInternal || definition?.isInternal == true
            return network
        }
    }

    /// Containers in the order of their ids, each with an endpoint for each of its networks. They have no namespace: the OCI
    /// hook tells it under the same id.
    package var containers: [RuntimeContainer] {
        var containers: [String: RuntimeContainer] = [:]
        for file in files {
            for member in file.members {
                let names = member.names.compactMap(RuntimeName.whole)
                var container = containers[member.id] ?? RuntimeContainer(name: "", id: member.id)
                // The first name is the container's, the last is the id's beginning; aliases stand between.
                if container.name.isEmpty { container.name = names.first ?? RuntimeName.short(member.id) }
                var endpoint = RuntimeContainer.Endpoint(network: file.name)
                endpoint.addresses = member.addresses
                let own = [container.name, RuntimeName.short(member.id)]
                endpoint.aliases = names.filter { !own.contains($0) }
                container.endpoints.append(endpoint)
                containers[member.id] = container
            }
        }
        return containers.values.sorted { $0.id < $1.id }
    }

    /// Everything that is published of them.
    package var publication: Publication { Publication(networks: networks, containers: containers) }

    /// Lines of all files that could not be read.
    package var passedOver: Int { files.reduce(0) { $0 + $1.passedOver } }
}
