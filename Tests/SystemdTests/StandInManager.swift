// A service manager of the tests' own: it listens at NOTIFY_SOCKET and keeps what is stored.

import Glibc
import LinuxNet
import Systemd
import Testing

/// A service manager that records the notices of a process under test. It changes the environment, so it lives in a
/// process of its own.
struct StandInManager: ~Copyable {
    private let socket: Descriptor
    private let path: String

    init() throws {
        path = "/tmp/intercom-test-\(ProcessDescriptor.own)-\(Entropy.word())"
        socket = try UnixSocket.datagrams(at: path)
        setVariable("NOTIFY_SOCKET", path)
    }

    deinit { try? Files.unlink(path) }

    /// The next message's assignments.
    func message() throws -> [String] {
        try take { _, _ in }
    }

    /// The next message's assignments; `body` is lent how many descriptors came, and them.
    func take(_ body: (Int, inout PassedDescriptors) throws -> Void) throws -> [String] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard var received = try socket.receivePassed(into: &buffer) else { return [] }
        let count = received.descriptors.count
        try body(count, &received.descriptors)
        return String(decoding: buffer[..<received.count], as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// Sets a variable of the environment, or removes it.
func setVariable(_ name: String, _ value: String?) {
    // Strings that the C library copies; nothing else in the process looks at the environment meanwhile.
    if let value { unsafe setenv(name, value, 1) } else { unsafe unsetenv(name) }
}
