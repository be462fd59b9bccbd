// Short lists by number, all in one array: a list can be looked at without touching a reference count.

/// For each owner (a small number) a run of elements. Changing a run costs time in proportion to it; now and then,
/// when half of the array is unused, the rest moves together.
struct RunTable<Element: Sendable>: Sendable {
    /// A run's place. Every name has some: they are half as long as a range.
    struct Run: Sendable {
        fileprivate(set) var start: UInt32 = 0
        fileprivate(set) var end: UInt32 = 0
    }

    /// Changed in place by who keeps their number and order.
    var elements: [Element] = []
    /// Place of each owner's run in ``elements``.
    private(set) var runs: [Run] = []
    private var unused = 0

    /// The run of an owner; empty where it has none.
    func run(of owner: Int) -> Range<Int> {
        guard owner < runs.count else { return 0..<0 }
        return Int(runs[owner].start)..<Int(runs[owner].end)
    }

    /// The elements of an owner's run.
    @_lifetime(borrow self)
    func lent(_ owner: Int) -> Span<Element> { elements.span.extracting(run(of: owner)) }

    /// Sets the run of an owner. Of more than 2^32 elements in all nothing is kept: no table has room for a thousandth.
    mutating func set(_ owner: Int, _ new: some Collection<Element>) {
        while runs.count <= owner { runs.append(Run()) }
        unused += run(of: owner).count
        let start = elements.count
        guard let first = UInt32(exactly: start), let end = UInt32(exactly: start + new.count) else {
            runs[owner] = Run()
            return
        }
        elements.append(contentsOf: new)
        runs[owner] = Run(start: first, end: end)
        if unused > 1024, unused > elements.count / 2 { compact() }
    }

    private mutating func compact() {
        var moved: [Element] = []
        moved.reserveCapacity(elements.count - unused)
        for owner in runs.indices {
            let start = UInt32(truncatingIfNeeded: moved.count)
            moved.append(contentsOf: elements[run(of: owner)])
            runs[owner] = Run(start: start, end: UInt32(truncatingIfNeeded: moved.count))
        }
        elements = moved
        unused = 0
    }
}
