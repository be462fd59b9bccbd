// The configuration and the control socket refuse the same values, for the same reasons.

import ControlAPI
import DNSWire
import Registry
import Testing

@testable import IntercomServer

@Suite("A declared value")
struct OneParserTests {
    /// A value of one kind: a line of a configuration that has it, and the same value of a call.
    struct Case: Sendable, CustomTestStringConvertible {
        let kind: String
        let value: String
        /// A part of the reason; nil: it is taken.
        let reason: String?

        var testDescription: String { "\(kind) '\(value)'" }
    }

    private static func cases(_ kind: String, taken: [String], refused: [(String, String)]) -> [Case] {
        taken.map { Case(kind: kind, value: $0, reason: nil) }
            + refused.map { Case(kind: kind, value: $0.0, reason: $0.1) }
    }

    private static let long = String(repeating: "l", count: 64)
    private static let all: [Case] =
        cases(
            "container", taken: ["web", "Web-1", "m\u{FC}ller", "_x", "db.1", String(repeating: "c", count: 63)],
            refused: [
                ("", "empty"), ("a..b", "empty label"), (long, "at most 63"), ("*", "wildcard"),
                ("localhost", "RFC 6761"),
                ("invalid", "RFC 6761"), ("\u{1F433}", "xn--"), ("10.0.0.1", "an address"), ("::1", "an address"),
                ("127.0.0.1", "an address"), ("arpa", "RFC 3172"),
            ])
        + cases(
            "network", taken: ["front", "m.lan", "b\u{FC}ro", "front.", "home.arpa", "corp.local", "internal2"],
            refused: [
                ("", "empty"), (".", "root"), ("a..b", "empty label"), (long, "63"), ("net.invalid", "RFC 6761"),
                (#"a\999b"#, "bad escape"), ("localhost", "RFC 6761"), ("onion", "RFC 6761"),
                ("invalid", "RFC 6761"), ("local", "multicast DNS"), ("Local.", "multicast DNS"),
                ("arpa", "RFC 3172"), ("in-addr.arpa", "RFC 3172"), ("internal", "the domain behind all names"),
                ("INTERNAL.", "the domain behind all names"), ("lab.internal", "stands behind all names"),
                ("10.1.0.0", "an address"),
            ])
        + cases(
            "hostname", taken: ["www.example", "x", "web.home.arpa", "printer.local", "10.0.0"],
            refused: [
                ("", "empty"), ("*.x", "wildcard"), ("app.localhost", "RFC 6761"), ("a..b", "empty label"),
                ("10.0.0.1", "an address"), ("fd00::1", "an address"), ("127.0.0.1.", "an address"),
                ("1.0.0.10.in-addr.arpa", "RFC 3172"),
            ])
        + cases(
            "id", taken: ["4f9c2d", "a.b", long, "\u{1F433}", "123456789012"],
            refused: [
                ("", "empty"), ("*", "wildcard"), ("localhost", "RFC 6761"), ("127.0.0.1", "an address"),
                ("::1", "an address"), ("arpa", "RFC 3172"),
            ])
        + cases(
            "alias", taken: ["site", "*.app.test"],
            refused: [
                ("*", "every name"), ("", "empty"), ("*.localhost", "RFC 6761"), ("::1", "an address"),
                ("10.0.0.1", "an address"), ("*.10.in-addr.arpa", "RFC 3172"),
            ])
        + cases(
            "address", taken: ["10.1.0.2", "fd00::2"],
            refused: [
                ("10.1", "expected an IPv4"), ("0.0.0.0", "unspecified"), ("127.0.0.1", "loopback"),
                ("::1", "loopback"),
                ("224.0.0.1", "single host"), ("::ffff:10.0.0.1", "write it as one"), ("", "expected an IPv4"),
            ])
        + cases(
            "subnet", taken: ["10.1.0.0/24", "fd00:1::/64", "0.0.0.0/0"],
            refused: [
                ("10.1.0.0", "as 10.1.0.0/24"), ("fd00::", "as fd00::/64"), ("10.1.0.1/24", "did you mean"),
                ("10.1.0.0/33", "expected"), ("224.0.0.0/4", "no subnet of hosts"),
            ])
        + cases(
            "upstream", taken: ["10.0.0.1", "10.0.0.1:5353", "[fd00::1]:53", "fe80::1%eth0", "127.0.0.11"],
            refused: [
                ("ns.example", "expected"), ("10.0.0.1:0", "not a port"), ("fe80::1", "interface"),
                ("224.0.0.1", "one server"), ("[fd00::1", "']'"), ("10.0.0.1%eth0", "scope"),
            ])
        + cases(
            "route", taken: ["corp.example", "10.in-addr.arpa", ".", "google.internal"],
            refused: [
                ("internal", "never forwarded"), ("localhost", "never forwarded"), ("a..b", "empty label"),
                ("b\u{FC}ro.example", "xn--"), ("a b", "no domain has"),
            ])
        + cases(
            "interface", taken: ["br0", "br-0123456789ab"],
            refused: [("br/0", "interface's name"), ("", "interface's name"), ("sixteen-octets-x", "interface's name")])
        + cases(
            "link", taken: ["db:store", "db.1:store", "later:x.test"],
            refused: [
                (":x", "empty"), ("db:", "empty"), ("db:*", "wildcard"), ("db:x.onion", "RFC 6761"), ("db:.", "root"),
                ("db:10.0.0.1", "an address"), ("10.0.0.1:db", "an address"), ("db:arpa", "RFC 3172"),
            ])
        + cases(
            "port", taken: ["80/tcp", "65535/udp=dns", "1/tcp=http"],
            refused: [
                ("0/tcp", "1 to 65535"), ("65536/tcp", "1 to 65535"), ("80/sctp", "tcp or udp"), ("80/tcp=", "1 to 62"),
                ("80/tcp=a.b", "without dots"),
            ])

    @Test("is taken, or refused for the same reason, wherever it comes from", arguments: all)
    func same(_ item: Case) {
        let (configured, called) = (configurationRefusal(item), callRefusal(item))
        guard let reason = item.reason else {
            #expect(configured == nil && called == nil)
            return
        }
        #expect(configured?.contains(reason) == true, "\(configured ?? "taken")")
        #expect(called?.contains(reason) == true, "\(called ?? "taken")")
        // What follows the value is the same sentence.
        let sentence = called?.split(separator: "': ", maxSplits: 1).last.map(String.init) ?? "?"
        #expect(configured?.hasSuffix(sentence) == true, "'\(configured ?? "")' and '\(called ?? "")'")
    }

    /// Reason why a configuration with the value is refused.
    private func configurationRefusal(_ item: Case) -> String? {
        let value = "'\(item.value)'"
        let network = "[[network]]\nname = 'n'\n"
        let container = network + "[[container]]\nname = 'c'\n"
        let text =
            switch item.kind {
            case "container": "[[container]]\nname = \(value)\n"
            case "network": "[[network]]\nname = \(value)\n"
            case "subnet", "upstream": network + "\(item.kind)s = [\(value)]\n"
            case "interface": network + "interface = \(value)\n"
            case "route": network + "routes = [{ domain = \(value), upstreams = ['10.0.0.1'] }]\n"
            case "hostname", "id": container + "\(item.kind) = \(value)\n"
            case "link", "port": container + "\(item.kind)s = [\(value)]\n"
            case "address": container + "networks = [{ name = 'n', ip = [\(value)] }]\n"
            default: container + "networks = [{ name = 'n', alias = [\(value)] }]\n"
            }
        return errors(of: text).first
    }

    /// Reason why a call with the value is refused.
    private func callRefusal(_ item: Case) -> String? {
        do throws(ControlError) {
            switch item.kind {
            case "network", "subnet", "upstream", "interface", "route":
                var network = CreateNetwork.Parameters(name: "n")
                switch item.kind {
                case "network": network.name = item.value
                case "subnet": network.subnets = [item.value]
                case "upstream": network.upstreams = [item.value]
                case "interface": network.interface = item.value
                default: network.routes = [Route(domain: item.value, upstreams: ["10.0.0.1"])]
                }
                _ = try NetworkDefinition(network, beside: (try? Name("internal")) ?? .root)
            default:
                var container = AddContainer.Parameters(name: "c")
                switch item.kind {
                case "container": container.name = item.value
                case "hostname": container.hostname = item.value
                case "id": container.id = item.value
                case "address": container.networks = [.init(name: "n", addresses: [item.value])]
                case "alias": container.networks = [.init(name: "n", aliases: [item.value])]
                case "link":
                    let parts = item.value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                    container.links = [Link(container: parts[0], name: parts[1])]
                default:
                    let sides = item.value.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
                    let parts = sides[0].split(separator: "/").map(String.init)
                    container.ports = [
                        Port(port: Int(parts[0]) ?? -1, protocol: parts[1], service: sides.count > 1 ? sides[1] : nil)
                    ]
                }
                _ = try ContainerDefinition(container)
            }
            return nil
        } catch {
            return error.message
        }
    }
}
