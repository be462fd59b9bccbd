// The directory of what outlives a restart: reads the declarations that are kept there, and keeps those that come.

import LinuxNet
import Logging
import Synchronization
import SystemPackage

/// Keeps declarations in a file. A declaration is in the file when the call that made it returns: it outlives the
/// daemon's end, however sudden; the host's power it outlives a moment later.
///
/// While the directory cannot be used, nothing can be declared; declarations in force stay so.
struct StateDirectory: ~Copyable {
    /// File with the identity of this boot (random(4)).
    private static let bootPath = "/proc/sys/kernel/random/boot_id"
    /// The most that is read: several million declarations.
    private static let limit = 1 << 30

    let path: String
    private let logger: Logger
    private let boot: String
    /// Declarations in force.
    private var declarations = Declarations()
    /// Until ``write()``, what is kept is in memory alone.
    private var isRestoring = true
    private var lock: Descriptor?
    private var file: AppendFile?
    /// Declarations in the file: more than are in force, once some were removed.
    private var written = 0
    /// True when declarations were appended since ``synchronize()``.
    private var hasAppended = false
    private var flusher: Flusher

    private var filePath: String { "\(path)/declarations" }

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
        flusher = Flusher(logger: logger)
        let text = try? Files.readText(Self.bootPath, limit: 256)
        boot = (text ?? nil)?.split(separator: "\n").first.map(String.init) ?? ""
    }

    // MARK: - At the start

    /// Reads what was declared before. A file that is not as it should be is set aside under another name, and what can
    /// be understood of it counts.
    ///
    /// None of it holds until it is declared anew: what is kept from now on replaces it, with ``write()``.
    /// - Returns: what was declared; and whether namespaces and processes are still told apart as they were then.
    /// - Throws: ``LinuxError`` of kind `inUse` where another daemon uses the directory.
    mutating func load() throws(LinuxError) -> (Declarations, isSameBoot: Bool) {
        do throws(LinuxError) {
            try open()
        } catch  where error.kind != .inUse {
            logger.error(
                "cannot save declarations, so control calls that declare are refused: \(error)",
                metadata: .about(.stateNotKept))
        }
        let content = read()
        if let problem = content.problem { setAside(problem, kept: content.declarations.count) }
        var before = Declarations()
        for declaration in content.declarations { before.apply(declaration) }
        return (before, content.boot == boot && !boot.isEmpty)
    }

    private func read() -> DeclarationsText.Content {
        do throws(LinuxError) {
            return DeclarationsText.parse(try Files.readBytes(filePath, limit: Self.limit) ?? [])
        } catch {
            var content = DeclarationsText.Content()
            content.problem = "it cannot be read: \(error)"
            return content
        }
    }

    private func setAside(_ problem: String, kept: Int) {
        var other = "\(filePath).damaged"
        for number in 2..<100 where Files.exists(other) { other = "\(filePath).damaged-\(number)" }
        do throws(LinuxError) {
            try Files.rename(filePath, to: other)
            logger.warning(
                "\(filePath): \(problem); moved to \(other), and \(kept) of its declarations are in force",
                metadata: .about(.stateDamaged))
        } catch {
            logger.warning(
                "\(filePath): \(problem); \(kept) of its declarations are in force; cannot move it away: \(error)",
                metadata: .about(.stateDamaged))
        }
    }

    /// Takes the directory for this process, and makes it if it is absent.
    private mutating func open() throws(LinuxError) {
        guard lock == nil else { return }
        try Files.makeDirectories(path)
        guard let lock = try Files.lock(directory: path) else {
            throw LinuxError(call: "flock", errno: .wouldBlock, subject: path, kind: .inUse)
        }
        self.lock = consume lock
    }

    // MARK: - Afterwards

    /// Makes sure that a declaration of this many octets can be kept.
    /// - Throws: ``LinuxError``: nothing may be declared then.
    mutating func reserve(_ octets: Int) throws(LinuxError) {
        try open()
        if file == nil { try write() }
        try file?.reserve(octets)
    }

    /// True when something is declared of a subject.
    func holds(_ subject: Declarations.Subject) -> Bool { declarations[subject] != nil }

    /// Keeps a call that was carried out.
    mutating func keep<Method: PersistedMethod>(_ method: Method.Type, _ parameters: Method.Parameters) {
        keep([Declaration(method, parameters)])
    }

    /// Keeps calls that belong together.
    mutating func keep(_ new: [Declaration]) {
        for declaration in new { declarations.apply(declaration) }
        if isRestoring { return }
        do throws(LinuxError) {
            guard file != nil, written < 1000 + 2 * declarations.count else { return try write() }
            try file?.append(new.flatMap(DeclarationsText.line))
            written += new.count
            hasAppended = true
        } catch {
            fail(error)
        }
    }

    private mutating func fail(_ error: LinuxError) {
        // Without a file all is written anew before the next declaration is taken.
        file = nil
        logger.error("cannot save declarations: \(error)", metadata: .about(.stateNotKept))
    }

    /// Has what was appended since the last time written to the disk, on another thread.
    mutating func synchronize() {
        guard hasAppended else { return }
        hasAppended = false
        do throws(LinuxError) {
            if flusher.wantsFile(), let descriptor = try file?.duplicate() { flusher.start(descriptor) }
        } catch {
            fail(error)
        }
    }

    /// Writes the file anew, with what holds now.
    /// - Throws: ``LinuxError``; the file is as it was then.
    mutating func write() throws(LinuxError) {
        isRestoring = false
        try open()
        let all = declarations.all
        file = nil
        try Files.writeDurably(
            filePath, DeclarationsText.header(boot: boot) + all.flatMap(DeclarationsText.line), mode: 0o600)
        file = try AppendFile(path: filePath, mode: 0o600)
        flusher = Flusher(logger: logger)
        written = all.count
        hasAppended = false
    }
}

/// Has one file written to the disk on a thread of its own, and not more often than is of use.
private final class Flusher: Sendable {
    private struct State {
        var isWanted = false
        var isRunning = false
    }

    /// Milliseconds for which it gathers what is appended: one wait for the disk for all of it, and none while the change itself is
    /// on its way to workers and other hosts.
    private static let gathering = 10

    private let state = Mutex(State())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Says that something was appended, which is on the disk within moments.
    /// - Returns: whether ``start(_:)`` has to be called: no thread is at it.
    func wantsFile() -> Bool {
        state.withLock { state in
            state.isWanted = true
            return !state.isRunning
        }
    }

    /// Starts the thread; it ends when nothing more was appended.
    func start(_ file: consuming Descriptor) {
        state.withLock { $0.isRunning = true }
        let file = Handover(file)
        do throws(LinuxError) {
            try Thread.start(name: "flush") { [self] in
                guard let file = file.take() else { return }
                Thread.pause(milliseconds: Self.gathering)
                while isWanted() {
                    synchronize(file)
                    Thread.pause(milliseconds: Self.gathering)
                }
            }
        } catch {
            state.withLock { $0.isRunning = false }
            logger.warning("cannot sync declarations to the disk for now: \(error)")
        }
    }

    private func isWanted() -> Bool {
        state.withLock { state in
            defer { state = State(isWanted: false, isRunning: state.isWanted) }
            return state.isWanted
        }
    }

    private func synchronize(_ descriptor: borrowing Descriptor) {
        do throws(LinuxError) {
            try Files.synchronize(descriptor)
        } catch {
            logger.error("cannot sync declarations to the disk: \(error)", metadata: .about(.stateNotKept))
        }
    }
}
