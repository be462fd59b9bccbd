// The records of one name, compiled: what the data plane copies into answers.

package import DNSWire

/// The records of a name as they go into answers: the owner is a pointer to the question (C00C), the TTL is set.
///
/// A name may have records of any types; those of one type are a run.
package struct RecordSet: Sendable, Equatable {
    /// The records of one type, one behind another.
    package struct Run: Sendable, Equatable {
        /// The type of all of them.
        package let type: RecordType
        /// All records.
        package fileprivate(set) var octets: [UInt8] = []
        /// Number of records: 1...``RecordSet/maximumCount``.
        package fileprivate(set) var count = 0
        /// The octets of each record; 0 where they differ.
        package fileprivate(set) var stride = 0
    }

    /// By type, each once.
    package private(set) var runs: [Run] = []

    /// The most records of one type: an answer counts them in 16 bits, and has room for fewer.
    package static let maximumCount = 4096

    package init() {}

    /// Adds an A or AAAA record.
    mutating func append(_ address: IPAddress, ttl: UInt32) {
        let (type, data) = RecordBuilder.data(address)
        append(type, ttl: ttl, data)
    }

    /// Adds a record; past ``maximumCount`` of its type it is left out.
    package mutating func append(_ type: RecordType, ttl: UInt32, _ data: [UInt8]) {
        let place = runs.firstIndex { $0.type.rawValue >= type.rawValue } ?? runs.count
        if place == runs.count {
            runs.append(Run(type: type))
        } else if runs[place].type != type {
            runs.insert(Run(type: type), at: place)
        }
        guard runs[place].count < Self.maximumCount else { return }
        // Most names have one record.
        if runs[place].count == 0 { runs[place].octets.reserveCapacity(RecordBuilder.fixedLength + data.count) }
        let length = RecordBuilder.append(type, ttl: ttl, data, to: &runs[place].octets)
        runs[place].stride = runs[place].count == 0 || runs[place].stride == length ? length : 0
        runs[place].count += 1
    }
}

/// Records of one type, in the tables of a directory.
struct RecordRun: Sendable {
    /// The type's number.
    var type: UInt16
    /// Number of records.
    var count: UInt16
    /// The octets of each record; 0 where they differ.
    var stride: UInt16
    /// The record that is first in the next answer.
    var next: UInt16 = 0
    /// Records from one answer's first to the next one's: forwards, or backwards.
    var step: UInt16
    /// Answers left in this round; 0: the next one begins a round.
    var left: UInt16 = 0
    /// Start and end of the records in the entry's octets.
    var start: UInt32
    var end: UInt32
}
