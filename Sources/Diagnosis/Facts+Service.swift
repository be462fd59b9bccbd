// The last step: the service behind the name, at its addresses of both families.

extension Facts {
    /// The step about the port: a service that cannot be reached at all, then one that only a family of addresses reaches.
    func port(_ services: [Service]) -> Step {
        let tried = services.map { ($0, trouble(of: $0)) }
        // A family that gets no reply keeps programs waiting; one that is refused is given up at once.
        var whole: Finding?
        var silent: Finding?
        var refused: Finding?
        for (service, trouble) in tried {
            let isReached = trouble == nil && service.reach != .silent
            if let fault = wiringFault(service, isReached: isReached) { return Step(.port, "", fault) }
            guard let trouble else { continue }
            let other = tried.first { other, itsTrouble in
                other.member.name == service.member.name && other.isV6 != service.isV6 && other.isKnown
                    && itsTrouble == nil
            }
            // Resolver libraries put addresses of a family that has no route last (RFC 6724 §6, rule 1).
            if other != nil, service.isOutside, service.reach == .noRoute { continue }
            if let other {
                let finding = oneFamily(service, trouble, besides: other.0)
                if trouble.isSilent { silent = silent ?? finding } else { refused = refused ?? finding }
            } else {
                whole = whole ?? Finding(trouble.cause, trouble.text, cure: trouble.cure, of: service.member.name)
            }
        }
        let remark = services.lazy.compactMap { mtuRemark($0) }.first
        if let finding = whole ?? silent ?? refused ?? remark {
            // Beside another finding an MTU is a note.
            return Step(.port, "", finding, note: finding == remark ? nil : remark?.text)
        }
        let known = services.filter(\.isKnown).map { "\($0.member.name) at \($0.address)" }
        let isTried = services.allSatisfy { $0.reach != nil }
        let open = "port \(shownPort) is open: \(known.joined(separator: ", "))"
        return Step(.port, known.isEmpty ? "not tried" : isTried ? open : "\(open); whether packets pass is not tried")
    }

    private var shownPort: String { question.port.map { "\($0)" } ?? "" }

    /// Reason why a service is not reached at an address.
    private struct Trouble: Equatable {
        var cause: Cause
        /// Sentence that stands alone.
        var text: String
        /// Reason alone, behind the address.
        var reason: String
        var cure: String
        /// True where a program waits for a reply that does not come.
        var isSilent = false
    }

    /// Finding about a service that one family of addresses reaches, and the other does not.
    private func oneFamily(_ service: Service, _ trouble: Trouble, besides other: Service) -> Finding {
        let (dead, alive) = (service.isV6 ? "IPv6" : "IPv4", other.isV6 ? "IPv6" : "IPv4")
        let consequence =
            trouble.isSilent ? "programs that try \(dead) first wait" : "programs have to fall back to \(alive)"
        return Finding(
            trouble.isSilent ? .oneFamilySilent : .oneFamilyRefused,
            "port \(shownPort) of \(service.member.name) is open by \(alive) (\(other.address)), and not by \(dead) "
                + "(\(service.address)): \(trouble.reason); \(consequence)",
            cure: trouble.cure, of: service.member.name)
    }

    /// Reason why a service is not reached; nil: it can be reached, or nothing is known.
    private func trouble(of service: Service) -> Trouble? {
        if service.isOutside { return troubleOutside(service) }
        guard let listens = service.listens else { return nil }
        let name = service.member.name
        guard listens.contains(where: { service.places.contains($0) }) else { return closed(service, listens) }
        func trouble(
            _ reason: String, asA connection: String? = nil, _ cause: Cause = .serviceUnreachable, cure: String,
            isSilent: Bool = false
        ) -> Trouble {
            Trouble(
                cause: cause,
                text: "port \(shownPort) of \(name) is open at \(service.address), but \(connection ?? reason)",
                reason: reason, cure: cure, isSilent: isSilent)
        }
        if let ledTo = service.ledTo {
            let end = service.reach == .refused ? "where it is refused" : "where it does not come about"
            return trouble(
                "address translation in \(question.asker) leads a connection to \(ledTo), \(end)",
                cure: "remove that rule in \(question.asker), or start what it leads to"
                    + look("rules", "nft list ruleset"), isSilent: service.reach == .silent)
        }
        let rules = service.command("nft list ruleset") ?? "nft list ruleset"
        let opening = "let TCP to port \(shownPort) of \(service.address) through; this shows the rules: \(rules)"
        let connection = "a connection from \(question.asker)"
        switch service.reach {
        case .open, nil: return nil
        case .silent:
            return trouble(
                "\(connection) gets no reply: a firewall drops it, or no packet gets there", cure: opening,
                isSilent: true)
        case .refused: return trouble("\(connection) is refused: a firewall rejects it", cure: opening)
        case .unreachable(let words): return trouble("\(connection) cannot be made: \(words)", cure: opening)
        case .noRoute:
            return trouble(
                "\(question.asker) has no route to it",
                asA: "\(question.asker) has no route to \(service.address)",
                cure: "give \(question.asker) an address in the network of \(service.address), or a route"
                    + look("routes", service.isV6 ? "ip -6 route" : "ip route"))
        case .noWayBack(let address):
            let look = service.command("ip addr").map { "; these show them: \($0), and ip route there" } ?? ""
            return trouble(
                "\(name) has no route back to \(address) of \(question.asker)", .noWayBack,
                cure: "give \(name) an address with the prefix length of its network, or a route\(look)", isSilent: true
            )
        }
    }

