// Messages that nobody took: counted, and told when there is a reader again.

import Logging
import Synchronization

/// Keeps a log from holding up who logs: what its reader does not take at once is dropped and counted. Any thread may use it.
final class DroppedMessages: Sendable {
    private let count = Mutex(0)

    /// Writes a message; before it, where some were dropped, one that says how many.
    /// - Parameter send: writes one line without waiting, and gives false where it could not.
    func write(_ line: String, _ level: Logger.Level, _ send: (String, Logger.Level) -> Bool) {
        count.withLock { count in
            if count > 0 {
                guard send("\(count) log messages were dropped, as nobody read them", .warning) else {
                    count += 1
                    return
                }
                count = 0
            }
            if !send(line, level) { count += 1 }
        }
    }
}
