// The steps about the name: what the container's programs ask for first, and why nobody is found.

import Attachment

extension Facts {
    // MARK: - What its programs read

    /// The step about resolv.conf; nil where nothing is known of it.
    func programs(of asker: Member, _ state: State) -> Step? {
        guard let resolver else {
            guard let finding = Finding(state, of: asker), finding.cause == .foreignResolver else { return nil }
            return Step(.programs, "", finding)
        }
        let servers = resolver.servers.joined(separator: ", ")
        if let finding = fromHostsFile(asker) ?? withoutDNS(asker) { return Step(.programs, "", finding) }
        guard resolver.leadsHere else {
            let text =
                "\(resolver.path) of \(asker.name)\(resolver.authorship.isEmpty ? "" : resolver.authorship + ",") names "
                + (servers.isEmpty ? "no server" : servers)
            let line = "echo nameserver 127.0.0.11 >\(ShellCommand.word(resolver.path))"
            let cure = resolver.isOnHost ? line : "declare it with --intercept, or name 127.0.0.11 in its resolv.conf"
            return Step(.programs, "", Finding(.foreignResolver, text, cure: cure, of: asker.name))
        }
        if let finding = Finding(begunBefore: resolver, asker) { return Step(.programs, "", finding) }
        if let finding = searched(resolver, asker) {
            return Step(.programs, "", finding)
        }
        return Step(
            .programs,
            "\(resolver.path)\(resolver.authorship.isEmpty ? "" : resolver.authorship + ",") names \(servers)"
                + resolver.asked(question.name))
    }

    /// True where nobody here has the name, and programs get an answer by a search domain.
    var isAnsweredBySearch: Bool {
        guard let resolver, resolver.leadsHere, resolver.answered != nil, let outcome else { return false }
        return !outcome.isPositive && holders.isEmpty && absence == nil
    }

    /// A search domain that takes a container's name, or that gives an answer where no container has it.
    private func searched(_ resolver: ResolverFile, _ asker: Member) -> Finding? {
        guard let answered = resolver.answered, let outcome else { return nil }
        let data = answered.data.joined(separator: ", ")
        if isAnsweredBySearch {
            let name = question.name
            let other = formerly.map { "; \($0.sentence(name))" } ?? near.map { "; \($0) is" } ?? ""
            let cure =
                (formerly?.name ?? near).map { question.asked($0, from: question.asker) } ?? "intercomctl container ls"
            return Finding(
                .answeredBySearch,
                "\(name) is answered by the search domain \(answered.domain) in \(resolver.path), as \(answered.name) "
                    + "(\(data)) from \(answered.source); no container is called \(name)\(other)",
                cure: cure, of: asker.name)
        }
        // The name with one of our own domains behind it is the same container.
        guard outcome.isPositive, Set(answered.data) != Set(outcome.data) else { return nil }
        let text =
            "its programs ask for \(answered.name) first (search in \(resolver.path), ndots:\(resolver.dots)), "
            + "and get \(data)"
        let line = "echo options ndots:0 >>\(ShellCommand.word(resolver.path))"
        let cure = resolver.isOnHost ? line : "set 'options ndots:0' in its resolv.conf"
        return Finding(.searchDomain, text, cure: cure, of: asker.name)
    }

    /// Programs take another address from a file, and ask nobody.
    private func fromHostsFile(_ asker: Member) -> Finding? {
        guard let hosts, let outcome, question.type == "A" || question.type == "AAAA",
            Set(hosts.addresses).isDisjoint(with: outcome.data)
        else { return nil }
        return Finding(
            .hostsFile,
            "programs of \(asker.name) take \(hosts.addresses.joined(separator: ", ")) for \(question.name) from "
                + "\(hosts.path), and ask nobody",
            cure: "remove \(question.name) from \(hosts.path)", of: asker.name)
    }

