// Calls of etcd's services KV and Lease, each with one reply (etcd, api/etcdserverpb/rpc.proto).

/// A call.
package enum EtcdCall: Hashable, Sendable {
    /// Reads keys, linearizably.
    case range(RangeRequest)
    /// Changes keys where a condition holds.
    case transaction(Transaction)
    /// Makes a lease that lasts so many seconds; etcd gives its number.
    case grantLease(seconds: Int64)
    /// Has a lease last its time anew. The service takes a stream of such requests, of which this sends one.
    case keepAlive(lease: Int64)
    /// Ends a lease with its keys.
    case revokeLease(Int64)

    /// The path of the method.
    package var path: String {
        switch self {
        case .range: "/etcdserverpb.KV/Range"
        case .transaction: "/etcdserverpb.KV/Txn"
        case .grantLease: "/etcdserverpb.Lease/LeaseGrant"
        case .keepAlive: "/etcdserverpb.Lease/LeaseKeepAlive"
        case .revokeLease: "/etcdserverpb.Lease/LeaseRevoke"
        }
    }

    /// The request's message.
    package var message: [UInt8] {
        var writer = ProtobufWriter()
        switch self {
        case .range(let request): request.write(to: &writer)
        case .transaction(let transaction): transaction.write(to: &writer)
        case .grantLease(let seconds): writer.append(1, seconds)
        case .keepAlive(let lease), .revokeLease(let lease): writer.append(1, lease)
        }
        return writer.octets
    }

    /// Reads the reply of this call.
    package func reply(from message: [UInt8]) throws(EtcdWireError) -> EtcdReply {
        switch self {
        case .range: .range(try RangeReply(message[...]))
        case .transaction: .transaction(try TransactionReply(message[...]))
        case .grantLease, .keepAlive, .revokeLease: .lease(try LeaseReply(message[...]))
        }
    }
}

/// Keys to read.
package struct RangeRequest: Hashable, Sendable {
    /// Keys to read, in their order.
    package var keys: KeyRange
    /// The most of them; 0: all.
    package var limit: Int64
    /// Revision of the store that is read; 0: the newest.
    package var revision: Int64

    /// A request.
    package init(keys: KeyRange, limit: Int64 = 0, revision: Int64 = 0) {
        self.keys = keys
        self.limit = limit
        self.revision = revision
    }

    func write(to writer: inout ProtobufWriter) {
        writer.append(1, keys.start)
        writer.append(2, keys.end)
        writer.append(3, limit)
        writer.append(4, revision)
    }
}

/// Changes that are made together where a condition holds.
package struct Transaction: Hashable, Sendable {
    /// A condition of one key.
    package enum Condition: Hashable, Sendable {
        /// The key was changed last at this revision; 0: there is no such key.
        case modified(key: [UInt8], Int64)
        /// The key has this lease.
        case lease(key: [UInt8], Int64)
    }

    /// A change of one key.
    package enum Change: Hashable, Sendable {
        /// Sets a value that goes with a lease.
        case put(key: [UInt8], value: [UInt8], lease: Int64)
        /// Removes the key.
        case delete(key: [UInt8])

        /// The key.
        package var key: [UInt8] {
            switch self {
            case .put(let key, _, _), .delete(let key): key
            }
        }
    }

    /// The condition.
    package var condition: Condition
    /// The changes; no key twice.
    package var changes: [Change]

    /// A transaction.
    package init(if condition: Condition, then changes: [Change]) {
        self.condition = condition
        self.changes = changes
    }

    func write(to writer: inout ProtobufWriter) {
        writer.appendMessage(1) { compare in
            // Compare: result EQUAL is 0; target MOD is 2, LEASE is 4; the value stands in a field of its own.
            switch condition {
            case .modified(let key, let revision):
                compare.append(2, 2)
                compare.append(3, key)
                compare.append(6, revision)
            case .lease(let key, let lease):
                compare.append(2, 4)
                compare.append(3, key)
                compare.append(8, lease)
            }
        }
        for change in changes {
            writer.appendMessage(2) { operation in
                switch change {
                case .put(let key, let value, let lease):
                    operation.appendMessage(2) { put in
                        put.append(1, key)
                        put.append(2, value)
                        put.append(3, lease)
                    }
                case .delete(let key): operation.appendMessage(3) { $0.append(1, key) }
                }
            }
        }
    }
}
