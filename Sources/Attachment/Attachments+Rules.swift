// nftables rules that lead questions of a namespace to its listener, or refuse those to others: one errand at a time for each
// namespace.

extension Attachments {
    /// An errand for rules that is under way.
    enum Ruling: Equatable {
        case current
        /// Another listener, or none, has come meanwhile: what the errand sets is of no use.
        case stale
    }

    /// The rules that a container is to have.
    func wantedRules(of container: Container) -> Rules {
        guard let port = container.port else { return .none }
        var rules = Rules(lead: port == .redirected ? .redirection : .none, isLocked: container.isLocked)
        if container.allDeclarations.contains(where: { declarations[$0]?.declaration.isIntercepted == true }) {
            rules.lead = .interception
        }
        return rules
    }

    /// The rules that the container of a namespace is to have now.
    package func wantedRules(of namespace: NamespaceKey) -> Rules {
        containers[namespace].map { wantedRules(of: $0) } ?? .none
    }

    /// A container's policy forbids DNS of other servers, or does not any more.
    mutating func changeLock(of namespace: NamespaceKey, _ isLocked: Bool, _ now: Instant) {
        guard let container = containers[namespace], container.isLocked != isLocked else { return }
        containers[namespace]?.isLocked = isLocked
        switch container.phase {
        case .attached: _ = fitRules(of: namespace)
        case .settingRules:
            guard fitRules(of: namespace) || containers[namespace]?.rules != Rules.none else {
                // The rules that it waited for are of no use any more.
                containers[namespace]?.phase = .attached
                return settle(namespace, now)
            }
        case .opening, .noListener: break
        }
    }

    /// Has the rules of a container made or removed where it has others than it is to have.
    /// - Returns: true when its listener is not asked as it is to be until the rules are set.
    mutating func fitRules(of namespace: NamespaceKey) -> Bool {
        guard let container = containers[namespace] else { return false }
        let wanted = wantedRules(of: container)
        if wanted == container.rules, wanted == .none || container.areRulesOfListener { return false }
        if wanted == .none {
            dropRules(of: namespace)
            return false
        }
        containers[namespace]?.areRulesOfListener = true
        startRules(of: namespace)
        return true
    }

    /// Has rules set for the listener that was handed over last.
    mutating func startRules(of namespace: NamespaceKey) {
        guard let container = containers[namespace] else { return }
        let wanted = wantedRules(of: container)
        containers[namespace]?.rules = wanted
        retries[.rules(namespace)] = nil
        guard ruling[namespace] == nil else {
            ruling[namespace] = .stale
            return
        }
        ruling[namespace] = .current
        emit(.setRules(newErrand(for: .rules(namespace)), namespace))
    }

    /// Has rules removed, also those that are being set.
    mutating func dropRules(of namespace: NamespaceKey) {
        containers[namespace]?.rules = .none
        containers[namespace]?.rulesFailure = nil
        retries[.rules(namespace)] = nil
        if ruling[namespace] == nil { emit(.removeRules(namespace)) } else { ruling[namespace] = .stale }
    }

    mutating func rulesSet(_ errand: ErrandNumber, _ failure: Failure?, _ now: Instant) {
        guard case .rules(let namespace)? = errands.removeValue(forKey: errand) else { return }
        if ruling.removeValue(forKey: namespace) == .stale {
            // Rules that this errand has set, or older ones that may stand where it failed.
            emit(.removeRules(namespace))
            if containers[namespace].map({ $0.rules != .none }) == true { startRules(of: namespace) }
            return
        }
        switch (containers[namespace]?.phase, failure) {
        case (.settingRules?, nil):
            containers[namespace]?.phase = .attached
            containers[namespace]?.rulesFailure = nil
            // A verdict from before is about another way to the listener.
            stopProof(of: namespace)
            settle(namespace, now)
        case (.attached?, nil):
            if containers[namespace]?.rulesFailure != nil { emit(.tellState(namespace)) }
            containers[namespace]?.rulesFailure = nil
            doubt(namespace, now)
        case (.settingRules?, let failure?) where containers[namespace]?.port == .redirected:
            // Nobody would be led to the listener. Rules for one before it may stand.
            stopProof(of: namespace)
            dropRules(of: namespace)
            emit(.forget(namespace))
            containers[namespace]?.port = nil
            emit(.closeListener(namespace))
            missListener(namespace, failure, now)
        case (.settingRules?, let failure?):
            containers[namespace]?.phase = .attached
            if let number = waitingDeclaration(of: namespace) { return refuse(number, failure, now) }
            missRules(of: namespace, failure, now)
            settle(namespace, now)
        case (.attached?, let failure?):
            missRules(of: namespace, failure, now)
        default: break
        }
    }

    /// Notes why questions to other servers are not led to a listener that serves at port 53, and tries again.
    mutating func missRules(of namespace: NamespaceKey, _ failure: Failure, _ now: Instant) {
        guard let container = containers[namespace], container.rules != .none else { return }
        if container.port == .direct {
            if container.rulesFailure != failure {
                emit(.tellState(namespace))
                emit(.log(.notIntercepted(namespace, failure)))
            }
            containers[namespace]?.rulesFailure = failure
        }
        guard failure.mayPass, let wait = containers[namespace]?.backoff.next() else { return }
        retry(.rules(namespace), at: now + wait)
    }

    /// Pauses before rules are set again for servers that may change: 0.1, 0.2 … 3.2 s. A runtime takes as long to make a root
    /// directory for a process.
    static let renewals = 6

    /// Has rules set again by and by.
    mutating func renewRules(of namespace: NamespaceKey, _ now: Instant) {
        guard let container = containers[namespace], container.rules.lead == .interception,
            container.ruleRenewals < Self.renewals
        else { return }
        containers[namespace]?.ruleRenewals += 1
        retry(.rules(namespace), at: now + Self.shortestRetry * (1 << container.ruleRenewals))
    }

    /// Has rules set again soon, for other servers.
    mutating func changeRules(of namespace: NamespaceKey, _ now: Instant) {
        guard let container = containers[namespace], container.rules.lead == .interception else { return }
        let due = now + Self.shortestRetry
        retry(.rules(namespace), at: min(due, retries[.rules(namespace)] ?? due))
    }

    /// Rules that stood are lost, and the kernel refuses to have them set again.
    mutating func rulesLost(_ namespace: NamespaceKey, _ failure: Failure, _ now: Instant) {
        if containers[namespace]?.port == .redirected { return lost(namespace, failure, now) }
        missRules(of: namespace, failure, now)
    }

    /// The declaration whose caller waits until the container is there whole.
    func waitingDeclaration(of namespace: NamespaceKey) -> DeclarationNumber? {
        guard let container = containers[namespace], !container.isSettled, let number = container.declaration,
            declarations[number]?.declaration.isStanding == false
        else { return nil }
        return number
    }
}

extension Attachments {
    /// Purpose of a container's rules.
    package struct Rules: Sendable, Equatable {
        /// Questions that are led to its listener.
        package enum Lead: Sendable {
            /// None are.
            case none
            /// Port 53 of 127.0.0.11 is led to the port of its listener.
            case redirection
            /// Questions to its resolver addresses are led there, too.
            case interception
        }

        /// The questions that are led.
        package var lead = Lead.none
        /// True when questions to all other servers are refused.
        package var isLocked = false

        static let none = Rules()
    }
}
