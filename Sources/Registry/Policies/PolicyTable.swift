// The rules of all policies, found by hash.

import DNSWire
import Tables

/// The policies of a directory. A name is judged by looking up its ends, the longest first, each by one hash; ends with a
/// number of labels that no rule of the policy has are not looked up. So the cost depends on the name, never on the number
/// of rules.
struct PolicyTable: Sendable {
    /// The rules about one name.
    private struct Entry: Sendable {
        var hash: UInt32 = 0
        var policy: UInt32 = 0
        /// Octets of the name, without the root's.
        var length: UInt16 = 0
        /// The raw value of a ``PolicyVerdict``; 0: there is no rule.
        var ofName: UInt8 = 0
        var ofNamesUnder: UInt8 = 0
    }

    /// Properties of a policy that judging reads, without a reference count.
    struct Facts: Sendable {
        var isThere = false
        var isDeclared = false
        var allowsByDefault = false
        var isAudit = false
        var allowsOwnNames = false
        var isStrictAboutAliases = false
        var dropsPrivateAddresses = false
        var isGate = false
        var limitsTypes = false
        /// Bit n: a rule is about a name of n labels (1...127).
        var depths: (low: UInt64, high: UInt64) = (0, 0)
        /// The most labels of a name that a rule is about.
        var deepest = 0
    }

    private let hashing: NameHash
    private var index = HashIndex()
    private var entries: [Entry] = []
    private var free: [Int] = []
    /// Each entry's folded name, without the root.
    private var names = RunTable<UInt8>()
    private var facts: [Facts] = []
    private var types = RunTable<UInt16>()
    private var texts: [String] = []
    /// Rules by the labels of their names, for each policy.
    private var counts: [[Int]] = []
    /// Number of policies.
    private(set) var count = 0
    /// Number of policies that judge the answers of upstreams.
    private(set) var answerJudges = 0
    /// Number of policies whose answers wait until their addresses may be reached.
    private(set) var gates = 0

    /// - Parameter seed: a secret that nobody outside knows.
    init(seed: UInt64) {
        hashing = NameHash(seed: seed)
    }

    // MARK: - Judging

    /// Properties of a policy; those of one that denies everything where it is not there.
    @inline(__always)
    func facts(of policy: UInt32) -> Facts {
        let policy = Int(policy)
        return policy < facts.count ? facts[policy] : Facts()
    }

    /// Why a policy denies a question; nil: it is allowed.
    func reason(against name: borrowing FoldedName, _ type: RecordType, by policy: UInt32) -> PolicyReason? {
        let facts = facts(of: policy)
        guard facts.isDeclared else { return .undeclared }
        var label = max(0, name.labelCount - facts.deepest)
        var allows = facts.allowsByDefault
        var reason = PolicyReason.byDefault
        while label < name.labelCount {
            let labels = name.labelCount - label
            let depths = labels < UInt64.bitWidth ? facts.depths.low : facts.depths.high
            if depths & 1 << UInt64(labels & (UInt64.bitWidth - 1)) != 0,
                let verdict = verdict(on: name, from: label, policy)
            {
                (allows, reason) = (verdict == .allow, .rule(label: label))
                break
            }
            label += 1
        }
        guard allows else { return reason }
        return facts.limitsTypes && !allowsType(type, policy) ? .type : nil
    }

    /// The verdict of the rule about the end of a name that begins with a label; nil: there is none.
    @inline(__always)
    private func verdict(on name: borrowing FoldedName, from label: Int, _ policy: UInt32) -> PolicyVerdict? {
        let octets = name.labels(label, name.labelCount)
        guard let number = find(octets, policy) else { return nil }
        return PolicyVerdict(rawValue: label == 0 ? entries[number].ofName : entries[number].ofNamesUnder)
    }

    private func allowsType(_ type: RecordType, _ policy: UInt32) -> Bool {
        for position in types.run(of: Int(policy)) where types.elements[position] == type.rawValue { return true }
        return false
    }

