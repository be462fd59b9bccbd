// The address of a DNS server.

/// A DNS server's address, as people write it into `resolv.conf` and into our configuration.
public struct ServerAddress: Hashable, Sendable {
    /// Its IP address.
    public let address: IPAddress
    /// UDP port, 1...65535; 53 where none is given.
    public let port: UInt16
    /// TCP port, 1...65535: the same as ``port``, but for a server inside a namespace that has two random ones (dockerd).
    public let streamPort: UInt16
    /// The interface of a link-local address (RFC 4007 §11): `eth0` or its index. Nil elsewhere.
    public let scope: String?

    /// The server at an address; port 53 unless another is given.
    /// - Parameters:
    ///   - address: its IP address.
    ///   - port: its port for UDP.
    ///   - streamPort: its port for TCP; nil: the same.
    ///   - scope: the interface of a link-local address.
    public init(address: IPAddress, port: UInt16 = 53, streamPort: UInt16? = nil, scope: String? = nil) {
        self.address = address
        self.port = port
        self.streamPort = streamPort ?? port
        self.scope = scope
    }

    /// The port that a transport goes to.
    public func port(over transport: Transport) -> UInt16 { transport == .stream ? streamPort : port }

    /// Reads `10.0.0.1`, `10.0.0.1:5353`, `fd00::1`, `[fd00::1]:5353`, `fe80::1%eth0`, `[fe80::1%eth0]:53`.
    public init(_ text: some StringProtocol) throws(AddressError) {
        // By scalars: an interface's name may begin or end with one that makes a single character with what is beside it.
        var host = Substring(text).unicodeScalars
        var port: UInt16 = 53
        if host.first == "[" {
            // The last one: there may be others in an interface's name.
            guard let end = host.lastIndex(of: "]") else { throw .missingBracket(String(text)) }
            let rest = host[end...].dropFirst()
            if rest.first == ":" {
                port = try Self.port(Substring(rest.dropFirst()))
            } else if !rest.isEmpty {
                throw .notAnAddress(String(text))
            }
            host = host[..<end].dropFirst()
            guard host.contains(":") else { throw .notAnAddress(String(text)) }
        } else if let colon = host.firstIndex(of: ":"), host.contains("."), !host[colon...].dropFirst().contains(":") {
            port = try Self.port(Substring(host[colon...].dropFirst()))
            host = host[..<colon]
        }
        var scope: String?
        if let percent = host.firstIndex(of: "%") {
            let name = Substring(host[percent...].dropFirst())
            host = host[..<percent]
            // IFNAMSIZ of <net/if.h> is 16 with the NUL; these octets are in no interface's name.
            guard 1...15 ~= name.utf8.count, !name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x2F || $0 == 0x3A })
            else {
                throw .badScope(String(text))
            }
            scope = String(name)
        }
        guard let address = IPAddress(text: Substring(host)) else { throw .notAnAddress(String(text)) }
        if scope != nil, case .v4 = address { throw .badScope(String(text)) }
        self.init(address: address, port: port, scope: scope)
    }

    private static func port(_ text: Substring) throws(AddressError) -> UInt16 {
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = UInt16(text), port > 0 else {
            throw .badPort(String(text))
        }
        return port
    }
}

extension ServerAddress: CustomStringConvertible {
    /// `10.0.0.1:53`, `[fe80::1%eth0]:53`, `127.0.0.11:40123 (TCP 45011)`.
    public var description: String {
        let others = streamPort == port ? "" : " (TCP \(streamPort))"
        return switch address {
        case .v4(let address): "\(address):\(port)\(others)"
        case .v6(let address): "[\(address)\(scope.map { "%\($0)" } ?? "")]:\(port)\(others)"
        }
    }
}

/// Why a text is no address of a server.
public enum AddressError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Neither an IPv4 nor an IPv6 address.
    case notAnAddress(String)
    /// A `[` without its `]`.
    case missingBracket(String)
    /// A port that is no number in 1...65535.
    case badPort(String)
    /// A scope that is no interface's name, or one behind an IPv4 address.
    case badScope(String)

    public var description: String {
        switch self {
        case .notAnAddress(let text): "'\(text)' is not an IP address; expected 10.0.0.1, 10.0.0.1:53 or [fd00::1]:53"
        case .missingBracket(let text): "'\(text)' lacks the ']' behind its address"
        case .badPort(let text): "'\(text)' is not a port; expected 1 to 65535"
        case .badScope(let text):
            "'\(text)' has a bad scope; expected an IPv6 address and an interface, as fe80::1%eth0"
        }
    }
}