    /// Reason why a service outside is not reached: all that is known is what comes of an attempt to connect.
    private func troubleOutside(_ service: Service) -> Trouble? {
        let (address, port) = (service.address, shownPort)
        let reason: String
        switch service.reach {
        case .open, nil: return nil
        case .refused: reason = "it is refused"
        case .silent: reason = "nothing comes back"
        case .noRoute, .noWayBack: reason = "\(question.asker) has no route there"
        case .unreachable(let words): reason = "it cannot be made: \(words)"
        }
        if let ledTo = service.ledTo {
            return Trouble(
                cause: .serviceUnreachable,
                text: "address translation in \(question.asker) leads a connection to \(address) on to \(ledTo)",
                reason: "address translation in \(question.asker) leads it to \(ledTo)",
                cure: "remove that rule in \(question.asker)" + look("rules", "nft list ruleset"))
        }
        let text =
            "\(service.member.name) is at \(address), and of a connection from \(question.asker) to port \(port) there: "
        if service.hostForwards == false, service.reach != .refused {
            let setting = service.isV6 ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward"
            let whole = "\(reason), and this host forwards no packets (\(setting) = 0)"
            return Trouble(
                cause: .serviceUnreachable, text: text + whole, reason: whole, cure: "sysctl -w \(setting)=1",
                isSilent: service.reach == .silent)
        }
        if let overlap = service.overlap, service.reach != .refused {
            let text =
                "\(address) of \(service.member.name) is within \(overlap.subnet) of \(overlap.network), where nobody has "
                + "it: packets of \(question.asker) for it stay on that network"
            let route = overlap.gateway.flatMap { gateway in
                place?.ip((service.isV6 ? "-6 " : "") + "route add \(address) via \(gateway)")
            }
            return Trouble(
                cause: .subnetOverlaps, text: text, reason: "it stays on \(overlap.network)",
                cure: route ?? "give \(overlap.network) another subnet", isSilent: true)
        }
        return Trouble(
            cause: .serviceUnreachable, text: text + reason, reason: reason,
            cure: "see whether this host gets through: nc -zv -w 3 \(address) \(port)"
                + look("way of \(question.asker)", "ip route get \(address)"),
            isSilent: service.reach == .silent)
    }

    /// The way into the namespace of who asks.
    private var place: CommandPlace? { if case .present(let member, _) = asker { member.place } else { nil } }

    /// Reason where a port is not open at the service's address.
    private func closed(_ service: Service, _ listens: [String]) -> Trouble {
        let name = service.member.name
        guard let open = listens.first else {
            let look = service.command("ss -Hlnpt").map { "; this shows what listens: \($0)" } ?? ""
            return Trouble(
                cause: .serviceNotRunning, text: "nothing listens on port \(shownPort) of \(name)",
                reason: "nothing listens there",
                cure: "start the service \(service.isHost ? "on" : "in") \(name)\(look)")
        }
        let any = service.isV6 ? "::" : "0.0.0.0"
        let isLoopback = open.hasPrefix("127.") || open == "::1"
        return Trouble(
            cause: isLoopback ? .serviceOnLoopback : .serviceElsewhere,
            text: "port \(shownPort) of \(name) is open at \(open), not at \(service.address)",
            reason: "its program listens at \(open)",
            cure: "have its program listen at \(service.isHost ? "\(service.address) or \(any)" : any)")
    }

    /// A command that shows something in the namespace of who asks, as the end of a cure.
    private func look(_ noun: String, _ command: String) -> String {
        guard let place else { return "" }
        return "; this shows the \(noun): \(place.run(command))"
    }
}

extension Service {
    /// True at an address of IPv6.
    fileprivate var isV6: Bool { address.contains(":") }

    /// True where it is known whether the port is open.
    fileprivate var isKnown: Bool { listens != nil || isOutside && reach == .open }

    /// Addresses at which a program has to listen: a socket at `::` takes IPv4, too (ipv6(7)).
    fileprivate var places: [String] { isV6 ? ["::", address] : ["0.0.0.0", "::", address] }

    /// A command where the service runs; nil: it cannot be said where.
    fileprivate func command(_ command: String) -> String? {
        isHost ? command : member.place.map { $0.run(command) }
    }
}
