// Names as the host's programs resolve them, getaddrinfo(3): by nsswitch.conf(5) and resolv.conf(5).

internal import CLinux

/// Lookups by the C library, as `getent ahosts` does them.
package enum HostLookup {
    /// The addresses of a name, as text, each once; empty where the library finds none. It may wait for as long as the
    /// library does, several seconds.
    package static func addresses(of name: String) -> [String] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        // The list is the library's until freeaddrinfo, and is read only before it.
        guard unsafe getaddrinfo(name, nil, &hints, &first) == 0 else { return [] }
        defer { unsafe freeaddrinfo(first) }
        var texts: [String] = []
        var next = unsafe first
        while let entry = unsafe next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let failure = unsafe getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if failure == 0, !texts.contains(address) { texts.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return texts
    }
}
