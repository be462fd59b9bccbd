// Random histories of a kernel: what is kept up message by message is what one dump of the end would show.

import Registry
import Testing

@testable import IntercomServer
@testable import LinuxNet

/// A kernel with bridges, cards, veths, macvlans and namespaces, which tells of all that happens in it.
private struct ToyKernel {
    struct Link {
        var name: String
        var kind: String
        var isUp = false
        var alias: String?
        var master: UInt32?
        var other: (place: Int32, index: UInt32)?
        var addresses: [String: String] = [:]
    }

    /// The host's links are those of the place 0.
    var links: [Int32: [UInt32: Link]] = [0: [:]]
    private var lastIndex: UInt32 = 1
    private var lastNumber = 0
    /// Messages since the last call.
    var told: [String] = []

    private mutating func number() -> Int {
        lastNumber += 1
        return lastNumber
    }

    // MARK: - Telling

    private func word(_ place: Int32) -> String { place == 0 ? "host" : "\(place)" }

    func line(_ place: Int32, _ index: UInt32, _ link: Link) -> String {
        var words = ["\(word(place)) link \(index) \(link.name) \(link.kind)"]
        if link.isUp { words.append("up") }
        if let master = link.master { words.append("master=\(master)") }
        if let alias = link.alias { words.append("alias=\(alias)") }
        // Each namespace calls the host 0, and the host each namespace by its place.
        if let other = link.other {
            words.append("other=\(other.index)" + (other.place == place ? "" : "@\(other.place)"))
        }
        return words.joined(separator: " ")
    }

    /// All there is, as dumps show it.
    var dump: [String] {
        links.flatMap { place, links in
            ["begin \(word(place))"]
                + links.flatMap { index, link in
                    [line(place, index, link)]
                        + link.addresses.map { "\(word(place)) address \($0.key) on \(index) \($0.value)" }
                } + ["end \(word(place))"]
        }
    }

    private mutating func change(_ place: Int32, _ index: UInt32, _ body: (inout Link) -> Void) {
        guard var link = links[place]?[index] else { return }
        body(&link)
        links[place]?[index] = link
        told.append(line(place, index, link))
    }

    // MARK: - Events

    mutating func step(_ random: inout SeededRandom) {
        let place = links.keys.sorted().randomElement(using: &random) ?? 0
        let index = links[place]?.keys.sorted().randomElement(using: &random) ?? 0
        let bridge = (links[0] ?? [:]).filter { $0.value.kind == "bridge" }.keys.sorted().randomElement(using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0: add(0, Link(name: "br\(number())", kind: "bridge"))
        case 1: add(0, Link(name: "card\(number())", kind: "physical"))
        case 2: addNamespace()
        case 3, 4: if place != 0 { addVeth(to: place) }
        case 5, 6: if place != 0 { addChild(to: place, &random) }
        case 7: delete(place, index)
        case 8: if place != 0 { remove(place) }
        case 9: move(place, index, to: links.keys.sorted().randomElement(using: &random) ?? 0)
        case 10, 11: setMaster(place, index, bridge)
        case 12: change(place, index) { $0.name = "l\(Int.random(in: 0..<30, using: &random))" }
        case 13: change(place, index) { $0.alias = $0.alias == nil ? "a\(index)" : nil }
        case 14...16: change(place, index) { $0.isUp.toggle() }
        default: changeAddress(place, index, &random)
        }
    }

    @discardableResult
    private mutating func add(_ place: Int32, _ link: Link) -> UInt32 {
        lastIndex += 1
        links[place]?[lastIndex] = link
        told.append(line(place, lastIndex, link))
        return lastIndex
    }

    private mutating func addNamespace() {
        guard links.count < 6, let free = (1..<9 as Range<Int32>).first(where: { links[$0] == nil }) else { return }
        links[free] = [:]
        told.append("add \(free) c\(free)")
    }

    private mutating func addVeth(to place: Int32) {
        let end = add(place, Link(name: "eth\(number())", kind: "veth"))
        let other = add(0, Link(name: "v\(number())", kind: "veth", other: (place, end)))
        change(place, end) { $0.other = (0, other) }
    }

    private mutating func addChild(to place: Int32, _ random: inout SeededRandom) {
        let parents = (links[0] ?? [:]).filter { ["bridge", "physical"].contains($0.value.kind) }.keys.sorted()
        guard let parent = parents.randomElement(using: &random) else { return }
        let kind = Bool.random(using: &random) ? "macvlan" : "ipvlan"
        add(place, Link(name: "mv\(number())", kind: kind, other: (0, parent)))
    }

    private mutating func setMaster(_ place: Int32, _ index: UInt32, _ bridge: UInt32?) {
        guard place == 0, links[0]?[index]?.kind == "veth" else { return }
        change(0, index) { $0.master = $0.master == nil ? bridge : nil }
    }

    private mutating func delete(_ place: Int32, _ index: UInt32) {
        guard let link = links[place]?.removeValue(forKey: index) else { return }
        told.append("\(word(place)) no link \(index) \(link.name)")
        if link.kind == "veth", let other = link.other, links[other.place]?[other.index] != nil {
            delete(other.place, other.index)
        }
        guard place == 0 else { return }
        for (port, state) in links[0] ?? [:] where state.master == index { change(0, port) { $0.master = nil } }
        for (child, links) in links where child != 0 {
            for (number, state) in links where state.kind != "veth" && state.other?.index == index {
                delete(child, number)
            }
        }
    }

