// The host's resolv.conf: whom the host asks, followed as it changes (a VPN comes up, the Wi-Fi is another).

import DNSWire
import LinuxNet
import Logging

/// The host's `/etc/resolv.conf` as it is now. Without servers in it the last ones that it had stay good: that a file is
/// missing is no reason to deny names.
struct HostResolver: ~Copyable {
    static let path = "/etc/resolv.conf"

    private(set) var configuration = ResolverConfiguration()
    private var file: WatchedFile
    private let logger: Logger
    /// Whether it was said that there is no server: once is enough.
    private var hasWarned = false

    /// - Throws: ``LinuxError`` when files cannot be watched at all.
    init(logger: Logger) throws(LinuxError) {
        self.logger = logger
        file = try WatchedFile(Self.path)
        read()
    }

    /// Readable when something has happened to the file.
    var descriptor: Descriptor {
        _read { yield file.descriptor }
    }

    /// Reads the file again if something has happened to it.
    /// - Returns: whether something has, even if it says the same: who is behind it may be another.
    mutating func update() -> Bool {
        do throws(LinuxError) {
            guard try file.hasChanged() else { return false }
        } catch {
            logger.error("\(Self.path) cannot be watched: \(error)")
            return false
        }
        read()
        return true
    }

    /// Reads the file.
    mutating func read() {
        let old = configuration
        var new: ResolverConfiguration
        do throws(LinuxError) {
            new = ResolverConfiguration(try Files.readText(Self.path, limit: 1 << 20) ?? "")
        } catch {
            logger.warning("\(error)")
            new = ResolverConfiguration()
        }
        if new.refused != old.refused {
            for server in new.refused { logger.warning("\(Self.path): \(server) is intercom itself and is not asked") }
        }
        if new.nameservers.isEmpty {
            new.nameservers = old.nameservers
            if !hasWarned { warn() }
            hasWarned = true
        } else {
            hasWarned = false
            if !old.nameservers.isEmpty, new.nameservers != old.nameservers {
                let servers = new.nameservers.map(\.description).joined(separator: ", ")
                logger.info("\(Self.path) has changed: the host's upstreams are \(servers)")
            }
        }
        configuration = new
    }

    private func warn() {
        let consequence =
            configuration.nameservers.isEmpty
            ? "there are no upstreams but those of the configuration" : "those asked until now are asked further"
        logger.warning("\(Self.path) names no DNS server: \(consequence)", metadata: .about(.noUpstreams))
    }
}
