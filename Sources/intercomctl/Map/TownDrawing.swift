// A map as SVG: each name escaped, each house a button.

/// Drawing of a town.
struct TownDrawing {
    private let town: Town
    private let plan: TownPlan
    /// Houses on each street: who lives there, by which door.
    private let houses: [[(resident: Int, door: Town.Door)]]

    init(_ town: Town) {
        self.town = town
        var houses = [[(resident: Int, door: Town.Door)]](repeating: [], count: town.streets.count)
        for (number, resident) in town.residents.enumerated() {
            for door in resident.doors { houses[door.street].append((number, door)) }
        }
        self.houses = houses
        plan = TownPlan(houses: houses.map(\.count))
    }

    /// The `svg` element.
    var svg: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="\(plan.width)" height="\(plan.height)" \
        viewBox="0 0 \(plan.width) \(plan.height)" role="group" aria-label="Networks and their containers">
        \(plan.blocks.map(street).joined())</svg>
        """
    }

    private func street(_ block: TownPlan.Block) -> String {
        let street = town.streets[block.street]
        var svg = "<g class=\"street\(street.name == nil ? " none" : "")\" data-street=\"\(block.street)\">\n"
        for road in block.roads { svg += Self.road(road, hasLine: !block.houses.isEmpty) }
        svg += sign(street, block.box)
        if let road = block.roads.first, block.houses.isEmpty {
            svg += Self.text("empty", x: road.x + road.width / 2, y: road.y + 13, "no containers")
        }
        for (box, house) in zip(block.houses, houses[block.street]) {
            svg += self.house(house.resident, house.door, box)
        }
        return svg + "</g>\n"
    }

    private static func road(_ box: TownPlan.Box, hasLine: Bool) -> String {
        let middle = box.y + box.height / 2
        let line = "<path class=\"line\" d=\"M\(box.x + 10) \(middle)H\(box.x + box.width - 10)\"/>"
        return """
            <rect class="road" x="\(box.x)" y="\(box.y)" width="\(box.width)" height="\(box.height)" rx="4"/>\
            \(hasLine ? line : "")

            """
    }

    private func sign(_ street: Town.Street, _ box: TownPlan.Box) -> String {
        let letter = 8
        let name = Self.cut(street.name ?? "on no network", to: (box.width / 2) / letter)
        let width = name.count * letter + 20
        let remarks = Self.cut(street.remarks.joined(separator: " · "), to: (box.width - width - 8) / 7)
        let title = ([street.name ?? "on no network"] + street.remarks).joined(separator: " · ")
        return """
            <g class="sign"><title>\(Self.escaped(title))</title>\
            <rect x="\(box.x)" y="\(box.y)" width="\(width)" height="24" rx="5"/>\
            \(Self.text("street-name", x: box.x + width / 2, y: box.y + 17, name))\
            \(Self.text("remarks", x: box.x + width + 8, y: box.y + 17, remarks))</g>

            """
    }

    private func house(_ number: Int, _ door: Town.Door, _ box: TownPlan.Box) -> String {
        let resident = town.residents[number]
        let scale = plan.scale
        let addresses = Self.list(door.addresses, to: scale.detailLetters)
        let (middle, eaves, bottom) = (box.width / 2, scale.roof, box.height)
        let kind = resident.isUnwell ? "unwell" : resident.state.replacing(" ", with: "-")
        let label = ([resident.name] + door.addresses + [resident.stateWithHost] + resident.faults.map(\.text))
            .joined(separator: ", ")
        let room = (bottom - eaves) / 4
        let more =
            resident.doors.count > 1 ? Self.text("more", x: middle, y: eaves - 3, "×\(resident.doors.count)") : ""
        return """
            <g class="house \(Self.escaped(kind))" data-resident="\(number)" tabindex="-1" role="button" \
            aria-label="\(Self.escaped(label))" transform="translate(\(box.x) \(box.y))">\
            <title>\(Self.escaped(label))</title>\
            <path class="wall" d="M6 \(eaves)H\(box.width - 6)V\(bottom)H6Z"/>\
            <path class="roof" d="M0 \(eaves)L16 2H\(box.width - 16)L\(box.width) \(eaves)Z"/>\(more)\
            \(Self.text("name size-\(scale.name)", x: middle, y: eaves + room + 4, Self.cut(resident.name, to: scale.nameLetters)))\
            \(Self.text("address size-\(scale.detail)", x: middle, y: eaves + 2 * room + 4, addresses))\
            \(Self.text("state size-\(scale.detail)", x: middle, y: eaves + 3 * room + 5, Self.cut(resident.stateWithHost, to: scale.stateLetters)))</g>

            """
    }

    // MARK: - Text

    private static func text(_ kind: String, x: Int, y: Int, _ text: String) -> String {
        "<text class=\"\(kind)\" x=\"\(x)\" y=\"\(y)\">\(escaped(text))</text>"
    }

    /// The text, or its beginning with an ellipsis.
    static func cut(_ text: String, to letters: Int) -> String {
        text.count <= letters ? text : text.prefix(max(0, letters - 1)) + "…"
    }

    /// The first item, and how many others there are.
    private static func list(_ items: [String], to letters: Int) -> String {
        guard let first = items.first else { return "no address" }
        guard items.count > 1 else { return cut(first, to: letters) }
        let more = " +\(items.count - 1)"
        return cut(first, to: letters - more.count) + more
    }

    /// Text of elements and of quoted attributes (HTML §13.1.2.3).
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
