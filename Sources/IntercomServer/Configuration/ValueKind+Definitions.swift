// Kinds of values that intercom.toml has beside TOML's own: times, sizes, paths, links, ports.

import Attachment
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
        ValueKind<Int>.integer(in: 1...NamespaceSource.highestPID).map { pid throws(Refusal) in Int32(pid) }
    }
}

extension ValueKind<Int> {
    /// The smallest memory that is of any use, in octets: one page. Who writes less means another unit.
    private static var smallestMemory: Int { 4096 }

    /// Memory in octets that may be none: 0, or a size that holds something.
    static var memory: Self {
        size.map { octets throws(Refusal) in
            guard octets == 0 || octets >= smallestMemory else {
                throw Refusal(
                    "\(DisplayText.counted(octets, "octet")) can hold nothing; did you mean \"\(octets)MiB\"? (0: none)"
                )
            }
            return octets
        }
    }

    /// Memory in octets that has to be there.
    static var buffer: Self {
        memory.map { octets throws(Refusal) in
            guard octets > 0 else { throw Refusal("must not be 0; expected at least \(smallestMemory) octets") }
            return octets
        }
    }

    /// A number of octets, or text with a unit: `"16MiB"`.
    private static var size: Self {
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

// MARK: - Paths, groups and interfaces

extension ValueKind<String> {
    /// A group of the host, or empty: none.
    /// - Parameter exists: true for the groups that the host has.
    static func group(exists: @escaping (String) -> Bool) -> Self {
        string.map { text throws(Refusal) in
            // The default is no mistake where it is missing, as no key is: root alone may use the socket then.
            guard text.isEmpty || text == Configuration.Control().group || exists(text) else {
                throw Refusal(
                    "this host has no group '\(text)'; create it (groupadd --system \(text)), or write '' for root alone"
                )
            }
            return text
        }
    }

    static var absolutePath: Self {
        nonEmptyString.map { text throws(Refusal) in
            guard NamespaceSource.isPath(text) else { throw Refusal("'\(text)' is not an absolute path") }
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
}

// MARK: - Links and ports

extension ValueKind<LinkDefinition> {
    /// `CONTAINER:NAME`.
    static var link: Self { text(LinkDefinition.init(_:)) }
}

extension ValueKind<PortDefinition> {
    /// `PORT[/tcp|/udp][=SERVICE]`, or the number alone.
    static var port: Self {
        ValueKind<Int>.integer(in: 1...65535)
            .map { number throws(Refusal) in PortDefinition(number: UInt16(number)) }
            .orString { text throws(Refusal) in
                try Refusal.of { () throws(RegistryError) in try PortDefinition(text) }
            }
    }
}
