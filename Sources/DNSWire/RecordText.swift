// Record data from presentation form: the words of a zone file's line, behind the type.

/// Reads the data of a record as people write them (RFC 1035 §5.1), for the types that an operator can add.
///
/// Any other type, and data that have no form of their own, are written as octets: `\# 4 0A000001` (RFC 3597 §5).
public struct RecordText: Sendable {
    /// The words that have not been read.
    private var words: ArraySlice<[UInt8]>
    private let type: RecordType

    private init(_ words: [[UInt8]], _ type: RecordType) {
        self.words = words[...]
        self.type = type
    }

    /// Reads the data of a record.
    /// - Parameters:
    ///   - type: its type.
    ///   - texts: the data: in one text, as in a zone file, or a text for each word. Each text of a TXT record is one
    ///     string, taken with its blanks, unless it begins with a quote; of more than 255 octets, it becomes several.
    /// - Returns: RDATA, at most 65,535 octets, with names uncompressed.
    public static func data(of type: RecordType, _ texts: [String]) throws(RecordTextError) -> [UInt8] {
        if let reason = type.reasonAgainstAdding { throw .badType(type, reason: reason) }
        var text = RecordText(try ZoneWords.words(texts, areStrings: type == .txt), type)
        let isGeneric = text.words.first == Array("\\#".utf8)
        let data = isGeneric ? try text.generic() : try text.data()
        guard text.words.isEmpty else { throw text.refusal("there is more than a record of this type has") }
        guard data.count <= Int(UInt16.max) else {
            throw text.refusal("it takes \(data.count) octets, more than 65535")
        }
        if isGeneric { try text.check(data) }
        return data
    }

    /// Data as text that reads back to them.
    /// - Parameters:
    ///   - data: RDATA, of at most 65,535 octets.
    ///   - type: the record's type.
    public static func text(of data: [UInt8], _ type: RecordType) -> String {
        let message = [UInt8](repeating: 0, count: Header.length) + RecordBuilder.record(type, of: .root, ttl: 0, data)
        guard let record = try? ResourceRecord(message.span, at: Header.length, .answer) else { return "" }
        return (try? MessageText.data(of: record, in: message.span)) ?? ""
    }

    // MARK: - Types

    private mutating func data() throws(RecordTextError) -> [UInt8] {
        switch type {
        case .a:
            guard let address = IPv4Address(text(try word("an IPv4 address"))) else {
                throw refusal("expected an IPv4 address, as 10.1.0.9")
            }
            return address.octets
        case .aaaa:
            guard let address = IPv6Address(text(try word("an IPv6 address"))) else {
                throw refusal("expected an IPv6 address, as fd00:1::9")
            }
            return address.octets
        case .cname, .ptr: return try name()
        case .mx: return try number("a preference") + name()
        case .srv: return try number("a priority") + number("a weight") + number("a port") + name()
        case .txt: return try strings()
        case .caa: return try authorization()
        case .svcb, .https: return try number("a priority") + name() + serviceParameters()
        default:
            throw refusal("data of this type are written as octets: \\# LENGTH HEX, as \\# 4 0A000001 (RFC 3597)")
        }
    }

    private mutating func strings() throws(RecordTextError) -> [UInt8] {
        guard !words.isEmpty else { throw refusal("expected a text") }
        var data: [UInt8] = []
        while let string = words.popFirst() {
            var rest = string[...]
            repeat {
                let part = rest.prefix(Int(UInt8.max))
                data.append(UInt8(truncatingIfNeeded: part.count))
                data += part
                rest = rest.dropFirst(part.count)
            } while !rest.isEmpty
        }
        return data
    }

    /// CAA: flags, tag, value (RFC 8659 §4.1.1).
    private mutating func authorization() throws(RecordTextError) -> [UInt8] {
        guard let flags = UInt8(text(try word("flags"))) else { throw refusal("expected flags of 0 to 255, as 0") }
        let tag = try word("a tag")
        // RFC 8659 §4.1: letters and digits, at least one.
        guard (1...Int(UInt8.max)).contains(tag.count), tag.allSatisfy(\.isLetterOrDigit) else {
            throw refusal("expected a tag of letters and digits, as issue")
        }
        return [flags, UInt8(truncatingIfNeeded: tag.count)] + tag + (try word("a value"))
    }

    private mutating func serviceParameters() throws(RecordTextError) -> [UInt8] {
        var parameters = ServiceParameters()
        while let word = words.popFirst() {
            do throws(ServiceParameters.Refusal) {
                try parameters.add(word)
            } catch {
                throw refusal(error.reason)
            }
        }
        do throws(ServiceParameters.Refusal) {
            return try parameters.data()
        } catch {
            throw refusal(error.reason)
        }
    }

