// Random octets from the kernel, getrandom(2).

internal import CLinux

/// The kernel's random number generator, fit for ids that nobody may guess.
package enum Entropy {
    /// Fills `buffer`.
    package static func bytes(into buffer: inout [UInt8]) {
        var filled = 0
        while filled < buffer.count {
            let start = filled
            let count = try? uninterrupted {
                // The rest of the array's own storage, used only while the closure runs.
                unsafe buffer.withUnsafeMutableBytes {
                    unsafe getrandom($0.baseAddress.map { unsafe $0 + start }, $0.count - start, 0)
                }
            }
            // Without flags it waits until it can, and nothing from outside is in the call: it has no error to tell of but ENOSYS before
            // Linux 3.17. Going on would be worse: somebody could guess the octets.
            guard let count else { fatalError("getrandom failed") }
            filled += count
        }
    }

    /// 64 random bits.
    package static func word() -> UInt64 {
        var buffer = [UInt8](repeating: 0, count: 8)
        bytes(into: &buffer)
        return buffer.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
