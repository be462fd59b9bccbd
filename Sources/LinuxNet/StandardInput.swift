// Standard input of a program that another one starts, and that may not wait for it for ever.

internal import CLinux
internal import SystemPackage

/// Descriptor 0.
package enum StandardInput {
    /// Reads all that comes until the end of input, or until it is enough.
    /// - Parameters:
    ///   - limit: the most octets.
    ///   - timeout: the longest wait, for all of it.
    ///   - isEnough: true when what has come is all that is wanted.
    /// - Throws: ``LinuxError``: `fileTooLarge` over the limit, `timedOut` where the end has not come in time.
    package static func readAll(
        limit: Int, timeout: Duration, until isEnough: ([UInt8]) -> Bool = { _ in false }
    ) throws(LinuxError) -> [UInt8] {
        let input = Descriptor(adopting: try system("fcntl") { clinux_duplicate(0) })
        let start = ContinuousClock.now
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let rest = timeout - (ContinuousClock.now - start)
            let (seconds, attoseconds) = rest.components
            let milliseconds = Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
            guard rest > .zero, clinux_wait_readable(input.rawValue, milliseconds + 1) == 1 else {
                throw LinuxError(call: "read", errno: .timedOut, subject: "standard input")
            }
            guard let count = try input.read(into: &buffer) else { continue }
            if count == 0 { return octets }
            octets += buffer[..<count]
            guard octets.count <= limit else {
                throw LinuxError(call: "read", errno: .fileTooLarge, subject: "standard input")
            }
            if isEnough(octets) { return octets }
        }
    }
}
