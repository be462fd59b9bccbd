// One request over a Unix socket and its response: a connection of its own, non-blocking, with a deadline.

import LinuxNet
import RuntimeWire
import SystemPackage

/// Why a request has no response.
struct ExchangeFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// A request that was sent, and what has come back so far.
final class HTTPExchange {
    /// Readable when more of the response has come; writable while the request is not out.
    let descriptor: Descriptor
    /// Time by which the response has to be complete; nil: it has no end.
    private(set) var deadline: MonotonicTime?
    private var reader: HTTPResponseReader
    private var unsent: [UInt8]
    private let request: HTTPRequest
    /// Empty until something comes: hundreds may wait for containers that start.
    private var buffer: [UInt8] = []

    /// Octets that are read at once.
    private static var bufferSize: Int { 64 * 1024 }

    /// Connects and begins to send a request.
    /// - Parameters:
    ///   - request: the request.
    ///   - path: the socket.
    ///   - limit: the most octets of the body; nil for a stream.
    ///   - timeout: time for the whole response; of a stream for its head.
    init(_ request: HTTPRequest, to path: String, limit: Int?, timeout: Duration) throws(ExchangeFailure) {
        do throws(LinuxError) {
            descriptor = try UnixSocket.connectAtOnce(path: path)
        } catch {
            throw ExchangeFailure(error.errno == .wouldBlock ? "too many wait for \(path)" : "\(error)")
        }
        var limits = HTTPLimits()
        limits.body = limit
        reader = HTTPResponseReader(limits: limits)
        self.request = request
        unsent = request.octets
        deadline = MonotonicTime.now + timeout
        try send()
    }

    /// True while a part of the request waits for room.
    var hasUnsent: Bool { !unsent.isEmpty }

    /// The response goes on for ever: it has no deadline any more.
    func forgetDeadline() { deadline = nil }

    /// Sends what is left of the request.
    func send() throws(ExchangeFailure) {
        do throws(LinuxError) {
            while !unsent.isEmpty {
                let octets = unsent
                guard let count = try descriptor.send(octets.span) else { return }
                unsent.removeFirst(count)
            }
        } catch {
            throw ExchangeFailure("\(error)")
        }
    }

    /// Reads what has come, at most one buffer, so that others have their turn.
    /// - Returns: the parts that are complete.
    func receive() throws(ExchangeFailure) -> [HTTPResponseReader.Part] {
        if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: Self.bufferSize) }
        let count: Int?
        do throws(LinuxError) {
            count = try descriptor.read(into: &buffer)
        } catch {
            throw ExchangeFailure("\(error)")
        }
        guard let count else { return [] }
        do throws(RuntimeWireError) {
            guard count > 0 else {
                guard let part = try reader.close() else { throw RuntimeWireError.cutOff }
                return [part]
            }
            reader.receive(buffer[..<count])
            var parts: [HTTPResponseReader.Part] = []
            while let part = try reader.next() {
                parts.append(part)
                // Nothing was asked behind this response.
                if part == .end { break }
            }
            return parts
        } catch {
            throw ExchangeFailure("GET /\(request.path.joined(separator: "/")): \(error)")
        }
    }
}

extension MonotonicTime {
    /// The time that comes so much later; a negative duration counts as none.
    static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        MonotonicTime(microseconds: time.microseconds &+ UInt64(max(0, duration.wholeMicroseconds)))
    }

    /// The time since the host started.
    var sinceStart: Duration { .microseconds(Int64(clamping: microseconds)) }
}

extension Duration {
    /// Whole microseconds, as far as they fit.
    var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product &+ attoseconds / 1_000_000_000_000
    }
}
