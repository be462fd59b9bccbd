// Facts about networks and containers with their sources, for people.

import ControlAPI

extension [Fact] {
    /// Sources: `configuration`, `control`, adapters by their names, `kernel`; each that says something.
    var sources: [String] {
        let all = Set(map(\.source))
        let known = ["configuration", "control", "kernel"]
        return known.dropLast().filter { all.contains($0) } + all.subtracting(known).sorted()
            + known.suffix(1).filter { all.contains($0) }
    }

    /// A line for each fact.
    var table: Table {
        var table = Table(["FACT", "VALUE", "NETWORK", "FROM"], .wrap)
        for fact in self {
            let link = fact.link.map { " (\($0))" } ?? ""
            table.add([
                fact.fact, fact.value, fact.network ?? "", fact.source + link + (fact.inForce ? "" : ", not in force"),
            ])
        }
        return table
    }
}
