// Notes of what policies deny, or would deny under audit: a worker makes them, the control plane takes them for the log.

import DNSWire
import Forwarding
import Registry

/// A question that a policy denies.
struct PolicyNote: Sendable, Equatable {
    /// The container that asked.
    let view: ViewID
    /// The policy's name.
    let policy: String
    /// The rule, in words, as ``Responder/rule(of:_:_:)`` has it.
    let rule: String
    /// The name on the wire, in lower case; of a CNAME chain the name that it leads to.
    let name: [UInt8]
    let type: RecordType
    /// True when it was answered all the same.
    let isAudit: Bool
    /// True where no rule is about the name: a rule that allows it would let it pass.
    let isByDefault: Bool
}

/// Notes of a worker that the control plane has not taken yet. A container that asks for denied names without end costs a count
/// for each, past a bound in time.
struct PolicyNotes: Sendable {
    /// Notes that are kept in one interval.
    static let limit = 64
    /// 640 notes a second of each worker: more than people read, enough to learn a policy from.
    private static var interval: Lapse { .milliseconds(100) }

    private(set) var notes: [PolicyNote] = []
    /// Questions that were denied and not noted.
    private(set) var leftOut = 0
    /// Questions that were denied, and those that were answered although a policy denies them, since the worker started.
    private(set) var denied: UInt64 = 0
    private(set) var audited: UInt64 = 0
    /// Records with private addresses that were dropped from answers since the worker started.
    private(set) var droppedAddresses: UInt64 = 0
    /// Notes that there is room for until ``refill``.
    private var room = PolicyNotes.limit
    private var refill = Moment(nanoseconds: 0)
    /// True while a question of the control plane's is answered: nobody in a container has asked it.
    var isPaused = false

    /// True when there is anything to be taken.
    var isEmpty: Bool { notes.isEmpty }

    /// Counts a denial; true when it is to be noted, for ``add(_:)``.
    mutating func count(isAudit: Bool) -> Bool {
        guard !isPaused else { return false }
        if isAudit { audited &+= 1 } else { denied &+= 1 }
        if room == 0 {
            let now = Moment.now
            if now >= refill {
                room = Self.limit
                refill = now + Self.interval
            }
        }
        guard room > 0 else {
            leftOut += 1
            return false
        }
        return true
    }

    /// Counts records with private addresses that are dropped from an answer.
    mutating func count(dropped records: UInt16) {
        if !isPaused { droppedAddresses &+= UInt64(records) }
    }

    mutating func add(_ note: PolicyNote) {
        room -= 1
        notes.append(note)
    }

    /// Gives away what was noted.
    mutating func take() -> (notes: [PolicyNote], leftOut: Int) {
        defer {
            notes = []
            leftOut = 0
        }
        return (notes, leftOut)
    }
}

extension PolicyNote {
    /// - Parameters:
    ///   - denial: why it is denied.
    ///   - policy: the policy's name.
    ///   - name: the name that is denied.
    ///   - type: the type that was asked for.
    ///   - view: the view that asked.
    init(
        _ denial: Directory.PolicyDenial, by policy: String, of name: borrowing FoldedName, _ type: RecordType,
        to view: ViewID
    ) {
        var octets: [UInt8] = []
        octets.append(name.span)
        self.init(
            view: view, policy: policy, rule: Responder.rule(of: denial, name, type), name: octets, type: type,
            isAudit: denial.isAudit, isByDefault: denial.reason == .byDefault)
    }
}
