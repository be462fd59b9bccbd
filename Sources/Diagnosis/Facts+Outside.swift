// The steps behind the rules: permission to ask outside, the upstreams, the answer, the service.

extension Facts {
    // MARK: - Policy and upstreams

    func outside(_ outcome: AnswerFacts, _ asker: Member) -> [Step] {
        switch outcome.rule {
        case .blocked: return [Step(.policy, "", internalNetwork(asker))]
        case .policy: return [Step(.policy, "", deniedByPolicy(outcome))]
        case .forwarded: return [Step(.policy, "may be asked outside"), upstreams(outcome)]
        case .settled, .subnet, .domain, .singleLabel, .multicast: return []
        }
    }

    /// The denial of a policy, which names itself and its rule as `policy sandbox: default deny`.
    private func deniedByPolicy(_ outcome: AnswerFacts) -> Finding {
        let detail = outcome.details.first ?? "its policy"
        let policy = detail.split(separator: ":").first?.split(separator: " ").last.map(String.init) ?? ""
        // Names are denied by a rule or by default; types and addresses are not allowed by a name.
        let isByName = detail.contains(": default deny") || detail.contains(": deny ")
        if detail.hasSuffix(": nobody has declared it") {
            return Finding(
                .deniedByPolicy, "\(question.name) is denied by \(detail)",
                cure: ShellCommand.intercomctl("policy set", [policy], "--default allow"))
        }
        let cure =
            isByName
            ? ShellCommand.intercomctl("policy allow", [policy, question.name])
            : ShellCommand.intercomctl("policy inspect", [policy])
        return Finding(.deniedByPolicy, "\(question.name) is denied by \(detail)", cure: cure)
    }

    private func internalNetwork(_ asker: Member) -> Finding {
        let text = "\(asker.name) is on internal networks alone (\(asker.networks.joined(separator: ", ")))"
        let command = "network connect"
        let cure =
            openNetwork.map { ShellCommand.intercomctl(command, [$0, asker.name]) }
            ?? "intercomctl network create outside && " + ShellCommand.intercomctl(command, ["outside", asker.name])
        return Finding(.internalNetwork, text, cure: cure)
    }

    private func upstreams(_ outcome: AnswerFacts) -> Step {
        let shown = servers.map(\.address).joined(separator: ", ")
        let name = "an upstream that answers in [forward] upstreams of \(configurationPath), then: intercomctl reload"
        if servers.isEmpty, !outcome.isPositive {
            return Step(.upstreams, "", Finding(.noUpstream, "there is no upstream to ask", cure: "name \(name)"))
        }
        if outcome.code == "SERVFAIL" || outcome.code == "REFUSED" {
            let finding = servers.lazy.compactMap { $0.finding(cure: "mend \($0.address), or name \(name)") }.first
            let who = kept.map { "\(outcome.code) is \($0.description)" } ?? "\(outcome.source) says \(outcome.code)"
            let text = who + (outcome.details.first.map { " (\($0))" } ?? "")
            return Step(
                .upstreams, "", finding ?? Finding(.upstreamFailing, text, cure: "mend that server, or name \(name)"))
        }
        if outcome.code == "NXDOMAIN", holders.isEmpty, absence == nil, near == nil {
            // An upstream was asked before: that the name is new it may say when it is asked again.
            if let kept {
                let text =
                    "\(question.name) does not exist, as an upstream said \(kept.age) s ago: it is \(kept.description)"
                return Step(
                    .upstreams, "",
                    Finding(
                        .unknownOutside, text, cure: ShellCommand.intercomctl("cache flush", [question.name])))
            }
            let text = "\(outcome.source) says that \(question.name) does not exist"
            return Step(.upstreams, "", Finding(.unknownOutside, text, cure: "ask for a name that exists"))
        }
        if let finding = incomplete(outcome) {
            return Step(.upstreams, "", finding, note: kept.map { "the answer is \($0.description)" })
        }
        if let resting = servers.first(where: { $0.isResting || $0.isLooping }) {
            return Step(
                .upstreams, "",
                resting.finding(cure: "mend \(resting.address); it is tried again by itself").map {
                    Finding(.upstreamResting, $0.text, cure: $0.cure)
                }, note: kept.map { "the answer is \($0.description)" })
        }
        return Step(.upstreams, shown, note: kept.map { "the answer is \($0.description)" })
    }

    /// Finding about an answer that is not whole, or has no record of this type.
    private func incomplete(_ outcome: AnswerFacts) -> Finding? {
        if outcome.isTruncated {
            let server = servers.first?.address ?? outcome.source
            return Finding(
                .answerCutOff,
                "the answer is not whole: it is too long for UDP, and \(server) does not give it over TCP",
                cure: "let TCP from this host to \(server) through, or have that server answer over TCP")
        }
        guard outcome.code == "NOERROR", outcome.data.isEmpty, holders.isEmpty else { return nil }
        let text = "\(outcome.source) has no \(question.type) record for \(question.name)"
        // Other types of the name were not asked for.
        guard let reason = outcome.details.first else { return Finding(.otherType, text) }
        return Finding(
            .unknownOutside, "\(text), and says why: \(reason)",
            cure: "ask who runs that server, or give the name yourself: "
                + ShellCommand.intercomctl("record add", [question.name, question.type], "ADDRESS"))
    }