    /// `\# LENGTH HEX…` (RFC 3597 §5).
    private mutating func generic() throws(RecordTextError) -> [UInt8] {
        words = words.dropFirst()
        guard let length = Int(text(try word("a length"))), length >= 0 else {
            throw refusal("expected the number of octets behind \\#")
        }
        let digits = words.flatMap(\.self)
        words = []
        var data: [UInt8] = []
        var half: UInt8?
        for digit in digits {
            guard let value = digit.hexadecimalValue else { throw refusal("expected hexadecimal digits") }
            if let high = half { data.append(high << 4 | value) }
            half = half == nil ? value : nil
        }
        guard half == nil, data.count == length else {
            throw refusal("it says \(length) octets, and has \(digits.count) hexadecimal digits")
        }
        return data
    }

    /// Refuses octets that are not what the type has: a pointer in a name would lead anywhere in an answer.
    private func check(_ data: [UInt8]) throws(RecordTextError) {
        let isGood: Bool
        switch type {
        case .a: isGood = data.count == 4
        case .aaaa: isGood = data.count == 16
        case .cname, .ptr: isGood = (try? Name(wire: data.span)) != nil
        case .mx: isGood = Self.isName(data.dropFirst(2))
        case .srv: isGood = Self.isName(data.dropFirst(6))
        case .txt: isGood = Self.areStrings(data)
        case .caa: isGood = data.count > 2 && data[1] > 0 && Int(data[1]) + 2 <= data.count
        case .svcb, .https:
            isGood = Self.nameEnd(data.dropFirst(2)).map { ServiceParameters.isWellFormed(data[$0...]) } ?? false
        default: isGood = true
        }
        guard isGood else { throw refusal("the octets are not those of a record of this type") }
    }

    private static func isName(_ data: ArraySlice<UInt8>) -> Bool { (try? Name(wire: Array(data).span)) != nil }

    private static func areStrings(_ data: [UInt8]) -> Bool {
        var rest = data[...]
        while let length = rest.popFirst() {
            guard rest.count >= Int(length) else { return false }
            rest = rest.dropFirst(Int(length))
        }
        return !data.isEmpty
    }

    /// The position behind an uncompressed name; nil where there is none.
    private static func nameEnd(_ data: ArraySlice<UInt8>) -> Int? {
        var position = data.startIndex
        while position < data.endIndex, 1...UInt8(Name.maximumLabelLength) ~= data[position] {
            position += Int(data[position]) + 1
        }
        guard position < data.endIndex, data[position] == 0, position - data.startIndex < Name.maximumLength else {
            return nil
        }
        return position + 1
    }

    // MARK: - Words

    private mutating func word(_ what: String) throws(RecordTextError) -> [UInt8] {
        guard let word = words.popFirst() else { throw refusal("expected \(what)") }
        return word
    }

    private mutating func number(_ what: String) throws(RecordTextError) -> [UInt8] {
        guard let number = UInt16(text(try word(what))) else { throw refusal("expected \(what) of 0 to 65535") }
        return [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
    }

    /// A name: absolute, with or without a dot at its end.
    private mutating func name() throws(RecordTextError) -> [UInt8] {
        let word = try word("a name")
        do throws(NameError) {
            return try Name(text(word)).withALabels().wire
        } catch {
            throw refusal("\(error)")
        }
    }

    private func text(_ word: [UInt8]) -> String { String(decoding: word, as: UTF8.self) }

    private func refusal(_ reason: String) -> RecordTextError { .badData(type, reason: reason) }
}

/// Why a text is no record's data.
public enum RecordTextError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No record of this type can be added.
    case badType(RecordType, reason: String)
    /// The data are not those of the type.
    case badData(RecordType, reason: String)

    /// The reason alone.
    public var description: String {
        switch self {
        case .badType(_, let reason), .badData(_, let reason): reason
        }
    }
}

extension RecordType {
    /// Why nobody can add a record of this type; nil where one can.
    fileprivate var reasonAgainstAdding: String? {
        switch self {
        case .soa, .ns, .ds, .rrsig, .nsec, .dnskey, .nsec3, .nsec3param:
            "it belongs to a zone, and records are single names"
        case .dname: "it stands for a whole subtree; add a wildcard, as *.app.test"
        case .opt: "it is about a message, not about a name (RFC 6891)"
        // RFC 6895 §3.1: 0 is reserved, 128 to 255 are types of questions and of messages.
        case _ where rawValue == 0 || 128...255 ~= rawValue: "only questions and messages have it (RFC 6895)"
        default: nil
        }
    }
}
