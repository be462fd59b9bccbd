// Replies of etcd's services KV and Lease.

/// The reply of a call.
package enum EtcdReply: Hashable, Sendable {
    /// Keys and values of a range.
    case range(RangeReply)
    /// Outcome of a transaction.
    case transaction(TransactionReply)
    /// State of a lease, whatever was called about it.
    case lease(LeaseReply)
}

/// Keys that were read.
package struct RangeReply: Hashable, Sendable {
    /// The head.
    package var header = EtcdHeader()
    /// The keys, in their order.
    package var pairs: [KeyValue] = []
    /// True where there are more than the limit.
    package var more = false
    /// Number of all keys of the range, those past the limit included.
    package var count: Int64 = 0

    /// A reply.
    package init(header: EtcdHeader, pairs: [KeyValue], more: Bool) {
        self.header = header
        self.pairs = pairs
        self.more = more
    }

    init(_ octets: ArraySlice<UInt8>) throws(EtcdWireError) {
        var reader = ProtobufReader(octets)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: header = try EtcdHeader(value.bytes)
            case 2: pairs.append(try KeyValue(value.bytes))
            case 3: more = value.bool
            case 4: count = value.int
            default: break
            }
        }
    }
}

/// Outcome of a transaction.
package struct TransactionReply: Hashable, Sendable {
    /// The head; its revision is that of the changes.
    package var header = EtcdHeader()
    /// True where the condition held, and the changes were made.
    package var succeeded = false

    /// A reply.
    package init(header: EtcdHeader, succeeded: Bool) {
        self.header = header
        self.succeeded = succeeded
    }

    init(_ octets: ArraySlice<UInt8>) throws(EtcdWireError) {
        var reader = ProtobufReader(octets)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: header = try EtcdHeader(value.bytes)
            case 2: succeeded = value.bool
            default: break
            }
        }
    }
}

/// A lease as it is now.
package struct LeaseReply: Hashable, Sendable {
    /// The head.
    package var header = EtcdHeader()
    /// Its number.
    package var lease: Int64 = 0
    /// Seconds that it lasts from now; not more than 0: there is no such lease.
    package var seconds: Int64 = 0

    /// A reply.
    package init(header: EtcdHeader, lease: Int64, seconds: Int64) {
        self.header = header
        self.lease = lease
        self.seconds = seconds
    }

    init(_ octets: ArraySlice<UInt8>) throws(EtcdWireError) {
        var reader = ProtobufReader(octets)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: header = try EtcdHeader(value.bytes)
            case 2: lease = value.int
            case 3: seconds = value.int
            default: break
            }
        }
    }
}
