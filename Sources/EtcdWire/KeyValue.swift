// Parts that several messages have: the header of replies, and keys with their values.

/// The head of each reply.
package struct EtcdHeader: Hashable, Sendable {
    /// The cluster's number, which a store that is made anew does not share.
    package var cluster: UInt64 = 0
    /// Revision of the store when it replied; 0: the reply had none.
    package var revision: Int64 = 0

    /// A head.
    package init(cluster: UInt64 = 0, revision: Int64 = 0) {
        self.cluster = cluster
        self.revision = revision
    }

    init(_ octets: ArraySlice<UInt8>) throws(EtcdWireError) {
        var reader = ProtobufReader(octets)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: cluster = UInt64(bitPattern: value.int)
            case 3: revision = value.int
            default: break
            }
        }
    }
}

/// A key with its value, as the store has them.
package struct KeyValue: Hashable, Sendable {
    /// The key.
    package var key: [UInt8] = []
    /// Revision of its last change, of a deletion the revision of that.
    package var modified: Int64 = 0
    /// The value; of a deletion none.
    package var value: [UInt8] = []
    /// The lease that takes it away; 0: none.
    package var lease: Int64 = 0

    /// A key with its value.
    package init(key: [UInt8], modified: Int64, value: [UInt8], lease: Int64) {
        self.key = key
        self.modified = modified
        self.value = value
        self.lease = lease
    }

    init(_ octets: ArraySlice<UInt8>) throws(EtcdWireError) {
        var reader = ProtobufReader(octets)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: key = Array(value.bytes)
            case 3: modified = value.int
            case 5: self.value = Array(value.bytes)
            case 6: lease = value.int
            default: break
            }
        }
    }
}

/// Keys from one on, up to another.
package struct KeyRange: Hashable, Sendable {
    /// The first key.
    package var start: [UInt8]
    /// The first key that is no more of it; empty: `start` is the only one.
    package var end: [UInt8]

    /// One key.
    package init(key: [UInt8]) {
        start = key
        end = []
    }

    /// All keys that begin so; a prefix has no octet 0xFF.
    package init(prefix: [UInt8]) {
        start = prefix
        end = prefix
        if let last = end.popLast() { end.append(last &+ 1) }
    }

    /// Keys from one on, up to another.
    package init(from start: [UInt8], to end: [UInt8]) {
        self.start = start
        self.end = end
    }

    /// Keys of this range that come after one.
    package func after(_ key: [UInt8]) -> KeyRange {
        var rest = self
        rest.start = key + [0]
        return rest
    }

    /// True when the key is one of them.
    package func contains(_ key: [UInt8]) -> Bool {
        end.isEmpty ? key == start : !key.lexicographicallyPrecedes(start) && key.lexicographicallyPrecedes(end)
    }
}
