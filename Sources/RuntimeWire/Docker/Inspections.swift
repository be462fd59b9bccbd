// Containers that are to be inspected: each once at a time, in the order of their events, a bounded number at once.

/// A queue of containers.
struct Inspections: Sendable {
    /// In their order from `first` on; what stands before has been taken.
    private var queue: [String] = []
    private var first = 0
    private var queued: Set<String> = []
    private var underWay: Set<String> = []
    /// Those that something happened to while they were inspected: the reply may be older than that.
    private var again: Set<String> = []
    /// Those that something happened to since everything was listed.
    private var withEvents: Set<String> = []
    /// Those that are about to start and are asked for; true while nothing newer is known of them.
    private var starting: [String: Bool] = [:]
    /// Those that could not be inspected, and are inspected again at ``retryAt``.
    private var unread: Set<String> = []
    /// Time at which those that could not be inspected are inspected again.
    private(set) var retryAt: Duration?

    /// True when nothing is to be asked or waited for, but for what could not be inspected.
    var isIdle: Bool { queued.isEmpty && underWay.isEmpty }

    /// True when a container is to be inspected.
    func isUnderWay(_ id: String) -> Bool { queued.contains(id) || underWay.contains(id) }

    /// True when something happened to a container since the last ``forgetEvents()``.
    func hasEvent(_ id: String) -> Bool { withEvents.contains(id) }

    mutating func forgetEvents() { withEvents.removeAll() }

    /// Adds a container, because of an event or of a list.
    mutating func add(_ id: String, isEvent: Bool) {
        if isEvent { withEvents.insert(id) }
        if underWay.contains(id) {
            if isEvent { again.insert(id) }
        } else if queued.insert(id).inserted {
            queue.append(id)
        }
    }

    /// A container has ended: what is under way about it may say that it runs.
    mutating func ended(_ id: String) {
        withEvents.insert(id)
        unread.remove(id)
        if starting[id] != nil { starting[id] = false }
        if underWay.contains(id) { again.insert(id) }
    }

    /// Adds a container that is about to start, which is no inspection: its reply may take as long as the start.
    /// - Returns: true where it is to be asked for.
    mutating func start(_ id: String, atMost limit: Int) -> Bool {
        guard starting[id] == nil, starting.count < limit else { return false }
        starting[id] = true
        return true
    }

    /// A container that was about to start has a reply, or will have none.
    /// - Returns: true where nothing newer is known of it.
    mutating func started(_ id: String) -> Bool {
        guard starting.removeValue(forKey: id) == true else { return false }
        // A list that is under way may be older.
        withEvents.insert(id)
        return true
    }

    /// Takes those that are to be inspected now.
    mutating func next(atMost limit: Int) -> [String] {
        let next = Array(queue[first...].prefix(max(0, limit - underWay.count)))
        first += next.count
        if first == queue.count { (queue, first) = ([], 0) }
        queued.subtract(next)
        underWay.formUnion(next)
        return next
    }

    /// A container has been inspected.
    mutating func done(_ id: String) {
        underWay.remove(id)
        unread.remove(id)
        if starting[id] != nil { starting[id] = false }
        if again.remove(id) != nil { add(id, isEvent: true) }
    }

    /// A container could not be inspected.
    /// - Returns: true where that was not known before.
    mutating func failed(_ id: String, retryAt: Duration) -> Bool {
        let isNew = !unread.contains(id)
        done(id)
        unread.insert(id)
        self.retryAt = self.retryAt.map { min($0, retryAt) } ?? retryAt
        return isNew
    }

    /// Adds those that could not be inspected, once it is time.
    mutating func retry(_ now: Duration) {
        guard let time = retryAt, time <= now else { return }
        retryAt = nil
        for id in unread.sorted() { add(id, isEvent: false) }
    }
}
