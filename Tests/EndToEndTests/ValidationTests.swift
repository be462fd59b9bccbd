// DNSSEC passes through: a validator in a container finds all that it needs.

import Foundation
import Testing

@Suite("A validator in a container", .needsRoot)
struct ValidationTests {
    @Test("validates an outside name through us, and finds the forged one bogus")
    func delv() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
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
            try house.startUnbound(
                in: "house", at: "127.0.0.5", ["module-config: iterator", "local-zone: \"test.\" nodefault"],
                """
                auth-zone:
                  name: "signed.test"
                  zonefile: "\(keys)/signed"
                  for-upstream: no
                  for-downstream: yes
                """)
            try house.container("app", "--network", "n")
            #expect(try eventually { try house.dig("app", "www.signed.test").data == ["192.0.2.80"] })

            let files = try FileManager.default.contentsOfDirectory(atPath: keys).filter { $0.hasSuffix(".key") }
            let anchor = try #require(
                files.lazy.compactMap { try? String(contentsOfFile: "\(keys)/\($0)", encoding: .utf8) }
                    .flatMap { $0.split(separator: "\n") }.first { $0.contains("DNSKEY 257 3 13 ") })
            let key = anchor.split(separator: " ").dropFirst(6).joined()
            func validate(_ key: String) throws -> Output {
                try "trust-anchors { \"signed.test\" static-key 257 3 13 \"\(key)\"; };\n"
                    .write(toFile: "\(keys)/anchors", atomically: true, encoding: .utf8)
                return try house.run(
                    in: "app",
                    ["delv", "@127.0.0.11", "-a", "\(keys)/anchors", "+root=signed.test", "www.signed.test", "A"])
            }
            let validated = try validate(key)
            #expect(validated.out.contains("; fully validated") && validated.out.contains("192.0.2.80"), "\(validated)")
            let signed = try house.dig("app", "+dnssec", "www.signed.test")
            #expect(signed.answer.count == 2 && signed.output.out.contains("RRSIG"), "\(signed)")
            let forged = try validate(String(key.dropLast(12)) + "AAAAAAAAAA==")
            #expect(!forged.out.contains("fully validated"), "\(forged)")
        }
    }
}

@Suite(
    "The binaries that are shipped",
    .enabled(if: ProcessInfo.processInfo.environment["INTERCOM_BIN"] != nil, "made by 'make'"))
struct BinaryTests {
    @Test("need no Swift where they run", arguments: ["intercomd", "intercomctl"])
    func libraries(name: String) throws {
        let libraries = try Command.must(["ldd", "\(House.binaries)/\(name)"]).out
        #expect(
            !libraries.contains("swift") && !libraries.contains("Foundation") && !libraries.contains("not found"),
            "\(libraries)")
    }
}
