// nftables rules that lead port 53 of a namespace to a listener: one errand at a time for each namespace.

extension Attachments {
    /// An errand for rules that is under way.
    enum Ruling: Equatable {
        case current
        /// Another listener, or none, has come meanwhile: what the errand sets is of no use.
        case stale
    }

    /// Has rules set for the listener that was handed over last.
    mutating func startRules(of namespace: NamespaceKey) {
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
        retries[.rules(namespace)] = nil
        if ruling[namespace] == nil { emit(.removeRules(namespace)) } else { ruling[namespace] = .stale }
    }

    mutating func rulesSet(_ errand: ErrandNumber, _ failure: Failure?, _ now: Instant) {
        guard case .rules(let namespace)? = errands.removeValue(forKey: errand) else { return }
        if ruling.removeValue(forKey: namespace) == .stale {
            if failure == nil { emit(.removeRules(namespace)) }
            if containers[namespace]?.port == .redirected { startRules(of: namespace) }
            return
        }
        switch (containers[namespace]?.phase, failure) {
        case (.settingRules?, nil):
            containers[namespace]?.phase = .attached
            settle(namespace, now)
        case (.settingRules?, let failure?):
            // Nobody would be led to the listener.
            emit(.forget(namespace))
            containers[namespace]?.port = nil
            emit(.closeListener(namespace))
            missListener(namespace, failure, now)
        case (.attached?, let failure?) where containers[namespace]?.port == .redirected:
            guard failure.mayPass, let wait = containers[namespace]?.backoff.next() else { return }
            retry(.rules(namespace), at: now + wait)
        default: break
        }
    }
}
