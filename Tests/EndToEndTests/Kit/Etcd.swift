// A real etcd of one member in a house, and hosts that share it: a daemon and an intercom-etcd each.

import Foundation

/// Certificates in a directory: an authority of a test's own, and what it signs.
struct Authority {
    let directory: String

    init(_ directory: String) throws {
        self.directory = directory
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt"
        )
    }

    private func openssl(_ line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        try Command.must(["sh", "-c", "cd \(directory) && exec \"$@\"", "sh", "openssl"] + words)
    }

    /// Signs a certificate, `NAME.crt` and `NAME.key`; with 0 days it has expired at once.
    /// - Parameters:
    ///   - name: its common name, and the beginning of both files' names.
    ///   - alternative: its subjectAltName.
    ///   - days: days that it is valid.
    ///   - wait: days until it is.
    func sign(_ name: String, alternative: String = "DNS:host", days: Int = 2, after wait: Int = 0) throws {
        try "subjectAltName=\(alternative)\n".write(toFile: "\(directory)/ext", atomically: true, encoding: .utf8)
        try openssl(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=\(name) -keyout \(name).key -out \(name).csr"
        )
        if wait > 0 { return try sign(name, from: Self.time(days: wait), to: Self.time(days: wait + days)) }
        try openssl(
            "x509 -req -in \(name).csr -CA ca.crt -CAkey ca.key -CAcreateserial -days \(days) -extfile ext -out \(name).crt"
        )
    }

    /// Signs a request that is there; x509(1) has no way to say from when on a certificate is valid.
    private func sign(_ name: String, from start: String, to end: String) throws {
        let configuration =
            "[ca]\ndefault_ca = own\n[own]\ndatabase = index\nnew_certs_dir = .\nrand_serial = yes\npolicy = any\n[any]\ncommonName = supplied\n"
        for (file, text) in [("index", ""), ("configuration", configuration)] {
            try text.write(toFile: "\(directory)/\(file)", atomically: true, encoding: .utf8)
        }
        try openssl(
            "ca -batch -notext -config configuration -cert ca.crt -keyfile ca.key -md sha256 -in \(name).csr -startdate \(start) -enddate \(end) -extfile ext -out \(name).crt"
        )
    }

    /// A time so many days from now, as X.509 writes it.
    private static func time(days: Int) -> String {
        let formatter = DateFormatter()
        formatter.dateFormat = "yyyyMMddHHmmss'Z'"
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.locale = Locale(identifier: "en_US_POSIX")
        return formatter.string(from: Date(timeIntervalSinceNow: Double(days) * 86_400))
    }
}

/// An etcd with its data in the house's directory, at 127.0.0.1 of the house.
final class Etcd {
    static let server = "/usr/bin/etcd"
    static let client = "/usr/bin/etcdctl"

    let house: House
    /// Signs the certificates of members and clients; nil: etcd speaks without TLS.
    let authority: Authority?
    private var process: Process?

    var endpoint: String { authority == nil ? "http://127.0.0.1:2379" : "https://127.0.0.1:2379" }

    /// Starts a member.
    /// - Parameters:
    ///   - house: the house that it runs in.
    ///   - authority: signs its certificate `server`; nil: it speaks without TLS.
    init(in house: House, authority: Authority? = nil) throws {
        (self.house, self.authority) = (house, authority)
        try start()
    }

    private var security: [String] {
        guard let directory = authority?.directory else { return [] }
        return [
            "--cert-file", "\(directory)/server.crt", "--key-file", "\(directory)/server.key", "--trusted-ca-file",
            "\(directory)/ca.crt", "--client-cert-auth",
        ]
    }

    private var data: String { "\(house.directory)/etcd" }

    func start() throws {
        let peer = "http://127.0.0.1:2380"
        process = try house.start(
            in: "house",
            [
                Self.server, "--data-dir", data, "--listen-client-urls", endpoint, "--advertise-client-urls", endpoint,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                "default=\(peer)",
                // One member: it elects itself, and need not wait a second for it.
                "--heartbeat-interval", "20", "--election-timeout", "200",
            ] + security, log: "etcd.log")
        guard try eventually(within: 20, { try ctl("endpoint", "health").status == 0 }) else {
            throw CommandFailure(command: "etcd", output: Output(status: 1, out: house.text(of: "etcd.log"), err: ""))
        }
    }

