// An IPv4 or IPv6 address and a port, as sockets take them: ip(7), ipv6(7).

internal import CLinux

/// The address of a UDP or TCP socket. A plain value without heap storage.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    private let bits: UInt128
    private let isV6: Bool
    /// The port, in host order.
    package let port: UInt16
    /// The interface index that a link-local IPv6 address belongs to; 0: none.
    package let scope: UInt32

    /// An IPv4 address in host order: 127.0.0.11 is 0x7F00000B.
    package init(v4 bits: UInt32, port: UInt16) {
        self.bits = UInt128(bits)
        self.isV6 = false
        self.port = port
        self.scope = 0
    }

    /// An IPv6 address in host order: ::1 is 1.
    package init(v6 bits: UInt128, port: UInt16, scope: UInt32 = 0) {
        self.bits = bits
        self.isV6 = true
        self.port = port
        self.scope = scope
    }

    /// The address without its port as one number, in host order; an IPv4 address as ::ffff:0:0/96 has it (RFC 4291 §2.5.5.2).
    package var number: UInt128 { isV6 ? bits : 0xFFFF << 32 | bits }

    /// The same address with another port.
    package func withPort(_ port: UInt16) -> SocketAddress {
        isV6
            ? SocketAddress(v6: bits, port: port, scope: scope)
            : SocketAddress(v4: UInt32(truncatingIfNeeded: bits), port: port)
    }

    /// `127.0.0.11:53`, `[fe80::1%2]:53`.
    package var description: String {
        guard isV6 else {
            let octets = stride(from: 24, through: 0, by: -8).map { String(bits >> $0 & 0xFF) }
            return "\(octets.joined(separator: ".")):\(port)"
        }
        return "[\(text)\(scope == 0 ? "" : "%\(scope)")]:\(port)"
    }

    /// inet_ntop(3).
    private var text: String {
        var address = storage.sin6_addr
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // It writes at most the buffer's count, NUL included, which is what any IPv6 address needs.
        _ = unsafe inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count))
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    // MARK: - The kernel's form

    // `sockaddr_in6` holds both forms: family and port lie at the same place, and `sockaddr_in` has its address
    // where `sockaddr_in6` has the flow information.

    var family: Int32 { isV6 ? AF_INET6 : AF_INET }

    /// The address as it stands in a packet: four octets or sixteen.
    var networkOctets: [UInt8] {
        stride(from: isV6 ? 120 : 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> $0) }
    }

    init(_ storage: sockaddr_in6) {
        let port = UInt16(bigEndian: storage.sin6_port)
        if Int32(storage.sin6_family) == AF_INET6 {
            // Sixteen octets either way, and any of them make a number.
            let bits = unsafe unsafeBitCast(storage.sin6_addr, to: UInt128.self)
            self.init(v6: UInt128(bigEndian: bits), port: port, scope: storage.sin6_scope_id)
        } else {
            self.init(v4: UInt32(bigEndian: storage.sin6_flowinfo), port: port)
        }
    }

    var storage: sockaddr_in6 {
        var storage = sockaddr_in6()
        storage.sin6_family = sa_family_t(family)
        storage.sin6_port = port.bigEndian
        if isV6 {
            // Sixteen octets either way, and any of them make an address.
            storage.sin6_addr = unsafe unsafeBitCast(bits.bigEndian, to: in6_addr.self)
            storage.sin6_scope_id = scope
        } else {
            storage.sin6_flowinfo = UInt32(truncatingIfNeeded: bits).bigEndian
        }
        return storage
    }

    var storageLength: socklen_t {
        socklen_t(isV6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
    }

    /// Lends the kernel's form for the time of a call.
    func withSockaddr<Returned>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Returned) -> Returned {
        var storage = storage
        // `sockaddr` is the common beginning of all address types; the length says how much there is.
        return unsafe withUnsafePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, storageLength) }
        }
    }
}
