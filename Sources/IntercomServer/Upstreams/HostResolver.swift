// The host's resolv.conf: whom the host asks, followed as it changes (a VPN comes up, the Wi-Fi is another).

import ControlAPI
import DNSWire
import LinuxNet
import Logging

/// The host's `/etc/resolv.conf` as it is now. Without servers in it the last ones that it had stay good: that a file is
/// missing is no reason to deny names.
struct HostResolver: ~Copyable {
    static let path = "/etc/resolv.conf"
    /// File in which systemd-resolved keeps the servers behind its stub (systemd-resolved.service(8)). The file that names the stub
    /// stays as it is when they change.
    private static let pathBehindStub = "/run/systemd/resolve/resolv.conf"

    /// Addresses of systemd-resolved itself.
    static let stubs = [53, 54].map { IPAddress.v4(IPv4Address(bits: 0x7F00_0000 | $0)) }

    private(set) var configuration = ResolverConfiguration()
    /// The servers behind systemd-resolved's stub.
    private(set) var serversBehindStub: [ServerAddress] = []
    /// True when systemd-resolved asks us for the domain of containers (`HostDelegate`).
    private(set) var isDelegated = false
    private var file: WatchedFile
    private var fileBehindStub: WatchedFile
    private var delegate: WatchedFile
    /// Tells of files that are mounted over these; nil without `/proc`.
    private let mounts: MountTable?
    private let logger: Logger
    /// True when it was said that there is no server: once is enough.
    private var hasWarned = false

    /// - Throws: ``LinuxError`` when files cannot be watched at all.
    init(logger: Logger) throws(LinuxError) {
        let file = try WatchedFile(Self.path)
        let fileBehindStub = try WatchedFile(Self.pathBehindStub)
        delegate = try WatchedFile(HostDelegate.path)
        self.file = file
        self.fileBehindStub = fileBehindStub
        mounts = try? MountTable()
        self.logger = logger
        read()
    }

    /// Has the loop tell by ``ControlToken/resolver`` when something has happened to the files.
    func watch(by loop: EventLoop) throws(LinuxError) {
        try loop.watch(file.descriptor, as: .resolver)
        try loop.watch(fileBehindStub.descriptor, as: .resolver)
        try loop.watch(delegate.descriptor, as: .resolver)
        switch mounts {
        case .some(let mounts): try loop.watch(mounts.descriptor, as: .resolver, for: [.priority])
        case .none: break
        }
    }

    /// Reads the file again if something has happened to it, or to the servers behind systemd-resolved's stub.
    /// - Returns: whether something has, even if the file says the same: what was said before may be wrong now.
    mutating func update() -> Bool {
        do throws(LinuxError) {
            let changes = [try file.hasChanged(), try fileBehindStub.hasChanged(), try delegate.hasChanged()]
            guard changes.contains(true) else { return false }
        } catch {
            logger.error("cannot watch \(Self.path); its changes are not noticed: \(error)")
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
        if new.nameservers.isEmpty {
            new.nameservers = old.nameservers
            if !hasWarned { warn() }
            hasWarned = true
        } else {
            hasWarned = false
            if !old.nameservers.isEmpty, new.nameservers != old.nameservers {
                let servers = new.nameservers.map(\.description).joined(separator: ", ")
                logger.info("\(Self.path) has changed: the upstreams of the host are \(servers)")
            }
        }
        configuration = new
        isDelegated = Self.text(of: HostDelegate.path).map { HostDelegate.isOurs($0) } ?? false
        serversBehindStub = ResolverConfiguration(Self.text(of: Self.pathBehindStub) ?? "").nameservers
    }

    /// Text of a file that is there or not.
    private static func text(of path: String) -> String? { (try? Files.readText(path, limit: 1 << 20)) ?? nil }

    /// True when the host itself asks us at 127.0.0.11.
    var servesHost: Bool { configuration.servesHost || isDelegated }

    private func warn() {
        let consequence =
            configuration.nameservers.isEmpty
            ? "only upstreams of the configuration are used" : "those asked until now are asked further"
        logger.warning("\(Self.path) names no DNS server: \(consequence)", metadata: .about(.noUpstreams))
    }
}
