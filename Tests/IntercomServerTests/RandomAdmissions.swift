// Answers behind gates, driven by random events, against a plain model of the kernel's sets and of who waits.

import DNSWire
import Forwarding
import LinuxNet
import Registry
import Tables

@testable import IntercomServer

/// A worker's answers, an opener that replies when it likes, and a kernel that forgets when it likes. Whatever happens: an answer goes
/// out when the kernel has its addresses, once, and none waits past its time.
struct RandomAdmissions<Source: Choices>: ~Copyable {
    /// An answer that waits, as the model knows it.
    private struct Waiting {
        let view: ViewID
        let told: [(address: ToldAddress, seconds: UInt32)]
        let since: Moment
    }

    private static var views: [ViewID] { (1...3).map { ViewID(rawValue: $0) } }

    var choices: Source
    private var admissions = Admissions()
    private var now = Moment(nanoseconds: 1_000_000_000_000)
    private var lastAnswer: UInt16 = 0
    private var waiting: [UInt16: Waiting] = [:]
    /// The gates that workers know of.
    private var gates: [ViewID: GateState] = [:]
    private var lastCookie: UInt64 = 0
    /// The sets of gates that the kernel has.
    private var sets: [UInt64: [ToldAddress: Moment]] = [:]
    /// Gates whose sets somebody has emptied, which the worker hears of when they are set anew.
    private var emptied: Set<ViewID> = []
    /// Addresses that have made room, where the reply that says so was lost with the connection.
    private var unsaid: [ViewID: Set<ToldAddress>] = [:]
    private var sent: [Admission] = []
    private var replies: [(reply: AdmissionReply, view: ViewID?, removed: Set<ToldAddress>)] = []

    init(_ choices: Source) {
        self.choices = choices
    }

    mutating func step() {
        switch choices.below(12) {
        case 0...3: answer()
        case 4, 5: carryOut()
        case 6, 7: deliver()
        case 8: setGate()
        case 9: pass(choices.below(4) == 0 ? .seconds(choices.below(200)) : .milliseconds(choices.below(500)))
        case 10: loseOrConnect()
        default: forget()
        }
        sent += admissions.messages
        admissions.messages = []
        _ = admissions.takeNotices()
        check()
    }

    /// Nothing is left after what takes longest.
    mutating func finish() {
        while !sent.isEmpty { carryOut() }
        while !replies.isEmpty { deliver() }
        pass(Admissions.patience)
        holds(admissions.isEmpty && waiting.isEmpty, "\(waiting.count) answers wait for ever")
        holds(admissions.deadline == nil && admissions.heldOfView.isEmpty && admissions.ungated.isEmpty)
    }

    // MARK: - Events

    private mutating func answer() {
        let view = choices.pick(Self.views)
        let hosts = (0..<choices.below(4)).map { _ in UInt8(1 + choices.below(6)) }
        let ttl = choices.pick([0, 60, 300, 4_294_967_295] as [UInt32])
        lastAnswer &+= 1
        let message = Self.message(lastAnswer, hosts, ttl)
        let told = Admissions.addresses(of: message.span, of: .upstream)
        switch admissions.judge(message.span, for: view, of: .upstream, now: now) {
        case .open:
            if case .ready(let cookie)? = gates[view] { expectReached(told, view, cookie, since: now) }
            holds(told.isEmpty || gates[view] != nil, "an answer goes out before it has a gate")
        case .refuse:
            holds(!told.isEmpty, "an answer without addresses is refused")
        case .hold(let addresses):
            waiting[lastAnswer] = Waiting(view: view, told: told, since: now)
            admissions.hold(
                message, for: .stream(.init(slot: 1, generation: 1)), of: view, addresses, now: now)
        }
    }

    /// The opener carries out the first message, or cannot.
    private mutating func carryOut() {
        guard !sent.isEmpty else { return }
        let admission = sent.removeFirst()
        guard let read = Self.passed(admission) else { return holds(false, "a message that the opener cannot read") }
        let view = gates.first { $0.value == .ready(cookie: read.cookie) }?.key
        guard var set = sets[read.cookie], choices.below(8) > 0 else {
            replies.append((AdmissionReply(number: read.number, errno: 2, madeRoom: false), nil, []))
            return
        }
        var removed: Set<ToldAddress> = []
        if choices.below(8) == 0 {
            removed = Set(set.keys.filter { _ in choices.below(2) == 0 })
            for address in removed { set[address] = nil }
        }
        for entry in read.entries {
            let bits = entry.octets.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
            let address = ToldAddress(bits: bits, isV6: entry.octets.count == 16, isOwn: entry.isOwn)
            set[address] = now + .seconds(Int(entry.seconds))
            removed.remove(address)
            if let view { unsaid[view]?.remove(address) }
        }
        sets[read.cookie] = set
        replies.append(
            (AdmissionReply(number: read.number, errno: 0, madeRoom: !removed.isEmpty), view, removed))
    }