    /// libc asks no server at all; dig and nslookup do.
    private func withoutDNS(_ asker: Member) -> Finding? {
        guard let nameServices, !nameServices.askDNS else { return nil }
        let file = nameServices.path
        return Finding(
            .nameServiceSwitch,
            "libc asks no DNS server for programs of \(asker.name) (dig does): 'hosts:' in \(file) has "
                + (nameServices.names.isEmpty ? "no service" : nameServices.names.joined(separator: ", "))
                + " and no dns",
            cure: "sed -i 's/^\\s*hosts:[^#]*/& dns /' \(ShellCommand.word(file))", of: asker.name)
    }

    // MARK: - The name

    func name(_ outcome: AnswerFacts, _ asker: Member) -> [Step] {
        let text = outcome.rule == .forwarded ? "nobody here is called so: it is asked outside" : outcome.source
        if isAddress, !outcome.isPositive {
            let cure = ShellCommand.intercomctl(
                "resolve", [], "-x \(ShellCommand.word(question.name)) --from \(ShellCommand.word(question.asker))")
            return [Step(.name, text, Finding(.mistyped, "\(question.name) is an address, and no name", cure: cure))]
        }
        // A strict policy denies the name, whatever container has it.
        if outcome.rule == .policy, isPolicyStrict { return [Step(.name, text)] }
        return [Step(.name, text, outcome.isPositive ? remark(asker) : reason(outcome, asker))]
    }

    /// Finding about a name that is answered, and perhaps not as somebody expects.
    private func remark(_ asker: Member) -> Finding? {
        let visible = holders.filter(\.isVisible)
        let answering = visible.first?.network
        let serving = visible.filter { $0.network == answering }
        let called = serving.filter { !$0.isAlias }
        if called.count > 1, let network = called.first?.network {
            return Finding(
                .duplicateName,
                "\(called.count) containers on \(network) are called \(question.name): "
                    + called.map { $0.member.place?.description ?? $0.member.name }.joined(separator: ", "),
                cure: "rename one, or remove it")
        }
        if let holder = serving.first(where: { $0.shared != nil }), let finding = sharing(holder) { return finding }
        if let drained = serving.first(where: \.isDraining), serving.contains(where: { !$0.isDraining }) {
            return Finding(
                .drained, "\(drained.member.name) is left out: 'container drain'",
                cure: ShellCommand.intercomctl("container ready", [drained.member.name]), of: drained.member.name)
        }
        if let shadowedRecord, let holder = serving.first {
            return Finding(
                .recordShadowed,
                "the record \(question.name) \(shadowedRecord) is not answered: \(holder.member.name) is called so",
                cure: "rename one: \(ShellCommand.intercomctl("record ls", []))")
        }
        return nil
    }

    /// Another container has the address that the name is answered with.
    private func sharing(_ holder: Holder) -> Finding? {
        guard let shared = holder.shared, let other = shared.others.first,
            outcome?.data.contains(shared.address) == true
        else { return nil }
        let owners = ([holder.member] + shared.others).map(\.name).joined(separator: " and of ")
        let place = other.links.lazy.compactMap { link in
            link.addresses.first { $0.hasPrefix(shared.address + "/") }.flatMap { address in
                other.place?.ip("addr del \(address) dev \(ShellCommand.word(link.name))")
            }
        }.first
        return Finding(
            .duplicateAddress,
            "\(shared.address) on \(holder.network ?? "") is the address of \(owners): packets go to either",
            cure: place ?? "give one of them another address", of: holder.member.name)
    }

    /// Why a name has no records for this container.
    private func reason(_ outcome: AnswerFacts, _ asker: Member) -> Finding? {
        if let holder = holders.first(where: \.isVisible) { return recordless(holder) }
        if let elsewhere = holders.first(where: { $0.network != nil }) { return unseen(elsewhere, asker) }
        if let holder = holders.first { return trouble(of: holder.member, towards: nil) }
        if let absence { return finding(absence, question.name) }
        if let odd = OddCharacter(in: question.name) {
            return Finding(
                .oddCharacter, "the name \(odd.text), and nobody is called so",
                cure: (odd.cleaned ?? near).map { question.asked($0, from: question.asker) })
        }
        if let formerly { return renamed(formerly) }
        if isAnsweredBySearch { return nil }
        if let near, outcome.code == "NXDOMAIN" {
            return Finding(
                .mistyped, "nobody is called \(question.name); \(near) is",
                cure: question.asked(near, from: question.asker))
        }
        if !unnamed.isEmpty, isDenied {
            return Finding(
                .unnamed, "nobody is called \(question.name); \(Finding.listed(unnamed: unnamed))",
                cure: Finding.naming(unnamed))
        }
        if outcome.rule == .settled, outcome.code == "NXDOMAIN" { return alias(outcome) ?? denied(outcome) }
        return byRule(outcome)
    }