    /// The namespace ends: nothing is told of its own links, but of the host's ends of its veths.
    private mutating func remove(_ place: Int32) {
        let ends = links.removeValue(forKey: place) ?? [:]
        told.append("remove \(place)")
        for end in ends.values where end.kind == "veth" {
            if let other = end.other { delete(other.place, other.index) }
        }
    }

    /// A link goes to another namespace, down and without addresses, perhaps with another number.
    private mutating func move(_ place: Int32, _ index: UInt32, to target: Int32) {
        guard place != 0, target != 0, place != target, var link = links[place]?.removeValue(forKey: index) else {
            return
        }
        told.append("\(word(place)) no link \(index) \(link.name)")
        link.isUp = false
        link.addresses = [:]
        let new = add(target, link)
        if link.kind == "veth", let other = link.other { change(other.place, other.index) { $0.other = (target, new) } }
    }

    private mutating func changeAddress(_ place: Int32, _ index: UInt32, _ random: inout SeededRandom) {
        guard links[place]?[index] != nil else { return }
        let address =
            [
                "10.0.\(Int.random(in: 0..<3, using: &random)).\(index)/24", "fd00::\(index)/64", "fe80::\(index)/64",
            ].randomElement(using: &random) ?? ""
        if links[place]?[index]?.addresses[address] != nil, Bool.random(using: &random) {
            links[place]?[index]?.addresses[address] = nil
            told.append("\(word(place)) no address \(address) on \(index)")
        } else {
            let flags = ["", "tentative", "deprecated"].randomElement(using: &random) ?? ""
            links[place]?[index]?.addresses[address] = flags
            told.append("\(word(place)) address \(address) on \(index) \(flags)")
        }
    }
}

/// Sum of all differences.
private struct Heard: Equatable {
    var networks: [InterfaceIndex: ObservedNetwork] = [:]
    var containers: [NamespaceCookie: ObservedContainer] = [:]

    mutating func apply(_ changes: [KernelChange]) {
        for change in changes {
            switch change {
            case .network(let network): networks[network.interface] = network
            case .networkGone(let interface): networks[interface] = nil
            case .container(let container), .readdressed(let container): containers[container.cookie] = container
            case .containerGone(let cookie): containers[cookie] = nil
            }
        }
    }
}

@Suite("A random history of the kernel")
struct KernelHistoryTests {
    private static let selection = InterfaceSelection(patterns: ["*"], exclude: ["l7", "l1?"], declared: ["l3"])

    /// Facts for a subscriber that begins now.
    private func anew(_ kernel: ToyKernel) throws -> Heard {
        var topology = KernelTopology(selection: Self.selection)
        for place in kernel.links.keys where place != 0 { try topology.take("add \(place) c\(place)") }
        for line in kernel.dump { try topology.take(line) }
        var heard = Heard()
        heard.apply(topology.takeChanges())
        return heard
    }

    @Test("is followed message by message", arguments: 1...15)
    func followed(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var kernel = ToyKernel()
        var topology = KernelTopology(selection: Self.selection)
        var heard = Heard()
        for round in 0..<60 {
            for _ in 0..<Int.random(in: 1...6, using: &random) { kernel.step(&random) }
            for line in kernel.told { try topology.take(line) }
            kernel.told = []
            heard.apply(topology.takeChanges())
            let expected = try anew(kernel)
            #expect(heard == expected, "after round \(round)")
            if heard != expected { return }
        }
        // All that was kept to find others goes with what it was for.
        for index in kernel.links[0]?.keys.sorted() ?? [] { try topology.take("host no link \(index)") }
        for place in kernel.links.keys where place != 0 { try topology.take("remove \(place)") }
        heard.apply(topology.takeChanges())
        #expect(heard == Heard())
        #expect(topology.ports.isEmpty && topology.children.isEmpty && topology.memberships.isEmpty)
        #expect(topology.selected.isEmpty && topology.toldNetworks.isEmpty && topology.host.addresses.isEmpty)
    }

    @Test("of which messages were lost is caught up with by dumps", arguments: 1...15)
    func gaps(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var kernel = ToyKernel()
        var topology = KernelTopology(selection: Self.selection)
        var heard = Heard()
        for round in 0..<20 {
            for _ in 0..<20 { kernel.step(&random) }
            // A subscriber knows of namespaces from elsewhere: that is not lost.
            for line in kernel.told
            where line.hasPrefix("add") || line.hasPrefix("remove") || Int.random(in: 0..<3, using: &random) > 0 {
                try topology.take(line)
            }
            kernel.told = []
            heard.apply(topology.takeChanges())
            for line in kernel.dump { try topology.take(line) }
            heard.apply(topology.takeChanges())
            let expected = try anew(kernel)
            #expect(heard == expected, "after round \(round)")
            if heard != expected { return }
        }
    }
}

/// Random numbers that are the same each time.
private struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
