// The steps behind the rules: permission to ask outside, the upstreams, the answer.

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
        if outcome.code == "NXDOMAIN", holders.isEmpty, absence == nil, near == nil, formerly == nil,
            !isAnsweredBySearch, OddCharacter(in: question.name) == nil
        {
            // An upstream was asked before: that the name is new it may say when it is asked again.
            if let kept {
                let text =
                    "\(question.name) does not exist, as an upstream said \(kept.age) s ago: that is kept for \(kept.left) s more"
                return Step(
                    .upstreams, "",
                    Finding(
                        .unknownOutside, text, cure: ShellCommand.intercomctl("cache flush", [question.name])))
            }
            let text = "\(outcome.source) says that \(question.name) does not exist"
            return Step(.upstreams, "", Finding(.unknownOutside, text, cure: "ask for a name that exists"))
        }
        if let finding = incomplete(outcome) {
            return Step(.upstreams, "", finding, note: keptNote)
        }
        if let other, other.code == "SERVFAIL", outcome.isPositive {
            return Step(.upstreams, "", halfAnswered(other, name), note: keptNote)
        }
        if let resting = servers.first(where: { $0.isResting || $0.isLooping }) {
            return Step(
                .upstreams, "",
                resting.finding(cure: "mend \(resting.address); it is tried again by itself").map {
                    Finding(.upstreamResting, $0.text, cure: $0.cure)
                }, note: keptNote)
        }
        return Step(.upstreams, shown, note: keptNote)
    }

    /// Finding about upstreams that give the addresses of one family and not those of the other.
    private func halfAnswered(_ other: AnswerFacts, _ remedy: String) -> Finding {
        let server = servers.lazy.compactMap { $0.finding(cure: "") }.first
        let why = server?.text ?? other.details.first ?? "\(other.source) says SERVFAIL"
        let who = servers.first.map { "mend \($0.address)" } ?? "mend the upstream"
        return Finding(
            server?.cause ?? .upstreamFailing,
            "\(question.name) has an answer for A, and none for AAAA (\(why)): programs ask for both, and wait",
            cure: "\(who), or name \(remedy)")
    }

    /// Sentence about an answer that was kept, and what drops it.
    private var keptNote: String? {
        kept.map { kept in
            let flush = ShellCommand.intercomctl("cache flush", [question.name])
            return "the answer is \(kept.description): '\(flush)' drops it"
        }
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
}

extension Server {
    /// Finding about a server that fails; nil: it does not.
    /// - Parameter cure: the remedy, but for a loop.
    package func finding(cure: String) -> Finding? {
        if isLooping {
            // It is not tried by itself: each attempt would go round.
            return Finding(
                .upstreamLoop, "\(address) asks us in turn, and is not asked",
                cure: "have \(address) ask somebody else, or name another upstream; then: intercomctl reload")
        }
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
