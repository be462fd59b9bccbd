// Links: private names of other containers, which hold while both are there and share a network.

import DNSWire
import OrderedCollections

extension Registry {
    /// Finds out anew which links of a container hold, and to what addresses.
    mutating func touchLinks(of container: Name) {
        guard let state = containerStates[container], let scope = state.linkScope else { return }
        for key in linkKeys(of: state) {
            contributions[key] = nil
            changedRecords.insert(key)
        }
        linkNames[scope] = nil
        for link in state.definition.links {
            guard let target = containerName(link.container), let other = containerStates[target],
                sharesNetwork(state, with: other), let name = try? Name(link.name)
            else { continue }
            let key = RecordKey(scope: scope, kind: .exact, name: name)
            let share = Contribution(container: target, meaning: .host)
            for (key, contribution) in [(key, share)] + services(of: other.definition, target, under: name, in: scope) {
                contributions[key, default: [:]][contribution, default: 0] += 1
                changedRecords.insert(key)
                linkNames[scope, default: []].insert(key)
            }
        }
    }

    /// The same for all links to a container.
    mutating func touchLinks(to container: Name) {
        for name in linkedBy[container] ?? [] { touchLinks(of: name) }
    }

    /// The keys under which a container's links are known now.
    func linkKeys(of state: ContainerState) -> Set<RecordKey> {
        state.linkScope.flatMap { linkNames[$0] } ?? []
    }

    private func sharesNetwork(_ one: ContainerState, with other: ContainerState) -> Bool {
        let networks = Set(one.definition.endpoints.map(\.network))
        return other.definition.endpoints.contains { networks.contains($0.network) }
    }
}
