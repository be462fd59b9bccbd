// etcd's service Watch: one stream of requests, one of replies.

/// Requests of a watch.
package enum WatchRequest: Hashable, Sendable {
    /// Follows keys from a revision on.
    case create(keys: KeyRange, from: Int64)
    /// Asks for a reply without events now: it shows that the watch lives.
    case progress

    /// The path of the method.
    package static var path: String { "/etcdserverpb.Watch/Watch" }

    /// The request's message.
    package var message: [UInt8] {
        var writer = ProtobufWriter()
        switch self {
        case .create(let keys, let revision):
            writer.appendMessage(1) { create in
                create.append(1, keys.start)
                create.append(2, keys.end)
                create.append(3, revision)
            }
        case .progress: writer.appendMessage(3, [])
        }
        return writer.octets
    }
}

/// A reply of a watch.
package struct WatchReply: Hashable, Sendable {
    /// A change of one key.
    package struct Event: Hashable, Sendable {
        /// True: the key was deleted.
        package var isDeletion = false
        /// The key as it is now; `modified` is the revision of the change.
        package var pair: KeyValue

        /// An event.
        package init(isDeletion: Bool, pair: KeyValue) {
            self.isDeletion = isDeletion
            self.pair = pair
        }

        init(_ octets: ArraySlice<UInt8>) throws(EtcdWireError) {
            pair = KeyValue(key: [], modified: 0, value: [], lease: 0)
            var reader = ProtobufReader(octets)
            while let (field, value) = try reader.next() {
                switch field {
                case 1: isDeletion = value.int == 1
                case 2: pair = try KeyValue(value.bytes)
                default: break
                }
            }
        }
    }

    /// The head.
    package var header = EtcdHeader()
    /// True in the first reply: the watch stands.
    package var isCreated = false
    /// True in the last reply: the watch has ended.
    package var isCanceled = false
    /// First revision that is still there, where the watch ended because it began before it; else 0.
    package var compacted: Int64 = 0
    /// Why it ended.
    package var reason = ""
    /// Changes, in order of their revisions; all of one revision are in one reply.
    package var events: [Event] = []

    /// A reply.
    package init(
        header: EtcdHeader, isCreated: Bool = false, isCanceled: Bool = false, compacted: Int64 = 0,
        events: [Event] = []
    ) {
        self.header = header
        self.isCreated = isCreated
        self.isCanceled = isCanceled
        self.compacted = compacted
        self.events = events
    }

    /// Reads a message.
    package init(_ message: [UInt8]) throws(EtcdWireError) {
        var reader = ProtobufReader(message[...])
        while let (field, value) = try reader.next() {
            switch field {
            case 1: header = try EtcdHeader(value.bytes)
            case 3: isCreated = value.bool
            case 4: isCanceled = value.bool
            case 5: compacted = value.int
            case 6: reason = String(decoding: value.bytes.prefix(Self.longestReason), as: UTF8.self)
            case 11: events.append(try Event(value.bytes))
            default: break
            }
        }
    }

    private static var longestReason: Int { 1024 }
}
