// DNS servers of others, each in a namespace of a house.

import Foundation

extension House {
    /// Starts dnsmasq.
    ///
    /// dnsmasq closes all descriptors that it inherits, which Foundation takes for its end; so a shell stands between, and
    /// takes it along when it is killed.
    func startDNSMasq(in namespace: String, at address: String, _ options: String...) throws {
        try startDNSMasq(in: namespace, at: address, options)
    }

    /// The same with a list of options.
    func startDNSMasq(in namespace: String, at address: String, _ options: [String]) throws {
        let command = [
            "setpriv", "--pdeathsig", "KILL", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
            "--no-hosts", "--pid-file=", "--user=root", "--bind-interfaces", "--listen-address=\(address)",
            "--log-facility=-",
        ]
        try start(
            in: namespace, ["sh", "-c", "\"$@\" & wait", "sh"] + command + options, log: "dnsmasq-\(address)")
        try awaitServer(in: namespace, at: address)
    }

    /// Starts unbound with the lines of its configuration's `server` clause, then other clauses.
    @discardableResult
    func startUnbound(
        in namespace: String, at address: String, _ server: [String], _ clauses: String = ""
    ) throws -> Process {
        let configuration = """
            server:
              interface: \(address)
              access-control: 0.0.0.0/0 allow
              use-syslog: no
              chroot: ""
              username: ""
              do-daemonize: no
              pidfile: ""
              directory: "\(directory)"
              \(server.joined(separator: "\n  "))
            \(clauses)
            remote-control:
              control-enable: no

            """
        let file = "\(directory)/unbound-\(address).conf"
        try configuration.write(toFile: file, atomically: true, encoding: .utf8)
        let process = try start(in: namespace, ["unbound", "-d", "-c", file], log: "unbound-\(address)")
        try awaitServer(in: namespace, at: address)
        return process
    }

    /// Starts nsd with one zone.
    func startNSD(in namespace: String, at address: String, zone name: String, _ zone: String) throws {
        let place = "\(directory)/nsd-\(address)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try zone.write(toFile: "\(place)/zone", atomically: true, encoding: .utf8)
        let configuration = """
            server:
              ip-address: \(address)
              username: ""
              chroot: ""
              database: ""
              pidfile: ""
              zonesdir: "\(place)"
              xfrdfile: "\(place)/xfrd.state"
              zonelistfile: "\(place)/zone.list"
              xfrdir: "\(place)"
              cookie-secret-file: "\(place)/cookies"
              server-count: 1
            remote-control:
              control-enable: no
            zone:
              name: \(name)
              zonefile: zone

            """
        try configuration.write(toFile: "\(place)/nsd.conf", atomically: true, encoding: .utf8)
        try start(in: namespace, ["nsd", "-d", "-c", "\(place)/nsd.conf"], log: "nsd")
        try awaitServer(in: namespace, at: address)
    }

    /// Waits until a server answers, whatever it says.
    func awaitServer(in namespace: String, at address: String) throws {
        let isUp = try eventually {
            try run(in: namespace, ["dig", "@\(address)", "+tries=1", "+timeout=1", "localhost"]).status == 0
        }
        guard isUp else {
            throw CommandFailure(command: "the server at \(address)", output: Output(status: 1, out: "", err: ""))
        }
    }
}
