// The registry and the forwarder together, driven by random steps, against plain models of both.

import DNSWire
import Registry

@testable import Forwarding

/// A history: the octets are the choices of what happens next.
func fuzzHouse(_ octets: Span<UInt8>) {
    do {
        var house = House(choosing: FuzzerChoices(octets), town: try Town())
        while house.hasMore { try house.step() }
        house.end()
    } catch {
        fatalError("\(error)")
    }
}

/// Containers that ask for each other and for names outside.
private struct House: ~Copyable {
    /// A question that upstreams are being asked.
    struct Exchange {
        var key: PlainKey
        var began: Int
        /// Something went wrong on the way, so that nobody may have an answer in the end.
        var hasTrouble = false
        /// Truncated replies that came: one is passed on where TCP fails.
        var truncated: [PlainSaying] = []
    }

    struct Waiting {
        var query: PlainQuery
        var view: UInt32
        var exchange: Int
        var since: Int
    }

    var choices: FuzzerChoices
    var town: Town
    var plain = PlainRegistry()
    var upstreams = PlainUpstreams()
    var cache = PlainCache()
    var waiting: [Int: Waiting] = [:]
    var exchanges: [Int: Exchange] = [:]
    /// Exchanges that the last question of each socket may be for: two exchanges may ask the same, before and after a
    /// change of upstreams.
    var asked: [SocketToken: (question: [UInt8], exchanges: Set<Int>)] = [:]
    var epochs = [0, 0]
    var serverCounts: [UInt32] = [1, 0]
    var lastNumber = 0

    static let names = ["www.example.com", "WWW.example.com", "mail.example.com", "a.test"]

    init(choosing choices: FuzzerChoices, town: consuming Town) {
        self.choices = choices
        self.town = town
        setUpstreams(1)
    }

    var hasMore: Bool { !choices.isEmpty }

    private var now: Int { (upstreams.now - upstreams.start).milliseconds }

    private mutating func number() -> Int {
        lastNumber += 1
        return lastNumber
    }

    mutating func step() throws {
        switch choices.below(12) {
        case 0, 1: try changeRegistry()
        case 2: try askLocal()
        case 3, 4, 5: try askOutside()
        case 6, 7, 8: reply()
        case 9: wait(choices.pick([1, 20, 400, 999, 1000, 4500, 60_000, 301_000]))
        case 10: failSocket()
        default: changeForwarder()
        }
        expect(waiting.values.allSatisfy { now - $0.since < 4500 }, "somebody waits too long")
    }

    /// All who wait get an answer in the end.
    mutating func end() {
        wait(4500)
        expect(waiting.isEmpty && upstreams.forwarder.inFlight == 0, "somebody waits for ever")
    }

    // MARK: - The registry

    private mutating func changeRegistry() throws {
        let before = Set(town.registry.containers.map(\.id.view.rawValue))
        let change = Change.any(&choices)
        guard try change.apply(to: &town) else { return }
        change.apply(to: &plain)
        expect(town.registry.containerCount == plain.containers.count, "after \(change) there are other containers")
        expect(town.registry.networkCount == plain.networks.count, "after \(change) there are other networks")
        for view in before.subtracting(town.registry.containers.map(\.id.view.rawValue)) { abandon(view) }
    }

    /// A container of the plain registry and its view in the other.
    private mutating func container() -> (PlainRegistry.Container, ViewID)? {
        guard !plain.containers.isEmpty else { return nil }
        let container = choices.pick(plain.containers)
        let real = town.registry.containers.first {
            container.cookie == nil
                ? $0.declared?.name == container.declared?.name : $0.cookie?.rawValue == container.cookie
        }
        expect(real != nil, "there is no container \(container.name)")
        return real.map { (container, $0.id.view) }
    }

    private mutating func askLocal() throws {
        guard let (asker, view) = container() else { return }
        let name = choices.pick(PlainRegistry.questions)
        let answer = try town.ask(view, name)?.sorted()
        expect(answer == plain.answer(asker, name), "\(asker.name) asks \(name): \(String(describing: answer))")
        let address = choices.pick(PlainRegistry.addresses)
        let pointer = try town.ask(view, "\(address.reverseName)", .ptr)?.first
        let expected = plain.pointers(asker, address)
        expect(
            pointer.map { expected.contains($0) } ?? expected.isEmpty,
            "\(asker.name) asks \(address): \(pointer ?? "nobody")")
    }

    // MARK: - Questions that are not ours

