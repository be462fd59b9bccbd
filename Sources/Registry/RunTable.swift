// Short lists by number, all in one array: a list can be looked at without touching a reference count.

/// For each owner (a small number) a run of elements. Changing a run costs time in proportion to it; now and then,
/// when half of the array is unused, the rest moves together.
struct RunTable<Element: Sendable>: Sendable {
    /// Changed in place by who keeps their number and order.
    var elements: [Element] = []
    /// Range of each owner's run in ``elements``.
    private(set) var runs: [Range<Int>] = []
    private var unused = 0

    /// The run of an owner; empty where it has none.
    func run(of owner: Int) -> Range<Int> {
        owner < runs.count ? runs[owner] : 0..<0
    }

    /// The elements of an owner's run.
    @_lifetime(borrow self)
    func lent(_ owner: Int) -> Span<Element> { elements.span.extracting(run(of: owner)) }

    mutating func set(_ owner: Int, _ new: some Collection<Element>) {
        while runs.count <= owner { runs.append(0..<0) }
        unused += runs[owner].count
        let start = elements.count
        elements.append(contentsOf: new)
        runs[owner] = start..<elements.count
        if unused > 1024, unused > elements.count / 2 { compact() }
    }

    private mutating func compact() {
        var moved: [Element] = []
        moved.reserveCapacity(elements.count - unused)
        for owner in runs.indices {
            let start = moved.count
            moved.append(contentsOf: elements[runs[owner]])
            runs[owner] = start..<moved.count
        }
        elements = moved
        unused = 0
    }
}