    // MARK: - The answer

    /// Records of an answer that are shown.
    private static var shownRecords: Int { 8 }

    func answer(_ outcome: AnswerFacts) -> Step {
        let more = outcome.data.count - Self.shownRecords
        let data =
            outcome.data.prefix(Self.shownRecords).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
        let answer = outcome.isPositive ? data : outcome.code
        let text = outcome.code == "NOERROR" && outcome.data.isEmpty ? "no data" : answer
        return Step(.answer, outcome.rule == .forwarded ? "\(text), from \(outcome.source)" : text)
    }

    // MARK: - The service

    func port(_ services: [Service]) -> Step {
        let port = question.port.map { "\($0)" } ?? ""
        for service in services {
            if let finding = finding(about: service, port: port) { return Step(.port, "", finding) }
        }
        let known = services.filter { $0.listens != nil }.map { "\($0.member.name) at \($0.address)" }
        let isTried = services.allSatisfy { $0.reach != nil }
        let open = "port \(port) is open: \(known.joined(separator: ", "))"
        return Step(.port, known.isEmpty ? "not known" : isTried ? open : "\(open); whether packets pass is not tried")
    }

    /// Finding about a service; nil: it can be reached, or nothing is known.
    private func finding(about service: Service, port: String) -> Finding? {
        guard let listens = service.listens else { return nil }
        let name = service.member.name
        guard listens.contains(where: { ["0.0.0.0", "::", service.address].contains($0) }) else {
            return closed(service, listens, port)
        }
        let beginning = "port \(port) of \(name) is open at \(service.address), but "
        if let ledTo = service.ledTo {
            let end = service.reach == .refused ? "where it is refused" : "where it does not come about"
            return Finding(
                .serviceUnreachable,
                "\(beginning)address translation in \(question.asker) leads a connection to \(ledTo), \(end)",
                cure: "remove that rule in \(question.asker), or start what it leads to"
                    + Self.look(asker: asker, "nft list ruleset"), of: name)
        }
        let trouble: String
        switch service.reach {
        case .open, nil: return nil
        case .silent: trouble = "gets no reply: a firewall drops it, or no packet gets there"
        case .refused: trouble = "is refused: a firewall rejects it"
        case .unreachable(let words): trouble = "cannot be made: \(words)"
        case .noWayBack(let address):
            let look = service.command("ip addr").map { "; these show them: \($0), and ip route there" } ?? ""
            return Finding(
                .noWayBack, "\(beginning)\(name) has no route back to \(address) of \(question.asker)",
                cure: "give \(name) an address with the prefix length of its network, or a route\(look)", of: name)
        }
        let look = service.command("nft list ruleset") ?? "nft list ruleset"
        return Finding(
            .serviceUnreachable, "\(beginning)a connection from \(question.asker) \(trouble)",
            cure: "let TCP to port \(port) of \(service.address) through; this shows the rules: \(look)", of: name)
    }

    /// Finding about a port that is not open at the service's address.
    private func closed(_ service: Service, _ listens: [String], _ port: String) -> Finding {
        let name = service.member.name
        guard let open = listens.first else {
            let look = service.command("ss -Hlnpt").map { "; this shows what listens: \($0)" } ?? ""
            return Finding(
                .serviceNotRunning, "nothing listens on port \(port) of \(name)",
                cure: "start the service \(service.isHost ? "on" : "in") \(name)\(look)", of: name)
        }
        let place = service.isHost ? "\(service.address) or 0.0.0.0" : "0.0.0.0"
        let isLoopback = open.hasPrefix("127.") || open == "::1"
        return Finding(
            isLoopback ? .serviceOnLoopback : .serviceElsewhere,
            "port \(port) of \(name) is open at \(open), not at \(service.address)",
            cure: "have its program listen at \(place)", of: name)
    }

    /// A command that shows something in the namespace of who asks, as the end of a cure.
    private static func look(asker: Asker, _ command: String) -> String {
        guard case .present(let member, _) = asker, let place = member.place else { return "" }
        return "; this shows the rules: \(place.run(command))"
    }
}

extension Service {
    /// A command where the service runs; nil: it cannot be said where.
    fileprivate func command(_ command: String) -> String? {
        isHost ? command : member.place.map { $0.run(command) }
    }
}

extension Server {
    /// Finding about a server that fails; nil: it does not.
    /// - Parameter cure: the remedy.
    package func finding(cure: String) -> Finding? {
        if isLooping { return Finding(.upstreamLoop, "\(address) asks us in turn, and is not asked", cure: cure) }
        guard failures > 0, let trouble else { return nil }
        if wrongReplies > 0 {
            let text =
                "\(address): \(wrongReplies) \(wrongReplies == 1 ? "reply" : "replies") with another id or question than "
                + "was asked, and no other" + (since.map { " since \($0)" } ?? "")
            return Finding(.upstreamLying, text, cure: cure)
        }
        let text =
            "\(address): \(trouble.rawValue), \(failures) \(failures == 1 ? "time" : "times")"
            + (since.map { " since \($0)" } ?? "")
        switch trouble {
        case .silent: return Finding(.upstreamSilent, text, cure: cure)
        case .refused: return Finding(.upstreamRefused, text, cure: cure)
        case .unreachable: return Finding(.upstreamUnreachable, text, cure: cure)
        }
    }
}
