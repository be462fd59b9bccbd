// Hosts on one store, with everything that can go wrong in an order that a seed chooses: nothing is lost, nothing stays stale.

import Clustering
import ControlAPI
import EtcdWire
import Foundation
import Testing

@Suite("Hosts on one store, with faults by chance")
struct ModelTests {
    /// Steps in all; `INTERCOM_MODEL_STEPS` asks for more.
    static let steps = ProcessInfo.processInfo.environment["INTERCOM_MODEL_STEPS"].flatMap { Int($0) } ?? 100_000
    private static let stepsOfOne = 1000

    @Test("No name is lost while its container lives, and after the last fault every host knows all others")
    func schedules() throws {
        for seed in 0..<(Self.steps / Self.stepsOfOne) {
            var world = World(seed: UInt64(seed))
            for _ in 0..<Self.stepsOfOne where world.fault == nil { world.step() }
            world.heal()
            try #require(
                world.fault == nil,
                "seed \(seed): \(world.fault ?? "")\n\(world.trail.suffix(60).joined(separator: "\n"))")
        }
    }
}

/// Three hosts and a store.
private struct World {
    private static let names = ["a", "b", "c"]

    var now = Duration.seconds(1)
    var random: SplitMix64
    var store = FakeStore()
    var former: FakeStore?
    var hosts: [FakeHost] = []
    /// Lives of containers so far: each has a name of its own.
    var lives = 0
    /// Names whose keys somebody else deleted or overwrote: others may lose them until their host mends it.
    var tampered: Set<String> = []
    var fault: String?
    var trail: [String] = []

    init(seed: UInt64) {
        random = SplitMix64(seed)
        hosts = Self.names.map { FakeHost($0, seed: seed) }
    }

