// Short lists by number, all in one array: a list can be looked at without touching a reference count.

/// For each owner (a small number) a run of elements. Changing a run costs time in proportion to it; now and then,
/// when half of the array is unused, the rest moves together.
struct RunTable<Element: Sendable>: Sendable {
    struct Run: Sendable {
        var start: Int
        var count: Int
    }

    private(set) var elements: [Element] = []
    private(set) var runs: [Run] = []
    private var unused = 0

    /// The run of an owner; empty where it has none.
    func run(of owner: Int) -> Run {
        owner < runs.count ? runs[owner] : Run(start: 0, count: 0)
    }

    mutating func set(_ owner: Int, _ new: some Collection<Element>) {
        while runs.count <= owner { runs.append(Run(start: 0, count: 0)) }
        unused += runs[owner].count
        runs[owner] = Run(start: elements.count, count: new.count)
        elements.append(contentsOf: new)
        if unused > 1024, unused > elements.count / 2 { compact() }
    }

    private mutating func compact() {
        var moved: [Element] = []
        moved.reserveCapacity(elements.count - unused)
        for owner in runs.indices {
            let run = runs[owner]
            runs[owner].start = moved.count
            moved.append(contentsOf: elements[run.start..<run.start + run.count])
        }
        elements = moved
        unused = 0
    }
}
