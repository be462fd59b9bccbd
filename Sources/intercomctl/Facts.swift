// Facts about networks and containers with their sources, for people.

import ControlAPI

extension [Fact] {
    /// Sources: `configuration`, `control`, `kernel`, or several.
    var sources: [String] {
        ["configuration", "control", "kernel"].filter { source in contains { $0.source == source } }
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
