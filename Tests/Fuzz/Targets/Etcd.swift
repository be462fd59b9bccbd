// Octets of etcd, and values of other hosts in it.

import ControlAPI
import EtcdWire

@testable import Clustering

/// The first octet says how the rest is read: as a stream of gRPC, a key with its value, or a snapshot.
func fuzzEtcd(_ octets: Span<UInt8>) {
    let input = Array(octets)
    let rest = Array(input.dropFirst())
    switch (input.first ?? 0) % 3 {
    case 0: fuzzStream(rest)
    case 1: fuzzValue(rest)
    default:
        if let snapshot = BridgeSnapshot(rest) {
            expect(BridgeSnapshot(snapshot.octets) == snapshot, "a snapshot that is written is read as another")
        }
    }
}

private func fuzzStream(_ octets: [UInt8]) {
    var framer = GRPCFramer(limit: 1 << 16)
    let half = octets.count / 2
    for part in [octets[..<half], octets[half...]] {
        framer.feed(Array(part))
        while let message = try? framer.next() {
            expect(message.count <= octets.count, "a message is longer than what came")
            _ = try? WatchReply(message)
            for call in [EtcdCall.range(RangeRequest(keys: KeyRange(key: []))), .keepAlive(lease: 1)] {
                _ = try? call.reply(from: message)
            }
        }
    }
}

/// A key and a value, with a line break between, as an event of the watch that a bridge follows.
private func fuzzValue(_ octets: [UInt8]) {
    let end = octets.firstIndex(of: UInt8(ascii: "\n")) ?? octets.endIndex
    let (key, value) = (Array(octets[..<end]), Array(octets[end...].dropFirst()))
    let keyspace = Keyspace(prefix: "/intercom")
    if let known = keyspace.key(key) { expect(keyspace.octets(known) == key, "a key is written otherwise than read") }
    if let entry = EntryValue(value) {
        expect(EntryValue(entry.octets) == entry, "a value is read otherwise than written")
    }
    if let host = HostValue(value) { expect(HostValue(host.octets) == host, "a host is read otherwise than written") }

    var bridge = Bridge(settings: BridgeSettings(host: "a"), identity: BridgeIdentity(instance: "x"), seed: 1)
    bridge.handle(.tick, now: .zero)
    for _ in ["hosts", "containers"] {
        for case .call(let number, .range) in bridge.takeEffects() {
            let reply = RangeReply(header: EtcdHeader(cluster: 1, revision: 9), pairs: [], more: false)
            bridge.handle(.reply(number, .range(reply)), now: .zero)
        }
    }
    bridge.handle(.attached, now: .zero)
    for isDeletion in [false, true] {
        let pair = KeyValue(key: key, modified: isDeletion ? 11 : 10, value: value, lease: 1)
        let event = WatchReply.Event(isDeletion: isDeletion, pair: pair)
        bridge.handle(.watch(WatchReply(header: EtcdHeader(cluster: 1, revision: 10), events: [event])), now: .zero)
        bridge.handle(.told, now: .zero)
    }
    expect(bridge.entryCount <= 0, "a container stays that was deleted")
}
