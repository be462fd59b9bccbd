// Declarations in force: calls whose declaration has not been removed.

/// All declarations in force: changes go in, and the fewest calls that would declare the same anew come out.
///
/// A call is kept under its subject, where a later one takes its place. Each method says what its calls mean for the others
/// (``PersistedMethod/apply(_:to:)``).
struct Declarations: Sendable {
    /// Subject of a declaration: a kind of thing, and the names that tell it from others of the kind.
    struct Subject: Hashable, Sendable {
        let kind: String
        /// At least one. Names that mean the same are the same octets.
        let names: [[UInt8]]

        init(_ kind: String, _ names: [UInt8]...) {
            self.kind = kind
            self.names = names
        }
    }

    /// A declaration with its place among the others: they are declared anew in the order in which they came.
    private struct Placed: Sendable {
        let place: UInt64
        var declaration: Declaration
    }

    private var placed: [Subject: Placed] = [:]
    /// Subjects by the first of their names.
    private var subjectsOfName: [[UInt8]: Set<Subject>] = [:]
    private var lastPlace: UInt64 = 0

    /// Number of declarations in force.
    var count: Int { placed.count }

    /// The declarations in the order in which they can be made again.
    var all: [Declaration] {
        placed.values.sorted {
            ($0.declaration.method.turn, $0.place) < ($1.declaration.method.turn, $1.place)
        }.map(\.declaration)
    }

    /// Takes in a change that was carried out. One that makes no sense here changes nothing.
    mutating func apply(_ declaration: Declaration) { declaration.apply(to: &self) }

    // MARK: - For the methods

    subscript(subject: Subject) -> Declaration? { placed[subject]?.declaration }

    /// Declares something, in the place of what was declared of its subject.
    mutating func put(_ declaration: Declaration, about subject: Subject) {
        lastPlace += 1
        placed[subject] = Placed(place: lastPlace, declaration: declaration)
        if let name = subject.names.first { subjectsOfName[name, default: []].insert(subject) }
    }

    /// Changes a declaration, which keeps its place; nothing where there is none.
    mutating func replace(_ subject: Subject, by declaration: Declaration) {
        placed[subject]?.declaration = declaration
    }

    /// Takes a declaration back.
    mutating func remove(_ subject: Subject) {
        placed[subject] = nil
        guard let name = subject.names.first else { return }
        subjectsOfName[name]?.remove(subject)
        if subjectsOfName[name]?.isEmpty == true { subjectsOfName[name] = nil }
    }

    /// Subjects of a kind whose first name is this one, in the order in which they came.
    func subjects(_ kind: String, of name: [UInt8]) -> [Subject] {
        (subjectsOfName[name] ?? []).filter { $0.kind == kind }
            .sorted { (placed[$0]?.place ?? 0) < (placed[$1]?.place ?? 0) }
    }
}
