// The host's resolv.conf, with our two lines in it or without.

import ControlAPI
import DNSWire
import LinuxNet
import SystemPackage
import Systemd

/// The host's resolv.conf, as it was when it was read.
struct HostResolverFile {
    static let path = "/etc/resolv.conf"
    /// Longest file that is edited, in octets: real ones have some hundred.
    private static let limit = 64 * 1024
    /// The file itself, where `/etc/resolv.conf` is a link.
    let path: String
    let octets: [UInt8]

    /// - Throws: ``Failure`` where it cannot be read.
    init() throws(Failure) {
        path = Files.trail(of: Self.path).last ?? Self.path
        do throws(LinuxError) {
            guard let octets = try Files.readBytes(path, limit: Self.limit) else {
                throw LinuxError(call: "open", errno: .noSuchFileOrDirectory, subject: path)
            }
            self.octets = octets
        } catch {
            throw Failure(status: 1, message: "\(Self.path) cannot be read (\(error)); nothing was changed")
        }
    }

    /// - Throws: ``Failure`` where the file names no other server: there would be nobody to ask for all other names.
    func requireServers() throws(Failure) {
        let lines = String(decoding: octets, as: UTF8.self).split(whereSeparator: \.isNewline)
        let hasServer = lines.contains { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            return line.hasPrefix("nameserver") && words.first == "nameserver" && words.count > 1
                && words[1] != "127.0.0.11"
        }
        guard hasServer else {
            throw Failure(
                status: 1,
                message:
                    "\(Self.path) names no other DNS server: all names but those of containers would be lost; nothing was changed"
            )
        }
    }

    /// Replaces the file, all of it or nothing.
    /// - Throws: ``Failure``; the file is as it was then.
    func write(_ new: [UInt8]) throws(Failure) {
        do throws(LinuxError) {
            try Files.rewrite(path, new)
        } catch {
            let cure =
                switch error.errno {
                case .permissionDenied: "; run this as root"
                case .notPermitted: "; run this as root, or take 'chattr +i' from it ('lsattr \(path)')"
                case .readOnlyFileSystem: "; its file system is read-only"
                case .resourceBusy: "; it is mounted over: edit the file that is mounted there"
                default: ""
                }
            throw Failure(status: 1, message: "\(path) cannot be changed (\(error))\(cure); nothing was changed")
        }
    }
}

/// The two lines in the host's resolv.conf, and the unit that puts them there again.
struct ResolverFileSetting: HostSetting {
    /// Unit that watches the file.
    private static let watcher = "intercom-resolv-conf.path"
    /// Link by which the watcher is started with the host.
    private static let watcherLink = "/etc/systemd/system/paths.target.wants/\(watcher)"

    let way = Status.HostWay.listener
    let isProved = false

    func isEnabled() throws(Failure) -> Bool {
        if Files.isThere(Self.watcherLink) { return true }
        guard Files.exists(HostResolverFile.path) else { return false }
        return HostResolverText.hasLines(String(decoding: try HostResolverFile().octets, as: UTF8.self))
    }

    func begin(domain: String) throws(Failure) -> [String] {
        let file = try HostResolverFile()
        let new = HostResolverText.enabled(file.octets)
        guard new != file.octets else { return ["\(HostResolverFile.path) has 127.0.0.11 already"] }
        try file.requireServers()
        try file.write(new)
        return ["\(file.path): 127.0.0.11 put first"]
    }

    func finish(domain: String) throws(Failure) -> [String] {
        do throws(BusError) {
            let manager = try UnitManager()
            try manager.enable([Self.watcher])
            try manager.start(Self.watcher)
            return ["\(Self.watcher) puts it there again when somebody writes the file anew"]
        } catch {
            return ["whoever writes the file anew takes it out (\(Self.watcher) cannot be enabled: \(error))"]
        }
    }

    func undo() throws(Failure) -> [String] {
        Self.stopWatcher()
        guard Files.exists(HostResolverFile.path) else { return ["\(Self.watcher) disabled"] }
        let file = try HostResolverFile()
        let new = HostResolverText.disabled(file.octets)
        guard new != file.octets else { return ["\(Self.watcher) disabled"] }
        try file.write(new)
        return ["\(file.path): 127.0.0.11 taken out; the rest is as it was"]
    }

    /// Stops the watcher before the lines go: it would put them there again. Where there is no service manager, there is none.
    private static func stopWatcher() {
        guard Files.isThere(watcherLink) else { return }
        do throws(BusError) {
            let manager = try UnitManager()
            try manager.disable([watcher])
            try manager.stop(watcher)
            let deadline = ContinuousClock.now + .seconds(5)
            while try manager.state(of: watcher) == "active", ContinuousClock.now < deadline {
                Thread.pause(milliseconds: 20)
            }
        } catch {
            // It is no service manager's any more.
            try? Files.unlink(watcherLink)
        }
    }

    func check() throws(Failure) {
        guard !HostResolverText.hasLines(String(decoding: try HostResolverFile().octets, as: UTF8.self)) else { return }
        throw Failure(
            status: 1,
            message:
                "somebody writes \(HostResolverFile.path) again and again, and \(Self.watcher) has given up: have them leave the file alone (see resolv.conf in intercomctl(1)), then run 'systemctl reset-failed \(Self.watcher)' and 'intercomctl host enable'"
        )
    }

    func description(domain: String) -> String { "\(HostResolverFile.path): 127.0.0.11 is first, and answers" }

    /// Puts the lines there again.
    func mend() throws(Failure) -> String {
        let file = try HostResolverFile()
        let new = HostResolverText.enabled(file.octets)
        guard new != file.octets else { return "\(HostResolverFile.path) has 127.0.0.11 already" }
        try file.requireServers()
        try file.write(new)
        return "\(file.path): 127.0.0.11 put first again, as somebody has written the file anew"
    }
}