    /// The container has another name since a while.
    private func renamed(_ formerly: FormerName) -> Finding {
        Finding(
            .renamed, "nobody is called \(question.name); \(formerly.sentence(question.name))",
            cure: question.asked(formerly.name, from: question.asker))
    }

    /// A CNAME record of our own leads to a name that is not there.
    private func alias(_ outcome: AnswerFacts) -> Finding? {
        guard let last = outcome.data.last else { return nil }
        let target = last.hasSuffix(".") && last.count > 1 ? String(last.dropLast()) : last
        return Finding(
            .noSuchName, "\(question.name) is an alias of \(target), which does not exist",
            cure: question.asked(target, from: question.asker))
    }

    /// A container has the name, and no record of this type.
    private func recordless(_ holder: Holder) -> Finding? {
        let name = holder.member.name
        let wantsAddress = question.type == "A" || question.type == "AAAA"
        guard holder.addresses.isEmpty, wantsAddress, !holder.isService else {
            let places = holder.addresses.isEmpty ? "" : "; \(name) is at \(holder.addresses.joined(separator: ", "))"
            return Finding(.otherType, "\(question.name) has no \(question.type) record\(places)", of: name)
        }
        let link = holder.member.links.first { $0.network == holder.network }
        let cure =
            if let link, let place = holder.member.place {
                place.ip("addr add ADDRESS/LENGTH dev \(ShellCommand.word(link.name))")
            } else {
                ShellCommand.intercomctl("network connect", [holder.network ?? "", name], "--ip ADDRESS")
            }
        return Finding(.noAddress, "\(name) has no address on \(holder.network ?? "")", cure: cure, of: name)
    }

    /// A container has the name on a network that the asker is not on.
    private func unseen(_ holder: Holder, _ asker: Member) -> Finding? {
        // It would be on a network of the asker's, were it not for this.
        if let finding = trouble(of: holder.member, towards: Set(asker.networks)) { return finding }
        let network = holder.network ?? ""
        let others = Set(holders.compactMap(\.network)).count - 1
        return Finding(
            .otherNetwork,
            "\(question.name) is on network \(network)\(others > 0 ? " and \(others) more" : ""), and \(asker.name) is not",
            cure: ShellCommand.intercomctl("network connect", [network, asker.name]))
    }

    /// A rule of its own denies the name, as one under `invalid`, or one of a service that nobody has registered.
    private func denied(_ outcome: AnswerFacts) -> Finding {
        Finding(.noSuchName, "\(question.name) does not exist: \(outcome.source)")
    }

    private func byRule(_ outcome: AnswerFacts) -> Finding? {
        switch outcome.rule {
        case .domain:
            Finding(.noSuchName, "nobody is called \(question.name), and names under the domain are never forwarded")
        case .subnet: Finding(.noSuchAddress, "nobody has this address on the container's networks")
        case .singleLabel:
            Finding(
                .singleLabel, "nobody is called \(question.name), and names of one label are not forwarded",
                cure: "set [forward] single-labels = true in \(configurationPath), then: intercomctl reload")
        case .multicast:
            Finding(
                .multicast, "\(question.name) is under local, a domain of multicast DNS, and is not forwarded",
                cure: "set [forward] local = true in \(configurationPath), then: intercomctl reload")
        case .settled, .blocked, .policy, .forwarded: nil
        }
    }
}
