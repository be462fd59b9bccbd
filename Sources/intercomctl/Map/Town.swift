// The content of a map: networks as streets, containers as houses, and findings about both.

import ControlAPI
import DNSWire

/// Networks and containers as a map shows them. All text is free of control characters and marks of direction.
struct Town: Equatable {
    /// Houses on one map; a page with more is slow to draw.
    static let mostHouses = 2000

    /// A network, or the place for containers that are on none.
    struct Street: Equatable, Encodable {
        /// The network's name; nil: the place for containers without a network.
        var name: String?
        /// Subnets, and `internal`.
        var remarks: [String] = []
    }

    /// A house of a container on one street.
    struct Door: Equatable, Encodable {
        /// Index in ``Town/streets``.
        var street: Int
        /// Addresses on that network.
        var addresses: [String]
        /// Names that others on that network can resolve; empty for a container that has ended.
        var names: [String]
    }

    /// A private name of another container.
    struct Link: Equatable, Encodable {
        /// Index in ``Town/residents``; nil: there is no such container.
        var target: Int?
        var name: String
    }

    /// Something that is not well, as `doctor` says it.
    struct Fault: Equatable, Encodable {
        var cause: String
        var text: String
        var cure: String?
    }

    /// A container.
    struct Resident: Equatable, Encodable {
        var name: String
        /// As `container ls` shows it.
        var state: String
        /// Why it is not ready.
        var reason: String?
        /// Its host; nil: this one.
        var host: String?
        /// Address at which that host is reached.
        var hostAddress: String?
        /// True when its own questions are answered.
        var asks: Bool
        /// At least one.
        var doors: [Door]
        var links: [Link]
        var faults: [Fault]
    }

    /// Networks by name, then the place for containers without one, if there are any.
    private(set) var streets: [Street] = []
    /// Containers by name.
    private(set) var residents: [Resident] = []
    /// Findings about the machine.
    private(set) var faults: [Fault] = []
    /// Number of containers that are left out.
    private(set) var further = 0

    /// - Parameters:
    ///   - networks: in any order; parts of one network may follow it.
    ///   - containers: in any order, also those that ended, and those of other hosts.
    ///   - checkup: what `doctor` says.
    init(networks: [ControlAPI.Network], containers: [ControlAPI.Container], checkup: Doctor.Reply) {
        var numbers = addStreets(networks)
        let found = Dictionary(grouping: checkup.findings, by: \.container)
        // Those that are not well are the last to be left out.
        let ordered = containers.sorted {
            ((found[$0.name] == nil ? 1 : 0), $0.name) < ((found[$1.name] == nil ? 1 : 0), $1.name)
        }
        var houses = 0
        let shown = ordered.prefix {
            houses += max(1, $0.networks.count)
            return houses <= Self.mostHouses
        }.sorted { ($0.name, $0.ended ?? -1) < ($1.name, $1.ended ?? -1) }
        further = containers.count - shown.count
        let places = Dictionary(
            shown.enumerated().filter { $1.ended == nil }.map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first }
        )
        residents = shown.map { container in
            let faults = container.ended == nil ? found[container.name] ?? [] : []
            return Resident(
                container, doors: doors(of: container, &numbers), places: places, faults: faults.map(Fault.init))
        }
        let names = Set(shown.map(\.name))
        faults = checkup.findings.filter { $0.container.map { !names.contains($0) } ?? true }.map(Fault.init)
    }

    private mutating func addStreets(_ networks: [ControlAPI.Network]) -> [String?: Int] {
        streets = networks.filter { $0.continued != true }.sorted { $0.name < $1.name }.map {
            Street(
                name: DisplayText.escaped($0.name),
                remarks: ($0.subnets + ($0.internal ? ["internal"] : [])).map(DisplayText.escaped))
        }
        return Dictionary(
            networks.filter { $0.continued != true }.map(\.name).sorted().enumerated().map { ($1, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The doors of a container; a street that came after the list of networks is added.
    private mutating func doors(of container: ControlAPI.Container, _ numbers: inout [String?: Int]) -> [Door] {
        func number(_ name: String?, _ numbers: inout [String?: Int]) -> Int {
            if let number = numbers[name] { return number }
            streets.append(Street(name: name.map(DisplayText.escaped)))
            numbers[name] = streets.count - 1
            return streets.count - 1
        }
        guard !container.networks.isEmpty else {
            return [Door(street: number(nil, &numbers), addresses: [], names: [])]
        }
        return container.networks.map {
            Door(
                street: number($0.network, &numbers), addresses: $0.addresses.map(DisplayText.escaped),
                names: container.ended == nil ? $0.names.map(DisplayText.escaped) : [])
        }
    }
}

extension Town.Resident {
    fileprivate init(
        _ container: ControlAPI.Container, doors: [Town.Door], places: [String: Int], faults: [Town.Fault]
    ) {
        name = DisplayText.escaped(container.name)
        state = DisplayText.escaped(container.state)
        reason = container.reason.map(DisplayText.escaped)
        host = container.host.map(DisplayText.escaped)
        hostAddress = container.hostAddress.map(DisplayText.escaped)
        asks = ["ready", "draining"].contains(container.state) && container.listener != nil
        self.doors = doors
        links = container.links.map { Town.Link(target: places[$0.container], name: DisplayText.escaped($0.name)) }
        self.faults = faults
    }

    /// State for people: of a container of another host with that host.
    var stateWithHost: String { host.map { state == "elsewhere" ? "on \($0)" : "\(state) on \($0)" } ?? state }

    /// True when it has a finding.
    var isUnwell: Bool { !faults.isEmpty }
}

extension Town.Fault {
    fileprivate init(_ finding: Doctor.Finding) {
        cause = DisplayText.escaped(finding.cause)
        text = DisplayText.escaped(finding.text)
        cure = finding.cure.map(DisplayText.escaped)
    }
}
