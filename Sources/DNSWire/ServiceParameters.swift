// Parameters of SVCB and HTTPS records: `alpn=h2,h3 port=8443` (RFC 9460 §2.1, §7).

/// The parameters of one record, each once.
struct ServiceParameters {
    /// Why a word is no parameter.
    struct Refusal: Error {
        let reason: String
    }

    private var values: [UInt16: [UInt8]] = [:]

    /// Keys with a name (RFC 9460 §14.3.2, RFC 9461 §5).
    private static let keys: [(name: String, number: UInt16)] = [
        ("mandatory", 0), ("alpn", 1), ("no-default-alpn", 2), ("port", 3), ("ipv4hint", 4), ("ech", 5),
        ("ipv6hint", 6), ("dohpath", 7), ("ohttp", 8),
    ]

    /// Adds a parameter, `KEY` or `KEY=VALUE`.
    mutating func add(_ word: [UInt8]) throws(Refusal) {
        let parts = word.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(decoding: parts.first ?? [], as: UTF8.self)
        guard let key = Self.number(of: name) else {
            throw Refusal(reason: "'\(name)' is no parameter; expected alpn, port, ipv4hint, ipv6hint, … or keyNNNNN")
        }
        guard values[key] == nil else { throw Refusal(reason: "parameter \(name) is there twice") }
        values[key] = try Self.value(of: key, name, Array(parts.count > 1 ? parts[1] : []))
    }

    /// All parameters on the wire, by number (RFC 9460 §2.2).
    func data() throws(Refusal) -> [UInt8] {
        if values[2] != nil, values[1] == nil { throw Refusal(reason: "no-default-alpn needs alpn (RFC 9460 §7.1.1)") }
        if let mandatory = values[0] {
            for place in stride(from: 0, to: mandatory.count - 1, by: 2) {
                let key = UInt16(mandatory[place]) << 8 | UInt16(mandatory[place + 1])
                guard key != 0, values[key] != nil else {
                    throw Refusal(reason: "mandatory names a parameter that is not there (RFC 9460 §8)")
                }
            }
        }
        return values.sorted { $0.key < $1.key }.flatMap { key, value in
            Self.word(key) + Self.word(UInt16(truncatingIfNeeded: value.count)) + value
        }
    }

    /// True for parameters on the wire whose numbers rise and whose lengths fit.
    static func isWellFormed(_ data: ArraySlice<UInt8>) -> Bool {
        var rest = data
        var last = -1
        while rest.count >= 4 {
            let header = Array(rest.prefix(4))
            let key = Int(header[0]) << 8 | Int(header[1])
            let length = Int(header[2]) << 8 | Int(header[3])
            guard key > last, rest.count >= 4 + length else { return false }
            last = key
            rest = rest.dropFirst(4 + length)
        }
        return rest.isEmpty
    }

    /// Parameters on the wire as text, each `KEY="VALUE"`; nil where they are not well formed.
    static func text(of data: ArraySlice<UInt8>) -> [String]? {
        guard isWellFormed(data) else { return nil }
        var texts: [String] = []
        var rest = data
        while rest.count >= 4 {
            let header = Array(rest.prefix(4))
            let length = Int(header[2]) << 8 | Int(header[3])
            texts.append(text(of: UInt16(header[0]) << 8 | UInt16(header[1]), rest.dropFirst(4).prefix(length)))
            rest = rest.dropFirst(4 + length)
        }
        return texts
    }

