// systemd-machined, over the system bus (org.freedesktop.machine1(5)): containers of systemd-nspawn, the source `machined`.

package import LinuxNet
import RuntimeWire
import Systemd

/// Containers that systemd-machined knows: those of systemd-nspawn, with a network of their own.
package final class MachinedRuntime: WatchedRuntime {
    package static let source = "machined"

    private static let service = "org.freedesktop.machine1"
    private static let manager = SystemBus.Object(
        service: service, path: "/org/freedesktop/machine1", interface: "\(service).Manager")
    /// Error of `GetAddresses` for a machine in the host's network namespace, which has the host's resolver.
    private static let noPrivateNetwork = "\(service).NoPrivateNetworking"
    /// Class of machines that have a network namespace; the other is `vm`.
    private static let containerClass = "container"
    /// Longest wait for machined: it is started when it is asked for the first time.
    private static let timeout = Duration.seconds(5)

    /// A machine that runs: a name may come again with another process.
    private struct Instance: Hashable {
        var name: String
        var leader: Int32
    }

    /// A connection that has subscribed to machines that come and go.
    private final class Connection {
        let bus: SystemBus
        let descriptor: Descriptor
        var isWatched = false

        init() throws {
            bus = try SystemBus(timeout: MachinedRuntime.timeout)
            // Before the list is read: what comes meanwhile is in one of the two.
            try bus.subscribe(to: MachinedRuntime.manager)
            descriptor = try bus.descriptor()
        }
    }

    private var connection: Connection?
    /// Machines of the last reading; true: it has a network namespace of its own. That never changes, and asking for it costs
    /// machined a process.
    private var isPrivate: [Instance: Bool] = [:]

    package init() {}

    package func watch(by poller: Poller, firstToken: UInt64) throws(LinuxError) {
        guard let connection, !connection.isWatched else { return }
        try poller.add(connection.descriptor, token: firstToken, interest: [.readable])
        connection.isWatched = true
    }

    package func hasChanged() -> Bool {
        guard let connection else { return false }
        do throws(BusError) {
            return try !connection.bus.takeSignals().isEmpty
        } catch {
            self.connection = nil
            return true
        }
    }

    package func read() -> RuntimeReading {
        do {
            let connection = try connection ?? Connection()
            self.connection = connection
            return RuntimeReading(Publication(try machines(connection.bus)))
        } catch {
            connection = nil
            return RuntimeReading(
                failure: "machines cannot be listed: \(error); systemd-machined is in the package systemd-container")
        }
    }

    // MARK: - Calls

    /// Containers that run and have a network namespace of their own.
    private func machines(_ bus: borrowing SystemBus) throws(BusError) -> [Machine] {
        let list = try bus.call(Self.manager, "ListMachines")
        var objects: [SystemBus.Object] = []
        // a(ssso): name, class, service, object.
        _ = try list.enter(.array, "(ssso)")
        while try list.enter(.structure, "ssso") {
            try list.skip("s")
            let kind = try list.string()
            try list.skip("s")
            if let path = try list.string(.objectPath), kind == Self.containerClass {
                objects.append(
                    SystemBus.Object(service: Self.service, path: path, interface: "\(Self.service).Machine"))
            }
            try list.leave()
        }
        var machines: [Machine] = []
        var known: [Instance: Bool] = [:]
        for object in objects {
            do throws(BusError) {
                guard let machine = try machine(object, bus) else { continue }
                let instance = Instance(name: machine.name, leader: machine.leader)
                if let isPrivate = isPrivate[instance] {
                    known[instance] = isPrivate
                } else {
                    known[instance] = try hasPrivateNetwork(object, bus)
                }
                if known[instance] == true { machines.append(machine) }
            } catch  where error.name != nil {
                // It has ended meanwhile: a signal says so.
            }
        }
        isPrivate = known
        return machines
    }

    /// Properties of a machine; nil where it has no process.
    private func machine(_ object: SystemBus.Object, _ bus: borrowing SystemBus) throws(BusError) -> Machine? {
        var properties = object
        properties.interface = "org.freedesktop.DBus.Properties"
        let reply = try bus.call(properties, "GetAll", [object.interface])
        var name = ""
        var leader: UInt32 = 0
        var links: [Machine.HostLink] = []
        _ = try reply.enter(.array, "{sv}")
        while try reply.enter(.entry, "sv") {
            switch try reply.string() {
            case "Name":
                _ = try reply.enter(.variant, "s")
                name = try reply.string() ?? ""
                try reply.leave()
            case "Leader":
                _ = try reply.enter(.variant, "u")
                leader = try reply.unsigned() ?? 0
                try reply.leave()
            case "NetworkInterfaces":
                _ = try reply.enter(.variant, "ai")
                _ = try reply.enter(.array, "i")
                while let index = try reply.signed() {
                    if let link = HostLinks.link(index) { links.append(link) }
                }
                try reply.leave()
                try reply.leave()
            default: try reply.skip("v")
            }
            try reply.leave()
        }
        guard leader > 0, let leader = Int32(exactly: leader) else { return nil }
        return Machine(name: name, leader: leader, links: links)
    }

    private func hasPrivateNetwork(_ object: SystemBus.Object, _ bus: borrowing SystemBus) throws(BusError) -> Bool {
        do throws(BusError) {
            _ = try bus.call(object, "GetAddresses")
            return true
        } catch  where error.name == Self.noPrivateNetwork {
            return false
        }
    }
}

/// Links of the host, as sysfs shows them (Documentation/ABI/testing/sysfs-class-net).
private enum HostLinks {
    private static let directory = "/sys/class/net"
    /// Most octets of a file with one number.
    private static let maximumNumber = 64

    /// A link by its number; nil where there is none.
    static func link(_ index: Int32) -> Machine.HostLink? {
        for name in (try? Files.entries(of: directory)) ?? [] {
            let text = try? Files.readText("\(directory)/\(name)/ifindex", limit: maximumNumber)
            guard text == "\(index)\n" else { continue }
            // Of a container in a bridge or zone machined has the bridge, which nspawn registers in the place of the link.
            if Files.isDirectory("\(directory)/\(name)/bridge") { return Machine.HostLink(name: name, bridge: name) }
            let bridge = Files.linkTarget("\(directory)/\(name)/master")?.split(separator: "/").last
            return Machine.HostLink(name: name, bridge: bridge.map(String.init))
        }
        return nil
    }
}
