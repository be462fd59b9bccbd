// Requests of HTTP/1.1, as Docker's Engine API takes them.

/// A GET request: all that is ever asked of a runtime.
package struct HTTPRequest: Equatable, Sendable {
    /// The segments of the path, not encoded.
    package var path: [String]
    /// Names and values of the query, not encoded.
    package var query: [(name: String, value: String)]

    package init(path: [String], query: [(name: String, value: String)] = []) {
        self.path = path
        self.query = query
    }

    package static func == (left: HTTPRequest, right: HTTPRequest) -> Bool { left.target == right.target }

    /// Path and query, percent-encoded: a name that a container chose cannot end it (RFC 9112 §3.2).
    package var target: String {
        let path = "/" + path.map(Self.encoded).joined(separator: "/")
        if query.isEmpty { return path }
        return path + "?" + query.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
    }

    /// The request on the wire. Behind a unix socket the host's name means nothing, but has to be there (RFC 9112 §3.2).
    package var octets: [UInt8] {
        Array(
            "GET \(target) HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nUser-Agent: intercom\r\n\r\n".utf8
        )
    }

    /// RFC 3986 §2.3: what is not unreserved goes as `%XX`.
    private static func encoded(_ text: String) -> String {
        var encoded = ""
        for octet in text.utf8 {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(octet))
            default:
                let digits = String(octet, radix: 16, uppercase: true)
                encoded += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return encoded
    }
}
