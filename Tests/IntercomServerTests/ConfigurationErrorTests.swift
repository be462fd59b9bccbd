// Mistakes in configuration files: text in, error lines out.

import Testing

@testable import IntercomServer

/// A file's text and the lines that it is refused with, `file:` left out.
struct BadFile: Sendable, CustomTestStringConvertible {
    var about: String
    var text: String
    var errors: [String]

    init(_ about: String, _ text: String, _ errors: String...) {
        self.about = about
        self.text = text
        self.errors = errors
    }

    var testDescription: String { about }
}

/// The lines that a text is refused with; none if it is accepted.
func errors(of text: String) -> [String] {
    do throws(ConfigurationError) {
        _ = try Configuration.parse(text: text, file: "x.toml") { $0 == "dns" }
        return []
    } catch {
        return error.description.split(separator: "\n").map { String($0.dropFirst("x.toml:".count)) }
    }
}

@Suite("A bad configuration file is refused with file, line, column and reason")
struct ConfigurationErrorTests {
    @Test(
        "Keys and types",
        arguments: [
            BadFile(
                "unknown key", "[server]\nwrokers = 2",
                "2:1: unknown key 'wrokers' in [server]; did you mean 'workers'?"),
            BadFile(
                "underscore for hyphen", "[cache]\nmin_ttl = 2",
                "2:1: unknown key 'min_ttl' in [cache]; did you mean 'min-ttl'?"),
            BadFile("unlike any", "[cache]\ncolour = 2", "2:1: unknown key 'colour' in [cache]"),
            BadFile("unknown table", "[sever]\nttl = 2", "1:2: unknown table [sever]; did you mean [server]?"),
            BadFile("unknown key of the root", "ttl = 2", "1:1: unknown key 'ttl'"),
            BadFile("key of the root after a comment", "# é\n  'ttl' = 2", "2:3: unknown key 'ttl'"),
            BadFile("dotted", "server.tll = 1", "1:8: unknown key 'tll' in [server]; did you mean 'ttl'?"),
            BadFile("text for a number", "[server]\nttl = \"5\"", "2:7: ttl: expected an integer, found a string"),
            BadFile("number for text", "[server]\nversion = 1", "2:11: version: expected a string, found an integer"),
            BadFile("float", "[server]\nttl = 5.0", "2:7: ttl: expected an integer, found a float"),
            BadFile(
                "text for a boolean", "[cache]\nprefetch = 'yes'",
                "2:12: prefetch: expected true or false, found a string"),
            BadFile(
                "text for a list", "[forward]\nupstreams = \"10.0.0.1\"",
                "2:13: upstreams: expected an array, found a string"),
            BadFile(
                "number in a list", "[discover]\ninterfaces = [\n  \"br0\", # a comment, with ] and \"\n  3 ]",
                "4:3: interfaces: expected a string, found an integer"),
            BadFile("number for a table", "server = 1", "1:10: server: expected a table [server], found an integer"),
            BadFile("one bracket too many", "[[server]]", "1:1: server: expected a table [server], found an array"),
            BadFile(
                "one bracket too few", "[network]\nname = 'a'",
                "1:1: network: expected tables [[network]], found a table"),
        ])
    func keysAndTypes(_ file: BadFile) {
        #expect(errors(of: file.text) == file.errors)
    }

