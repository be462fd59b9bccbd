// DNSSEC passes through: a validator in a container finds all that it needs, from memory too.

import Foundation
import Testing

@Suite("DNSSEC data", .needsRoot)
struct ValidationTests {
    /// Makes a signed zone `signed.test` in the house's directory, file `signed`; gives the DNSKEY record of its KSK.
    private func signZone(in house: House) throws -> String {
        let zone = """
            $TTL 300
            @ SOA ns host 1 3600 600 86400 300
            @ NS ns
            ns A 192.0.2.53
            www A 192.0.2.80

            """
        let keys = house.directory
        for role in [["-f", "KSK"], []] {
            try Command.must(["dnssec-keygen", "-q", "-K", keys, "-a", "ECDSAP256SHA256"] + role + ["signed.test"])
        }
        try zone.write(toFile: "\(keys)/zone", atomically: true, encoding: .utf8)
        try Command.must([
            "dnssec-signzone", "-q", "-S", "-K", keys, "-d", keys, "-o", "signed.test", "-f", "\(keys)/signed",
            "\(keys)/zone",
        ])
        let files = try FileManager.default.contentsOfDirectory(atPath: keys).filter { $0.hasSuffix(".key") }
        let anchor = files.lazy.compactMap { try? String(contentsOfFile: "\(keys)/\($0)", encoding: .utf8) }
            .flatMap { $0.split(separator: "\n") }.first { $0.contains("DNSKEY 257 3 13 ") }
        return String(try #require(anchor))
    }

    @Test("lets a validator in a container validate, and find what is forged bogus")
    func delv() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            let key = try signZone(in: house).split(separator: " ").dropFirst(6).joined()
            try house.startUnbound(
                in: "house", at: "127.0.0.5", ["module-config: iterator", "local-zone: \"test.\" nodefault"],
                """
                auth-zone:
                  name: "signed.test"
                  zonefile: "\(house.directory)/signed"
                  for-upstream: no
                  for-downstream: yes
                """)
            try house.container("app", "--network", "n")
            func validate(_ key: String) throws -> Output {
                let anchors = "\(house.directory)/anchors"
                try "trust-anchors { \"signed.test\" static-key 257 3 13 \"\(key)\"; };\n"
                    .write(toFile: anchors, atomically: true, encoding: .utf8)
                return try house.run(
                    in: "app", ["delv", "@127.0.0.11", "-a", anchors, "+root=signed.test", "www.signed.test", "A"])
            }
            for _ in 1...2 {
                let validated = try validate(key)
                #expect(
                    validated.out.contains("; fully validated") && validated.out.contains("192.0.2.80"), "\(validated)")
            }
            let forged = try validate(String(key.dropLast(12)) + "AAAAAAAAAA==")
            #expect(!forged.out.contains("fully validated"), "\(forged)")
        }
    }

    @Test("of an upstream that validates is told to who wants it alone, also when the upstream is gone")
    func kept() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            let key = try signZone(in: house)
            let unbound = try house.startUnbound(
                in: "house", at: "127.0.0.5",
                [
                    "module-config: \"validator iterator\"", "trust-anchor: \"\(key)\"",
                    "local-zone: \"test.\" nodefault",
                    "do-not-query-localhost: no",
                ],
                """
                auth-zone:
                  name: "signed.test"
                  zonefile: "\(house.directory)/signed"
                  for-upstream: yes
                  for-downstream: no
                """)
            try house.container("app", "--network", "n")
            for isThere in [true, false] {
                if !isThere { House.kill(unbound) }
                let about = isThere ? "asked" : "kept"
                let plain = try house.dig("app", "www.signed.test")
                #expect(plain.data == ["192.0.2.80"] && !plain.flags.contains("ad"), "\(about): \(plain)")
                let authentic = try house.dig("app", "+adflag", "www.signed.test")
                #expect(authentic.data == ["192.0.2.80"] && authentic.flags.contains("ad"), "\(about): \(authentic)")
                let signed = try house.dig("app", "+dnssec", "www.signed.test")
                #expect(
                    signed.answer.count == 2 && signed.output.out.contains("RRSIG") && signed.flags.contains("ad"),
                    "\(about): \(signed)")
                let unchecked = try house.dig("app", "+dnssec", "+cdflag", "www.signed.test")
                #expect(unchecked.answer.count == 2 && unchecked.flags.contains("cd"), "\(about): \(unchecked)")
                let nothing = try house.dig("app", "+dnssec", "nothing.signed.test")
                #expect(
                    nothing.status == "NXDOMAIN" && nothing.authority.contains { $0.contains(" NSEC ") },
                    "\(about): \(nothing)")
            }
        }
    }
}

@Suite(
    "The binaries that are shipped",
    .enabled(if: ProcessInfo.processInfo.environment["INTERCOM_BIN"] != nil, "made by 'make'"))
struct BinaryTests {
    @Test("need no Swift where they run", arguments: ["intercomd", "intercomctl", "intercom-etcd"])
    func libraries(name: String) throws {
        let libraries = try Command.must(["ldd", "\(House.binaries)/\(name)"]).out
        #expect(
            !libraries.contains("swift") && !libraries.contains("Foundation") && !libraries.contains("not found"),
            "\(libraries)")
        // The bridge alone speaks TLS.
        #expect(libraries.contains("libcurl") == (name == "intercom-etcd"), "\(libraries)")
    }

    @Test(
        "are executables of at most 30 MB each without their symbols, and have neither Foundation nor ICU in them",
        arguments: ["intercomd", "intercom-etcd"])
    func size(name: String) throws {
        let stripped = FileManager.default.temporaryDirectory.appendingPathComponent("ic-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: stripped) }
        try Command.must(["strip", "-o", stripped, "\(House.binaries)/\(name)"])
        let size = try #require(try FileManager.default.attributesOfItem(atPath: stripped)[.size] as? Int)
        #expect(size <= 30_000_000)
        // ICU's data alone is longer; a type of Foundation's own would bring it.
        let symbols = try Command.must(["nm", "\(House.binaries)/\(name)"]).out
        #expect(!symbols.contains("$s10Foundation") && !symbols.contains("icudt"))
        #expect(try Command.must(["\(House.binaries)/intercomctl", "--help"]).out.contains("intercomctl"))
    }
}
