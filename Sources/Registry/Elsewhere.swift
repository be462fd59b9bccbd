// Containers of other hosts: the registry's third input, beside what is declared and what is observed here.

package import DNSWire

/// A container of another host, as its host tells of it.
package struct RemoteDefinition: Sendable, Equatable {
    /// Name of its host.
    package var host: String
    /// Unique on its host, 1 to 255 octets of text.
    package var key: String
    /// Name, hostname, id, ports, draining, and endpoints by the networks' names for all hosts.
    package var container: ContainerDefinition
    /// True when its addresses were declared there or told by a runtime; false: they were found.
    package var isDeclared: Bool

    package init(host: String, key: String, container: ContainerDefinition, isDeclared: Bool = false) {
        self.host = host
        self.key = key
        self.container = container
        self.isDeclared = isDeclared
    }
}

/// Number of a container of another host.
package struct RemoteID: Hashable, Comparable, Sendable {
    /// From 0 on.
    package let rawValue: UInt32

    package static func < (left: RemoteID, right: RemoteID) -> Bool { left.rawValue < right.rawValue }
}

extension Registry {
    /// Another host.
    package struct RemoteHost: Sendable, Equatable {
        /// Its name.
        package let name: String
        /// True when nothing has been heard of it for some time.
        package internal(set) var isLost = false
        /// Address at which it is reached; nil: not known.
        package internal(set) var address: IPAddress?
        /// Its containers, by their keys.
        var entries: [String: RemoteID] = [:]
        /// Round of telling in which it was told of last.
        var round = 0

        /// Number of its containers.
        package var entryCount: Int { entries.count }
    }

    /// A container of another host. A hundred thousand of them are here, so what most do not have takes one word.
    package struct Remote: Sendable {
        /// One network that it is on.
        struct Place: Sendable, Equatable {
            /// Number of the network's name for all hosts.
            let network: Int
            let addresses: [IPAddress]
            let aliases: [String]
        }

        /// Properties that most do not have.
        final class Rest: Sendable {
            let hostname: String?
            let id: String?
            let ports: [PortDefinition]

            init(_ definition: ContainerDefinition) {
                hostname = definition.hostname
                id = definition.id
                ports = definition.ports
            }
        }

        /// Its number, as long as it is there.
        package let id: RemoteID
        let host: Int
        /// Unique on its host.
        package let key: String
        /// Name for people.
        package let name: String
        let rest: Rest?
        let places: [Place]
        /// True when it is left out of names that others serve, too.
        package let isDraining: Bool
        /// True when its addresses were declared there.
        let isDeclared: Bool
        /// Round of telling in which it was told of last.
        var round: Int

        /// A further name of its own.
        package var hostname: String? { rest?.hostname }
        /// Id that its runtime gave it.
        package var runtimeID: String? { rest?.id }
        /// Ports of its SRV answers.
        package var ports: [PortDefinition] { rest?.ports ?? [] }

        /// True when nothing but the round is different.
        func isLike(_ other: Remote) -> Bool {
            name == other.name && places == other.places && isDraining == other.isDraining
                && isDeclared == other.isDeclared && hostname == other.hostname && runtimeID == other.runtimeID
                && ports == other.ports
        }
    }

    /// Contribution of one container of another host to the answer for a name.
    struct RemoteShare: Hashable, Sendable {
        let id: RemoteID
        /// Port of the service whose name it is; 0: the name is the container's own or an alias.
        let port: UInt16
        /// True when other containers may stand in for this one while it is draining.
        let isAlias: Bool
    }

    /// An address on a network.
    struct PlacedAddress: Hashable, Sendable {
        let network: ScopeID
        let address: IPAddress
    }

    /// All that is known of other hosts.
    struct Elsewhere: Sendable {
        var hosts: [Int: RemoteHost] = [:]
        var hostNumbers: [String: Int] = [:]
        var lastHost = 0
        var entries: [Remote?] = []
        var numbers = NumberPool()
        var count = 0
        /// Numbers of the networks' names for all hosts, and these names. They are few, and stay.
        var networkNumbers: [Name: Int] = [:]
        /// The containers on each of these networks.
        var onNetwork: [Int: Set<RemoteID>] = [:]
        var shares: [RecordKey: OneOrMany<RemoteShare>] = [:]
        var owners: [PlacedAddress: OneOrMany<RemoteID>] = [:]
        /// Name of this host among all; nil: nobody has said so.
        var ownHost: String?
        /// True when the others take this host for lost, too.
        var isOwnLost = false
        var lostCount = 0
        /// Round of telling: one more each time that everything is told anew.
        var round = 0
        /// True while everything is told anew.
        var isTelling = false

        /// True while lost hosts are left out of names that others serve. While all are lost, this one among them, nobody
        /// knows better, and nobody is left out.
        var leavesLostOut: Bool { lostCount > 0 && !(isOwnLost && lostCount == hosts.count) }

        /// The number of a network's name for all hosts; it has one from now on.
        mutating func number(ofNetwork name: Name) -> Int {
            let number = networkNumbers[name] ?? networkNumbers.count
            networkNumbers[name] = number
            return number
        }

        subscript(id: RemoteID) -> Remote? {
            Int(id.rawValue) < entries.count ? entries[Int(id.rawValue)] : nil
        }

        /// True where the container's host is lost, and that counts.
        func isLeftOut(_ id: RemoteID) -> Bool {
            leavesLostOut && self[id].flatMap { hosts[$0.host]?.isLost } ?? false
        }
    }
}

/// One element, or several in their order: most names and addresses have one, which then takes no array.
enum OneOrMany<Element: Sendable & Hashable>: Sendable {
    case one(Element)
    case many([Element])

    var elements: [Element] {
        switch self {
        case .one(let element): [element]
        case .many(let elements): elements
        }
    }

    /// True when there are several.
    var isShared: Bool { if case .many = self { true } else { false } }
}

extension Dictionary {
    /// Adds an element to those of a key.
    mutating func add<Element>(_ element: Element, to key: Key) where Value == OneOrMany<Element> {
        switch self[key] {
        case nil: self[key] = .one(element)
        case .one(let first): self[key] = .many([first, element])
        case .many(var elements):
            self[key] = nil
            elements.append(element)
            self[key] = .many(elements)
        }
    }

    /// Removes an element of those of a key.
    mutating func remove<Element>(_ element: Element, from key: Key) where Value == OneOrMany<Element> {
        switch self[key] {
        case nil: break
        case .one(let only): if only == element { self[key] = nil }
        case .many(var elements):
            self[key] = nil
            if let position = elements.lastIndex(of: element) { elements.remove(at: position) }
            self[key] = elements.count == 1 ? .one(elements[0]) : .many(elements)
        }
    }
}