    @Test(
        "Values of [server], [control], [discover] and [cache]",
        arguments: [
            BadFile("too many workers", "[server]\nworkers = 65", "2:11: workers: 65 is not between 0 and 64"),
            BadFile("negative TTL", "[server]\nttl = -1", "2:7: ttl: -1 is not between 0 and 2147483647"),
            BadFile(
                "TTL of 32 bits", "[server]\nttl = 2147483648", "2:7: ttl: 2147483648 is not between 0 and 2147483647"),
            BadFile(
                "interception of nothing", "[[container]]\nname = \"c\"\npid = 7\nintercept = []",
                "4:13: intercept: must not be empty"),
            BadFile(
                "interception of a number", "[[container]]\nname = \"c\"\npid = 7\nintercept = 1",
                "4:13: intercept: expected true, false or an array of addresses, found an integer"),
            BadFile(
                "unknown word", "[server]\nlisten = \"dirct\"",
                "2:10: listen: 'dirct' is not 'auto', 'direct' or 'redirect'; did you mean 'direct'?"),
            BadFile("no such word", "[forward]\nfrom = ''", "2:8: from: '' is not 'host' or 'namespace'"),
            BadFile("empty domain", "[server]\ndomain = \"\"", "2:10: domain: '': the name is empty"),
            BadFile(
                "root domain", "[server]\ndomain = \".\"",
                "2:10: domain: '.' is every name; expected a domain, as corp.example"),
            BadFile("empty label", "[server]\ndomain = \"a..b\"", "2:10: domain: 'a..b': the name has an empty label"),
            BadFile(
                "long identity", "[server]\nidentity = \"\(String(repeating: "é", count: 128))\"",
                "2:12: identity: the text takes 256 octets, more than 255"),
            BadFile(
                "relative socket", "[control]\nsocket = \"control.sock\"",
                "2:10: socket: 'control.sock' is not an absolute path"),
            BadFile(
                "long socket", "[control]\nsocket = \"/\(String(repeating: "s", count: 107))\"",
                "2:10: socket: the path takes 108 octets, more than 107"),
            BadFile("empty pattern", "[discover]\nexclude = [\"vpn\", \"\"]", "2:19: exclude: must not be empty"),
            BadFile(
                "size in decimal units", "[cache]\nsize = \"16MB\"",
                "2:8: size: '16MB' is not a size; expected a number of octets, as 65536, '64KiB', '16MiB' or '1GiB'"),
            BadFile("huge size", "[cache]\nsize = \"9999999999GiB\"", "2:8: size: '9999999999GiB' is too large"),
            BadFile(
                "sizes of too few octets",
                "[cache]\nsize = 16\n[discover]\nreceive-buffer = '4095B'",
                "2:8: size: 16 octets can hold nothing; did you mean \"16MiB\"? (0: none)",
                "4:18: receive-buffer: 4095 octets can hold nothing; did you mean \"4095MiB\"? (0: none)"),
            BadFile(
                "no buffer", "[discover]\nreceive-buffer = 0",
                "2:18: receive-buffer: must not be 0; expected at least 4096 octets"),
            BadFile(
                "domain of no host", "[server]\ndomain = \"a b\"",
                "2:10: domain: 'a b' has a character that names of hosts have not; expected letters, digits, '-' and '_', and other scripts as xn--…"
            ),
            BadFile(
                "domain with a meaning of its own", "[server]\ndomain = 'Localhost'",
                "2:10: domain: 'Localhost': names under 'localhost' have a meaning of their own (RFC 6761)"),
            BadFile(
                "domain of addresses", "[server]\ndomain = 'in-addr.arpa'",
                "2:10: domain: 'in-addr.arpa': names under 'arpa' are those of addresses and protocols (RFC 3172)"),
            BadFile(
                "domain with a character of no host, as it was typed", "[server]\ndomain = \"b\u{FC}ro x\"",
                "2:10: domain: 'b\u{FC}ro x': the label 'b\u{FC}ro x': letters, digits and hyphens can be in a name; give its form as xn--…"
            ),
            BadFile(
                "unknown group", "[control]\ngroup = 'intercmo'",
                "2:9: group: this host has no group 'intercmo'; create it (groupadd --system intercmo), or write '' for root alone"
            ),
            BadFile("negative size", "[cache]\nsize = -1", "2:8: size: -1 is not between 0 and 9223372036854775807"),
            BadFile(
                "TTLs the wrong way round", "[cache]\nmax-ttl = 60\nmin-ttl = 61",
                "3:11: min-ttl: 61 is above max-ttl, which is 60"),
        ])
    func sections(_ file: BadFile) {
        #expect(errors(of: file.text) == file.errors)
    }

