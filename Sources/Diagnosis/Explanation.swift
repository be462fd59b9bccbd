// The explanation of one question: the steps of its way, and the first that is not as it should be.

import Attachment

/// Steps from the container to the answer, each in order or with its cause and its cure.
///
/// It decides nothing about names: the decision and the answer are the data plane's (``Facts/outcome``). It finds out why they
/// are not what somebody expected.
package struct Explanation: Sendable, Equatable {
    /// In the order of the way; where the container is not there, the first alone.
    package private(set) var steps: [Step] = []

    /// The first fault on the way, else the first remark; nil: everything is in order.
    package var finding: Finding? {
        let findings = steps.compactMap(\.finding)
        return findings.first { !$0.cause.isRemark } ?? findings.first
    }

    /// True when there is a fault.
    package var hasFault: Bool { finding.map { !$0.cause.isRemark } ?? false }

    /// Goes the way of a question.
    package init(_ facts: Facts) {
        switch facts.asker {
        case .absent(let absence, let near):
            steps = [facts.absentContainer(absence, near: near)]
        case .present(let asker, let state):
            steps.append(Step(.container, asker.shown))
            steps.append(facts.links(of: asker))
            steps += facts.listener(of: asker, state)
            if asker.place != nil, let step = facts.programs(of: asker, state) { steps.append(step) }
            guard let outcome = facts.outcome else { return }
            steps += facts.name(outcome, asker)
            steps += facts.outside(outcome, asker)
            steps.append(facts.gated(outcome, asker) ?? facts.answer(outcome))
            if let services = facts.services { steps.append(facts.port(services)) }
        }
    }
}

extension Facts {
    // MARK: - The container

    fileprivate func absentContainer(_ absence: Absence?, near: String?) -> Step {
        if let absence { return Step(.container, "", finding(absence, question.asker)) }
        let text = "no container is called \(question.asker)"
        guard let near else {
            return Step(.container, "", Finding(.noSuchContainer, text, cure: "intercomctl container ls --all"))
        }
        let cure = question.asked(question.name, from: near)
        return Step(.container, "", Finding(.noSuchContainer, "\(text); \(near) is", cure: cure))
    }

    /// Finding about a container that is known by its name and is not there.
    func finding(_ absence: Absence, _ name: String) -> Finding {
        switch absence {
        case .ended(let why, let seconds, let place):
            Finding(.ended, "\(name) ended \(seconds) s ago: \(why)", cure: "start \(name) again at \(place)")
        case .waiting(let why):
            Finding(
                .waiting, "\(name) waits for its namespace: \(why)", cure: "start \(name); it is attached by itself")
        case .excluded(let path):
            Finding(
                .excluded, "\(path) is excluded by [discover] in \(configurationPath)",
                cure: Self.declaring(name, at: path))
        case .undiscovered(let path):
            Finding(
                .discoveryOff, "nobody declared \(path), and [discover] enabled = false in \(configurationPath)",
                cure: Self.declaring(name, at: path))
        case .unattached(let path, let failure): Finding(unattached: path, failure)
        case .unserved(let program): Finding(unserved: [program], name)
        case .perhapsUnserved(let programs):
            Finding(
                .notAttached, "no container is called \(name); \(Finding.listed(programs)) no intercom",
                cure: Finding.serving(programs, name))
        case .perhapsUnnamed(let paths):
            Finding(
                .unnamed, "no container is called \(name); \(Finding.listed(unnamed: paths))",
                cure: Finding.naming(paths))
        case .onHost(let program):
            Finding(
                .hostProcess, "\(program.place) runs in the namespace of the host, which is no container",
                cure: "intercomctl host enable")
        }
    }

    private static func declaring(_ name: String, at path: String) -> String {
        ShellCommand.intercomctl("container add", [name], "--netns \(ShellCommand.word(path))")
    }

    // MARK: - Its links

    /// True when the question is about a name that a container could have, and was not answered with records.
    var isDenied: Bool {
        guard let outcome, !outcome.isPositive else { return false }
        switch outcome.rule {
        case .domain, .singleLabel, .subnet: return true
        case .policy where isPolicyStrict: return false
        case .settled, .multicast, .blocked, .policy, .forwarded: return !holders.isEmpty || absence != nil
        }
    }

    fileprivate func links(of asker: Member) -> Step {
        guard asker.place != nil else { return Step(.links, Self.places(of: asker)) }
        let wanted = Set(holders.compactMap(\.network))
        // A link that is well does not matter here, and one that leads elsewhere is none of this question's business.
        if isDenied, let finding = trouble(of: asker, towards: asker.networks.isEmpty ? nil : wanted) {
            return Step(.links, "", finding)
        }
        if let down = asker.links.first(where: \.isNetworkDown) {
            return Step(.links, "", linkFinding(down, of: asker))
        }
        return Step(.links, Self.places(of: asker))
    }

