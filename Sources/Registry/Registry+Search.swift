// Search lists: the domains that resolver libraries of a container try behind a name.

package import DNSWire

extension Registry {
    /// The search domains of a container: those of its networks, in the order in which they answer, each once; none: those of
    /// the host are its own, too.
    package func searchDomains(of container: Container) -> [Name] {
        var domains: [Name] = []
        for endpoint in container.endpoints {
            for domain in networkStates[endpoint.network]?.definition?.search ?? [] where !domains.contains(domain) {
                domains.append(domain)
            }
        }
        return domains
    }

    /// The containers whose search domains may have changed since the last call.
    package mutating func takeSearchChanges() -> Set<ContainerID> {
        defer { if !changedSearches.isEmpty { changedSearches.removeAll() } }
        return changedSearches
    }

    /// Notes that a container's networks have changed, where one of them has search domains.
    mutating func noteSearch(of new: Container, before old: Container) {
        for endpoint in old.endpoints + new.endpoints
        where networkStates[endpoint.network]?.definition?.search.isEmpty == false {
            changedSearches.insert(new.id)
            return
        }
    }
}
