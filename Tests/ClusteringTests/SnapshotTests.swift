// The bridge's snapshot and its values: what was written is read again, what is damaged is not.

import EtcdWire
import Testing

@testable import Clustering

@Suite("What a bridge leaves for its successor, and tells others")
struct SnapshotTests {
    private static var snapshot: BridgeSnapshot {
        var snapshot = BridgeSnapshot(
            cluster: .max, revision: 90, witness: Array("/intercom/v1/h/b".utf8), witnessRevision: 88)
        snapshot.hosts = [.init(name: "b", value: Array(#"{"v":1}"#.utf8), isAlive: false)]
        snapshot.networks = ["frontend": Array(#"{"v":1,"hosts":["b"]}"#.utf8)]
        snapshot.entries = [
            .init(key: ContainerKey(host: "b", key: "web"), value: Array("{\n \"v\": 1 }\nsum 3\n".utf8))
        ]
        return snapshot
    }

    @Test("A snapshot that is written is read again, whatever its values are")
    func roundTrip() { #expect(BridgeSnapshot(Self.snapshot.octets) == Self.snapshot) }

    @Test("A snapshot that was cut off or changed anywhere is none")
    func damage() {
        let octets = Self.snapshot.octets
        for index in octets.indices {
            #expect(BridgeSnapshot(Array(octets[..<index])) == nil, "the first \(index) octets")
            var changed = octets
            changed[index] ^= 0x20
            #expect(BridgeSnapshot(changed) == nil, "octet \(index)")
        }
    }

    @Test(
        "A value that is torn, deep, of a later version or of another kind is no container",
        arguments: [
            "", "{", "[]", "null", #"{"v":1}"#, #"{"v":3,"n":"x","p":[]}"#, #"{"v":-1,"n":"x","p":[]}"#,
            #"{"v":1,"n":"x","p":[{"n":1,"a":[]}]}"#,
            #"{"v":1,"n":"x","p":{}}"#, #"{"n":"x","p":[]}"#, String(repeating: "[", count: 60_000),
            #"{"v":1,"n":"x","p":[]}"# + String(repeating: " ", count: 70_000), "\u{0}\u{0}\u{0}",
        ])
    func notAContainer(_ text: String) {
        #expect(EntryValue(Array(text.utf8)) == nil)
        #expect(HostValue(Array(text.utf8)) == nil)
    }

    @Test("A value with members of a later minor version is read, and they are passed over")
    func unknownMembers() {
        let text = #"{"v":1,"new":{"x":[1,2]},"n":"web","p":[{"n":"frontend","a":["10.1.0.2"],"s":["site"],"z":null}]}"#
        let value = EntryValue(Array(text.utf8))
        #expect(value?.name == "web")
        #expect(value?.places == [.init(network: "frontend", addresses: ["10.1.0.2"], aliases: ["site"])])
    }

    @Test("A value of the next version is read, as hosts are upgraded one by one")
    func nextVersion() {
        let entry = EntryValue(
            Array(#"{"v":2,"n":"web","p":[{"n":"frontend","a":["10.1.0.2"],"m":"02:00:00:00:00:01"}]}"#.utf8))
        #expect(entry?.name == "web")
        let host = HostValue(Array(#"{"v":2,"i":"x","a":["192.0.2.1"],"s":true,"c":1,"load":0.5}"#.utf8))
        #expect(host?.isSynced == true)
        #expect(NetworkRule(Array(#"{"v":2,"subnets":["10.1.0.0/16"],"mtu":1450}"#.utf8)) != nil)
    }

    @Test("A container's value is short, and has no member that says nothing")
    func compact() {
        let value = EntryValue(name: "web", places: [.init(network: "frontend", addresses: ["10.1.0.2"])])
        #expect(
            String(decoding: value.octets, as: UTF8.self)
                == #"{"n":"web","p":[{"a":["10.1.0.2"],"n":"frontend"}],"v":1}"#)
        #expect(EntryValue(value.octets) == value)
    }

    @Test("Keys that no host writes are no keys")
    func keys() {
        let keyspace = Keyspace(prefix: "/intercom")
        for key in [
            ClusterKey.host("node1"), .host("a.b_c-d"), .entry(ContainerKey(host: "b", key: "web~2")),
            .entry(ContainerKey(host: "b", key: "%C3%A9")), .network("frontend"), .network(Keyspace.encoded("A b%é")),
        ] {
            #expect(keyspace.key(keyspace.octets(key)) == key)
        }
        for text in [
            "", "/intercom/v1/", "/intercom/v1/h/", "/intercom/v1/h/a/b", "/intercom/v1/e/a", "/intercom/v1/e/a/",
            "/intercom/v1/e//web", "/intercom/v1/e/a/b/c", "/intercom/v1/n/", "/intercom/v1/n/a/b",
            "/intercom/v1/x/a", "/intercom/v2/h/a",
            "/intercom/v1/h/Z", "/intercom/v1/h/a b", "/intercom/v1/h/\u{0}",
            "/intercom/v1/h/" + String(repeating: "a", count: 256),
        ] {
            #expect(keyspace.key(Array(text.utf8)) == nil, "\(text)")
        }
    }
}
