// The head of a response: status line and header fields (RFC 9112 §4, §5).

/// Status line and header fields of a response.
package struct HTTPHead: Equatable, Sendable {
    /// 100...999.
    package let status: Int
    /// Reason phrase behind the status, for people.
    package let reason: String
    /// 0 or 1: HTTP/1.0 ends the connection behind each response unless it says otherwise.
    let minorVersion: Int
    /// Names in lower case, values without blanks around them.
    private var fields: [(name: String, value: String)] = []

    /// Rule by which a reader finds the end of a body (RFC 9112 §6.3).
    enum Framing: Equatable {
        case none
        case length(Int)
        case chunked
        /// The body ends with the connection.
        case untilClose
    }

    /// Framing of this response's body.
    let framing: Framing

    package static func == (left: HTTPHead, right: HTTPHead) -> Bool {
        left.status == right.status && left.minorVersion == right.minorVersion
            && left.fields.elementsEqual(right.fields, by: ==)
    }

    /// Reads the lines of a head, without the empty one behind them.
    init(_ lines: [[UInt8]]) throws(RuntimeWireError) {
        guard let first = lines.first else { throw .badHead("it is empty") }
        (minorVersion, status, reason) = try Self.statusLine(first)
        for line in lines.dropFirst() { fields.append(try Self.field(line)) }
        framing = try Self.framing(status, fields)
    }

    /// The values of a field; a field may come several times.
    package func values(of name: String) -> [String] {
        fields.filter { $0.name == name.lowercased() }.map(\.value)
    }

    /// True when another request may be sent on the connection once the body is read (RFC 9112 §9.3).
    package var keepsConnection: Bool {
        if framing == .untilClose { return false }
        let options = values(of: "connection").joined(separator: ",").lowercased().split(separator: ",")
            .map { String($0.filter { $0 != " " }) }
        return minorVersion == 0 ? options.contains("keep-alive") : !options.contains("close")
    }

    /// `HTTP/1.1 200 OK`; the reason may be missing.
    private static func statusLine(_ line: [UInt8]) throws(RuntimeWireError) -> (Int, Int, String) {
        let text = String(decoding: line, as: UTF8.self)
        let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        let version: Int
        switch parts.first {
        case "HTTP/1.1": version = 1
        case "HTTP/1.0": version = 0
        default: throw .badHead(shown(text))
        }
        guard parts.count >= 2, parts[1].utf8.count == 3, parts[1].utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
            let status = Int(parts[1]), status >= 100
        else { throw .badHead(shown(text)) }
        return (version, status, parts.count > 2 ? String(parts[2]) : "")
    }

    /// `Name: value`. A line that begins with a blank continues the one before in old software, and is refused: RFC 9112 §5.2.
    private static func field(_ line: [UInt8]) throws(RuntimeWireError) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0, line[..<colon].allSatisfy(isTokenOctet),
            line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
        else { throw .badHead(shown(String(decoding: line, as: UTF8.self))) }
        var value = line[(colon + 1)...]
        while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
        while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
        return (
            String(decoding: line[..<colon], as: UTF8.self).lowercased(), String(decoding: value, as: UTF8.self)
        )
    }

    /// RFC 9110 §5.6.2: what a field's name consists of.
    private static func isTokenOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(octet)
        }
    }

    /// RFC 9112 §6.3. A response that says its length in two ways is refused: two readers would see two responses.
    private static func framing(
        _ status: Int, _ fields: [(name: String, value: String)]
    ) throws(RuntimeWireError) -> Framing {
        let lengths = fields.filter { $0.name == "content-length" }.map(\.value)
        let codings = fields.filter { $0.name == "transfer-encoding" }.map { $0.value.lowercased() }
        if status < 200 || status == 204 || status == 304 { return .none }
        if !codings.isEmpty {
            guard codings == ["chunked"] else { throw .badFraming("Transfer-Encoding: \(shown("\(codings)"))") }
            guard lengths.isEmpty else { throw .badFraming("both Transfer-Encoding and Content-Length") }
            return .chunked
        }
        guard let first = lengths.first else { return .untilClose }
        guard Set(lengths).count == 1, (1...18).contains(first.utf8.count),
            first.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let length = Int(first)
        else { throw .badFraming("Content-Length: \(shown("\(lengths)"))") }
        return .length(length)
    }

    /// As much of a text as an error shows.
    private static func shown(_ text: String) -> String { String(text.prefix(80)) }
}