    /// Kills the member as a crash would.
    func kill() {
        if let process { House.kill(process) }
        process = nil
    }

    /// Has the next start begin with an empty store.
    func empty() throws { try FileManager.default.removeItem(atPath: data) }

    /// etcdctl.
    @discardableResult
    func ctl(_ arguments: String..., input: String = "") throws -> Output {
        try ctl(as: "root", arguments, input: input)
    }

    /// etcdctl with the certificate of a user.
    func ctl(as user: String, _ arguments: [String], input: String = "") throws -> Output {
        let identity = authority.map {
            [
                "--cacert", "\($0.directory)/ca.crt", "--cert", "\($0.directory)/\(user).crt", "--key",
                "\($0.directory)/\(user).key",
            ]
        }
        let options = [Self.client, "--endpoints", endpoint, "--command-timeout=3s"] + (identity ?? [])
        return try house.run(in: "house", options + arguments, input: input)
    }

    /// Keys below a prefix, in their order.
    func keys(_ prefix: String = "/intercom/") throws -> [String] {
        try ctl("get", "--prefix", "--keys-only", prefix).lines
    }

    /// Revision of the store.
    func revision() throws -> Int {
        let text = try ctl("get", "/none", "--write-out=json").out
        let header = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return (header?["header"] as? [String: Any])?["revision"] as? Int ?? 0
    }

    /// Lease of a key, as etcdctl takes it.
    func lease(of key: String) throws -> String {
        let text = try ctl("get", key, "--write-out=json").out
        let reply = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let pair = (reply?["kvs"] as? [[String: Any]])?.first
        return String(pair?["lease"] as? Int ?? 0, radix: 16)
    }
}

/// A house whose daemon shares networks, with an intercom-etcd of a name of its own.
final class SharingHost {
    let name: String
    let house: House
    private let etcd: Etcd
    private(set) var bridge: Process?
    private var starts = 0

    init(_ name: String, _ house: House, _ etcd: Etcd) {
        (self.name, self.house, self.etcd) = (name, house, etcd)
    }

    /// Log of all bridges of this host so far.
    var log: String { (1...max(1, starts)).map { etcd.house.text(of: "bridge-\(name)-\($0)") }.joined() }

    /// Starts a bridge; it runs where etcd is, and reaches the daemon by the path of its socket.
    func startBridge(_ options: String = "") throws {
        starts += 1
        let file = "\(house.directory)/etcd.toml"
        let text = """
            endpoints = ["\(etcd.endpoint)"]
            insecure = \(etcd.authority == nil)
            host = "\(name)"
            address = "192.0.2.\(name.utf8.first.map { $0 - 96 } ?? 0)"
            socket = "\(house.directory)/cluster.sock"
            ttl = 5
            \(options)
            \(certificates)

            """
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        bridge = try etcd.house.start(
            in: "house",
            ["\(House.binaries)/intercom-etcd", "--config", file, "--state-dir", "\(house.directory)/etcd-state"],
            log: "bridge-\(name)-\(starts)")
    }

    private var certificates: String {
        guard let directory = etcd.authority?.directory else { return "" }
        return "[tls]\nca = '\(directory)/ca.crt'\ncert = '\(directory)/\(name).crt'\nkey = '\(directory)/\(name).key'"
    }

    /// Runs a verb of intercom-etcd with this host's configuration.
    func run(_ arguments: String...) throws -> Output {
        try etcd.house.run(
            in: "house",
            ["\(House.binaries)/intercom-etcd"] + arguments
                + ["--config", "\(house.directory)/etcd.toml", "--state-dir", "\(house.directory)/etcd-state"])
    }

    func killBridge() {
        if let bridge { House.kill(bridge) }
        bridge = nil
    }

    /// Ends the bridge as an operator would.
    func stopBridge() {
        bridge?.terminate()
        bridge?.waitUntilExit()
        bridge = nil
    }
}

extension House {
    /// Text of a file in the house's directory; empty where there is none.
    func text(of file: String) -> String {
        (try? String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)) ?? ""
    }
}
