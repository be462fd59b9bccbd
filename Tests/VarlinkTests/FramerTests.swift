// Messages out of a stream.

import Testing

@testable import Varlink

@Suite("A stream of messages")
struct FramerTests {
    private func messages(_ parts: [[UInt8]]) throws -> [String] {
        var framer = VarlinkFramer()
        var all: [String] = []
        for part in parts {
            try framer.feed(part + [0xEE], part.count)
            while let message = framer.next() { all.append(String(decoding: message, as: UTF8.self)) }
        }
        return all
    }

    @Test("is cut at each NUL, in whatever pieces it comes", arguments: 1...9)
    func pieces(size: Int) throws {
        let stream = Array("{\"method\":\"a\"}\0{}\0\0last\0unfinished".utf8)
        let parts = stride(from: 0, to: stream.count, by: size).map { Array(stream[$0..<min($0 + size, stream.count)]) }
        #expect(try messages(parts) == ["{\"method\":\"a\"}", "{}", "", "last"])
    }

    @Test("may have messages of 2 MiB and no longer")
    func bound() throws {
        let longest = [UInt8](repeating: 0x78, count: VarlinkFramer.maximumMessage)
        #expect(try messages([longest, [0]]).first?.utf8.count == VarlinkFramer.maximumMessage)
        #expect(throws: VarlinkFramerError.messageTooLong) { try messages([longest, [0x78]]) }
        #expect(throws: VarlinkFramerError.messageTooLong) { try messages([[0x78, 0] + longest + longest]) }
    }

    @Test("passes over a message that is too long, says so, and goes on", arguments: [1, 3, 4096, 1 << 22])
    func passesOver(size: Int) throws {
        let long = [UInt8](repeating: 0x78, count: VarlinkFramer.maximumMessage + 1)
        // All but the middle of the long one comes in small pieces.
        let stream = Array("a\0".utf8) + long + Array("\0b\0\0".utf8)
        let (head, rest) = (stream.prefix(100), stream.dropFirst(100))
        var framer = VarlinkFramer(skipsLongMessages: true)
        var all: [String] = []
        func feed(_ part: some Collection<UInt8>) throws {
            try framer.feed(Array(part), part.count)
            #expect(framer.count <= VarlinkFramer.maximumMessage + stream.count, "bounded")
            while let message = framer.next() {
                all.append(framer.wasTooLong ? "too long" : String(decoding: message, as: UTF8.self))
            }
        }
        for start in stride(from: 0, to: head.count, by: size) { try feed(head.dropFirst(start).prefix(size)) }
        try feed(rest.dropLast(100))
        #expect(framer.hasPart)
        let tail = rest.suffix(100)
        for start in stride(from: 0, to: tail.count, by: size) { try feed(tail.dropFirst(start).prefix(size)) }
        #expect(all == ["a", "too long", "b", ""])
    }

    @Test("keeps what was not taken yet")
    func backlog() throws {
        var framer = VarlinkFramer()
        try framer.feed(Array("a\0b\0".utf8), 4)
        #expect(framer.next() == [0x61])
        try framer.feed(Array("c\0".utf8), 2)
        #expect(framer.next() == [0x62] && framer.next() == [0x63] && framer.next() == nil)
    }
}
