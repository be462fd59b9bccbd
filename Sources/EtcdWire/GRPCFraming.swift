// gRPC over HTTP/2: messages in a stream of octets, each behind five octets (grpc.io, "PROTOCOL-HTTP2").

/// Frames of gRPC.
package enum GRPCFrame {
    /// A compression flag of 0 and four octets of length.
    static var headerSize: Int { 5 }

    /// One message with its header.
    package static func octets(of message: [UInt8]) -> [UInt8] {
        let length = UInt32(truncatingIfNeeded: message.count)
        let header: [UInt8] = [
            0, UInt8(length >> 24), UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF),
        ]
        return header + message
    }
}

/// Cuts a stream into messages, however they arrive.
package struct GRPCFramer: Sendable {
    private var octets: [UInt8] = []
    private var start = 0
    private let limit: Int

    /// - Parameter limit: the most octets of one message; a longer one ends the stream.
    package init(limit: Int) { self.limit = limit }

    /// Takes what has arrived.
    package mutating func feed(_ arrived: [UInt8]) {
        if start > 0 {
            octets.removeSubrange(..<start)
            start = 0
        }
        octets += arrived
    }

    /// The next complete message; nil when more has to come.
    /// - Throws: ``EtcdWireError/compressed`` or ``EtcdWireError/tooLong(limit:)``; the stream is of no more use then.
    package mutating func next() throws(EtcdWireError) -> [UInt8]? {
        let rest = octets[start...]
        guard rest.count >= GRPCFrame.headerSize, let flag = rest.first else { return nil }
        guard flag == 0 else { throw .compressed }
        let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard length <= limit else { throw .tooLong(limit: limit) }
        let message = rest.dropFirst(GRPCFrame.headerSize).prefix(length)
        guard message.count == length else { return nil }
        start = message.endIndex
        return Array(message)
    }
}

/// The outcome of a call, as the trailers `grpc-status` and `grpc-message` say it.
package struct GRPCStatus: Error, Hashable, Sendable, CustomStringConvertible {
    /// Codes that something depends on (grpc.io, "Status codes").
    package enum Code: Int, Sendable {
        /// The call was carried out.
        case ok = 0
        /// The request makes no sense, whatever the state.
        case invalidArgument = 3
        /// The time was over before the call was.
        case deadlineExceeded = 4
        /// Nothing of that name is there, as a lease.
        case notFound = 5
        /// The user may not do this.
        case permissionDenied = 7
        /// The state does not allow it, as where authentication is off.
        case failedPrecondition = 9
        /// A revision was compacted, or is of the future.
        case outOfRange = 11
        /// The member cannot serve now, as without a leader; the call may be made again.
        case unavailable = 14
        /// Nobody knows who calls.
        case unauthenticated = 16
    }

    /// The number; 0: done.
    package let number: Int
    /// Text of the server, without control characters.
    package let message: String

    /// The outcome by its parts.
    package init(number: Int, message: String) {
        self.number = number
        self.message = message
    }

    /// - Parameters:
    ///   - number: the trailer `grpc-status`.
    ///   - encoded: the trailer `grpc-message`, percent-encoded; of a hostile length it is cut.
    package init(number: Int, encoded: String) {
        self.init(number: number, message: PercentEncoding.decode(String(encoded.prefix(Self.longestMessage))))
    }

    private static var longestMessage: Int { 1024 }

    /// The code, where it is one of those that something depends on.
    package var code: Code? { Code(rawValue: number) }

    package var description: String { message.isEmpty ? "gRPC status \(number)" : message }
}
