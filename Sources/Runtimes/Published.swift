// Networks and containers of runtimes, as the control interface takes them.

package import ControlAPI
import DNSWire
package import RuntimeWire

extension PublishedNetwork {
    /// A network of a runtime.
    package init(_ network: RuntimeNetwork) {
        self.init(
            name: network.name, id: network.id.isEmpty ? nil : network.id, interface: network.interface,
            subnets: network.subnets.isEmpty ? nil : network.subnets, internal: network.isInternal ? true : nil)
    }
}

extension PublishedContainer {
    /// A container of a runtime; one that shares the namespace of another has that one's id.
    package init(_ container: RuntimeContainer) {
        self.init(id: container.id, name: container.name, hostname: container.hostname)
        if case .container(let id) = container.namespace {
            namespaceOf = id
        } else {
            pid = container.pid.map { Int($0) }
            netns = container.pid == nil ? container.namespacePath : nil
            networks = container.endpoints.isEmpty ? nil : container.endpoints.map(AddContainer.Attachment.init)
            intercept = container.intercepted?.map(\.description)
        }
        if !container.links.isEmpty { links = container.links.map { Link(container: $0.container, name: $0.name) } }
        if !container.ports.isEmpty {
            ports = container.ports.map {
                Port(port: Int($0.number), protocol: $0.transport, service: $0.service)
            }
        }
        if !container.extraHosts.isEmpty {
            hosts = container.extraHosts.map {
                ExtraHost(name: $0.name, address: $0.address?.description ?? ExtraHost.gateway)
            }
        }
        if !container.resolvers.isEmpty { upstreams = container.resolvers.map(\.description) }
        policy = container.labelledPolicy
        if container.isHealthy == false { draining = true }
    }
}

extension AddContainer.Attachment {
    fileprivate init(_ endpoint: RuntimeContainer.Endpoint) {
        self.init(
            name: endpoint.network,
            addresses: endpoint.addresses.isEmpty ? nil : endpoint.addresses.map(\.description),
            aliases: endpoint.aliases.isEmpty ? nil : endpoint.aliases)
    }
}