    private static func text(of key: UInt16, _ value: ArraySlice<UInt8>) -> String {
        let name = name(of: key)
        let octets = Array(value)
        switch key {
        case 0 where !octets.isEmpty && octets.count.isMultiple(of: 2):
            let numbers = stride(from: 0, to: octets.count, by: 2).map {
                UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1])
            }
            return "\(name)=\(numbers.map(self.name(of:)).joined(separator: ","))"
        case 1:
            return list(octets).map { "\(name)=\(NameText.quoted($0.joined(separator: ",").utf8))" } ?? raw(key, octets)
        case 3 where octets.count == 2:
            return "\(name)=\(UInt16(octets[0]) << 8 | UInt16(octets[1]))"
        case 4 where !octets.isEmpty && octets.count.isMultiple(of: 4):
            let addresses = stride(from: 0, to: octets.count, by: 4).map { start in
                IPv4Address(bits: octets[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }).description
            }
            return "\(name)=\(addresses.joined(separator: ","))"
        case 6 where !octets.isEmpty && octets.count.isMultiple(of: 16):
            let addresses = stride(from: 0, to: octets.count, by: 16).map { start in
                IPv6Address(bits: octets[start..<start + 16].reduce(0) { $0 << 8 | UInt128($1) }).description
            }
            return "\(name)=\(addresses.joined(separator: ","))"
        case 5: return "\(name)=\(Base64.text(octets))"
        case _ where octets.isEmpty: return name
        default: return raw(key, octets)
        }
    }

    private static func raw(_ key: UInt16, _ octets: [UInt8]) -> String {
        "\(key == 7 ? name(of: key) : "key\(key)")=\(NameText.quoted(octets))"
    }

    /// The strings of a list, each behind its length; nil where they do not end with the octets, or have a comma in them.
    private static func list(_ octets: [UInt8]) -> [String]? {
        var strings: [String] = []
        var rest = octets[...]
        while let length = rest.popFirst() {
            let string = rest.prefix(Int(length))
            guard string.count == Int(length), !string.contains(UInt8(ascii: ",")),
                string.allSatisfy({ 0x21...0x7E ~= $0 })
            else { return nil }
            strings.append(String(decoding: string, as: UTF8.self))
            rest = rest.dropFirst(string.count)
        }
        return strings
    }

    private static func name(of key: UInt16) -> String { keys.first { $0.number == key }?.name ?? "key\(key)" }

    // MARK: - Keys and values

    static func number(of name: String) -> UInt16? {
        let lower = name.lowercased()
        return keys.first { $0.name == lower }?.number ?? Mnemonic.number(in: lower, after: "key")
    }

    private static func value(of key: UInt16, _ name: String, _ octets: [UInt8]) throws(Refusal) -> [UInt8] {
        let text = String(decoding: octets, as: UTF8.self)
        let items = octets.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let value: [UInt8]?
        switch key {
        case 0: value = numbers(of: items).map { $0.flatMap(word) }
        case 1: value = protocols(items)
        case 2, 8: value = octets.isEmpty ? [] : nil
        case 3: value = UInt16(text).map(word)
        case 4: value = all(items.map { IPv4Address($0)?.octets })
        case 5: value = Base64.octets(octets)
        case 6: value = all(items.map { IPv6Address($0)?.octets })
        default: value = octets
        }
        guard let value, value.count <= Int(UInt16.max) else {
            throw Refusal(reason: "'\(text)' is no value of parameter \(name)")
        }
        return value
    }

    /// Keys of `mandatory`, rising, none twice.
    private static func numbers(of names: [String]) -> [UInt16]? {
        let numbers = names.compactMap(number(of:)).sorted()
        return numbers.count == names.count && Set(numbers).count == names.count ? numbers : nil
    }

    /// ALPN identifiers, each a string of 1 to 255 octets (RFC 9460 §7.1.1).
    private static func protocols(_ names: [String]) -> [UInt8]? {
        guard names.allSatisfy({ (1...Int(UInt8.max)).contains($0.utf8.count) }) else { return nil }
        return names.flatMap { [UInt8(truncatingIfNeeded: $0.utf8.count)] + Array($0.utf8) }
    }

    private static func all(_ parts: [[UInt8]?]) -> [UInt8]? {
        parts.contains(where: { $0 == nil }) ? nil : parts.flatMap { $0 ?? [] }
    }

    private static func word(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)] }
}
