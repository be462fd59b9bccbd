// Findings about a container that is not ready, with commands in the place of advice where there are any.

package import Attachment

extension Finding {
    /// Finding about the state of a container; nil where that is as it should be.
    /// - Parameters:
    ///   - state: its state.
    ///   - member: the container.
    ///   - holder: the program that has its port 53, or that answers in its listener's place, if that is known.
    ///   - leadsTo: the address that address translation leads its questions to, if one is seen.
    package init?(_ state: State, of member: Member, holder: Program? = nil, leadsTo: String? = nil) {
        let name = member.name
        switch state {
        case .ready, .draining, .elsewhere, .starting, .proving: return nil
        case .noListener(let failure): self = Self.noListener(failure, member, holder)
        case .unheard(let unheard): self = Self.unheard(unheard, member, holder, leadsTo)
        case .notIntercepted(let failure):
            self.init(.unheard, "questions of \(name) do not come here: \(failure)", cure: failure.cure, of: name)
        case .notAsked: self.init(.foreignResolver, "\(name): \(state.reason ?? "")", cure: state.cure, of: name)
        case .untried(let failure):
            self.init(
                failure.kind == .openerAway ? .openerDown : .unproved, "\(name): \(state.reason ?? "")",
                cure: failure.kind == .openerAway ? Self.startOpener : failure.cure, of: name)
        case .ended(let why): self.init(.ended, "\(name) ended: \(why)", cure: "start \(name) again", of: name)
        }
    }

    /// Finding about a program that began before its container's resolv.conf was there; nil: each reads it.
    package init?(begunBefore resolver: ResolverFile, _ member: Member) {
        guard resolver.leadsHere, let other = resolver.elsewhere else { return nil }
        // Its name is of its own choice, and no command that somebody should type.
        let start = member.place?.netnsName.map { ": ip netns exec \(ShellCommand.word($0)) COMMAND" } ?? ""
        self.init(
            .begunBefore,
            "\(other.program.description) of \(member.name) began before \(resolver.path) was there: it asks "
                + (other.servers.isEmpty ? "nobody" : other.servers.joined(separator: ", ")),
            cure: "kill \(other.program.pid), and start that program again\(start)", of: member.name)
    }

    /// Finding about a namespace that was found and is no container yet.
    package init(unattached path: String, _ failure: Failure) {
        if failure.kind == .openerAway {
            self.init(.openerDown, "\(path): \(failure)", cure: Self.startOpener)
        } else {
            self.init(.noListener, "\(path): \(failure)", cure: failure.cure)
        }
    }

    /// The socket unit of the opener.
    package static let startOpener = "systemctl start intercom-opener.socket"

    private static func noListener(_ failure: Failure, _ member: Member, _ holder: Program?) -> Finding {
        let name = member.name
        switch failure.kind {
        case .portTaken:
            if let holder {
                let end = holder.isOutside ? "" : "kill \(holder.pid), or "
                return Finding(
                    .portTaken, "\(holder.description) has port 53 of \(name)",
                    cure: end + "declare \(name) with --listen redirect", of: name)
            }
            let look = member.place.map { ": \($0.run("ss -Hlnptu 'sport = 53'"))" } ?? ""
            return Finding(
                .portTaken, "another program has port 53 of \(name)",
                cure: "end that program, or declare \(name) with --listen redirect; this shows it\(look)", of: name)
        case .openerAway: return Finding(.openerDown, "\(name): \(failure)", cure: startOpener, of: name)
        case .notThere:
            return Finding(.waiting, "\(name) waits for its namespace: \(failure)", cure: "start \(name)", of: name)
        case .forbidden, .refused:
            return Finding(.noListener, "\(name) has no listener: \(failure)", cure: failure.cure, of: name)
        }
    }

    private static func unheard(
        _ unheard: Unheard, _ member: Member, _ holder: Program?, _ leadsTo: String?
    ) -> Finding {
        let name = member.name
        let way = leadsTo.map { ": NAT leads questions to \($0)" } ?? ""
        switch unheard.cause {
        case .loopbackDown:
            return Finding(
                .loopbackDown, "the loopback interface of \(name) is down",
                cure: member.place?.ip("link set lo up") ?? unheard.cure, of: name)
        case .loopbackBare:
            return Finding(
                .loopbackDown, "the loopback interface of \(name) has no address",
                cure: member.place?.ip("addr add 127.0.0.1/8 dev lo") ?? unheard.cure, of: name)
        case .answeredByAnother:
            let who = holder.map { ", \($0.description)" } ?? ""
            return Finding(.answeredByAnother, "\(name): \(unheard)\(way)\(who)", cure: unheard.cure, of: name)
        case .noRoute, .dropped, .refused, .noReply:
            let look = member.place.map { "; the rules: \($0.run("nft list ruleset"))" } ?? ""
            let who = leadsTo == nil ? "" : holder.map { ", \($0.description)" } ?? ""
            return Finding(.unheard, "\(name): \(unheard)\(way)\(who)", cure: unheard.cure + look, of: name)
        }
    }
}
