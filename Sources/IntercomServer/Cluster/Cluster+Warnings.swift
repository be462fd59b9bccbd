// Findings about the cluster: no bridge, a store that is away, hosts that are lost, entries that were refused.

import ControlAPI
import DNSWire
import Registry

extension Cluster {
    /// The most lost hosts that are named in one sentence.
    private static let namedHosts = 5

    /// Sentences about what is not well.
    var warnings: [String] {
        guard isInUse else { return [] }
        let registry = publisher.registry
        var warnings: [String] = []
        if session == nil {
            let end = settings.forgetAfter > 0 ? "is forgotten after \(settings.forgetAfter) s" : "stays"
            let stays = registry.remoteCount > 0 ? "; what the last one told \(end)" : ""
            warnings.append(
                "no bridge has attached: nothing new is heard of other hosts\(stays); start one, as 'systemctl start intercom-etcd'"
            )
        } else if let report = session?.report, report.state != .connected {
            let why = report.message.map { " (\($0))" } ?? ""
            warnings.append(
                "\(session?.bridge.agent ?? "the bridge") is \(report.state == .away ? "cut off from" : "not yet connected to") its store\(why); what was told stays"
            )
        } else if let session, let message = session.report?.message {
            warnings.append("\(session.bridge.agent): \(message)")
        }
        if !registry.isClusterKnown {
            warnings.append("other hosts have not told everything yet: names on shared networks may be missing")
        }
        let lost = registry.lostHostCount == 0 ? [] : registry.remoteHosts.filter(\.isLost).map(\.name)
        if !lost.isEmpty {
            let others = lost.count > Self.namedHosts ? " and \(lost.count - Self.namedHosts) others" : ""
            let names = lost.prefix(Self.namedHosts).joined(separator: ", ") + others
            warnings.append(
                "nothing is heard of \(lost.count == 1 ? "host" : "hosts") \(names): names that a living host serves leave \(lost.count == 1 ? "it" : "them") out"
            )
        }
        if refused.count > 0 {
            warnings.append(
                "\(DisplayText.counted(refused.count, "entry", "entries")) of other hosts refused; the last: \(refused.last)"
            )
        }
        return warnings
    }
}
