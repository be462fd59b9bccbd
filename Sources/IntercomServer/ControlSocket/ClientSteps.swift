// The clients of the control socket whose next step can be taken, in turn.

import DequeModule
import LinuxNet
import Tables

/// Calls that can begin, and replies that can have their next piece; and a descriptor by which the loop has another turn for them.
struct ClientSteps: ~Copyable {
    private var calls: Deque<Ticket> = []
    private var pieces: Deque<Ticket> = []
    /// Signalled while there is work for another turn that no client's event tells of.
    private let work: EventFD
    private var isSignalled = false
    private var isInTurn = false

    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    init() throws(LinuxError) {
        work = try EventFD()
    }

    /// Readable while there is work for another turn.
    var descriptor: Descriptor {
        _read { yield work.descriptor }
    }

    var hasCall: Bool { !calls.isEmpty }

    /// Queues a client whose next call can begin, or whose reply can have its next piece.
    mutating func add(_ client: Ticket, isPiece: Bool) {
        if isPiece { pieces.append(client) } else { calls.append(client) }
        if !isInTurn { signal() }
    }

    mutating func takeCall() -> Ticket? { calls.popFirst() }
    mutating func takePiece() -> Ticket? { pieces.popFirst() }

    /// Begins a turn: what is added in it needs no signal, as it may be done in it.
    mutating func beginTurn() { isInTurn = true }

    /// Ends a turn: what is left gets another one.
    mutating func endTurn() {
        isInTurn = false
        signal()
    }

    private mutating func signal() {
        let hasWork = hasCall || !pieces.isEmpty
        guard hasWork != isSignalled else { return }
        isSignalled = hasWork
        if hasWork { work.signal() } else { work.drain() }
    }
}
