// Admissions on their way to the opener and back, and the gates that they are for.

import DNSWire
import Forwarding
import LinuxNet
import Registry
import SystemPackage
import Tables

/// An answer that waits no longer.
struct ReleasedAnswer: Sendable {
    let answer: HeldAnswer
    /// The reason for which it does not go out; nil: it does.
    var refusal: String?
}

extension Admissions {
    static let openerAway = "the opener cannot be reached"

    // MARK: - Messages

    /// Sends what was asked for since the last call.
    /// - Returns: answers that wait for nothing any more.
    mutating func flush() -> [ReleasedAnswer] {
        var released: [ReleasedAnswer] = []
        let waiting = messages
        messages = []
        for message in waiting {
            do throws(LinuxError) {
                if try send(message.octets.span) { continue }
                // The opener is slower than what may wait.
                released += take(
                    AdmissionReply(
                        number: message.number, errno: Errno.resourceTemporarilyUnavailable.rawValue, madeRoom: false))
            } catch {
                return released + lose()
            }
        }
        return released
    }

    private func send(_ octets: Span<UInt8>) throws(LinuxError) -> Bool {
        switch connection {
        case .some(let connection): return try connection.send(octets) != nil
        case .none: throw LinuxError(call: "send", errno: .socketNotConnected)
        }
    }

    /// Replies that are taken in one turn.
    private static let repliesInTurn = 256

    /// Receives replies of the opener.
    /// - Parameter buffer: what they are read into.
    mutating func receive(into buffer: inout [UInt8]) -> [ReleasedAnswer] {
        var released: [ReleasedAnswer] = []
        for _ in 0..<Self.repliesInTurn {
            let count: Int?
            do throws(LinuxError) {
                switch connection {
                case .some(let connection): count = try connection.receive(into: &buffer)
                case .none: return released
                }
            } catch {
                return released + lose()
            }
            guard let count else { return released }
            guard let reply = AdmissionReply(buffer.span.extracting(first: count)) else { return released + lose() }
            released += take(reply)
        }
        return released
    }

    /// Takes the outcome of an admission.
    mutating func take(_ reply: AdmissionReply) -> [ReleasedAnswer] {
        guard let request = requests.removeValue(forKey: reply.number) else { return [] }
        let view = request.view
        for (address, _) in request.until where pending[view]?[address]?.request == reply.number {
            pending[view]?[address] = nil
        }
        if pending[view]?.isEmpty == true { pending[view] = nil }
        guard reply.errno == 0 else {
            notices.append(.failed(view, errno: reply.errno))
            return release(request.answers, "the gate cannot be changed")
        }
        // The reply does not say which addresses made room: each is asked for once more when it is told.
        if reply.madeRoom || known[view, default: [:]].count >= AddressGate.capacity { known[view] = [:] }
        if reply.madeRoom {
            notices.append(.madeRoom(view))
            counted.madeRoom &+= 1
        }
        // The gate may have gone meanwhile, and its sets with it.
        if case .ready? = gates[view] {
            for (address, moment) in request.until {
                known[view, default: [:]][address] = moment
                owed[view]?[address] = nil
            }
            if owed[view]?.isEmpty == true { owed[view] = nil }
            countedOfView[view, default: .init()].admitted &+= UInt64(request.until.count)
            countedOfView[view, default: .init()].madeRoom &+= reply.madeRoom ? 1 : 0
        }
        counted.admitted &+= UInt64(request.until.count)
        var complete: [Ticket] = []
        for ticket in request.answers {
            guard let position = held.position(of: ticket) else { continue }
            held[position].missing -= 1
            guard held[position].missing == 0 else { continue }
            // Meanwhile others may have made room by addresses of its that were there: these are asked for once more.
            if case .ready(let cookie)? = gates[view] {
                admit(ticket, view, cookie, held[position].since)
            }
            if held[position].missing == 0 { complete.append(ticket) }
        }
        return release(complete, nil)
    }

    /// Takes over a connection to the opener.
    mutating func connect(_ new: consuming Descriptor) -> [ReleasedAnswer] {
        let lost = isConnected ? lose() : []
        connection = consume new
        return lost
    }

