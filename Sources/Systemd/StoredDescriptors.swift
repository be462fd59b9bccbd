// Descriptors that the service manager keeps for this service, and how many it keeps: systemd.service(5), `FileDescriptorStoreMax=`.

/// Use of the service manager's store of descriptors.
package struct StoredDescriptors: Hashable, Sendable {
    /// Descriptors that it keeps.
    package let count: Int
    /// The most that it keeps: further ones are closed without a word.
    package let limit: Int

    private static let timeout = Duration.seconds(1)
    private static let service = "org.freedesktop.systemd1"
    private static let interface = "\(service).Service"

    /// Asks the service manager by the system bus.
    /// - Parameter controlGroup: text of `/proc/self/cgroup`, whose last name is the service's.
    /// - Returns: nil where no service manager runs this process, or it does not say.
    package static func read(controlGroup: String) -> StoredDescriptors? {
        guard let unit = unit(ofControlGroup: controlGroup) else { return nil }
        do throws(BusError) {
            let bus = try SystemBus(timeout: timeout)
            let object = SystemBus.Object(
                service: service, path: "/org/freedesktop/systemd1/unit/\(label(unit))",
                interface: "org.freedesktop.DBus.Properties")
            guard let count = try number("NFileDescriptorStore", of: object, by: bus),
                let limit = try number("FileDescriptorStoreMax", of: object, by: bus)
            else { return nil }
            return StoredDescriptors(count: count, limit: limit)
        } catch {
            return nil
        }
    }

    private static func number(
        _ property: String, of object: SystemBus.Object, by bus: borrowing SystemBus
    ) throws(BusError) -> Int? {
        let reply = try bus.call(object, "Get", [interface, property])
        guard try reply.enter(.variant, "u") else { return nil }
        return try reply.unsigned().map { Int($0) }
    }

    /// The unit of a process, as `intercom.service`.
    static func unit(ofControlGroup text: String) -> String? {
        // The unified hierarchy, or systemd's own of version 1.
        for line in text.split(separator: "\n") where line.hasPrefix("0::") || line.contains(":name=systemd:") {
            if let last = line.split(separator: "/").last, last.hasSuffix(".service"), last.utf8.count <= 255 {
                return String(last)
            }
        }
        return nil
    }

    /// A unit's name as part of an object's path: other octets than letters and digits as `_2e` (sd_bus_path_encode(3)).
    static func label(_ unit: String) -> String {
        unit.utf8.map { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                String(UnicodeScalar(octet))
            default: "_" + (octet < 16 ? "0" : "") + String(octet, radix: 16)
            }
        }.joined()
    }
}