    @Test(
        "Servers and routes",
        arguments: [
            BadFile(
                "bad address", "[forward]\nupstreams = [\"10.0.0.1\", \"10.0.0.300\"]",
                "2:26: upstreams: '10.0.0.300': not an IP address; expected 10.0.0.1, 10.0.0.1:53 or [fd00::1]:53"),
            BadFile(
                "a host's name", "[forward]\nupstreams = [\"dns.example\"]",
                "2:14: upstreams: 'dns.example': not an IP address; expected 10.0.0.1, 10.0.0.1:53 or [fd00::1]:53"),
            BadFile(
                "bad port", "[forward]\nupstreams = [\"10.0.0.1:0\"]",
                "2:14: upstreams: '10.0.0.1:0': '0' is not a port; expected 1 to 65535"),
            BadFile(
                "link-local without interface", "[forward]\nupstreams = [\"fe80::1\"]",
                "2:14: upstreams: 'fe80::1': on every link; expected its interface too, as fe80::1%eth0"),
            BadFile(
                "no server's address",
                "[forward]\nupstreams = ['0.0.0.0', '::', '224.0.0.251', '[ff02::fb]:5353', '255.255.255.255']",
                "2:14: upstreams: '0.0.0.0': not the address of one server",
                "2:25: upstreams: '::': not the address of one server",
                "2:31: upstreams: '224.0.0.251': not the address of one server",
                "2:46: upstreams: '[ff02::fb]:5353': not the address of one server",
                "2:65: upstreams: '255.255.255.255': not the address of one server"),
            BadFile(
                "empty route", "[[route]]\ndomain = ''\nupstreams = []",
                "2:10: domain: '': the name is empty", "3:13: upstreams: must not be empty"),
            BadFile(
                "route without keys", "\n  [[route]]", "2:3: [[route]] has no 'domain'",
                "2:3: [[route]] has no 'upstreams'"),
            BadFile(
                "one domain twice",
                "[[route]]\ndomain = 'a.example'\nupstreams = ['::1']\n[[route]]\ndomain = 'A.example.'\nupstreams = ['::1']",
                "5:10: domain: route 'A.example' is already on line 2"),
            BadFile(
                "domains that are ours",
                "[server]\ndomain = 'lan'\n[[route]]\ndomain = 'LAN.'\nupstreams = ['::1']\n[[route]]\ndomain = 'localhost'\nupstreams = ['::1']",
                "4:10: domain: 'LAN.': names under 'lan' are never forwarded; expected another domain, or one under it",
                "7:10: domain: 'localhost': names under 'localhost' are never forwarded"),
            BadFile(
                "domain of nobody", "[[route]]\ndomain = 'büro.example'\nupstreams = ['::1']",
                "2:10: domain: 'büro.example': it has a character that no domain has; write other scripts as xn--…"
            ),
            BadFile(
                "long label", "[[route]]\ndomain = '\(String(repeating: "r", count: 64)).example'\nupstreams = ['::1']",
                "2:10: domain: '\(String(repeating: "r", count: 64)).example': the label '\(String(repeating: "r", count: 64))' is longer than 63 octets"
            ),
        ])
    func servers(_ file: BadFile) {
        #expect(errors(of: file.text) == file.errors)
    }