    /// The connection is lost; what waits for an acknowledgement is refused.
    ///
    /// What the opener has carried out without saying so is not known. If a set was full, an address that made room then is told for
    /// as long as it would have been there: the others of all containers are not given up for it.
    mutating func lose() -> [ReleasedAnswer] {
        if isConnected { notices.append(.lost) }
        connection = nil
        let lost = requests.values.flatMap(\.answers)
        requests = [:]
        pending = [:]
        messages = []
        return release(lost, Self.openerAway)
    }

    // MARK: - The end of waiting

    private mutating func release(_ tickets: [Ticket], _ refusal: String?) -> [ReleasedAnswer] {
        var released: [ReleasedAnswer] = []
        for ticket in tickets {
            guard let answer = held.remove(ticket) else { continue }
            let count = heldOfView[answer.view, default: 1] - 1
            heldOfView[answer.view] = count > 0 ? count : nil
            released.append(ReleasedAnswer(answer: answer, refusal: refusal))
        }
        if held.isEmpty { deadline = nil }
        return released
    }

    /// Gives up answers that have waited long enough.
    mutating func expire(now: Moment) -> [ReleasedAnswer] {
        var expired: [Ticket] = []
        var next: Moment?
        for position in 0..<held.count {
            let end = held[position].deadline
            if end <= now { expired.append(held.ticket(at: position)) } else { next = min(next ?? end, end) }
        }
        for (view, tickets) in ungated {
            let rest = tickets.filter { !expired.contains($0) }
            ungated[view] = rest.isEmpty ? nil : rest
        }
        let released = release(expired, "the gate did not answer in time")
        deadline = next
        return released
    }

    // MARK: - Gates

    /// The gate of a view is another; nil: it has none.
    mutating func setGate(of view: ViewID, _ state: GateState?, now: Moment) -> [ReleasedAnswer] {
        let isAnother = gates[view] != nil
        gates[view] = state
        let underWay = withdraw(view)
        let waiting = underWay.answers + (ungated.removeValue(forKey: view) ?? [])
        switch state {
        case .ready(let cookie):
            // Its sets may be new and empty: what was told, and what was on its way, is told once more.
            if isAnother { readmit(to: view, cookie, underWay.until, now) }
            for ticket in waiting { admit(ticket, view, cookie, now) }
            return []
        case .failed(let reason):
            (known[view], owed[view]) = (nil, nil)
            return release(waiting, reason)
        case nil:
            (known[view], owed[view]) = (nil, nil)
            countedOfView[view] = nil
            return release(waiting, nil)
        }
    }

    /// Takes back the requests of a view: whatever the opener replies is about the gate before.
    private mutating func withdraw(_ view: ViewID) -> (answers: [Ticket], until: [ToldAddress: Moment]) {
        var answers: [Ticket] = []
        var until: [ToldAddress: Moment] = [:]
        if pending.removeValue(forKey: view) == nil { return (answers, until) }
        for (number, request) in requests where request.view == view {
            requests[number] = nil
            for ticket in request.answers where !answers.contains(ticket) { answers.append(ticket) }
            for (address, moment) in request.until { until[address] = max(until[address] ?? moment, moment) }
        }
        return (answers, until)
    }

    private mutating func readmit(
        to view: ViewID, _ cookie: UInt64, _ underWay: [ToldAddress: Moment], _ now: Moment
    ) {
        // A gate that is set twice in a row has lost what was on its way, too.
        let told = (owed[view] ?? [:]).merging(known.removeValue(forKey: view) ?? [:]) { max($0, $1) }
            .merging(underWay) { max($0, $1) }.filter { $0.value > now }
        owed[view] = told.isEmpty ? nil : told
        var rest = told.map { address, moment in
            (address: address, seconds: UInt32(clamping: (moment - now).milliseconds / 1000 + 1))
        }[...]
        while !rest.isEmpty {
            _ = request(Array(rest.prefix(Admission.maximumAddresses)), view, cookie, now)
            rest = rest.dropFirst(Admission.maximumAddresses)
        }
    }
}
