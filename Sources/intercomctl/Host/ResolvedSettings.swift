// Settings of systemd-resolved that lead the host's programs to intercom.

import ControlAPI
import LinuxNet
import SystemPackage
import Systemd

/// The hook, systemd 259: systemd-resolved asks us by Varlink before it asks any server. The daemon has its socket from a unit.
struct ResolveHookSetting: HostSetting {
    private static let unit = "intercom-resolve-hook.socket"
    /// Link by which the socket is there with the daemon.
    private static let link = "/etc/systemd/system/intercom.service.wants/\(unit)"
    private static let service = "intercom.service"

    let way = Status.HostWay.hook
    let isProved = true

    func isEnabled() throws(Failure) -> Bool { Files.isThere(Self.link) }

    func begin(domain: String) throws(Failure) -> [String] {
        do throws(BusError) {
            let manager = try UnitManager()
            try manager.enable([Self.unit])
            // A service has the sockets that were there when it began. No question is lost.
            try manager.restart(Self.service)
        } catch {
            throw Failure(status: 1, message: "\(Self.unit) cannot be enabled (\(error)); nothing was changed")
        }
        return ["systemd-resolved asks intercom by its hook, \(Self.unit)"]
    }

    func finish(domain: String) -> [String] { [] }

    func undo() throws(Failure) -> [String] {
        do throws(BusError) {
            let manager = try UnitManager()
            try manager.disable([Self.unit])
            try manager.stop(Self.unit)
            try manager.restart(Self.service)
        } catch {
            throw Failure(status: 1, message: "\(Self.unit) cannot be disabled: \(error)")
        }
        return ["\(Self.unit) disabled: systemd-resolved does not ask intercom any more"]
    }

    func check() {}

    func description(domain: String) -> String { "systemd-resolved asks intercom by its hook, and is answered" }
}

/// A server for one domain: by a file of systemd-resolved (258), before that by the settings of a link, which has no other use.
/// The file is there in both cases: the daemon serves the host while it is.
struct ResolvedLinkSetting: HostSetting {
    /// Name of the link.
    private static let link = "intercom0"
    /// The link's address: IPv4's dummy address (RFC 7600 §6), which nobody has.
    private static let address: [UInt8] = [192, 0, 0, 8]
    private static let server: [UInt8] = [127, 0, 0, 11]
    /// Unit that makes the link when the host starts.
    private static let unit = "intercom-resolved-link.service"
    private static let resolved = "systemd-resolved.service"

    /// True where systemd-resolved reads the file.
    let hasDelegates: Bool
    let way = Status.HostWay.listener
    let isProved = true

    func isEnabled() throws(Failure) -> Bool { Files.isThere(HostDelegate.path) || Self.hasLink }

    private static var hasLink: Bool { (try? InterfaceName.index(of: link)) != nil }

    func begin(domain: String) throws(Failure) -> [String] {
        let directory = HostDelegate.path.split(separator: "/").dropLast().joined(separator: "/")
        do throws(LinuxError) {
            try Files.makeDirectories("/\(directory)")
            try Files.writeAtomically(HostDelegate.path, HostDelegate.text(domain: domain), mode: 0o644)
        } catch {
            throw Failure(status: 1, message: "\(HostDelegate.path) cannot be written (\(error)); nothing was changed")
        }
        return ["\(HostDelegate.path) written"]
    }

    func finish(domain: String) throws(Failure) -> [String] {
        if hasDelegates {
            do throws(BusError) {
                try UnitManager().reload(Self.resolved)
            } catch {
                throw Failure(status: 1, message: "systemd-resolved cannot be told to read it: \(error)")
            }
            return ["systemd-resolved asks 127.0.0.11 for names under \(domain)"]
        }
        try Self.makeLink(domain: domain)
        let done = "systemd-resolved asks 127.0.0.11 for names under \(domain), by the link \(Self.link)"
        do throws(BusError) {
            try UnitManager().enable([Self.unit])
            return [done]
        } catch {
            return ["\(done), until the host is restarted (\(Self.unit) cannot be enabled: \(error))"]
        }
    }

    /// Makes the link, where there is none, and gives it its settings.
    static func makeLink(domain: String) throws(Failure) {
        do throws(LinuxError) {
            do throws(LinuxError) {
                try DummyLink.make(link, address: address)
            } catch  where error.errno == .fileExists {
                // It is ours from before.
            }
            let index = try InterfaceName.index(of: link)
            try set(index, domain)
        } catch {
            throw Failure(status: 1, message: "the link \(link) cannot be made: \(error)")
        }
    }

    /// systemd-resolved learns of a new link by netlink: it may need a moment.
    private static func set(_ index: UInt32, _ domain: String) throws(LinuxError) {
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            do throws(BusError) {
                return try ResolvedLink.set(index, server: server, domain: domain)
            } catch {
                guard ContinuousClock.now < deadline else {
                    throw LinuxError(call: error.call, errno: error.errno, subject: error.name ?? "systemd-resolved")
                }
                Thread.pause(milliseconds: 50)
            }
        }
    }

    func undo() throws(Failure) -> [String] {
        var done: [String] = []
        // Where there is no service manager, nothing of this is its.
        let manager = try? UnitManager()
        do throws(LinuxError) {
            if Self.hasLink {
                try DummyLink.remove(Self.link)
                done.append("the link \(Self.link) removed")
            }
            if Files.isThere(HostDelegate.path) {
                try Files.unlink(HostDelegate.path)
                done.append("\(HostDelegate.path) removed")
                // If it is empty.
                let directory = HostDelegate.path.split(separator: "/").dropLast().joined(separator: "/")
                try? Files.removeDirectory("/\(directory)")
            }
        } catch {
            throw Failure(status: 1, message: "not all of it can be taken back: \(error)")
        }
        switch manager {
        case .none: break
        case .some(let manager):
            try? manager.disable([Self.unit])
            if let version = try? manager.version(), version >= 258 { try? manager.reload(Self.resolved) }
        }
        return done
    }

    func check() throws(Failure) {
        guard let version = try? UnitManager().version(), version < 258, !Self.hasLink else { return }
        throw Failure(
            status: 1,
            message:
                "the link \(Self.link), by which systemd-resolved asks, is not there; run 'intercomctl host enable' as root"
        )
    }

    func description(domain: String) -> String {
        "systemd-resolved asks 127.0.0.11 for names under \(domain)\(Self.hasLink ? ", by the link \(Self.link)" : "")"
    }
}