    private mutating func chance(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    private mutating func note(_ text: String) { trail.append("\(now / .milliseconds(1)) \(text)") }

    // MARK: - One step

    mutating func step() {
        let index = chance(hosts.count)
        switch chance(1000) {
        case 0..<250: passTime(.milliseconds(chance(200)))
        case 250..<700: move(index)
        case 700..<840: changeContainer(index)
        case 840..<850: passTime(.seconds(chance(45)))
        case 850..<870: cut(index)
        case 870..<890: killBridge(index)
        case 890..<900: killDaemon(index)
        case 900..<915:
            note("compact")
            store.compact()
        case 915..<925: revokeLease()
        case 925..<940: tamper()
        case 940..<945: former = store
        case 945..<950: restoreStore()
        case 950..<960: repeatEvents(index)
        default: move(index)
        }
    }

    private mutating func passTime(_ time: Duration) {
        now += time
        store.expire(now: now)
        for index in hosts.indices {
            guard let deadline = hosts[index].bridge.nextDeadline, deadline <= now else { continue }
            handle(index, .tick)
        }
    }

    private mutating func handle(_ index: Int, _ event: BridgeEvent) {
        hosts[index].bridge.handle(event, now: now)
        perform(index)
    }

    private mutating func perform(_ index: Int) {
        for effect in hosts[index].bridge.takeEffects() {
            switch effect {
            case .call(let number, let call):
                check(index, call)
                hosts[index].calls.append((number, call))
            case .watch(_, let revision): (hosts[index].watch, hosts[index].watchIsNew) = (revision, true)
            case .askProgress:
                hosts[index].replies.append(.watch(WatchReply(header: EtcdHeader(cluster: 1, revision: 1))))
            case .endWatch: hosts[index].watch = nil
            case .disconnect: hosts[index].disconnect()
            case .save(let identity): hosts[index].identity = identity
            case .tell(let telling):
                hosts[index].tellings.append(telling)
                if hosts[index].tellings.count > 2 { fault = "a third call of the daemon is under way" }
            case .log(_, let text): hosts[index].warnings.append(text)
            case .report: break
            }
        }
    }

    /// A host changes its own keys alone, and in transactions that etcd takes.
    private mutating func check(_ index: Int, _ call: EtcdCall) {
        guard case .transaction(let transaction) = call else { return }
        let name = hosts[index].name
        for change in transaction.changes {
            let key = String(decoding: change.key, as: UTF8.self)
            if key != "/intercom/v1/h/\(name)", !key.hasPrefix("/intercom/v1/e/\(name)/") {
                fault = "\(name) changes \(key)"
            }
        }
        if transaction.changes.count > 128 { fault = "a transaction of \(transaction.changes.count) changes" }
    }

    // MARK: - What is under way goes on

    /// Lets one thing that is under way at a host go on.
    private mutating func move(_ index: Int) {
        switch chance(4) {
        case 0: callStore(index)
        case 1: watchStore(index)
        case 2:
            guard !hosts[index].replies.isEmpty, !hosts[index].isCutOff else { return }
            handle(index, hosts[index].replies.removeFirst())
        default: talkToDaemon(index)
        }
    }

    private mutating func callStore(_ index: Int) {
        guard !hosts[index].calls.isEmpty, !hosts[index].isCutOff else { return }
        // Calls may overtake each other: each has a stream of its own.
        let (number, call) = hosts[index].calls.remove(at: chance(hosts[index].calls.count))
        do throws(EtcdFailure) {
            hosts[index].replies.append(.reply(number, try store.perform(call, now: now)))
        } catch {
            hosts[index].replies.append(.failed(number, error))
        }
    }

    private mutating func watchStore(_ index: Int) {
        guard let revision = hosts[index].watch, !hosts[index].isCutOff else { return }
        if hosts[index].watchIsNew {
            hosts[index].watchIsNew = false
            handle(index, .watch(WatchReply(header: EtcdHeader(), isCreated: true)))
        }
        // The watch may have ended, or begun anew, on that.
        guard hosts[index].watch == revision else { return }
        for reply in store.replies(from: revision) {
            hosts[index].watch = reply.isCanceled ? nil : (reply.events.last?.pair.modified ?? 0) + 1
            handle(index, .watch(reply))
            if hosts[index].watch == nil || reply.isCanceled { return }
        }
    }

    private mutating func talkToDaemon(_ index: Int) {
        guard hosts[index].isAttached else {
            hosts[index].isAttached = true
            handle(index, .detached)
            hosts[index].tellings = []
            handle(index, .attached)
            for reply in hosts[index].firstReplies { handle(index, .local(reply)) }
            return
        }
        guard !hosts[index].tellings.isEmpty else { return }
        let telling = hosts[index].tellings.removeFirst()
        let (removed, unfit) = hosts[index].daemon.take(telling, own: hosts[index].name)
        fault = fault ?? unfit
        for (key, name) in removed {
            let isAlive = hosts.contains { $0.name == key.host && $0.containers[key.key] == name }
            note("\(hosts[index].name): \(key.host)/\(key.key) (\(name)) is gone")
            if isAlive, !tampered.contains("\(key.host)/\(key.key)") {
                fault = "\(hosts[index].name) lost \(name) of \(key.host), which is alive"
            }
        }
        handle(index, .told)
    }

    // MARK: - Changes and faults

    private mutating func changeContainer(_ index: Int) {
        let key = "k\(chance(6))"
        if hosts[index].containers[key] != nil, chance(2) == 0 {
            hosts[index].containers[key] = nil
            if hosts[index].isAttached { handle(index, .local(Attach.Reply(gone: [key]))) }
        } else {
            lives += 1
            hosts[index].containers[key] = "life\(lives)"
            if hosts[index].isAttached { handle(index, .local(Attach.Reply(put: [hosts[index].entry(key)]))) }
        }
        note("\(hosts[index].name): \(key) is \(hosts[index].containers[key] ?? "gone")")
    }

    private mutating func cut(_ index: Int) {
        hosts[index].isCutOff.toggle()
        note("\(hosts[index].name) is \(hosts[index].isCutOff ? "cut off" : "back")")
        let hadWatch = hosts[index].watch != nil
        hosts[index].replies = []
        if chance(2) == 0 {
            // The connection is reset: half of what was sent is done all the same.
            for (_, call) in hosts[index].calls where chance(2) == 0 { _ = try? store.perform(call, now: now) }
            let numbers = hosts[index].calls.map(\.number)
            hosts[index].disconnect()
            for number in numbers { handle(index, .failed(number, .unreachable("reset"))) }
            if hadWatch { handle(index, .watchEnded(.unreachable("reset"))) }
        }
    }

    private mutating func killBridge(_ index: Int) {
        note("bridge of \(hosts[index].name) is killed")
        hosts[index].restartBridge(keepsSnapshot: chance(2) == 0, seed: random.next())
    }

    private mutating func killDaemon(_ index: Int) {
        note("daemon of \(hosts[index].name) is killed")
        hosts[index].restartDaemon()
    }

    private mutating func revokeLease() {
        guard let number = store.leases.keys.sorted().randomElement(using: &random) else { return }
        for (key, value) in store.keys where value.lease == number { noteTampered(key) }
        note("lease \(number) is revoked")
        store.revoke(number)
    }

    private mutating func tamper() {
        let keys = store.keys.keys.sorted { $0.lexicographicallyPrecedes($1) }
        guard let key = keys.randomElement(using: &random) else { return }
        noteTampered(key)
        note("\(String(decoding: key, as: UTF8.self)) is tampered with")
        store.commit([chance(2) == 0 ? .delete(key: key) : .put(key: key, value: Array("{}".utf8), lease: 0)])
    }

    private mutating func noteTampered(_ key: [UInt8]) {
        let text = String(decoding: key, as: UTF8.self)
        if text.hasPrefix("/intercom/v1/e/") { tampered.insert(String(text.dropFirst("/intercom/v1/e/".count))) }
    }

    private mutating func restoreStore() {
        note("the store is \(former == nil ? "emptied" : "restored")")
        store.restore(chance(2) == 0 ? former : nil, now: now)
        for index in hosts.indices {
            let numbers = hosts[index].calls.map(\.number)
            let hadWatch = hosts[index].watch != nil
            hosts[index].disconnect()
            for number in numbers { handle(index, .failed(number, .unreachable("reset"))) }
            if hadWatch { handle(index, .watchEnded(.unreachable("reset"))) }
        }
    }

    /// etcd before 3.4.24 sends events again at times.
    private mutating func repeatEvents(_ index: Int) {
        guard let last = store.history.last, hosts[index].watch.map({ $0 > last.revision }) == true else { return }
        handle(index, .watch(WatchReply(header: EtcdHeader(cluster: 1, revision: last.revision), events: last.events)))
    }

    // MARK: - After the last fault

    /// Lets everything come to rest: all is as it should be within five minutes, and stays so.
    mutating func heal() {
        guard fault == nil else { return }
        note("healing")
        for index in hosts.indices { hosts[index].isCutOff = false }
        var rounds = 0
        while fault == nil, let difference {
            rounds += 1
            if rounds > 600 { fault = difference }
            goOn(.milliseconds(500))
        }
        for _ in 0..<20 where fault == nil { goOn(.seconds(4)) }
        fault = fault ?? difference
    }

    private mutating func goOn(_ time: Duration) {
        for index in hosts.indices {
            talkToDaemon(index)
            while !hosts[index].calls.isEmpty { callStore(index) }
            while !hosts[index].replies.isEmpty { handle(index, hosts[index].replies.removeFirst()) }
            watchStore(index)
        }
        passTime(time)
    }

    /// Sentence about one thing that is not as it should be; nil: there is none.
    private var difference: String? {
        var truth: [ContainerKey: String] = [:]
        for host in hosts {
            for (key, name) in host.containers { truth[ContainerKey(host: host.name, key: key)] = name }
        }
        let states = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, Host.State.alive) })
        for host in hosts {
            let expected = truth.filter { $0.key.host != host.name }
            if host.daemon.entries != expected { return "\(host.name) knows \(host.daemon.entries), not \(expected)" }
            if host.daemon.hosts != states { return "\(host.name) knows hosts \(host.daemon.hosts)" }
        }
        let written = store.keys.keys.filter { String(decoding: $0, as: UTF8.self).hasPrefix("/intercom/v1/e/") }.count
        return written == truth.count ? nil : "etcd has \(written) containers, not \(truth.count)"
    }
}
