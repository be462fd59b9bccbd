// Sources as `source ls`, `container ls` and `status` show them.

import Attachment
import ControlAPI
import Registry

extension PublishedSources {
    /// The state of a container that a source tells of, before its namespace is known; nil: it has none here.
    func state(of published: ContainerDefinition) -> State? {
        guard let key = published.publication, let number = said[key.source]?.containers[key.id]?.number else {
            return nil
        }
        return containers.room.state(of: number, isDraining: published.isDraining)
    }

    /// All sources, by name.
    var list: [ListSources.Source] {
        said.map { name, said in
            let waiting = said.containers.values.count { item in
                item.way != nil && !item.hasEnded && item.number.flatMap { containers.room.namespace(of: $0) } == nil
            }
            return ListSources.Source(
                name: name, containers: said.containers.count, waiting: waiting,
                ended: said.containers.values.count(where: \.hasEnded), networks: said.networks.count,
                leftOut: said.leftOut.count,
                lastHeard: said.lastHeard.map { Int($0.duration(to: .now).components.seconds) })
        }.sorted { $0.name < $1.name }
    }

    /// A sentence for everything that a source tells of and that cannot be.
    var warnings: [String] {
        said.flatMap { source, said in
            said.leftOut.map { "\($0.key) of source \(source) is left out: \($0.value)" }
        }.sorted()
    }
}
