// A connection to the daemon's control socket, of which no call takes longer than its time-out.

package import ControlAPI
package import LinuxNet
import SystemPackage
import Varlink

/// Failure of a call of the daemon, as a line for the log.
package struct ControlFailure: Error, CustomStringConvertible {
    /// Failed on what, and what to do.
    package let description: String
    /// True where the daemon has answered: the same call would be refused again.
    package let isRefusal: Bool
}

/// A connection to the daemon.
package final class ControlConnection {
    /// Readable when the daemon has closed it.
    package let descriptor: Descriptor
    private let path: String
    private let timeout: Duration
    private var framer = VarlinkFramer()
    private var buffer = [UInt8](repeating: 0, count: 16 * 1024)

    /// Connects.
    /// - Parameters:
    ///   - path: the control socket.
    ///   - timeout: the most time for connecting, for a request and for its reply, each.
    /// - Throws: ``ControlFailure`` where there is no daemon, or this user may not call it.
    package init(path: String, timeout: Duration) throws(ControlFailure) {
        self.path = path
        self.timeout = timeout
        do throws(LinuxError) {
            descriptor = try UnixSocket.connect(path: path, timeout: timeout)
        } catch {
            throw ControlFailure(description: Self.text(error, path), isRefusal: false)
        }
    }

    private static func text(_ error: LinuxError, _ path: String) -> String {
        switch error.errno {
        case .permissionDenied: "may not use \(path): this user has to be in the group of the control socket"
        case .noSuchFileOrDirectory, .connectionRefused: "no daemon at \(path) (\(error.errno))"
        case .wouldBlock: "the daemon at \(path) does not answer"
        default: "\(error)"
        }
    }

    /// Calls a method and waits for its reply.
    /// - Throws: ``ControlFailure``. Where it is no refusal, the connection is of no more use.
    package func call<Method: ControlMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters
    ) throws(ControlFailure) -> Method.Reply {
        do throws(LinuxError) {
            let message = VarlinkCall.encode(method: Method.name, parameters: parameters)
            var sent = 0
            while sent < message.count {
                guard let count = try descriptor.write(message.span.extracting(sent..<message.count)) else {
                    throw LinuxError(call: "write", errno: .wouldBlock)
                }
                sent += count
            }
        } catch {
            throw ControlFailure(description: Self.text(error, path), isRefusal: false)
        }
        return try reply(of: method)
    }

    private func reply<Method: ControlMethod>(of method: Method.Type) throws(ControlFailure) -> Method.Reply {
        let message = try nextMessage()
        guard let response = try? VarlinkResponse(message: message) else { throw noVarlink }
        if response.error != nil {
            // Errors of Varlink itself: the daemon does not know the method, or a parameter.
            guard let explained = try? response.parameters(Explained.self) else { throw otherVersion }
            throw ControlFailure(description: "the daemon refused: \(explained.message)", isRefusal: true)
        }
        guard let reply = try? response.parameters(Method.Reply.self) else { throw otherVersion }
        return reply
    }

    private var otherVersion: ControlFailure {
        ControlFailure(
            description: "the daemon at \(path) is of another version; restart it (systemctl restart intercom)",
            isRefusal: false)
    }

    /// Parameter that every error of the daemon has.
    private struct Explained: Decodable {
        var message: String
    }

    private func nextMessage() throws(ControlFailure) -> [UInt8] {
        let deadline = MonotonicTime.now + timeout
        while true {
            if let message = framer.next() { return message }
            let count: Int?
            do throws(LinuxError) {
                count = try descriptor.read(into: &buffer)
            } catch {
                throw ControlFailure(description: Self.text(error, path), isRefusal: false)
            }
            // A daemon that sends an octet now and then is one that does not answer, too.
            guard let count, MonotonicTime.now.microseconds < deadline.microseconds else {
                throw ControlFailure(description: "the daemon at \(path) does not answer", isRefusal: false)
            }
            if count == 0 {
                throw ControlFailure(description: "the daemon at \(path) closed the connection", isRefusal: false)
            }
            do throws(VarlinkFramerError) {
                try framer.feed(buffer, count)
            } catch {
                throw noVarlink
            }
        }
    }

    private var noVarlink: ControlFailure {
        ControlFailure(description: "the server at \(path) does not speak Varlink", isRefusal: false)
    }
}
