// Positions of streets and houses on a map, in CSS pixels: a pure function of how many houses are on each street.

/// Places of streets and houses: rows of blocks, one block a network, in it rows of houses on the roads of that network.
struct TownPlan: Equatable {
    /// Size of a house and of its letters.
    struct Scale: Equatable {
        var width: Int
        var height: Int
        /// Height of the roof, part of ``height``.
        var roof: Int
        /// Font size of the name.
        var name: Int
        /// Font size of address and state.
        var detail: Int

        static let large = Scale(width: 184, height: 112, roof: 26, name: 16, detail: 13)
        static let medium = Scale(width: 148, height: 92, roof: 22, name: 14, detail: 12)
        static let small = Scale(width: 116, height: 70, roof: 14, name: 12, detail: 11)

        /// The largest with which a map is not too long to look over.
        static func fitting(houses: Int) -> Scale {
            switch houses {
            case ...12: large
            case ...120: medium
            default: small
            }
        }

        /// Letters of a name that fit into a house: a bold letter of system fonts is about 0.7 of the font size wide.
        var nameLetters: Int { (width - 2 * Self.padding) * 10 / (name * 7) }

        /// Letters of an address that fit: one of a monospaced font is 0.6 of the font size wide.
        var detailLetters: Int { (width - 2 * Self.padding) * 10 / (detail * 6) }

        /// Letters of a state that fit: a letter of system fonts is about 0.6 of the font size wide.
        var stateLetters: Int { detailLetters }

        private static let padding = 8
    }

    struct Box: Equatable {
        var x: Int
        var y: Int
        var width: Int
        var height: Int

        /// True when two boxes share a point inside.
        func overlaps(_ other: Box) -> Bool {
            x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height
        }

        func contains(_ other: Box) -> Bool {
            x <= other.x && y <= other.y && other.x + other.width <= x + width && other.y + other.height <= y + height
        }
    }

    /// A street with its sign, its roads and the houses on them.
    struct Block: Equatable {
        /// Index of the street.
        var street: Int
        var box: Box
        /// One below each row of houses; one alone where there is no house.
        var roads: [Box] = []
        /// In the order of the houses.
        var houses: [Box] = []
    }

    private(set) var blocks: [Block] = []
    private(set) var width = 0
    private(set) var height = 0
    let scale: Scale

    /// Width of a page's map: that of a screen of 1280 pixels without the panel beside it.
    static let widest = 928
    static let margin = 12
    static let gap = 12
    static let sign = 34
    static let road = 18
    /// Columns that a street takes at least: its name and subnets need the room.
    static let leastColumns = 2

    /// - Parameter counts: number of houses on each street.
    init(houses counts: [Int]) {
        scale = .fitting(houses: counts.reduce(0, +))
        let step = scale.width + Self.gap
        let columns = max(Self.leastColumns, (Self.widest - 2 * Self.margin + Self.gap) / step)
        var x = Self.margin
        var y = Self.margin
        var tallest = 0
        for (street, count) in counts.enumerated() {
            // Rows of one length, so that other streets find room beside them.
            let rows = max(1, (count + columns - 1) / columns)
            let wide = max(Self.leastColumns, (count + rows - 1) / rows)
            let blockWidth = wide * step - Self.gap
            if x > Self.margin, x + blockWidth > Self.margin + columns * step {
                x = Self.margin
                y += tallest + 2 * Self.gap
                tallest = 0
            }
            let block = Self.block(street, count, wide, at: (x, y), width: blockWidth, scale)
            blocks.append(block)
            tallest = max(tallest, block.box.height)
            x += blockWidth + 2 * Self.gap
            width = max(width, block.box.x + block.box.width + Self.margin)
        }
        height = y + tallest + Self.margin
        width = max(width, 2 * Self.margin)
    }

    private static func block(
        _ street: Int, _ count: Int, _ columns: Int, at origin: (x: Int, y: Int), width: Int, _ scale: Scale
    ) -> Block {
        let rows = max(1, (count + columns - 1) / columns)
        let houseHeight = count == 0 ? 0 : scale.height
        let rowStep = houseHeight + road + gap
        let first = origin.y + sign
        return Block(
            street: street,
            box: Box(x: origin.x, y: origin.y, width: width, height: sign + rows * rowStep - gap),
            roads: (0..<rows).map {
                Box(x: origin.x, y: first + $0 * rowStep + houseHeight, width: width, height: road)
            },
            houses: (0..<count).map {
                Box(
                    x: origin.x + $0 % columns * (scale.width + gap), y: first + $0 / columns * rowStep,
                    width: scale.width, height: scale.height)
            })
    }
}
