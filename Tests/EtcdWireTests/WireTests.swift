// etcd's messages, octet by octet: requests as etcdctl 3.4.23 sends them, replies as etcd 3.4.23 sends them.

import EtcdWire
import Testing

private func octets(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.filter { !$0.isWhitespace }
    return stride(from: 0, to: digits.count, by: 2).compactMap { offset in
        UInt8(digits.dropFirst(offset).prefix(2), radix: 16)
    }
}

@Suite("etcd's messages")
struct WireTests {
    @Test("Requests are written as protobuf has them")
    func requests() {
        let key = Array("/a".utf8)
        let table: [(EtcdCall, String)] = [
            (.range(RangeRequest(keys: KeyRange(key: key))), "0a022f61"),
            (
                .range(RangeRequest(keys: KeyRange(prefix: key), limit: 1000, revision: 300)),
                "0a022f61 12022f62 18e807 20ac02"
            ),
            (.grantLease(seconds: 30), "081e"),
            (.keepAlive(lease: 0x7000_0000_0000_0001), "08 818080808080808070"),
            (.revokeLease(-1), "08 ffffffffffffffffff01"),
            (
                .transaction(Transaction(if: .modified(key: key, 0), then: [.delete(key: key)])),
                // Compare with target MOD and no value, which is 0; one operation, a deletion.
                "0a06 1002 1a022f61 12061a040a022f61"
            ),
            (
                .transaction(
                    Transaction(if: .lease(key: key, 5), then: [.put(key: key, value: [0x7B, 0x7D], lease: 5)])),
                "0a08 1004 1a022f61 4005 120c 120a 0a022f61 12027b7d 1805"
            ),
        ]
        for (call, expected) in table { #expect(call.message == octets(expected), "\(call)") }
        #expect(
            WatchRequest.create(keys: KeyRange(prefix: key), from: 7).message == octets("0a0a 0a022f61 12022f62 1807"))
        #expect(WatchRequest.progress.message == octets("1a00"))
    }

    @Test("A range's reply is read, and fields that are not known are passed over")
    func rangeReply() throws {
        // header { cluster_id, member_id, revision 9, raft_term 2 }, kvs [{ key, create 7, mod 9, version 3, value, lease 5 }],
        // more, count 2, and a field 99 of each type.
        let reply = octets(
            """
            0a08 0803 1004 1809 2002
            1210 0a022f61 1007 1809 2003 2a02 7b7d 3005
            1801 2002 980607 9a0601ff 99060102030405060708 9d0601020304
            """)
        var expected = RangeReply(
            header: EtcdHeader(cluster: 3, revision: 9),
            pairs: [KeyValue(key: [0x2F, 0x61], modified: 9, value: [0x7B, 0x7D], lease: 5)], more: true)
        expected.count = 2
        let call = EtcdCall.range(RangeRequest(keys: KeyRange(key: [])))
        #expect(try call.reply(from: reply) == .range(expected))
    }

    @Test("A watch's replies are read: created, events, compacted")
    func watchReplies() throws {
        #expect(try WatchReply(octets("0a021809 1801")).isCreated)
        let events = try WatchReply(octets("0a021809 5a0a 1208 0a022f61 1809 3005 5a0a 0801 1206 0a022f62 1809"))
        #expect(events.events.map(\.isDeletion) == [false, true])
        #expect(events.events.map(\.pair.key) == [[0x2F, 0x61], [0x2F, 0x62]])
        let compacted = try WatchReply(octets("2001 2808 3203 676f6e"))
        #expect(compacted.isCanceled && compacted.compacted == 8 && compacted.reason == "gon")
    }

    @Test("A lease's reply is read; one that has ended has no seconds")
    func leaseReply() throws {
        let call = EtcdCall.keepAlive(lease: 5)
        #expect(
            try call.reply(from: octets("0a021809 1005 181e"))
                == .lease(LeaseReply(header: EtcdHeader(revision: 9), lease: 5, seconds: 30)))
        #expect(
            try call.reply(from: octets("0a021809 1005"))
                == .lease(LeaseReply(header: EtcdHeader(revision: 9), lease: 5, seconds: 0)))
    }

    @Test(
        "A message that is cut off or malformed is refused",
        arguments: [
            "0a", "0a05", "0a0501", "08ff", "00", "0b", "1207", "08ffffffffffffffffff02", "0affffffffffffffff7f",
        ])
    func malformed(_ text: String) {
        #expect(throws: EtcdWireError.self) { try WatchReply(octets(text)) }
    }

    @Test("gRPC's frames are cut however their octets arrive")
    func framing() throws {
        let messages: [[UInt8]] = [[], [1], Array(repeating: 7, count: 300)]
        let stream = messages.flatMap { GRPCFrame.octets(of: $0) }
        for size in [1, 2, 5, 7, 1000] {
            var framer = GRPCFramer(limit: 300)
            var found: [[UInt8]] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                framer.feed(Array(stream[start..<min(stream.count, start + size)]))
                while let message = try framer.next() { found.append(message) }
            }
            #expect(found == messages)
        }
    }

    @Test("A frame that is compressed or longer than the limit ends the stream")
    func badFrames() {
        let table: [([UInt8], EtcdWireError)] = [
            ([1, 0, 0, 0, 0], .compressed), ([0, 0, 0, 1, 0], .tooLong(limit: 255)),
        ]
        for (stream, expected) in table {
            var framer = GRPCFramer(limit: 255)
            framer.feed(stream)
            #expect(throws: expected) { try framer.next() }
        }
    }

    @Test("grpc-message is percent-encoded, and is cut where it is long")
    func status() {
        #expect(GRPCStatus(number: 5, encoded: "lease%20not%20found%zz%4").message == "lease not found%zz%4")
        #expect(GRPCStatus(number: 5, encoded: String(repeating: "x", count: 5000)).message.count == 1024)
        #expect(GRPCStatus(number: 5, encoded: "").code == .notFound)
    }
}