    @Test(
        "Networks",
        arguments: [
            BadFile("no name", "[[network]]\nttl = 1", "1:1: [[network]] has no 'name'"),
            BadFile("root name", "[[network]]\nname = '.'", "2:8: name: '.': the root is nobody's name"),
            BadFile(
                "long label", "[[network]]\nname = '\(String(repeating: "n", count: 64))'",
                "2:8: name: '\(String(repeating: "n", count: 64))': the label '\(String(repeating: "n", count: 64))' is longer than 63 octets"
            ),
            BadFile(
                "one name twice", "[[network]]\nname = 'front'\n[[network]]\nname = 'Front'",
                "4:8: name: network 'Front' is already on line 2"),
            BadFile(
                "bad gateway listener",
                "[[network]]\nname = 'a'\ngateway-listener = 'yes'\ngateway-unknown = 'drop'",
                "3:20: gateway-listener: expected true or false, found a string",
                "4:19: gateway-unknown: 'drop' is not 'forward' or 'refuse'"),
            BadFile(
                "bad search domains", "[[network]]\nname = 'a'\nsearch = ['a..b', 'corp/example', 3]",
                "3:11: search: 'a..b': the name has an empty label",
                "3:19: search: 'corp/example': a search domain has letters, digits, '-', '_' and dots alone",
                "3:35: search: expected a string, found an integer"),
            BadFile(
                "bad interface", "[[network]]\nname = 'a'\ninterface = 'br/0'",
                "3:13: interface: 'br/0': expected an interface's name, as br0"),
            BadFile(
                "bad subnets",
                "[[network]]\nname = 'a'\nsubnets = ['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/-1', 'x/8', '']",
                "3:12: subnets: '10.0.0.0': expected a prefix length, as 10.0.0.0/24",
                "3:24: subnets: '10.0.0.0/33': expected 10.1.0.0/24 or fd00:1::/64",
                "3:39: subnets: '::/129': expected 10.1.0.0/24 or fd00:1::/64",
                "3:49: subnets: '10.0.0.0/-1': expected 10.1.0.0/24 or fd00:1::/64",
                "3:64: subnets: 'x/8': expected 10.1.0.0/24 or fd00:1::/64",
                "3:71: subnets: '': expected 10.1.0.0/24 or fd00:1::/64"),
            BadFile(
                "an address for a subnet", "[[network]]\nname = 'a'\nsubnets = ['10.1.2.3/16', 'fd00::1/64']",
                "3:12: subnets: '10.1.2.3/16': an address within a subnet; did you mean '10.1.0.0/16'?",
                "3:27: subnets: 'fd00::1/64': an address within a subnet; did you mean 'fd00::/64'?"),
            BadFile(
                "subnets of no hosts", "[[network]]\nname = 'a'\nsubnets = ['224.0.0.0/4', 'ff02::/16']",
                "3:12: subnets: '224.0.0.0/4': it is no subnet of hosts",
                "3:27: subnets: 'ff02::/16': it is no subnet of hosts"
            ),
            BadFile(
                "special-use name", "[[network]]\nname = 'net.invalid'",
                "2:8: name: 'net.invalid': names under 'invalid' have a meaning of their own (RFC 6761)"),
            BadFile(
                "bad routes",
                "[[network]]\nname = 'a'\nroutes = [{ domain = 'a..b', upstreams = ['::1'] }, { domain = 'b' }, 3,\n{ domain = 'c', upstreams = [] }, { domain = 'C', upstreams = ['::1'], ttl = 1 }]",
                "3:22: domain: 'a..b': the name has an empty label",
                "3:53: { domain, upstreams } has no 'upstreams'",
                "3:71: routes: expected a table { domain, upstreams }, found an integer",
                "4:29: upstreams: must not be empty",
                "4:46: domain: route 'C' is already on line 4",
                "4:72: unknown key 'ttl' in { domain, upstreams }"),
            BadFile(
                "all names twice",
                "[[network]]\nname = 'a'\nupstreams = ['::1']\nroutes = [{ domain = '.', upstreams = ['::1'] }]",
                "4:10: routes: the upstreams of '.' are given by upstreams already"),
        ])
    func networks(_ file: BadFile) {
        #expect(errors(of: file.text) == file.errors)
    }

