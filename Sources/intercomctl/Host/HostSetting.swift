// Settings that lead the host's own programs to intercom: one of four, as the host has systemd-resolved or not.

import ControlAPI
import LinuxNet
import Systemd

/// One setting of the host that leads its programs to us.
protocol HostSetting: Sendable {
    /// The way on which their questions come then.
    var way: Status.HostWay { get }
    /// True where a lookup has to find a container before the setting is kept.
    var isProved: Bool { get }
    /// True where the host has it, whoever made it.
    func isEnabled() throws(Failure) -> Bool
    /// Changes what the daemon has to see, so that it serves the host.
    /// - Returns: sentences that say what was done.
    /// - Throws: ``Failure``; nothing was changed then.
    func begin(domain: String) throws(Failure) -> [String]
    /// Changes the rest, once the daemon answers.
    func finish(domain: String) throws(Failure) -> [String]
    /// Takes everything back, without a daemon.
    func undo() throws(Failure) -> [String]
    /// - Throws: ``Failure`` where a part of it is not there any more.
    func check() throws(Failure)
    /// The setting in one line, for `host status`.
    func description(domain: String) -> String
}

/// The resolver that the host's programs use.
struct HostSurvey {
    /// All settings that there are, for taking back.
    static let allSettings: [any HostSetting] = [
        ResolveHookSetting(), ResolvedLinkSetting(hasDelegates: false), ResolverFileSetting(),
    ]
    /// Directory of systemd-resolved: it is there while that runs.
    private static let directory = "/run/systemd/resolve"

    /// Setting that leads these programs to us.
    let setting: any HostSetting

    /// Finds out what the host has: programs ask systemd-resolved where resolv.conf is a file of its, or names its stub, or
    /// nsswitch.conf(5) has its module.
    /// - Throws: ``Failure`` where it is not clear.
    init() throws(Failure) {
        let text = Self.text(of: HostResolverFile.path)
        let isResolvedThere = Files.isDirectory(Self.directory)
        if let target = Self.fileOfResolved, !isResolvedThere {
            throw Failure(
                status: 1,
                message:
                    "\(HostResolverFile.path) is a link to \(target) of systemd-resolved, which does not run: start it, or put a file with nameserver lines there; nothing was changed"
            )
        }
        guard isResolvedThere, Self.fileOfResolved != nil || Self.namesStub(text) || Self.hasModule else {
            setting = ResolverFileSetting()
            return
        }
        switch try Self.version() {
        case 259...: setting = ResolveHookSetting()
        case 258: setting = ResolvedLinkSetting(hasDelegates: true)
        default: setting = ResolvedLinkSetting(hasDelegates: false)
        }
    }

    /// - Throws: ``Failure`` where this is not root.
    static func requireRoot() throws(Failure) {
        guard Users.own != 0 else { return }
        throw Failure(status: 1, message: "this changes files of root's: run it as root; nothing was changed")
    }

    /// The file of systemd-resolved that the host's resolv.conf is a link to; nil: it is none.
    private static var fileOfResolved: String? {
        guard let path = Files.trail(of: HostResolverFile.path).last else { return nil }
        let directory = path.split(separator: "/").dropLast().suffix(3).joined(separator: "/")
        return directory == "run/systemd/resolve" ? path : nil
    }

    private static func text(of path: String) -> String { ((try? Files.readText(path, limit: 64 * 1024)) ?? nil) ?? "" }

    /// True where a resolv.conf names the stub (systemd-resolved.service(8)).
    private static func namesStub(_ text: String) -> Bool {
        text.split(whereSeparator: \.isNewline).contains { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            return words.first == "nameserver" && words.count > 1 && ["127.0.0.53", "127.0.0.54"].contains(words[1])
        }
    }

    /// True where programs look up names by nss-resolve(8).
    private static var hasModule: Bool {
        text(of: "/etc/nsswitch.conf").split(whereSeparator: \.isNewline).contains { line in
            line.hasPrefix("hosts:") && line.split { $0 == " " || $0 == "\t" }.contains("resolve")
        }
    }

    private static func version() throws(Failure) -> Int {
        do throws(BusError) {
            if let version = try UnitManager().version() { return version }
        } catch {
            throw Failure(
                status: 1,
                message:
                    "the host's programs ask systemd-resolved, and its version cannot be found out (\(error)): is the system bus there?; nothing was changed"
            )
        }
        throw Failure(
            status: 1,
            message:
                "the host's programs ask systemd-resolved, and systemd does not say its version; nothing was changed")
    }
}
