// The checkup of a machine: whatever is not well, without a question about a name.

package import Attachment

/// Facts about a machine, as ``Checkup`` takes them.
package struct MachineFacts: Sendable {
    /// Containers with their states; those that are waited for, too.
    package var members: [(member: Member, state: State)] = []
    /// Files that programs of containers should read, where they read others, by the containers' names.
    package var resolvers: [String: ResolverFile] = [:]
    /// Programs that have port 53 of containers, by the containers' names.
    package var holders: [String: Program] = [:]
    /// Containers of runtimes that nobody has told of, each by its first process.
    package var unserved: [Program] = []
    /// Adapters of runtimes that have told of containers and do not call any more, with the number of these.
    package var silentAdapters: [(runtime: Runtime, containers: Int)] = []
    /// Servers outside.
    package var servers: [Server] = []
    /// True when questions may be forwarded, and there is nobody to ask.
    package var lacksUpstreams = false
    /// Findings that other rooms have made: collisions, missing networks, limits, the configuration.
    package var findings: [Finding] = []
    /// Namespaces that nobody declared, where discovery is off.
    package var undiscovered: [String] = []
    /// Use of what the kernel and the service manager limit, as far as it is known.
    package var limits: [LimitUse] = []
    /// Paths of namespaces whose containers were found without a name, and of which no adapter tells.
    package var unnamed: [String] = []
    /// Why the opener does not answer; nil: it does.
    package var openerFailure: String?
    /// The configuration file.
    package var configurationPath: String

    package init(configurationPath: String) {
        self.configurationPath = configurationPath
    }
}

/// Findings about a machine, the machine's own first.
package struct Checkup: Sendable, Equatable {
    /// The most that are shown.
    package static let limit = 1000

    /// At most ``limit``.
    package private(set) var findings: [Finding]
    /// Number of findings that are left out.
    package private(set) var further: Int

    /// Looks at all facts.
    package init(_ facts: MachineFacts) {
        var all = facts.ofMachine
        for (member, state) in facts.members {
            // One sentence about the opener is enough.
            if let finding = Finding(state, of: member, holder: facts.holders[member.name]),
                facts.openerFailure == nil || finding.cause != .openerDown
            {
                all.append(finding)
            }
            if let finding = facts.resolvers[member.name].flatMap({ Finding(begunBefore: $0, member) }) {
                all.append(finding)
            }
            // A bridge is one thing, however many are plugged into it.
            for finding in facts.linkFindings(of: member) where !all.contains(where: { $0.cure == finding.cure }) {
                all.append(finding)
            }
        }
        findings = Array(all.prefix(Self.limit))
        further = max(0, all.count - Self.limit)
    }
}

extension MachineFacts {
    fileprivate var ofMachine: [Finding] {
        var all: [Finding] = []
        if let openerFailure {
            all.append(Finding(.openerDown, "the opener does not answer: \(openerFailure)", cure: Finding.startOpener))
        }
        let name = "an upstream in [forward] upstreams of \(configurationPath), then: intercomctl reload"
        if lacksUpstreams { all.append(Finding(.noUpstream, "there is no upstream to ask", cure: "name \(name)")) }
        all += servers.compactMap { server in server.finding(cure: "mend \(server.address), or name \(name)") }
        all += findings.filter { openerFailure == nil || $0.cause != .openerDown }
        if let first = undiscovered.first {
            let more = undiscovered.count > 1 ? " and \(undiscovered.count - 1) more" : ""
            all.append(
                Finding(
                    .discoveryOff, "nobody declared \(first)\(more), and [discover] enabled = false",
                    cure: "set [discover] enabled = true in \(configurationPath), then: intercomctl reload"))
        }
        all += limits.compactMap(\.finding)
        all += silentAdapters.compactMap { runtime, containers in
            runtime.adapterUnit.map { unit in
                Finding(
                    .adapterAway,
                    "\(unit) has not called since the start; its \(containers) containers are as it told of them before",
                    cure: "systemctl restart \(unit)")
            }
        }
        // Each runtime has one adapter, and one sentence is enough.
        for runtime in [nil] + Runtime.allCases.map(Optional.some) {
            let programs = unserved.filter { $0.container?.runtime == runtime }
            if !programs.isEmpty { all.append(Finding(unserved: programs)) }
            let paths = unnamed.filter { Runtime(ofNamespaceAt: $0) == runtime }
            if !paths.isEmpty { all.append(Finding(unnamed: paths)) }
        }
        return all
    }

    /// Bridges that are down or left out; a link that is down or unplugged may be meant to be.
    fileprivate func linkFindings(of member: Member) -> [Finding] {
        let facts = Facts(
            Facts.Question("", "", from: member.name), asker: .absent(nil, near: nil),
            configurationPath: configurationPath)
        return member.links.compactMap { link in
            switch link.trouble {
            case .excluded?, .networkDown?: facts.linkFinding(link, of: member)
            case .down?, .peerDown?, .notPlugged?: member.networks.isEmpty ? facts.linkFinding(link, of: member) : nil
            case nil: nil
            }
        }
    }
}
