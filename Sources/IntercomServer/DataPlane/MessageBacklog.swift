// Messages of the control plane that a worker has taken, carried out turn by turn: questions wait no longer for many changes.

import LinuxNet
import Registry

/// A worker's mailbox, and what it has taken from that.
struct WorkerInbox {
    let mailbox: Mailbox<WorkerMessage>
    var backlog = MessageBacklog()

    /// Takes what lies in the mailbox.
    mutating func take() {
        backlog.add(mailbox.takeAll())
    }
}

/// Messages in their order, and how much of them a turn of the loop has time for.
///
/// A store's first synchronization brings some hundred thousand changes. Between two parts of them questions are answered.
struct MessageBacklog {
    /// The next thing to do.
    enum Step {
        case message(WorkerMessage)
        case changes(ArraySlice<DirectoryChange>)
    }

    /// Changes of the directory in one turn: some tenths of a millisecond. As many in one message, or fewer, are carried out
    /// together: nobody sees a half of them.
    static let changesInTurn = 256

    private var messages: [WorkerMessage] = []
    /// Messages that are done, and changes of the next one that are.
    private var done = 0
    private var changesDone = 0
    private var left = Self.changesInTurn

    var isEmpty: Bool { done == messages.count }

    mutating func add(_ new: [WorkerMessage]) {
        messages += new
    }

    /// Begins a turn.
    mutating func beginTurn() {
        left = Self.changesInTurn
    }

    /// Gives the next thing to do in this turn; nil when there is nothing, or no time.
    mutating func next() -> Step? {
        guard !isEmpty else { return nil }
        guard case .directory(let changes) = messages[done] else {
            let message = messages[done]
            finishMessage()
            return .message(message)
        }
        let rest = changes.count - changesDone
        let isWhole = rest <= left
        guard isWhole || changes.count > Self.changesInTurn && left > 0 else { return nil }
        let part = changes[changesDone..<changesDone + min(rest, left)]
        left -= part.count
        if isWhole { finishMessage() } else { changesDone += part.count }
        return .changes(part)
    }

    private mutating func finishMessage() {
        done += 1
        changesDone = 0
        guard isEmpty else { return }
        messages = []
        done = 0
    }
}