    private mutating func askOutside() throws {
        guard let (asker, view) = container() else { return }
        var query = PlainQuery(name: choices.pick(Self.names), type: choices.pick([1, 28]))
        let manner = choices.below(8)
        (query.hasEDNS, query.dnssecOK) = (manner & 1 != 0, manner & 3 == 3)
        let group = try town.group(asker.name, view)
        expect((group == nil) == plain.endpoints(of: asker).isEmpty, "\(asker.name) may ask outside: \(group != nil)")
        if group != nil { ask(query, view.rawValue, group: UInt32(manner >> 2)) }
    }

    private mutating func ask(_ query: PlainQuery, _ view: UInt32, group: UInt32) {
        let key = PlainKey(
            name: query.name.lowercased(), type: query.type, dnssecOK: query.dnssecOK, group: group,
            epoch: epochs[Int(group)], view: group == 1 ? view : nil)
        let kept = upstreams.cached(query, namespace: view, group: group)
        if let kept { query.check(kept, limit: query.hasEDNS ? 1232 : 512) }
        let said = kept.flatMap { PlainSaying($0) }
        expect(cache.allows(said, key, now: now), "\(key) is answered from memory: \(String(describing: said))")
        guard kept == nil else { return }

        let client = number()
        let verdict = upstreams.ask(query, client: client, namespace: view, group: group)
        guard serverCounts[Int(group)] > 0 else {
            return expect(verdict == .refused(.noUpstreams), "asked of no upstreams: \(String(describing: verdict))")
        }
        expect(verdict == .accepted, "a question was refused: \(String(describing: verdict))")
        let exchange = exchanges.first { $0.value.key == key }?.key ?? number()
        if exchanges[exchange] == nil { exchanges[exchange] = Exchange(key: key, began: now) }
        waiting[client] = Waiting(query: query, view: view, exchange: exchange, since: now)
        take(upstreams.perform(), said: nil)
    }

    // MARK: - What comes back

    private mutating func reply() {
        guard let token = socket(), let question = upstreams.sockets[token]?.question else { return }
        let ttl = choices.pick([0, 1, 5, 60, 300, 3600] as [UInt32])
        let last = UInt8(choices.below(256))
        let candidates = (asked[token]?.exchanges ?? []).filter { exchanges[$0] != nil }
        let isStream = upstreams.sockets[token]?.isStream == true
        switch choices.below(6) {
        case 0, 1:
            receive(PlainSaying(last: last, ttl: ttl), question, on: token, for: candidates)
        case 2:
            receive(PlainSaying(code: 3, ttl: max(1, min(ttl, 300))), question, on: token, for: candidates)
        case 3:
            for exchange in candidates { exchanges[exchange]?.hasTrouble = true }
            receive(PlainSaying(code: choices.pick([2, 5])), question, on: token, for: candidates)
        case 4:
            guard !isStream else { return }
            asked[token]?.exchanges = []
            let saying = PlainSaying(last: last, ttl: ttl)
            for exchange in candidates { exchanges[exchange]?.truncated.append(saying) }
            take(upstreams.receive(saying.reply(to: question, isTruncated: true), on: token), said: nil)
        default:
            // Of somebody who guesses.
            guard !isStream else { return }
            var forged = PlainSaying(last: last, ttl: ttl).reply(to: question)
            forged[choices.below(forged.count > 12 ? 2 : 1)] ^= 1
            take(upstreams.receive(forged, on: token), said: nil)
        }
    }

    /// A reply answers all who wait in one exchange, if its socket is still asking.
    private mutating func receive(
        _ saying: PlainSaying, _ question: [UInt8], on token: SocketToken, for candidates: Set<Int>
    ) {
        asked[token]?.exchanges = []
        let answers = upstreams.receive(saying.reply(to: question), on: token)
        guard !saying.isFailure else { return take(answers, said: saying) }
        let answered = Set(answers.compactMap { waiting[$0.client]?.exchange })
        expect(answered.count == min(1, candidates.count), "\(answered.count) of \(candidates.count) were answered")
        expect(answered.isSubset(of: candidates), "a question was answered that was not asked there")
        take(answers, said: saying)
        for exchange in answered {
            expect(!waiting.values.contains { $0.exchange == exchange }, "some were not answered")
            if let key = exchanges.removeValue(forKey: exchange)?.key { cache.keep(saying, key, now: now) }
        }
    }