    private static func places(of asker: Member) -> String {
        guard !asker.networks.isEmpty else { return "\(asker.name) is on no network" }
        return "on "
            + asker.networks.map { network in
                asker.links.first { $0.network == network }.map { "\(network) (\($0.name))" } ?? network
            }.joined(separator: ", ")
    }

    /// Reason why a container is not on a network that it might be on.
    /// - Parameters:
    ///   - member: the container.
    ///   - networks: those that matter; nil: any.
    func trouble(of member: Member, towards networks: Set<String>?) -> Finding? {
        func matters(_ network: String?) -> Bool { networks.map { network.map($0.contains) ?? false } ?? true }
        if let left = member.left.first(where: { matters($0) }) {
            return Finding(
                .disconnected, "\(member.name) was taken off \(left) by 'network disconnect'",
                cure: ShellCommand.intercomctl("network connect", [left, member.name]), of: member.name)
        }
        for link in member.links where link.trouble != nil && !member.isOn(link.network) {
            // A link that is plugged into nothing may belong to any network.
            guard matters(link.network) || link.network == nil && member.networks.isEmpty else { continue }
            return linkFinding(link, of: member)
        }
        guard member.networks.isEmpty, member.place != nil else { return nil }
        let network = suggestedNetwork ?? "NETWORK"
        return Finding(
            .noNetwork, "\(member.name) is on no network",
            cure: ShellCommand.intercomctl("network connect", [network, member.name], "--ip ADDRESS"), of: member.name)
    }

    /// The network on which asker and name might meet.
    private var suggestedNetwork: String? {
        if case .present(let asker, _) = asker, let network = asker.networks.first { return network }
        return holders.lazy.compactMap(\.network).first
    }

    func linkFinding(_ link: LinkFacts, of member: Member) -> Finding? {
        guard let trouble = link.trouble, let place = member.place else { return nil }
        let (name, shown) = (member.name, "link \(link.name) of \(member.name)")
        switch trouble {
        case .down:
            return Finding(
                .linkDown, "\(shown) is down", cure: place.ip("link set dev \(ShellCommand.word(link.name)) up"),
                of: name)
        case .peerDown(let peer):
            return Finding(
                .peerDown, "\(peer), the host's end of \(shown), is down",
                cure: "ip link set dev \(ShellCommand.word(peer)) up", of: name)
        case .notPlugged(let peer):
            let bridge = suggestedBridge ?? "BRIDGE"
            return Finding(
                .notPlugged, "\(peer), the host's end of \(shown), is in no bridge",
                cure: "ip link set dev \(ShellCommand.word(peer)) master \(ShellCommand.word(bridge))", of: name)
        case .excluded(let bridge):
            return Finding(
                .excluded, "\(shown) is in \(bridge), which [discover] in \(configurationPath) excludes",
                cure: ShellCommand.intercomctl(
                    "network create", [bridge], "--interface \(ShellCommand.word(bridge))"), of: name)
        case .networkDown(let bridge):
            return Finding(
                .networkDown, "\(bridge), the bridge of \(shown), is down",
                cure: "ip link set dev \(ShellCommand.word(bridge)) up", of: name)
        }
    }

    /// A bridge that a container of this question is plugged into.
    private var suggestedBridge: String? {
        var members = holders.map(\.member)
        if case .present(let asker, _) = asker { members.append(asker) }
        return members.flatMap(\.links).lazy.compactMap(\.interface).first
    }

    // MARK: - Its listener

    fileprivate func listener(of asker: Member, _ state: State) -> [Step] {
        let listens = Step(.listener, "127.0.0.11:53")
        switch state {
        case .ready, .draining: return [listens, Step(.heard, "a question from inside has arrived")]
        case .elsewhere: return [Step(.listener, "none: \(asker.name) has no namespace on this machine")]
        case .starting: return [Step(.listener, "its namespace is being entered")]
        case .proving: return [listens, Step(.heard, "its first question is on its way")]
        case .noListener, .ended:
            return [Step(.listener, "", Finding(state, of: asker, holder: holder), note: retry)]
        case .unheard, .notIntercepted, .untried:
            let finding = Finding(state, of: asker, holder: holder, leadsTo: leadsTo)
            return [listens, Step(.heard, "", finding, note: retry)]
        case .notAsked: return [listens]
        }
    }

    private var retry: String? {
        nextTry.map { $0 > 0 ? "it is tried again in \($0) s" : "it is tried again now" }
    }
}

extension Member {
    /// Name and place; the path alone where that is its name.
    fileprivate var shown: String {
        guard let place, place.description != name else { return name }
        return "\(name) at \(place.description)"
    }

    /// True when it is on a network.
    func isOn(_ network: String?) -> Bool { network.map { networks.contains($0) } ?? false }
}

extension LinkFacts {
    /// True when packets do not pass the network that it puts its container on.
    var isNetworkDown: Bool { if case .networkDown? = trouble { true } else { false } }
}
