// The service manager's units over the system bus, org.freedesktop.systemd1(5).

/// A connection to the service manager, for root.
package struct UnitManager: ~Copyable {
    private static let manager = SystemBus.Object(
        service: "org.freedesktop.systemd1", path: "/org/freedesktop/systemd1",
        interface: "org.freedesktop.systemd1.Manager")
    private static let properties = "org.freedesktop.DBus.Properties"

    private let bus: SystemBus

    /// - Throws: ``BusError`` where there is no system bus.
    package init() throws(BusError) { bus = try SystemBus(timeout: .seconds(25)) }

    /// Number of systemd's version, as 252; nil where it says something else.
    /// - Throws: ``BusError``.
    package func version() throws(BusError) -> Int? {
        let text = try text(of: "Version", Self.manager)
        return Int(text.drop { !$0.isNumber }.prefix { $0.isNumber })
    }

    /// State of a unit, as `active` or `failed`.
    /// - Throws: ``BusError``.
    package func state(of unit: String) throws(BusError) -> String {
        let reply = try bus.call(Self.manager, "LoadUnit", [unit])
        guard let path = try reply.string(.objectPath) else { return "" }
        return try text(
            of: "ActiveState",
            SystemBus.Object(service: Self.manager.service, path: path, interface: "org.freedesktop.systemd1.Unit"))
    }

    private func text(of property: String, _ object: SystemBus.Object) throws(BusError) -> String {
        var reader = object
        reader.interface = Self.properties
        let reply = try bus.call(reader, "Get", [object.interface, property])
        guard try reply.enter(.variant, "s") else { return "" }
        return try reply.string() ?? ""
    }

    /// Has units started with the host from now on.
    /// - Throws: ``BusError``, for example where there is no such unit.
    package func enable(_ units: [String]) throws(BusError) {
        _ = try bus.call(
            Self.manager, "EnableUnitFiles",
            arguments: [.array(of: "s", units.map { .string($0) }), .boolean(false), .boolean(true)])
        _ = try bus.call(Self.manager, "Reload")
    }

    /// Has units not started any more.
    /// - Throws: ``BusError``.
    package func disable(_ units: [String]) throws(BusError) {
        _ = try bus.call(
            Self.manager, "DisableUnitFiles", arguments: [.array(of: "s", units.map { .string($0) }), .boolean(false)])
        _ = try bus.call(Self.manager, "Reload")
    }

    /// Starts a unit; its job goes on when this returns, as those below.
    /// - Throws: ``BusError``.
    package func start(_ unit: String) throws(BusError) { try change("StartUnit", unit) }

    /// Stops a unit.
    /// - Throws: ``BusError``.
    package func stop(_ unit: String) throws(BusError) { try change("StopUnit", unit) }

    /// Stops and starts a unit.
    /// - Throws: ``BusError``.
    package func restart(_ unit: String) throws(BusError) { try change("RestartUnit", unit) }

    /// Has a unit read its configuration again.
    /// - Throws: ``BusError``.
    package func reload(_ unit: String) throws(BusError) { try change("ReloadOrRestartUnit", unit) }

    private func change(_ method: String, _ unit: String) throws(BusError) {
        _ = try bus.call(Self.manager, method, [unit, "replace"])
    }
}

/// The settings of a link in systemd-resolved, org.freedesktop.resolve1(5).
package enum ResolvedLink {
    private static let resolved = SystemBus.Object(
        service: "org.freedesktop.resolve1", path: "/org/freedesktop/resolve1",
        interface: "org.freedesktop.resolve1.Manager")
    /// Number of IPv4 in the interface: AF_INET.
    private static let family: Int32 = 2

    /// Has systemd-resolved ask one server for the names under one domain, and for no others.
    /// - Parameters:
    ///   - index: `ifi_index` of a link.
    ///   - server: four octets of the server's address.
    ///   - domain: the domain.
    /// - Throws: ``BusError``, for example where systemd-resolved does not run.
    package static func set(_ index: UInt32, server: [UInt8], domain: String) throws(BusError) {
        let bus = try SystemBus(timeout: .seconds(25))
        let link = BusArgument.signed(Int32(truncatingIfNeeded: index))
        let address = BusArgument.structure([.signed(family), .array(of: "y", server.map { .octet($0) })])
        let route = BusArgument.structure([.string(domain), .boolean(true)])
        let calls: [(String, BusArgument)] = [
            ("SetLinkDNS", .array(of: "(iay)", [address])), ("SetLinkDomains", .array(of: "(sb)", [route])),
            ("SetLinkDefaultRoute", .boolean(false)), ("SetLinkLLMNR", .string("no")),
            ("SetLinkMulticastDNS", .string("no")), ("SetLinkDNSOverTLS", .string("no")),
            ("SetLinkDNSSEC", .string("no")),
        ]
        for (method, argument) in calls { _ = try bus.call(resolved, method, arguments: [link, argument]) }
    }
}
