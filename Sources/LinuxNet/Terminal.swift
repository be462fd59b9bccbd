// A terminal that one program has to itself for a while: keys as they are pressed, and a screen of its own.

internal import CLinux
internal import SystemPackage

/// The terminal of standard input and output, in the state in which a program draws on it; as before when this object ends.
package final class Terminal {
    private enum Sequence {
        /// Second screen, and no cursor (xterm's control sequences, DECSET 1049 and DECRST 25).
        static let begin = "\u{1B}[?1049h\u{1B}[?25l"
        static let end = "\u{1B}[?25h\u{1B}[?1049l"
    }

    /// Standard input; its keys wake whoever waits for it.
    package let input: Descriptor
    private let before: termios

    /// True when standard input and output are a terminal on which a cursor can be placed.
    package static var isUsable: Bool {
        isatty(0) == 1 && Files.isTerminal(.standardOutput)
            && !["", "dumb"].contains(Environment.value(of: "TERM") ?? "")
    }

    /// Takes the terminal.
    /// - Throws: ``LinuxError`` where standard input is none.
    package init() throws(LinuxError) {
        let input = Descriptor(adopting: try system("fcntl") { clinux_duplicate(0) })
        var before = termios()
        // The kernel fills exactly one record.
        _ = try system("tcsetattr") { unsafe clinux_terminal_take_keys(0, &before) }
        self.input = input
        self.before = before
        Files.write(Sequence.begin, to: .standardOutput)
    }

    deinit {
        Files.write(Sequence.end, to: .standardOutput)
        var before = before
        // It reads exactly one record.
        _ = unsafe tcsetattr(0, TCSANOW, &before)
    }

    /// Keys that were pressed meanwhile, as octets; nil at the end of input.
    package func keys() -> [UInt8]? {
        guard clinux_wait_readable(input.rawValue, 0) == 1 else { return [] }
        let most = 64
        var buffer = [UInt8](repeating: 0, count: most)
        guard let count = try? input.read(into: &buffer) else { return nil }
        return count == 0 ? nil : Array(buffer.prefix(count))
    }

    /// Columns and lines, as they are now; 80 and 24 where the terminal does not tell.
    package var size: (columns: Int, lines: Int) {
        let lines = clinux_terminal_height(1)
        return (Files.terminalWidth(.standardOutput) ?? 80, lines > 0 ? Int(lines) : 24)
    }
}