    @Test(
        "Containers",
        arguments: [
            BadFile("no name", "[[container]]", "1:1: [[container]] has no 'name'"),
            BadFile("empty name", "[[container]]\nname = ''", "2:8: name: '': it is empty"),
            BadFile(
                "two dots in a name", "[[container]]\nname = 'a..b'", "2:8: name: 'a..b': the name has an empty label"
            ),
            BadFile(
                "long name", "[[container]]\nname = '\(String(repeating: "c", count: 64))'",
                "2:8: name: '\(String(repeating: "c", count: 64))': it has 64 octets without a dot; a label has at most 63"
            ),
            BadFile(
                "wildcard", "[[container]]\nname = '*'\nhostname = '*.x'\nlinks = ['db:*']",
                "2:8: name: '*': a wildcard can be an alias only",
                "3:12: hostname: '*.x': a wildcard can be an alias only",
                "4:10: links: '*': a wildcard can be an alias only"),
            BadFile(
                "NUL", "[[container]]\nname = 'a'\nhostname = 'a\\000b'", "3:12: hostname: 'a\\000b': it contains a NUL"
            ),
            BadFile(
                "special-use names",
                "[[container]]\nname = 'localhost'\nhostname = 'app.localhost'\nlinks = ['db:x.onion']\n[[container]]\nname = 'invalid'",
                "2:8: name: 'localhost': names under 'localhost' have a meaning of their own (RFC 6761)",
                "3:12: hostname: 'app.localhost': names under 'localhost' have a meaning of their own (RFC 6761)",
                "4:10: links: 'x.onion': names under 'onion' have a meaning of their own (RFC 6761)",
                "6:8: name: 'invalid': names under 'invalid' have a meaning of their own (RFC 6761)"),
            BadFile(
                "a file for nobody", "[[container]]\nname = 'a'\nresolv-conf = '/r'",
                "3:15: resolv-conf: a container without netns or pid has no listener to ask"),
            BadFile(
                "one name twice", "container = [\n{name = 'web'},\n{name = 'WEB'}]",
                "3:9: name: container 'WEB' is already on line 2"),
            BadFile(
                "netns and pid", "[[container]]\npid = 2\nname = 'web'\nnetns = '/run/netns/web'",
                "4:9: netns and pid both say where the namespace is; give one of them"),
            BadFile(
                "relative netns", "[[container]]\nname = 'web'\nnetns = 'web'",
                "3:9: netns: 'web' is not an absolute path"),
            BadFile("pid 0", "[[container]]\nname = 'web'\npid = 0", "3:7: pid: 0 is not between 1 and 4194304"),
            BadFile(
                "one namespace twice",
                "[[container]]\nname = 'a'\nnetns = '/n'\n[[container]]\nname = 'b'\nnetns = '/n'",
                "6:9: netns: '/n' is already on line 3"),
            BadFile(
                "one process twice", "[[container]]\nname = 'a'\npid = 7\n[[container]]\nname = 'b'\npid = 7",
                "6:7: pid: 7 is already on line 3"),
            BadFile(
                "links", "[[container]]\nname = 'a'\nlinks = ['db', ':x', 'db:', 'a.b:x', 'db:.']",
                "3:10: links: 'db': expected CONTAINER:NAME, as db:database",
                "3:16: links: '': it is empty", "3:22: links: '': the name is empty",
                // A runtime's container may have dots in its name.
                "3:38: links: '.': the root is nobody's name"),
            BadFile(
                "ports",
                "[[container]]\nname = 'a'\nports = ['0', '80/sctp', 'http', '80=', '80=a.b', 65536, '+80', true]",
                "3:10: ports: '0': expected 1 to 65535",
                "3:15: ports: 'sctp': expected tcp or udp",
                "3:26: ports: 'http': expected PORT[/tcp|/udp][=SERVICE], as 80/tcp=http",
                "3:34: ports: '': a service's name has 1 to 62 octets, without dots",
                "3:41: ports: 'a.b': a service's name has 1 to 62 octets, without dots",
                "3:51: ports: 65536 is not between 1 and 65535",
                "3:58: ports: '+80': expected PORT[/tcp|/udp][=SERVICE], as 80/tcp=http",
                "3:65: ports: expected an integer, found a boolean"),
        ])
    func containers(_ file: BadFile) {
        #expect(errors(of: file.text) == file.errors)
    }

    /// Two networks, lines 1 to 4; a container's text follows from line 5.
    static let networks = "network = [\n  {name = 'front', subnets = ['10.1.0.0/24']},\n  {name = 'back'}\n]\n"

