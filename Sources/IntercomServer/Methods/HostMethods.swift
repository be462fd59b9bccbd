// Methods about other hosts.

import ControlAPI
import DNSWire
import Registry

extension ListHosts: ShowingMethod {
    static func show(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) -> Reply {
        let hosts = plane.publisher.registry.remoteHosts.map {
            RemoteHost(
                name: $0.name, state: $0.isLost ? "lost" : "alive", address: $0.address?.description,
                containers: $0.entryCount)
        }
        return Reply(cluster: plane.cluster.description, hosts: hosts)
    }
}
