// HTTP/1.1 as Docker's daemon speaks it, in whatever pieces it comes, and what no daemon should say.

import Testing

@testable import RuntimeWire

/// Parts that a reader made of some octets.
private struct Read: Equatable {
    var statuses: [Int] = []
    var bodies: [String] = []
    var ends = 0

    /// Reads a text in pieces of some octets, and the end of the connection behind it.
    init(_ text: String, pieces: Int, limits: HTTPLimits = HTTPLimits()) throws(RuntimeWireError) {
        var reader = HTTPResponseReader(limits: limits)
        let octets = Array(text.utf8)
        for start in stride(from: 0, to: octets.count, by: pieces) {
            reader.receive(octets[start..<min(start + pieces, octets.count)])
            while let part = try reader.next() { take(part) }
        }
        if let part = try reader.close() { take(part) }
    }

    private mutating func take(_ part: HTTPResponseReader.Part) {
        switch part {
        case .head(let head):
            statuses.append(head.status)
            bodies.append("")
        case .body(let octets): bodies[bodies.count - 1] += String(decoding: octets, as: UTF8.self)
        case .end: ends += 1
        }
    }
}

@Suite("A response of HTTP/1.1")
struct HTTPResponseTests {
    private static let whole: [(String, [Int], [String])] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", [200], ["hello"]),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", [200], [""]),
        ("HTTP/1.1 200\r\nCONTENT-LENGTH:  2 \t\r\n\r\n[]", [200], ["[]"]),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\n[]", [200], ["[]"]),
        ("\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n[]", [200], ["[]"]),
        ("HTTP/1.1 204 No Content\r\n\r\n", [204], [""]),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", [304], [""]),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", [200], ["x"]),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;a=b\r\nde\r\n0\r\n\r\n", [200], ["abcde"]),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", [200],
            ["0123456789"]
        ),
        ("HTTP/1.0 200 OK\r\nServer: x\r\n\r\nuntil the end", [200], ["until the end"]),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
            [404, 200], ["{}", "[]"]
        ),
    ]

    @Test("is read the same in whatever pieces it comes", arguments: whole.indices)
    func pieces(index: Int) throws {
        let (text, statuses, bodies) = Self.whole[index]
        for pieces in [1, 2, 3, 7, 10_000] {
            let read = try Read(text, pieces: pieces)
            #expect(read.statuses == statuses && read.bodies == bodies, "in pieces of \(pieces)")
            #expect(read.ends == statuses.count, "in pieces of \(pieces)")
        }
    }

    private static let senseless: [(String, RuntimeWireError)] = [
        ("SSH-2.0-OpenSSH\r\n\r\n", .badHead("SSH-2.0-OpenSSH")),
        ("HTTP/2 200\r\n\r\n", .badHead("HTTP/2 200")),
        ("HTTP/1.1 20 OK\r\n\r\n", .badHead("HTTP/1.1 20 OK")),
        ("HTTP/1.1 099 OK\r\n\r\n", .badHead("HTTP/1.1 099 OK")),
        ("HTTP/1.1\r\n\r\n", .badHead("HTTP/1.1")),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", .badHead("no colon")),
        ("HTTP/1.1 200 OK\r\n: empty\r\n\r\n", .badHead(": empty")),
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", .badHead("A : b")),
        ("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", .badHead(" folded")),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .badFraming("Content-Length: [\"-1\"]")),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n",
            .badFraming("Content-Length: [\"9999999999999999999\"]")
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            .badFraming("Content-Length: [\"1\", \"2\"]")
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            .badFraming("both Transfer-Encoding and Content-Length")
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", .badFraming("Transfer-Encoding: [\"gzip\"]")),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", .badFraming("a chunk's length is 'xyz'")),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", .badFraming("a chunk's length is '-1'")),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFF\r\n",
            .badFraming("a chunk's length is 'FFFFFFFFFFF'")
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", .tooLong(what: "a chunk", limit: 0)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", .cutOff),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .cutOff),
        ("HTTP/1.1 200 OK\r\nContent-", .cutOff),
    ]

    @Test("that makes no sense is refused, in whatever pieces it comes", arguments: senseless.indices)
    func refused(index: Int) {
        let (text, error) = Self.senseless[index]
        for pieces in [1, 5, 10_000] {
            #expect(throws: error, "in pieces of \(pieces)") { try Read(text, pieces: pieces) }
        }
    }

    @Test("that has no end is refused within its limits")
    func limits() {
        var limits = HTTPLimits()
        limits.body = 100
        let long = String(repeating: "x", count: 101)
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n\(long)", "HTTP/1.1 200 OK\r\n\r\n\(long)",
            "\(chunked)65\r\n\(long)\r\n0\r\n\r\n",
        ] {
            #expect(throws: RuntimeWireError.tooLong(what: "the body", limit: 100)) {
                try Read(text, pieces: 10, limits: limits)
            }
        }
        limits.head = 200
        let field = "A: \(String(repeating: "b", count: 60))\r\n"
        #expect(throws: RuntimeWireError.tooLong(what: "the head", limit: 200)) {
            try Read("HTTP/1.1 200 OK\r\n" + String(repeating: field, count: 4), pieces: 10, limits: limits)
        }
        #expect(throws: RuntimeWireError.tooLong(what: "the head", limit: 200)) {
            try Read(String(repeating: "h", count: 300), pieces: 10, limits: limits)
        }
        #expect(throws: RuntimeWireError.tooLong(what: "the trailers", limit: 200)) {
            try Read("\(chunked)0\r\n" + String(repeating: field, count: 4), pieces: 10, limits: limits)
        }
        let extensions = String(repeating: "e", count: 2000)
        #expect(throws: RuntimeWireError.tooLong(what: "a chunk's length", limit: 1024)) {
            try Read("\(chunked)1;\(extensions)", pieces: 10)
        }
        limits.body = nil
        #expect(throws: Never.self) { try Read("HTTP/1.1 200 OK\r\n\r\n\(long)", pieces: 10) }
    }

    @Test("says nothing more once it made no sense, or the connection has ended")
    func over() throws {
        var reader = HTTPResponseReader()
        reader.receive("garbage\r\n\r\n".utf8)
        #expect(throws: RuntimeWireError.self) { try reader.next() }
        reader.receive("HTTP/1.1 204 No Content\r\n\r\n".utf8)
        #expect(try reader.next() == nil)
        #expect(try reader.close() == nil)
        var unused = HTTPResponseReader()
        #expect(try unused.close() == nil, "a connection may end between responses")
    }

    @Test(
        "says whether the connection stays",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: x, keep-alive\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\n\r\n", false),
        ])
    func connection(text: String, stays: Bool) throws {
        var reader = HTTPResponseReader()
        reader.receive(text.utf8)
        guard case .head(let head)? = try reader.next() else {
            Issue.record("no head")
            return
        }
        #expect(head.keepsConnection == stays)
        #expect(head.reason == "OK")
        #expect(head.values(of: "Content-Length").count <= 1)
    }
}