    private mutating func deliver() {
        guard !replies.isEmpty else { return }
        let reply = replies.removeFirst().reply
        holds(AdmissionReply(reply.octets.span) == reply, "a reply that the worker cannot read")
        take(admissions.take(reply))
    }

    private mutating func setGate() {
        let view = choices.pick(Self.views)
        if choices.below(3) == 0, case .ready(let cookie)? = gates[view] { sets[cookie] = nil }
        switch choices.below(6) {
        case 0: gates[view] = nil
        case 1: gates[view] = .failed("no nftables")
        default:
            // As it was, or another namespace's.
            if case .ready(let cookie)? = gates[view], choices.below(3) > 0 {
                sets[cookie] = sets[cookie] ?? [:]
            } else {
                lastCookie += 1
                sets[lastCookie] = [:]
                gates[view] = .ready(cookie: lastCookie)
            }
        }
        emptied.remove(view)
        unsaid[view] = nil
        let state = gates[view]
        take(admissions.setGate(of: view, state, now: now))
    }

    private mutating func pass(_ time: Lapse) {
        now = now + time
        for (cookie, set) in sets { sets[cookie] = set.filter { $0.value > now } }
        if let deadline = admissions.deadline, deadline <= now { take(admissions.expire(now: now)) }
        for (number, answer) in waiting {
            holds(answer.since + Admissions.patience > now, "answer \(number) waits past its time")
        }
    }

    private mutating func loseOrConnect() {
        if admissions.isConnected {
            take(admissions.lose())
            // Those on their way are lost with it.
            for case (_, let view?, let removed) in replies { unsaid[view, default: []].formUnion(removed) }
            (sent, replies) = ([], [])
        } else {
            do {
                let pair = try UnixSocket.pairForMessages()
                take(admissions.connect(pair.takeFirst()))
            } catch {
                holds(false, "\(error)")
            }
        }
    }

    /// Somebody empties a set, as with all rules of the host; the worker hears of it when the gate is set anew.
    private mutating func forget() {
        let view = choices.pick(Self.views)
        guard case .ready(let cookie)? = gates[view], sets[cookie] != nil else { return }
        emptied.insert(view)
        sets[cookie] = [:]
    }

    // MARK: - What must hold

    private mutating func take(_ released: [ReleasedAnswer]) {
        for one in released {
            let number = UInt16(one.answer.message[0]) << 8 | UInt16(one.answer.message[1])
            guard let answer = waiting.removeValue(forKey: number) else {
                return holds(false, "answer \(number) goes out twice")
            }
            holds(one.answer.view == answer.view, "answer \(number) is another container's")
            guard one.refusal == nil, case .ready(let cookie)? = gates[answer.view] else { continue }
            expectReached(answer.told, answer.view, cookie, since: answer.since)
        }
    }

    private func expectReached(
        _ told: [(address: ToldAddress, seconds: UInt32)], _ view: ViewID, _ cookie: UInt64, since: Moment
    ) {
        if emptied.contains(view) { return }
        // Those that have made room are no more the worker's to tell when the reply that says so has come.
        let removed = replies.filter { $0.view == view }.reduce(into: Set()) { $0.formUnion($1.removed) }
            .union(unsaid[view] ?? [])
        for (address, seconds) in told where !removed.contains(address) {
            let end = sets[cookie]?[address]
            holds(
                end.map { $0 >= since + .seconds(Int(seconds)) } ?? false,
                "address \(address.bits & 255) is told to \(view) and not reached for \(seconds) s: \(String(describing: end))"
            )
        }
    }

    private func check() {
        holds(admissions.held.count == waiting.count, "\(admissions.held.count) wait, not \(waiting.count)")
        holds(admissions.heldOfView.values.reduce(0, +) == waiting.count)
        for view in Self.views {
            holds(admissions.heldOfView[view, default: 0] == waiting.values.count { $0.view == view })
        }
        holds((admissions.deadline == nil) == waiting.isEmpty, "nobody looks after answers that wait")
    }

    // MARK: - Messages

    /// The message as the opener reads it.
    private static func passed(_ admission: Admission) -> Admission? {
        let octets = admission.octets
        let read = Admission(octets.span)
        return read == admission ? read : nil
    }

    /// An answer about `a.` with A records.
    private static func message(_ number: UInt16, _ hosts: [UInt8], _ ttl: UInt32) -> [UInt8] {
        var message = [UInt8(number >> 8), UInt8(number & 255), 0x81, 0x80, 0, 1, 0, UInt8(hosts.count)]
        message += [0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]
        for host in hosts {
            message += [0xC0, 12, 0, 1, 0, 1]
            message += (0..<4).map { UInt8(truncatingIfNeeded: ttl >> (24 - 8 * UInt32($0))) }
            message += [0, 4, 192, 0, 2, host]
        }
        return message
    }
}