    /// Takes the answers of one step, and sees what is asked now.
    private mutating func take(_ answers: [(client: Int, answer: Answer)], said: PlainSaying?) {
        for (client, answer) in answers {
            guard let waited = waiting.removeValue(forKey: client), let exchange = exchanges[waited.exchange] else {
                return expect(false, "an answer for nobody")
            }
            let message = answer.message(limit: answer.datagramLimit)
            waited.query.check(message, limit: answer.datagramLimit)
            let told = PlainSaying(message)
            if let told, told.isFailure {
                expect(exchange.hasTrouble || now - exchange.began >= 4500, "a failure without a reason")
                cache.noteFailure(exchange.key, now: now)
            } else {
                let isPassedOn = told.map { exchange.truncated.contains($0) } ?? false
                expect(
                    told == said || isPassedOn,
                    "told \(String(describing: told)) where \(String(describing: said)) was said")
            }
        }
        let live = Set(waiting.values.map(\.exchange))
        if said.map({ $0.isFailure }) ?? true { exchanges = exchanges.filter { live.contains($0.key) } }
        noteQuestions()
    }

    /// Notes the question of each socket: it tells the exchange, but for exchanges with another list of upstreams.
    private mutating func noteQuestions() {
        asked = asked.filter { upstreams.sockets[$0.key] != nil }
        for (token, socket) in upstreams.sockets where asked[token]?.question != socket.question {
            var name = FoldedName()
            guard let query = try? Query(socket.question.span, name: &name),
                let text = try? Name(socket.question.span, at: Header.length)
            else { return expect(false, "an upstream was sent what is no query") }
            let view: UInt32? = if case .namespace(let view) = socket.vantage { view } else { nil }
            let matching = exchanges.filter {
                $0.value.key.name == text.description.lowercased() && $0.value.key.view == view
                    && $0.value.key.type == query.question.type.rawValue
                    && $0.value.key.dnssecOK == (query.edns?.dnssecOK ?? false)
            }
            asked[token] = (socket.question, Set(matching.keys))
        }
    }

    // MARK: - What else happens

    private mutating func socket() -> SocketToken? {
        guard !upstreams.sockets.isEmpty else { return nil }
        return choices.pick(upstreams.sockets.keys.sorted { $0.rawValue < $1.rawValue })
    }

    private mutating func failSocket() {
        guard let token = socket() else { return }
        for exchange in exchanges.keys { exchanges[exchange]?.hasTrouble = true }
        take(upstreams.fail(token), said: nil)
    }

    private mutating func wait(_ milliseconds: Int) {
        take(upstreams.wait(until: .milliseconds(now + milliseconds)), said: nil)
    }

    private mutating func changeForwarder() {
        switch choices.below(4) {
        case 0: setUpstreams(choices.below(2))
        case 1: if let (_, view) = container() { abandon(view.rawValue) }
        case 2:
            _ = upstreams.forwarder.flush(.everything)
            cache.forget { _ in true }
        default:
            guard let name = try? Name("example.com") else { return }
            _ = upstreams.forwarder.flush(.suffix(name))
            cache.forget { $0.name.hasSuffix(".example.com") }
        }
    }

    /// Gives a group other upstreams, perhaps none: what the old ones said is forgotten.
    private mutating func setUpstreams(_ group: Int) {
        let first = UInt32(truncatingIfNeeded: number()) * 4
        serverCounts[group] = UInt32(choices.below(4))
        epochs[group] += 1
        for exchange in exchanges.keys { exchanges[exchange]?.hasTrouble = true }
        upstreams.setUpstreams(
            UInt32(group), first..<first + serverCounts[group], origin: group == 1 ? .namespace : .host)
        take(upstreams.perform(), said: nil)
    }

    /// A namespace ends: nobody there waits any more, and what was asked from there is forgotten.
    private mutating func abandon(_ view: UInt32) {
        waiting = waiting.filter { $0.value.view != view }
        for exchange in exchanges.keys { exchanges[exchange]?.hasTrouble = true }
        upstreams.forwarder.abandon(namespace: view)
        cache.forget { $0.view == view }
        take(upstreams.perform(), said: nil)
    }
}

extension Town {
    /// The group that a container's questions go to; nil: they go nowhere.
    fileprivate mutating func group(_ container: String, _ view: ViewID) throws -> UInt32? {
        var folded = FoldedName()
        folded.set(try Name(House.names[0]))
        return directory.destination(of: folded, view: view)?.group
    }
}