@Suite("A request")
struct HTTPRequestTests {
    @Test("is written so that no name can end it")
    func written() {
        let request = HTTPRequest(path: ["containers", "a/b?c #\r\n%é", "json"], query: [("x&y", "1=2"), ("z", "")])
        #expect(
            String(decoding: request.octets, as: UTF8.self)
                == "GET /containers/a%2Fb%3Fc%20%23%0D%0A%25%C3%A9/json?x%26y=1%3D2&z= HTTP/1.1\r\n"
                + "Host: localhost\r\nAccept: application/json\r\nUser-Agent: intercom\r\n\r\n")
    }

    @Test("of Docker's adapter has no version in its path")
    func docker() {
        #expect(DockerRequests.containers.target == "/containers/json")
        #expect(DockerRequests.networks.target == "/networks")
        #expect(DockerRequests.container("web").target == "/containers/web/json")
        #expect(DockerRequests.events.target.hasPrefix("/events?filters=%7B%22type%22%3A%5B"))
        #expect(DockerRequests.container("web") != DockerRequests.container("db"))
    }
}

@Suite("Lines of a stream")
struct JSONLinesTests {
    @Test("come whole, wherever the stream is cut")
    func lines() throws {
        for piece in 1...12 {
            var lines = JSONLines()
            var all: [String] = []
            let octets = Array("{\"a\":1}\n\r\n{\"b\":2}\r\n  \n{\"c\"".utf8)
            for start in stride(from: 0, to: octets.count, by: piece) {
                let part = Array(octets[start..<min(start + piece, octets.count)])
                all += try lines.receive(part).map { String(decoding: $0, as: UTF8.self) }
            }
            #expect(all == ["{\"a\":1}", "{\"b\":2}\r"])
        }
    }

    @Test("are bounded")
    func bounded() throws {
        var lines = JSONLines()
        let part = [UInt8](repeating: 0x20, count: JSONLines.maximumLine)
        #expect(try lines.receive(part) == [])
        #expect(throws: RuntimeWireError.tooLong(what: "an event", limit: JSONLines.maximumLine)) {
            try lines.receive([0x20])
        }
    }
}
