// The page of a map: one file that asks nobody for anything.

import DNSWire
import Varlink

/// HTML page with a drawing, the findings, and a panel about the chosen container.
struct MapPage {
    private let town: Town
    /// Name of the machine.
    private let machine: String
    /// Time at which the daemon was asked.
    private let time: String

    /// - Parameters:
    ///   - town: the content.
    ///   - machine: name of the machine.
    ///   - time: when the daemon was asked, for people.
    init(_ town: Town, machine: String, time: String) {
        self.town = town
        self.machine = DisplayText.escaped(machine)
        self.time = time
    }

    /// The document.
    ///
    /// Its policy (https://www.w3.org/TR/CSP3/) allows the style and the script that are in it, by their hashes, and nothing else:
    /// a name that got past the escaping could neither run nor load anything.
    var html: String {
        let title = TownDrawing.escaped("intercom on \(machine)")
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '\(MapStyle.hash)'; \
            script-src '\(MapScript.hash)'; base-uri 'none'; form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title)</title>
            <style>\(MapStyle.text)</style>
            </head>
            <body>
            <header>
            <h1>\(title)</h1>
            <p>\(TownDrawing.escaped(summary))</p>
            <label>Find <input id="find" type="search" placeholder="container or address" autocomplete="off"></label>
            </header>
            \(findings)<div class="page">
            <main tabindex="0" aria-label="Map; arrow keys go from house to house">
            \(TownDrawing(town).svg)
            </main>
            <aside id="panel" aria-live="polite"><p>Point at a house to see whom it can resolve. Choose it with a click, or with arrow \
            keys and Enter; Escape lets go.</p></aside>
            </div>
            <script type="application/json" id="town">\(data)</script>
            <script>\(MapScript.text)</script>
            </body>
            </html>

            """
    }

    private var summary: String {
        let networks = town.streets.count { $0.name != nil }
        let unwell = town.residents.count(where: \.isUnwell)
        var parts = [
            DisplayText.counted(town.residents.count, "container"), DisplayText.counted(networks, "network"),
            unwell + town.faults.count == 0 ? "all is well" : "\(unwell + town.faults.count) not well",
        ]
        if town.further > 0 { parts.append(DisplayText.counted(town.further, "further container") + " not drawn") }
        return (parts + [time]).joined(separator: " · ")
    }

    // MARK: - Findings

    /// Each finding with its remedy; folded where they are more than a glance takes in.
    private var findings: String {
        let all =
            town.faults.map { (Int?.none, $0) }
            + town.residents.enumerated().flatMap { number, resident in resident.faults.map { (number, $0) } }
        guard !all.isEmpty else { return "" }
        let glance = 4
        let items = all.map { resident, fault in
            let about = resident.map { " data-resident=\"\($0)\"" } ?? ""
            let cure = fault.cure.map { "<br><code>\(TownDrawing.escaped($0))</code>" } ?? ""
            return
                "<li\(about)><b>\(TownDrawing.escaped(fault.cause))</b> \(TownDrawing.escaped(fault.text))\(cure)</li>\n"
        }.joined()
        return """
            <details class="findings"\(all.count <= glance ? " open" : "")>
            <summary>Not well: \(DisplayText.counted(all.count, "finding"))</summary>
            <ul>
            \(items)</ul>
            </details>

            """
    }

    // MARK: - Data of the script

    private struct Content: Encodable {
        var streets: [Town.Street]
        var residents: [Town.Resident]
    }

    /// JSON that cannot end its element: `<` stands in strings alone, where it has another spelling.
    private var data: String {
        DisplayText.escapedJSON(VarlinkParameters.line(Content(streets: town.streets, residents: town.residents)))
            .replacing("<", with: "\\u003c")
    }
}
