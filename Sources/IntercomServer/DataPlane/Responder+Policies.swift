// Policies: questions that a container may not ask are answered here, before anything leaves.

import DNSWire
import Registry

extension Responder {
    /// The denial of the question by the policy of a view; nil: it may be asked, or the view has no policy.
    ///
    /// Only what concerns nobody else needs no rule: the asker's loopback addresses, and names and addresses of containers
    /// on its networks where the policy says so. Names above these exist (RFC 8020), and have no data.
    /// - Parameters:
    ///   - view: the view that asks.
    ///   - isOwnName: true when a container on its networks has the name.
    @inline(never)
    mutating func judge(_ view: ViewID, isOwnName: Bool) -> Ruling? {
        guard !view.isHost, let policy = directory.policy(of: view) else { return nil }
        let allowsOwnNames = directory.policyAllowsOwnNames(policy)
        if isOwnName, allowsOwnNames { return nil }
        if name.isReverse {
            if let block = name.reverseBlock, block.isLoopback { return nil }
            if allowsOwnNames, directory.findReverse(name, view: view) != nil { return nil }
        }
        if !probes.isEmpty, let token = LoopProbe.token(in: name), probes.contains(token) { return nil }
        let type = query.question.type
        guard let denial = directory.denial(of: name, type, by: policy) else { return nil }
        if !isOwnName, allowsOwnNames, directory.hasNamesBeneath(name, view: view) {
            return .answer(.noData, .emptyName)
        }
        if notes.count(isAudit: denial.isAudit) {
            notes.add(PolicyNote(denial, by: directory.policyName(policy), of: name, type, to: view))
        }
        if denial.isAudit { return nil }
        explain("policy \(directory.policyName(policy)): \(Self.rule(of: denial, name, type))")
        // The name is allowed, and other types of it: NXDOMAIN would deny these, too (RFC 2308 §5).
        return .explained(denial.reason == .type ? .noData : .noName, .policy)
    }

    /// The rule that denies a question, in words.
    static func rule(
        of denial: Directory.PolicyDenial, _ name: borrowing FoldedName, _ type: RecordType
    ) -> String {
        switch denial.reason {
        case .rule(let label):
            "deny " + (label == 0 ? "" : "*.") + text(of: name.labels(label, name.labelCount))
        case .byDefault: "default deny"
        case .type: "types, without \(type)"
        case .undeclared: "nobody has declared it"
        }
    }

    /// A name without its root, for people.
    private static func text(of labels: Span<UInt8>) -> String {
        var wire: [UInt8] = []
        wire.append(labels)
        wire.append(0)
        return (try? Name(wire: wire.span))?.description ?? ""
    }

    /// Sets the text of an answer that denies, which names policy and rule.
    mutating func explain(_ text: String) {
        explanation = Array(text.utf8)
        guard explanation.count > Self.maximumExplanation else { return }
        explanation = explanation.prefix(Self.maximumExplanation - 3) + Array("...".utf8)
    }
}
