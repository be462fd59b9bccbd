// Proof that the host's own programs resolve containers.

import ControlAPI
import DNSWire
import LinuxNet

/// Proof that the host resolves containers: by the C library, as any program would.
enum HostProof {
    /// Time for the daemon to notice a file, or to be restarted, and for systemd-resolved to read its files again.
    private static let patience = Duration.seconds(10)
    /// Time between two questions to them, in milliseconds.
    private static let interval = 50

    /// Waits until the daemon serves the host.
    /// - Parameters:
    ///   - socket: path of the daemon's socket.
    ///   - way: the way on which questions are to come.
    /// - Throws: ``Failure`` with the daemon's reason where it does not.
    static func waitForService(at socket: String, expected way: Status.HostWay) throws(Failure) -> Status.HostService {
        let deadline = ContinuousClock.now + patience
        var last: Status.HostService?
        while true {
            // A restart ends the connection.
            last = (try? ControlClient(socket: socket).call(Status.self, Nothing()))?.host ?? last
            if let last, last.reason == nil, last.way == way { return last }
            guard ContinuousClock.now < deadline else { break }
            Thread.pause(milliseconds: interval)
        }
        let unseen =
            way == .hook
            ? "it has no socket for systemd-resolved; see 'systemctl status intercom-resolve-hook.socket'"
            : "it does not see what leads there: our lines in its \(HostResolverFile.path), or \(HostDelegate.path)"
        throw Failure(status: 1, message: "intercomd does not answer the host: \(last?.reason ?? unseen)")
    }

    /// Looks up a container that has an address, by the C library.
    /// - Returns: a line that says what was found; where there is no container, that nothing could be tried.
    /// - Throws: ``Failure`` where the library finds something else, for as long as it takes.
    static func lookUpContainer(at socket: String, domain: String) throws(Failure) -> String {
        let deadline = ContinuousClock.now + patience
        while true {
            do throws(Failure) {
                return try lookUpOnce(by: try ControlClient(socket: socket), domain: domain)
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                Thread.pause(milliseconds: interval)
            }
        }
    }

    private static func lookUpOnce(by client: ControlClient, domain: String) throws(Failure) -> String {
        let containers = try client.allReplies(to: ListContainers.self, .init()).flatMap(\.containers)
        for container in containers {
            guard let endpoint = container.networks.first(where: { !$0.addresses.isEmpty }) else { continue }
            let name = "\(container.name).\(endpoint.network).\(domain)"
            let found = HostLookup.addresses(of: name)
            guard found.contains(where: endpoint.addresses.contains) else {
                let what = found.isEmpty ? "nothing" : found.joined(separator: ", ")
                throw Failure(
                    status: 1,
                    message:
                        "getent ahosts \(name) finds \(what), not \(endpoint.addresses.joined(separator: ", ")): see 'hosts' in /etc/nsswitch.conf, the first nameserver in \(HostResolverFile.path), and 'resolvectl query \(name)' where that is systemd-resolved's"
                )
            }
            return "getent ahosts \(name): \(found.joined(separator: ", "))"
        }
        return "no container has an address yet: nothing to look up"
    }
}
