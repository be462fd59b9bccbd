// intercomctl resolve, reload.

import ArgumentParser
import ControlAPI
import DNSWire

struct ResolveVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Show the answer that a container would get, and who gave it.",
        discussion: "Exits with 0 for an answer, 1 for NXDOMAIN or an error response.")

    @Argument(help: "A domain name; with -x an address.")
    var name: String

    @Argument(help: "A record type, as AAAA, SRV or TYPE65.")
    var type: String?

    @Option(help: ArgumentHelp("The container that asks.", valueName: "container"), completion: .containers)
    var from: String

    @Flag(name: .customShort("x"), help: "Ask for the name of an address (PTR).")
    var isReverse = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard isReverse else { return }
        if type != nil { throw ValidationError("With -x the type is PTR; give none.") }
        if IPAddress(name) == nil {
            throw ValidationError("'\(name)' is not an address; expected IPv4 or IPv6, as 10.1.0.2.")
        }
    }

    func run() throws {
        let parameters = Resolve.Parameters(
            name: isReverse ? IPAddress(name)?.reverseName ?? name : name, type: isReverse ? "PTR" : type ?? "A",
            container: from)
        let reply = try common.reply(Resolve.self, parameters) { $0.answer.text }
        if reply.answer.rcode != "NOERROR" { throw ExitCode(1) }
    }
}

extension Resolve.Answer {
    fileprivate var text: String {
        var text = ""
        if answers.isEmpty {
            text +=
                rcode == "NOERROR"
                ? "\(DisplayText.escaped(name)) has no \(type) records\n" : "\(DisplayText.escaped(name)): \(rcode)\n"
        } else {
            var table = Table(["NAME", "TTL", "TYPE", "DATA"], .wrap)
            for record in answers { table.add([record.name, "\(record.ttl)", record.type, record.data]) }
            text += table.text
            if rcode != "NOERROR" { text += "\(rcode)\n" }
        }
        for error in extendedErrors {
            text += "error \(error.code) (\(error.meaning))\(error.text.map { ": \(DisplayText.escaped($0))" } ?? "")\n"
        }
        return text + "answered by: \(DisplayText.escaped(source))\n"
    }
}

struct ReloadVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Have the daemon read its configuration again.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.call(Reload.self, Nothing()) { reply in
            reply.notInForce.map { "not in force: \(DisplayText.escaped($0))\n" }.joined()
        }
    }
}

extension IPAddress {
    /// The name that a PTR question about the address asks for (RFC 1035 §3.5, RFC 3596 §2.5).
    fileprivate var reverseName: String {
        switch self {
        case .v4(let address):
            return (0..<4).map { "\(address.bits >> UInt32(8 * $0) & 0xFF)" }.joined(separator: ".") + ".in-addr.arpa"
        case .v6(let address):
            return (0..<32).map { String(address.bits >> UInt128(4 * $0) & 0xF, radix: 16) }.joined(separator: ".")
                + ".ip6.arpa"
        }
    }
}