    @Test(
        "Containers on networks",
        arguments: [
            BadFile(
                "too much of something",
                "[[container]]\nname = 'a'\nnetworks = [{name = 'back', alias = [\((0...1024).map { "'a\($0)'" }.joined(separator: ","))]}]",
                "5:1: container 'a': 1025 aliases are too many; at most 1024 can be declared"),
            BadFile(
                "unknown network", "[[container]]\nname = 'a'\nnetworks = [{name = 'fornt'}, 'other']",
                "7:21: networks: no network is named 'fornt'; did you mean 'front'?",
                "7:31: networks: no network is named 'other'"),
            BadFile(
                "one network twice", "[[container]]\nname = 'a'\nnetworks = ['back',\n'Back']",
                "8:1: networks: 'Back' is already on line 7"),
            BadFile(
                "address outside",
                "[[container]]\nname = 'a'\nnetworks = [{name = 'front', ip = ['10.1.0.2', '10.2.0.2', 'fd00::1']}]",
                "7:48: ip: 10.2.0.2 is outside of network 'front' (10.1.0.0/24)",
                "7:60: ip: fd00::1 is outside of network 'front' (10.1.0.0/24)"),
            BadFile(
                "one address twice",
                "[[container]]\nname = 'a'\nnetworks = [{name = 'back', ip = ['10.1.0.2']}]\n"
                    + "[[container]]\nname = 'b'\n[[container.networks]]\nname = 'front'\nip = ['10.1.0.2']\n"
                    + "[[container.networks]]\nname = 'back'\nip = ['10.1.0.2']",
                "15:7: ip: 10.1.0.2 on network 'back' is already on line 7"),
            BadFile(
                "addresses of nobody, of everybody and of each",
                "[[container]]\nname = 'a'\nnetworks = [{name = 'back', alias = ['*.localhost'], ip = [\n'0.0.0.0',\n'127.0.0.1',\n'224.0.0.1',\n"
                    + "'255.255.255.255',\n'::',\n'::1',\n'ff02::1',\n'::ffff:10.0.0.1']}]",
                "7:38: alias: '*.localhost': names under 'localhost' have a meaning of their own (RFC 6761)",
                "8:1: ip: '0.0.0.0': nobody has the unspecified address",
                "9:1: ip: '127.0.0.1': every namespace has it for itself (loopback)",
                "10:1: ip: '224.0.0.1': it is no single host's (multicast, broadcast or reserved)",
                "11:1: ip: '255.255.255.255': it is no single host's (multicast, broadcast or reserved)",
                "12:1: ip: '::': nobody has the unspecified address",
                "13:1: ip: '::1': every namespace has it for itself (loopback)",
                "14:1: ip: 'ff02::1': it is no single host's (multicast, broadcast or reserved)",
                "15:1: ip: '::ffff:10.0.0.1': it is an IPv4 address; write it as one"),
            BadFile(
                "bad entries",
                "[[container]]\nname = 'a'\nnetworks = [{}, 3, {name = 'back', ips = [], alias = ['*', ''], ip = ['x']}]",
                "7:13: { name, ip, alias } has no 'name'",
                "7:17: networks: expected a table { name, ip, alias }, found an integer",
                "7:36: unknown key 'ips' in { name, ip, alias }; did you mean 'ip'?",
                "7:55: alias: '*': it would take every name there is; write what it is under, as *.app.test",
                "7:60: alias: '': the name is empty",
                "7:71: ip: 'x': expected an IPv4 or IPv6 address, as 10.0.0.1 or fd00::1"),
        ])
    func containersOnNetworks(_ file: BadFile) {
        #expect(errors(of: Self.networks + file.text) == file.errors)
    }

    @Test("A bad network is not held against the containers on it")
    func noConsequences() {
        let text = """
            [[network]]
            name = "a..b"
            [[network]]
            name = "front"
            subnets = ["10.1.0.0/24", "10.2.0.0/240"]
            [[container]]
            name = "web"
            networks = ["b", { name = "front", ip = ["10.2.0.1"] }]
            """
        #expect(
            errors(of: text) == [
                "2:8: name: 'a..b': the name has an empty label",
                "5:27: subnets: '10.2.0.0/240': expected 10.1.0.0/24 or fd00:1::/64",
            ])
    }

    @Test("All mistakes are told at once, in the file's order")
    func allAtOnce() {
        let text = """
            [forward]
            upstreams = ["nowhere"]
            form = "host"
            [server]
            workers = "many"
            [cache]
            size = true
            """
        #expect(
            errors(of: text) == [
                "2:14: upstreams: 'nowhere': not an IP address; expected 10.0.0.1, 10.0.0.1:53 or [fd00::1]:53",
                "3:1: unknown key 'form' in [forward]; did you mean 'from'?",
                "5:11: workers: expected an integer, found a string",
                "7:8: size: expected an integer, found a boolean",
            ])
    }
}
