// A host of the model test: a bridge, the daemon that it speaks to, and its containers.

import ControlAPI
import EtcdWire

@testable import Clustering

/// A daemon that believes its bridge, by the rules of `intercom.Cluster`.
struct FakeDaemon {
    /// States of hosts.
    private(set) var hosts: [String: Host.State] = [:]
    /// Names of containers by their keys; a name says which life of the container it is of.
    private(set) var entries: [ContainerKey: String] = [:]
    /// Hosts and entries that were told since Begin; nil: there was none.
    private var told: (hosts: Set<String>, entries: Set<ContainerKey>)?
    private(set) var isComplete = false

    /// Takes a call.
    /// - Returns: the entries that it removed, with their names, and a sentence about what it must not have.
    mutating func take(_ telling: BridgeEffect.Telling, own: String) -> (
        removed: [(ContainerKey, String)], fault: String?
    ) {
        let before = entries
        var fault: String?
        switch telling {
        case .begin: told = ([], [])
        case .apply(let apply):
            if (apply.put?.count ?? 0) + (apply.gone?.count ?? 0) > Bridge.entriesAtOnce { fault = "too many entries" }
            for host in apply.hosts ?? [] {
                hosts[host.host] = host.state
                told?.hosts.insert(host.host)
            }
            for key in apply.gone ?? [] { entries[ContainerKey(host: key.host, key: key.key)] = nil }
            for entry in apply.put ?? [] {
                if entry.host == own { fault = "an entry of this host" }
                if hosts[entry.host] == nil { fault = "an entry of a host that was not told: \(entry.host)" }
                let key = ContainerKey(host: entry.host, key: entry.key)
                entries[key] = entry.name
                told?.entries.insert(key)
            }
            for name in apply.goneHosts ?? [] {
                hosts[name] = nil
                entries = entries.filter { $0.key.host != name }
            }
        case .complete(_, let keep):
            isComplete = true
            if let told {
                entries = entries.filter { told.entries.contains($0.key) || keep.contains($0.key.host) }
                let kept = Set(entries.keys.map(\.host))
                hosts = hosts.filter { told.hosts.contains($0.key) || kept.contains($0.key) }
            }
            told = nil
        }
        return (before.filter { entries[$0.key] == nil }.map { ($0.key, $0.value) }, fault)
    }
}

/// A host with everything that is under way between its parts.
struct FakeHost {
    let name: String
    var daemon = FakeDaemon()
    /// Containers here: for each key the name, which says which life of it this is.
    var containers: [String: String] = [:]
    var bridge: Bridge
    var identity: BridgeIdentity
    var snapshot: [UInt8]?
    /// Calls that etcd has not done yet, and replies that have not arrived yet.
    var calls: [(number: UInt64, call: EtcdCall)] = []
    var replies: [BridgeEvent] = []
    /// Revision from which the watch goes on; nil: there is none.
    var watch: Int64?
    var watchIsNew = false
    /// Calls of the daemon that are under way.
    var tellings: [BridgeEffect.Telling] = []
    var isAttached = false
    /// True while etcd cannot be reached from here.
    var isCutOff = false
    var warnings: [String] = []

    init(_ name: String, seed: UInt64) {
        self.name = name
        identity = BridgeIdentity(instance: "of \(name)")
        bridge = Self.makeBridge(name, identity, nil, seed)
    }

    private static func makeBridge(_ name: String, _ identity: BridgeIdentity, _ snapshot: [UInt8]?, _ seed: UInt64)
        -> Bridge
    {
        var settings = BridgeSettings(host: name)
        (settings.ttl, settings.keep, settings.spread, settings.address) = (30, 3600, 5, "192.0.2.1")
        return Bridge(
            settings: settings, identity: identity, snapshot: snapshot.flatMap { BridgeSnapshot($0) }, seed: seed)
    }

    /// The bridge is killed, and starts again with what it had saved.
    mutating func restartBridge(keepsSnapshot: Bool, seed: UInt64) {
        if keepsSnapshot { snapshot = bridge.snapshot?.octets ?? snapshot }
        bridge = Self.makeBridge(name, identity, snapshot, seed)
        disconnect()
        (tellings, isAttached) = ([], false)
    }

    /// The daemon is killed, and starts again without anything of other hosts.
    mutating func restartDaemon() {
        daemon = FakeDaemon()
        (tellings, isAttached) = ([], false)
    }

    mutating func disconnect() {
        (calls, replies, watch) = ([], [], nil)
    }

    /// A container as the daemon tells of it.
    func entry(_ key: String) -> Entry {
        Entry(
            host: name, key: key, name: containers[key] ?? "",
            places: [Place(network: "frontend", addresses: ["10.1.0.2"], aliases: ["site"])])
    }

    /// Replies of Attach at first.
    var firstReplies: [Attach.Reply] {
        [Attach.Reply(session: 1)]
            + containers.keys.sorted().map { Attach.Reply(put: [entry($0)]) } + [Attach.Reply(synced: true)]
    }
}