    @inline(__always)
    private func hash(_ name: Span<UInt8>, _ policy: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: hashing.mix(hashing.hash(name), UInt64(policy)))
    }

    @inline(__always)
    private func find(_ name: Span<UInt8>, _ policy: UInt32) -> Int? {
        var probe = index.probe(hash(name, policy))
        while let number = index.next(&probe) {
            guard entries[number].policy == policy, Int(entries[number].length) == name.count else { continue }
            if names.lent(number).isEqual(to: name) { return number }
        }
        return nil
    }

    /// Name of a policy, for people.
    func text(of policy: UInt32) -> String { Int(policy) < texts.count ? texts[Int(policy)] : "" }

    // MARK: - Changing

    /// Sets a policy, or removes it; its rules are changes of their own.
    mutating func set(_ policy: PolicyID, _ compiled: CompiledPolicy?) {
        let number = Int(policy.rawValue)
        grow(toHold: number)
        count += (compiled == nil ? 0 : 1) - (facts[number].isThere ? 1 : 0)
        answerJudges -= facts[number].judgesAnswers ? 1 : 0
        gates += (compiled?.isGate == true ? 1 : 0) - (facts[number].isGate ? 1 : 0)
        facts[number].isGate = compiled?.isGate ?? false
        facts[number].isThere = compiled != nil
        facts[number].isDeclared = compiled?.isDeclared ?? false
        facts[number].allowsByDefault = compiled?.default == .allow
        facts[number].isAudit = compiled?.isAudit ?? false
        facts[number].allowsOwnNames = compiled?.allowsOwnNames ?? false
        facts[number].isStrictAboutAliases = compiled?.isStrictAboutAliases ?? false
        facts[number].dropsPrivateAddresses = compiled?.dropsPrivateAddresses ?? false
        facts[number].limitsTypes = compiled?.types.isEmpty == false
        answerJudges += facts[number].judgesAnswers ? 1 : 0
        types.set(number, compiled?.types.map(\.rawValue) ?? [])
        texts[number] = compiled?.name ?? ""
    }

    /// Sets the rules of a policy about one name; nil: there are none.
    mutating func set(_ policy: PolicyID, _ name: Name, _ rules: PolicyRules?) {
        let octets = Array(name.folded.dropLast())
        grow(toHold: Int(policy.rawValue))
        let found = find(octets.span, policy.rawValue)
        guard let rules else {
            if let found { remove(found, labels: name.labelCount) }
            return
        }
        let number = found ?? insert(octets, policy.rawValue, labels: name.labelCount)
        entries[number].ofName = rules.ofName?.rawValue ?? 0
        entries[number].ofNamesUnder = rules.ofNamesUnder?.rawValue ?? 0
    }

    private mutating func insert(_ octets: [UInt8], _ policy: UInt32, labels: Int) -> Int {
        let hash = hash(octets.span, policy)
        let number = free.popLast() ?? entries.count
        if number == entries.count { entries.append(Entry()) }
        entries[number] = Entry(hash: hash, policy: policy, length: UInt16(truncatingIfNeeded: octets.count))
        names.set(number, octets)
        index.insert(hash, number)
        count(1, labels: labels, Int(policy))
        return number
    }

    private mutating func remove(_ number: Int, labels: Int) {
        let policy = Int(entries[number].policy)
        index.remove(entries[number].hash, number)
        names.set(number, [])
        entries[number] = Entry()
        free.append(number)
        count(-1, labels: labels, policy)
    }

    /// Counts a rule's name that has come or gone by its labels, 1...127.
    private mutating func count(_ difference: Int, labels: Int, _ policy: Int) {
        while counts[policy].count <= labels { counts[policy].append(0) }
        counts[policy][labels] += difference
        let bit = UInt64(1) << UInt64(labels & (UInt64.bitWidth - 1))
        let isThere = counts[policy][labels] > 0
        if labels < UInt64.bitWidth {
            facts[policy].depths.low = isThere ? facts[policy].depths.low | bit : facts[policy].depths.low & ~bit
        } else {
            facts[policy].depths.high = isThere ? facts[policy].depths.high | bit : facts[policy].depths.high & ~bit
        }
        facts[policy].deepest = counts[policy].lastIndex { $0 > 0 } ?? 0
    }

    private mutating func grow(toHold policy: Int) {
        while facts.count <= policy {
            facts.append(Facts())
            texts.append("")
            counts.append([])
        }
    }
}

extension PolicyTable.Facts {
    /// True when answers of upstreams are looked into.
    var judgesAnswers: Bool { isDeclared && (isStrictAboutAliases || dropsPrivateAddresses || isGate) }
}
