// Messages from any thread to one thread's loop.

internal import Synchronization

/// A queue that any thread posts to, and that wakes the loop of the thread that takes from it.
package final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let event: EventFD

    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package init() throws(LinuxError) {
        event = try EventFD()
    }

    /// Readable while messages wait; for ``Epoll/add(_:token:interest:)``.
    package var descriptor: Descriptor {
        _read { yield event.descriptor }
    }

    /// Adds a message after those that wait.
    package func post(_ message: Message) {
        post(contentsOf: CollectionOfOne(message))
    }

    /// Adds messages, in their order, with nothing between them.
    package func post(contentsOf new: some Collection<Message>) {
        if new.isEmpty { return }
        let wasEmpty = messages.withLock { messages in
            let wasEmpty = messages.isEmpty
            messages.append(contentsOf: new)
            return wasEmpty
        }
        // If messages wait already, their sender has signalled, and the receiver takes these, too.
        if wasEmpty { event.signal() }
    }

    /// Adds a message and leaves it to the caller to wake the loop, by ``wake()`` or by a ``Bell`` that it watches, before anything
    /// else is posted.
    package func deposit(_ message: Message) { messages.withLock { $0.append(message) } }

    /// Wakes the loop for messages that were deposited.
    package func wake() { event.signal() }

    /// All messages that wait, in the order of their posts. Only one thread takes.
    package func takeAll() -> [Message] {
        // First drained, then taken: a post between the two wakes once too often, never once too little.
        event.drain()
        return messages.withLock { messages in
            var taken: [Message] = []
            swap(&taken, &messages)
            return taken
        }
    }
}
