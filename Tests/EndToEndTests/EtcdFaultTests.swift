// Daemons, bridges and etcd are killed while containers ask 200 questions a second (`make test-cluster`).

import Foundation
import Testing

@Suite("Hosts on etcd, while programs ask", .needsRoot, .needsEtcd)
struct EtcdFaultTests {
    /// Starts a program that asks from a container all the time; it kills the host's daemon on SIGUSR1.
    private func ask(_ house: House, _ container: String, _ names: [String], killing service: Supervisor) throws
        -> Process
    {
        try house.start(
            in: "house",
            [
                "env", "KILLED=\(service.pidFile)", "\(House.repository)/Tests/Demo/ask-always", house.path(container),
                "200",
            ] + names, log: "asker")
    }

    @Test("No question gets a wrong answer or none while daemons, bridges and etcd are killed, one by one and together")
    func kills() throws {
        try House.lend { a in
            try House.lend { b in
                var services: [Supervisor] = []
                for house in [a, b] {
                    _ = house.stopDaemon()
                    services.append(
                        try Supervisor(
                            house,
                            """
                            [discover]
                            enabled = false
                            [cluster]
                            networks = ["frontend"]
                            socket = "\(house.directory)/cluster.sock"
                            [[network]]
                            name = "frontend"

                            """))
                }
                try a.container("web", "--network", "frontend,ip=10.1.1.2,alias=site")
                try b.container("db", "--network", "frontend,ip=10.1.2.3,alias=site")
                let etcd = try Etcd(in: a)
                let hosts = [SharingHost("a", a, etcd), SharingHost("b", b, etcd)]
                for host in hosts { try host.startBridge() }
                func isJoined() throws -> Bool {
                    try a.dig("web", "db").data == ["10.1.2.3"] && b.dig("db", "web").data == ["10.1.1.2"]
                }
                try #require(try eventually(isJoined), "\(hosts.map(\.log))")
                let askers = [
                    try ask(a, "web", ["db", "site", "db.frontend.internal"], killing: services[0]),
                    try ask(b, "db", ["web", "site"], killing: services[1]),
                ]
                func killDaemon(_ number: Int, _ round: Int) throws {
                    askers[number].signal(SIGUSR1)
                    try services[number].awaitReady(round)
                }
                for round in 2...4 {
                    try killDaemon(0, round)
                    try killDaemon(1, round)
                    for host in hosts {
                        host.killBridge()
                        try host.startBridge()
                    }
                    etcd.kill()
                    try etcd.start()
                    #expect(try eventually { try a.ctl("host", "ls").out.contains(": connected") }, "\(hosts[0].log)")
                }
                // A daemon and its bridge together: the bridge has everything from etcd.
                hosts[0].killBridge()
                try hosts[0].startBridge()
                try killDaemon(0, 5)
                #expect(try eventually(isJoined))
                for (asker, house) in zip(askers, [a, b]) {
                    asker.terminate()
                    asker.waitUntilExit()
                    #expect(
                        house.text(of: "asker").hasSuffix("all answered\n"), "\(house.text(of: "asker"))\n\(house.log)")
                }
            }
        }
    }
}

extension Process {
    /// Sends a signal.
    fileprivate func signal(_ number: Int32) { kill(processIdentifier, number) }
}
