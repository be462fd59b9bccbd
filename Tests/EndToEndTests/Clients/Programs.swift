// Programs that look names up: those of a Linux system, and small ones that are compiled for a test.

import Foundation
import Testing

/// Programs that a test compiles or calls.
enum Programs {
    /// True when a program is installed.
    static func isThere(_ name: String) -> Bool {
        (try? Command.run(["sh", "-c", "command -v \"$0\"", name]))?.status == 0
    }

    /// The longer suites with programs of large packages: `make test-clients`.
    static let isLong = ProcessInfo.processInfo.environment["INTERCOM_CLIENTS"] != nil

    /// A source beside this file.
    static func source(_ file: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("programs/\(file)").path
    }

    /// Compiles `lookup.c`.
    /// - Parameters:
    ///   - compiler: `gcc` for glibc, `musl-gcc` for musl.
    ///   - house: where the program is put.
    /// - Returns: its path.
    static func lookup(_ compiler: String, in house: House) throws -> String {
        let program = "\(house.directory)/lookup-\(compiler)"
        let options = compiler == "musl-gcc" ? ["-static"] : []
        try Command.must([compiler, "-O1"] + options + ["-o", program, source("lookup.c")])
        return program
    }

    /// Compiles `lookup.go` by the resolver that is written in Go, without libc.
    static func goLookup(in house: House) throws -> String {
        let program = "\(house.directory)/lookup-go"
        let environment = [
            "CGO_ENABLED": "0", "GOCACHE": "\(House.repository)/.build/go-cache", "GOPATH": "\(house.directory)/go",
            "GO111MODULE": "off",
        ]
        let output = try Command.run(
            ["go", "build", "-o", program, source("lookup.go")], environment: environment)
        try #require(output.status == 0, "\(output)")
        return program
    }
}

extension Trait where Self == ConditionTrait {
    /// Holds in the longer suites of `make test-clients`, for who may make network namespaces.
    static var needsClients: Self {
        .enabled(if: Programs.isLong && geteuid() == 0, "make test-clients runs it")
    }
}

extension House {
    /// Makes a container that has addresses and default routes of both families, so that libraries ask for both, as they do in
    /// real containers. It is 10.9.0.2 and fd09::2; the host is 10.9.0.1 and fd09::1, and refuses connections to all others in
    /// 10.0.0.0/15, 192.0.2.0/24 and fd00::/16 at once, as their own host would.
    ///
    /// A libc sorts what it was told by RFC 6724. What is in one prefix that the container is not in is equal to that: no rule
    /// prefers one, and the server's order stays. (A neighbour in the container's own subnet does not: rule 9 puts first what
    /// has the longest prefix in common with the source address.)
    func routedContainer(_ name: String, _ options: String...) throws {
        _ = try namespace(name)
        try ip("link add \(name)0 type veth peer name eth0 netns \(name)")
        for (place, link, number) in [(host, "\(name)0", 1), (name, "eth0", 2)] {
            try ip(in: place, "addr add 10.9.0.\(number)/24 dev \(link)")
            try ip(in: place, "addr add fd09::\(number)/64 dev \(link) nodad")
            try ip(in: place, "link set \(link) up")
        }
        // Every address of a local route is the host's own (AnyIP), but for those of its links, whose routes are longer.
        for others in ["10.0.0.0/15", "192.0.2.0/24", "fd00::/16"] { try ip("route add local \(others) dev lo") }
        try ip(in: name, "route add default via 10.9.0.1")
        try ip(in: name, "-6 route add default via fd09::1")
        try Command.must(
            ["\(Self.binaries)/intercomctl", "--socket", socket, "container", "add", name, "--netns", path(name)]
                + options)
    }
}
