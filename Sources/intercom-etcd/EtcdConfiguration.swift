// etcd.toml: where etcd is, and who this host is there.

import Clustering
import ControlAPI
import LinuxNet
import TOML

/// Everything that is wrong with a file, a line each: `file:line:column: message`.
struct EtcdConfigurationError: Error, CustomStringConvertible {
    let description: String
}

/// The configuration of the bridge.
struct EtcdConfiguration {
    var endpoints: [String] = []
    var settings = BridgeSettings(host: "")
    var socket = "/run/intercom/cluster.sock"
    var isInsecure = false
    var authority = ""
    var certificate = ""
    var key = ""

    private static let maximumSize = 1 << 20

    /// Reads a file.
    init(path: String) throws {
        let text: String?
        do throws(LinuxError) {
            text = try Files.readText(path, limit: Self.maximumSize)
        } catch {
            throw EtcdConfigurationError(description: "\(path): cannot be read: \(error.errno)")
        }
        guard let text else { throw EtcdConfigurationError(description: "\(path): cannot be read: no such file") }
        try self.init(text: text, file: path)
    }

    /// Reads a text; `file` is its path in errors.
    init(text: String, file: String) throws {
        var reader = EtcdConfigurationReader(file: file)
        do throws(TOMLError) {
            let document = try TOMLValue(parsing: text)
            if case .table(let members) = document.content { readRoot(members, &reader) }
        } catch {
            reader.refuse(error.position, error.message)
        }
        try reader.finish()
    }

    private mutating func readRoot(_ members: [TOMLMember], _ reader: inout EtcdConfigurationReader) {
        for member in members {
            switch member.key {
            case "endpoints": reader.read(member, into: &endpoints)
            case "prefix": reader.read(member, into: &settings.prefix)
            case "host": reader.read(member, into: &settings.host)
            case "address": reader.read(member, into: &settings.address)
            case "socket": reader.read(member, into: &socket)
            // etcd takes no lease shorter than its election (lease/lessor.go, minLeaseTTL).
            case "ttl": reader.read(member, in: 5...600, into: &settings.ttl)
            case "keep": reader.read(member, in: 60...(30 * 86_400), into: &settings.keep)
            case "write-rate": reader.read(member, in: 1...1000, into: &settings.writeRate)
            case "spread": reader.read(member, in: 0...600, into: &settings.spread)
            case "insecure": reader.read(member, into: &isInsecure)
            case "tls": readTLS(member, &reader)
            default: reader.refuse(member.position, "unknown key '\(member.key)'")
            }
        }
        check(members, &reader)
    }

    private mutating func readTLS(_ member: TOMLMember, _ reader: inout EtcdConfigurationReader) {
        guard case .table(let members) = member.value.content else {
            return reader.refuse(member.value.position, "tls: expected a table [tls], found \(member.value.typeName)")
        }
        for member in members {
            switch member.key {
            case "ca": reader.read(member, into: &authority)
            case "cert": reader.read(member, into: &certificate)
            case "key": reader.read(member, into: &key)
            default: reader.refuse(member.position, "unknown key '\(member.key)' in [tls]")
            }
        }
    }

    /// A sentence about a text that cannot name a host.
    static func notAHost(_ text: String) -> String {
        "'\(text)' is no name of a host: expected at most 255 of a-z, 0-9, '-', '.' and '_'"
    }

    /// Checks that the files of `[tls]` can be read, as far as this user may.
    func checkFiles(in file: String) throws {
        let faults = [("ca", authority), ("cert", certificate), ("key", key)].compactMap { name, path -> String? in
            guard !path.isEmpty else { return nil }
            do throws(LinuxError) {
                return try Files.readBytes(path, limit: Self.maximumSize) == nil
                    ? "\(file): tls.\(name): there is no \(path)" : nil
            } catch {
                return "\(file): tls.\(name): \(path) cannot be read: \(error.errno)"
            }
        }
        guard faults.isEmpty else { throw EtcdConfigurationError(description: faults.joined(separator: "\n")) }
    }

    private mutating func check(_ members: [TOMLMember], _ reader: inout EtcdConfigurationReader) {
        func place(_ key: String) -> TextPosition {
            members.first { $0.key == key }?.value.position ?? TextPosition(line: 1, column: 1)
        }
        if endpoints.isEmpty {
            reader.refuse(place("endpoints"), "endpoints: name the members of etcd, as [\"https://10.0.0.1:2379\"]")
        }
        for endpoint in endpoints where !endpoint.hasPrefix("https://") {
            if !endpoint.hasPrefix("http://") {
                reader.refuse(place("endpoints"), "endpoints: '\(endpoint)' does not begin with https://")
            } else if !isInsecure {
                reader.refuse(
                    place("endpoints"), "endpoints: '\(endpoint)' is without TLS; use https://, or say insecure = true")
            }
        }
        if certificate.isEmpty != key.isEmpty {
            reader.refuse(place("tls"), "tls: a certificate (cert) and its key go together")
        }
        endpoints = endpoints.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        if settings.host.isEmpty { settings.host = HostName.own }
        if !Keyspace.isName(settings.host.utf8) {
            reader.refuse(place("host"), "host: \(Self.notAHost(settings.host))")
        }
        if !settings.prefix.hasPrefix("/") || settings.prefix.hasSuffix("/") {
            reader.refuse(place("prefix"), "prefix: '\(settings.prefix)' has to begin with '/' and not end with it")
        }
    }
}

/// This machine's own name.
enum HostName {
    /// The name that the kernel has (proc_sys_kernel(5)), in lower case.
    static var own: String {
        let text = try? Files.readText("/proc/sys/kernel/hostname", limit: 256)
        return (text ?? "").split(separator: "\n").first.map { $0.lowercased() } ?? ""
    }
}

/// Collects the mistakes of a file.
struct EtcdConfigurationReader {
    let file: String
    private var mistakes: [(position: TextPosition, message: String)] = []

    init(file: String) { self.file = file }

    mutating func refuse(_ position: TextPosition, _ message: String) { mistakes.append((position, message)) }

    private mutating func expect(_ what: String, _ member: TOMLMember) {
        refuse(member.value.position, "\(member.key): expected \(what), found \(member.value.typeName)")
    }

    mutating func read(_ member: TOMLMember, into target: inout String) {
        guard case .string(let text) = member.value.content else { return expect("a string", member) }
        target = text
    }

    mutating func read(_ member: TOMLMember, into target: inout Bool) {
        guard case .boolean(let value) = member.value.content else { return expect("true or false", member) }
        target = value
    }

    mutating func read(_ member: TOMLMember, in range: ClosedRange<Int>, into target: inout Int) {
        guard case .integer(let value) = member.value.content else { return expect("an integer", member) }
        guard range.contains(value) else {
            return refuse(
                member.value.position,
                "\(member.key): \(value) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        target = value
    }

    mutating func read(_ member: TOMLMember, into target: inout [String]) {
        guard case .array(let values) = member.value.content else { return expect("an array of strings", member) }
        target = values.compactMap { if case .string(let text) = $0.content { text } else { nil } }
        if target.count != values.count { expect("an array of strings", member) }
    }

    func finish() throws {
        guard !mistakes.isEmpty else { return }
        let lines = mistakes.sorted { $0.position < $1.position }.map {
            "\(file):\($0.position.line):\($0.position.column): \($0.message)"
        }
        throw EtcdConfigurationError(description: lines.joined(separator: "\n"))
    }
}
