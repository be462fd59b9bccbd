// nftables, in the words of nft(8): by libnftables, which is loaded when it is first needed.

internal import CLinux
internal import Synchronization
internal import SystemPackage

/// The rules of the namespace that the calling thread is in.
enum Nftables {
    /// The library has state of its own.
    private static let turn = Mutex<Void>(())

    /// Runs commands as one transaction: all of them are in force then, or none.
    /// - Returns: what it printed, up to 64 KiB.
    /// - Throws: ``LinuxError`` of kind ``LinuxError/Kind/noNftables``, with what is to be done in its subject.
    @discardableResult
    static func run(_ commands: String) throws(LinuxError) -> String {
        try requireKernel()
        var text = [CChar](repeating: 0, count: 64 * 1024)
        let failure = turn.withLock { _ -> Errno? in
            // The commands are a NUL-terminated string, and the buffer as long as said, while the call runs.
            unsafe clinux_nftables_run(commands, &text, text.count) == 0 ? nil : Errno(rawValue: clinux_errno())
        }
        let said = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        switch failure {
        case nil: return said
        case .noFunction?: throw unavailable("libnftables is not installed; on Debian: apt-get install libnftables1")
        case let errno?: throw unavailable(reason(in: said) ?? "\(errno)")
        }
    }

    /// The library ends the process where it cannot have a socket of nfnetlink; so it is not asked then.
    private static func requireKernel() throws(LinuxError) {
        do throws(LinuxError) {
            _ = try NftablesMonitor.socket()
        } catch {
            throw error.errno == .protocolNotSupported
                ? unavailable("the kernel has no nfnetlink; load the module nf_tables, or use a kernel that has it")
                : error
        }
    }

    private static func unavailable(_ why: String) -> LinuxError {
        LinuxError(call: "nftables", errno: .notSupported, subject: why, kind: .noNftables)
    }

    /// The first complaint, which is followed by the command with marks under it.
    private static func reason(in text: String) -> String? {
        guard let line = text.split(whereSeparator: \.isNewline).first else { return nil }
        // "Error: Could not process rule: Operation not supported", where a part of nftables is not in the kernel.
        let words = line.split(separator: ": ").dropFirst().joined(separator: ": ")
        return words.isEmpty ? String(line) : "\(words) (is nf_tables with nat and connection tracking in the kernel?)"
    }
}
