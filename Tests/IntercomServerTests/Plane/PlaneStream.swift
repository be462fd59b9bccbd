// A client of a daemon whose replies do not end: a bridge, or somebody who watches.

import ControlAPI
import LinuxNet
import Testing
import Varlink

/// A connection with one call of `more`, whose replies are read one by one.
final class PlaneStream<Method: ControlMethod> {
    private let descriptor: Descriptor
    private var framer = VarlinkFramer()
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

    /// - Parameter socket: path of the control socket or of the cluster's.
    init(_ method: Method.Type, _ parameters: Method.Parameters, at socket: String) throws {
        descriptor = try UnixSocket.connect(path: socket, timeout: .seconds(10))
        let call = VarlinkCall.encode(method: Method.name, parameters: parameters, more: true)
        _ = try descriptor.write(call.span)
    }

    /// A call that the daemon refuses.
    struct Refusal: Error {
        var name: String
    }

    /// The next reply, which comes within ten seconds.
    func next() throws -> Method.Reply {
        while true {
            if let message = framer.next() {
                let response = try VarlinkResponse(message: message)
                if let error = response.error { throw Refusal(name: error) }
                return try response.parameters(Method.Reply.self)
            }
            let count = try #require(try descriptor.read(into: &buffer))
            try #require(count > 0, "the connection has ended")
            try framer.feed(buffer, count)
        }
    }

    /// Replies until one is as wanted, that one included.
    func next(until isWanted: (Method.Reply) -> Bool) throws -> [Method.Reply] {
        var replies = [try next()]
        while replies.last.map(isWanted) != true { replies.append(try next()) }
        return replies
    }
}
