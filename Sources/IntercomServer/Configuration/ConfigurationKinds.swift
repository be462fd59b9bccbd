// The kinds of values that intercom.toml has beside TOML's own: names, addresses, sizes, paths.

import DNSWire
import Registry
import TOML

// MARK: - Numbers

extension ValueKind<UInt32> {
    /// Seconds that fit a TTL (RFC 2181 §8).
    static var seconds: Self {
        ValueKind<Int>.integer(in: 0...Int(Int32.max)).map { seconds throws(Refusal) in UInt32(seconds) }
    }
}

extension ValueKind<Int32> {
    /// A process, up to `PID_MAX_LIMIT` (proc_sys_kernel(5)).
    static var pid: Self {
        ValueKind<Int>.integer(in: 1...4_194_304).map { pid throws(Refusal) in Int32(pid) }
    }
}

extension ValueKind<Int> {
    /// A number of octets, or text with a unit: `"16MiB"`.
    static var size: Self {
        integer(in: 0...Int.max).orString { text throws(Refusal) in
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            let unit = text[digits.endIndex...].drop { $0 == " " }
            let units = ["": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30]
            guard !digits.isEmpty, let shift = units[String(unit)] else {
                throw Refusal(
                    "'\(text)' is not a size; expected a number of octets, as 65536, '64KiB', '16MiB' or '1GiB'")
            }
            guard let number = Int(digits), number <= Int.max >> shift else { throw Refusal("'\(text)' is too large") }
            return number << shift
        }
    }
}

// MARK: - Names

extension ValueKind<Name> {
    /// Any name, the root too.
    static var name: Self {
        ValueKind<String>.string.map { text throws(Refusal) in try Name(checked: text) }
    }

    /// A domain: a name that is not the root.
    static var domain: Self {
        name.map { name throws(Refusal) in
            guard name.labelCount > 0 else { throw Refusal("'.' is every name; expected a domain, as corp.example") }
            return name
        }
    }
}

extension ValueKind<String> {
    /// A container's name: one label.
    static var containerName: Self {
        string.map { text throws(Refusal) in try text.checkedLabel }
    }

    /// A network's name: one label or several.
    static var dnsName: Self {
        string.map { text throws(Refusal) in
            guard try !Name(checked: text).labels.isEmpty else { throw Refusal("'.' is not a name of one's own") }
            return text
        }
    }

    /// A further name that is no alias: a hostname, or what a link is called.
    static var hostname: Self {
        dnsName.map { text throws(Refusal) in try text.checkedNoWildcard }
    }

    /// An alias: a name, or `*.` and a name.
    static var alias: Self {
        dnsName.map { text throws(Refusal) in
            guard text != "*", text != "*." else {
                throw Refusal("'*' is every name; expected a name behind it, as *.app.test")
            }
            return text
        }
    }

    /// Text of one character-string of a TXT record (RFC 1035 §3.3).
    static var characterString: Self {
        string.map { text throws(Refusal) in
            guard text.utf8.count <= 255 else {
                throw Refusal("the text takes \(text.utf8.count) octets, more than 255")
            }
            return text
        }
    }
}

extension Name {
    /// Reads a name; says what is wrong in the words of ``NameError``.
    fileprivate init(checked text: String) throws(Refusal) {
        do throws(NameError) {
            try self.init(text)
        } catch {
            throw Refusal("\(error)")
        }
        // Escapes can say it (RFC 1035 §5.1); no host has it in its name.
        guard !wire.dropLast().contains(0) else { throw Refusal("the name contains a NUL") }
    }
}

extension StringProtocol {
    /// This name, which must not begin with `*`.
    fileprivate var checkedNoWildcard: String {
        get throws(Refusal) {
            guard self != "*", !hasPrefix("*.") else {
                throw Refusal("'\(self)' is a wildcard, which only an alias can be")
            }
            return String(self)
        }
    }

    /// This text, which must be one label.
    fileprivate var checkedLabel: String {
        get throws(Refusal) {
            guard !isEmpty else { throw Refusal("the name is empty") }
            guard !contains(".") else { throw Refusal("'\(self)' has a dot; expected one label, as web") }
            guard utf8.count <= Name.maximumLabelLength else {
                throw Refusal("'\(self)' takes \(utf8.count) octets, more than \(Name.maximumLabelLength)")
            }
            return try checkedNoWildcard
        }
    }
}

// MARK: - Addresses

extension ValueKind<IPAddress> {
    static var address: Self {
        ValueKind<String>.string.map { text throws(Refusal) in
            guard let address = IPAddress(text) else {
                throw Refusal("'\(text)' is not an IP address; expected 10.0.0.1 or fd00::1")
            }
            guard !address.isUnspecified else { throw Refusal("nobody has the unspecified address '\(text)'") }
            return address
        }
    }
}

