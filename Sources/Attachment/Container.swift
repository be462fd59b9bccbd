// One container: a namespace with a listener, or with the reason why it has none.

/// A container with a namespace, as it is now.
package struct Container: Sendable {
    /// The listener, from the first errand to the end.
    enum Phase: Equatable {
        /// The opener makes a listener.
        case opening(ErrandNumber)
        /// The listener is with a worker, and rules are being set that lead port 53 there.
        case settingRules
        case attached
        case noListener(Failure)
    }

    /// Observation of its links.
    enum Links: Equatable {
        case none, subscribed
        case opening(ErrandNumber)
        case failed
    }

    /// Its declaration; nil: nobody declared it.
    package internal(set) var declaration: DeclarationNumber?
    /// Declarations that have joined it, in the order in which they came.
    package internal(set) var joined: [DeclarationNumber] = []
    /// The path that names it where nobody declared it.
    package internal(set) var path: String?
    /// The way into the namespace. With it the container ends.
    package internal(set) var source: NamespaceSource
    /// The port of the listener that a worker has; nil: none has one.
    package internal(set) var port: ListenerPort?
    var phase: Phase
    /// Proof that questions of its programs reach its listener.
    var proof = Proof()
    /// The rules that it has, or that are being set.
    var rules = Attachments.Rules.none
    /// True when its policy forbids DNS of other servers.
    package internal(set) var isLocked = false
    /// True when the rules lead to the listener that it has now.
    var areRulesOfListener = false
    /// Number of times that its rules were set again because the servers that it asks might be others.
    var ruleRenewals = 0
    /// Why questions to its resolver addresses are not led to its listener, which serves all the same.
    var rulesFailure: Failure?
    var links = Links.none
    /// True when the caller of the declaration has been told.
    var isSettled = false
    var backoff = Backoff()
    var linksBackoff = Backoff()
    /// Time of the last loss of its listener, and the pauses before further attempts.
    var lastLoss: ContinuousClock.Instant?
    var lossBackoff = Backoff()

    /// The declaration with the most weight: by its source the namespace is entered, and with it the container ends. Nil: it
    /// was found.
    package var leader: DeclarationNumber? { declaration ?? joined.first }
    /// All its declarations.
    package var allDeclarations: [DeclarationNumber] { [declaration].compactMap(\.self) + joined }

    /// The state that users see, but for draining, which the registry knows.
    var state: State {
        switch phase {
        case .opening, .settingRules: return .starting
        case .noListener(let failure): return .noListener(failure)
        case .attached: break
        }
        guard let rulesFailure else { return proof.state }
        switch proof.verdict {
        case nil, .heard?, .notAsked?: return .notIntercepted(rulesFailure)
        case .unheard?, .untried?: return proof.state
        }
    }
}

extension Attachments {
    /// A container by its namespace.
    package subscript(namespace: NamespaceKey) -> Container? { containers[namespace] }

    /// All containers that have a namespace.
    package var namespaces: some Collection<NamespaceKey> { containers.keys }

    /// Number of containers that have a listener with a worker.
    package var listenerCount: Int { containers.values.count { $0.port != nil } }

    /// The state of a container.
    package func state(of namespace: NamespaceKey, isDraining: Bool) -> State? {
        guard let state = containers[namespace]?.state else { return nil }
        return state == .ready && isDraining ? .draining : state
    }

    /// The state of a declaration, also where no namespace is known yet.
    package func state(of number: DeclarationNumber, isDraining: Bool) -> State? {
        switch declarations[number]?.progress {
        case .attached(let namespace)?: state(of: namespace, isDraining: isDraining)
        case .opening?, .behind?: .starting
        case .waiting(let failure)?: .noListener(failure)
        case nil: nil
        }
    }

    /// Paths that did not become containers, or whose container has no listener, with the reason.
    package var problems: [(path: String, failure: Failure)] {
        found.compactMap { path, found in
            switch found.progress {
            case .waiting(let failure): return (path, failure)
            case .attached(let namespace):
                guard let container = containers[namespace], container.path == path,
                    case .noListener(let failure) = container.phase
                else { return nil }
                return (path, failure)
            case .opening, .behind: return nil
            }
        }
    }

    /// Paths that did not become containers, with the reason.
    package var unattached: [(path: String, failure: Failure)] {
        found.compactMap { path, found in
            if case .waiting(let failure) = found.progress { (path, failure) } else { nil }
        }
    }

    /// Declared containers that have no listener, with the reason.
    package var listenerless: [(namespace: NamespaceKey, failure: Failure)] {
        containers.compactMap { namespace, container in
            guard container.leader != nil, case .noListener(let failure) = container.phase else { return nil }
            return (namespace, failure)
        }
    }

    /// Paths of containers that are called by another, with that other.
    package var secondPaths: [(path: String, other: String)] {
        pathsOfNamespace.flatMap { namespace, paths -> [(path: String, other: String)] in
            guard paths.count > 1, let first = containers[namespace]?.path else { return [] }
            return paths.filter { $0 != first }.map { ($0, first) }
        }
    }

    /// The declarations that are waited for, with the reason.
    package var waiting: [(declaration: Declaration, failure: Failure)] {
        declarations.values.compactMap { declared in
            guard case .waiting(let failure) = declared.progress else { return nil }
            return (declared.declaration, failure)
        }
    }

    /// The container to which a declaration has led.
    package func namespace(of number: DeclarationNumber) -> NamespaceKey? {
        guard case .attached(let namespace)? = declarations[number]?.progress else { return nil }
        return namespace
    }

    /// A declaration as it was made.
    package func declaration(_ number: DeclarationNumber) -> Declaration? { declarations[number]?.declaration }

    /// The declaration that an errand under way is for.
    package func declaration(of errand: ErrandNumber) -> DeclarationNumber? {
        switch errands[errand] {
        case .declaration(let number)?: number
        case .listener(let namespace)?, .rules(let namespace)?, .proof(let namespace)?:
            containers[namespace]?.declaration
        case .path?, .links?, nil: nil
        }
    }

    /// The namespace to which a path where namespaces are looked for has led; nil: the path is not known.
    package func namespace(ofPath path: String) -> NamespaceKey? { found[path]?.namespace }

    /// All paths that were found.
    package var paths: some Collection<String> { found.keys }

    /// Paths that lead to no container yet.
    package var unattachedPaths: [(path: String, namespace: NamespaceKey)] {
        found.compactMap { path, found in
            if case .attached = found.progress { nil } else { (path, found.namespace) }
        }
    }

    /// True while an errand for a declaration or a path is under way that has not had its first result.
    package var isOpening: Bool {
        errands.values.contains {
            switch $0 {
            case .declaration, .path: true
            case .listener, .links, .rules, .proof: false
            }
        }
    }
}