extension ValueKind<ServerAddress> {
    /// A DNS server that we may ask.
    static var upstream: Self {
        ValueKind<String>.string.map { text throws(Refusal) in try ServerAddress(upstream: text) }
    }
}

extension ServerAddress {
    /// Reads the address of a DNS server that we may ask.
    init(upstream text: String) throws(Refusal) {
        do throws(AddressError) {
            try self.init(text)
        } catch {
            throw Refusal("\(error)")
        }
        guard !isIntercom else {
            throw Refusal("\(text) is intercom itself; expected the server that it is to ask")
        }
        guard address.isOneHost else {
            throw Refusal("\(text) is not the address of one server")
        }
        if case .v6(let address) = address, address.isLinkLocal, scope == nil {
            throw Refusal("\(text) is on every link; expected its interface too, as fe80::1%eth0")
        }
    }

    /// Whether this is 127.0.0.11, where we listen in every namespace; asking it would be asking ourselves.
    var isIntercom: Bool {
        switch address {
        case .v4(let address): address.bits == 0x7F00_000B
        case .v6(let address): address.bits == 0xFFFF_7F00_000B
        }
    }
}

extension ValueKind<Subnet> {
    static var subnet: Self {
        ValueKind<String>.string.map { text throws(Refusal) in try Subnet(checked: text) }
    }
}

extension Subnet {
    /// Reads a subnet by its first address: one within it is a mistake for another subnet, or for an address.
    init(checked text: String) throws(Refusal) {
        guard let subnet = Subnet(text) else {
            throw Refusal("'\(text)' is not a subnet; expected 10.1.0.0/24 or fd00:1::/64")
        }
        guard IPAddress(String(text.prefix { $0 != "/" })) == subnet.address else {
            throw Refusal("'\(text)' is an address within a subnet; did you mean '\(subnet)'?")
        }
        self = subnet
    }
}

// MARK: - Paths and interfaces

extension ValueKind<String> {
    static var absolutePath: Self {
        nonEmptyString.map { text throws(Refusal) in
            guard text.hasPrefix("/") else { throw Refusal("'\(text)' is not an absolute path") }
            return text
        }
    }

    /// The path of a Unix socket: `sun_path` holds 108 octets with the NUL (unix(7)).
    static var socketPath: Self {
        absolutePath.map { text throws(Refusal) in
            guard text.utf8.count <= 107 else {
                throw Refusal("the path takes \(text.utf8.count) octets, more than 107")
            }
            return text
        }
    }

    /// An interface as the kernel allows it: `dev_valid_name()`, at most `IFNAMSIZ` - 1 octets.
    static var interface: Self {
        nonEmptyString.map { text throws(Refusal) in
            let isValid =
                text.utf8.count <= 15 && text != "." && text != ".."
                && !text.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
            guard isValid else { throw Refusal("'\(text)' is not an interface's name") }
            return text
        }
    }
}

// MARK: - Links and ports

extension ValueKind<LinkDefinition> {
    /// `CONTAINER:NAME`.
    static var link: Self {
        ValueKind<String>.string.map { text throws(Refusal) in
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw Refusal("'\(text)' is not a link; expected CONTAINER:NAME, as db:database")
            }
            let name = String(parts[1])
            guard try Name(checked: name).labelCount > 0 else { throw Refusal("'.' is not a name of one's own") }
            return LinkDefinition(container: try parts[0].checkedLabel, name: try name.checkedNoWildcard)
        }
    }
}

extension ValueKind<PortDefinition> {
    /// `PORT[/tcp|/udp][=SERVICE]`, or the number alone.
    static var port: Self {
        ValueKind<Int>.integer(in: 1...65535)
            .map { number throws(Refusal) in PortDefinition(number: UInt16(number)) }
            .orString { text throws(Refusal) in
                let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let parts = (sides.first ?? "").split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
                let service = sides.count == 2 ? String(sides[1]) : nil
                let transport =
                    parts.count == 2 ? PortDefinition.Transport(rawValue: String(parts[1])) : .tcp
                guard let digits = parts.first, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
                    let number = UInt16(digits), number > 0, let transport
                else {
                    throw Refusal("'\(text)' is not a port; expected PORT[/tcp|/udp][=SERVICE], as 80/tcp=http")
                }
                // The label of an SRV name is the service behind an underscore (RFC 2782).
                if let service,
                    service.isEmpty || service.contains(".") || service.utf8.count >= Name.maximumLabelLength
                {
                    throw Refusal("'\(service)' is not a service; expected one label without its underscore, as http")
                }
                return PortDefinition(number: number, transport: transport, service: service)
            }
    }
}
