// The sender's side of a Frame Stream, octet by octet.

import Testing

@testable import IntercomServer

@Suite("A Frame Stream")
struct FrameStreamTests {
    private static let type = Array("protobuf:dnstap.Dnstap".utf8)
    private static let field: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 22] + type

    /// A control frame: its type, and fields of 30 octets or none.
    private static func control(_ type: UInt8, _ fields: [UInt8] = []) -> [UInt8] {
        [0, 0, 0, 0, 0, 0, 0, UInt8(4 + fields.count), 0, 0, 0, type] + fields
    }

    @Test("begins with READY, has frames with their lengths, and ends with STOP")
    func frames() {
        #expect(FrameStream.ready == Self.control(4, Self.field))
        #expect(FrameStream.frame([7, 8]) == [0, 0, 0, 2, 7, 8])
        #expect(FrameStream.stop == Self.control(3))
    }

    @Test("starts when the reader accepts its content type, however the octets come")
    func start() {
        let other: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 1, 120]
        for accept in [Self.control(1, Self.field), Self.control(1, other + Self.field)] {
            for size in [1, 5, accept.count] {
                var stream = FrameStream()
                var replies: [UInt8] = []
                for start in stride(from: 0, to: accept.count, by: size) {
                    #expect(stream.phase == .waiting)
                    replies += stream.take(accept[start..<min(start + size, accept.count)])
                }
                #expect(stream.phase == .started)
                #expect(replies == Self.control(2, Self.field))
            }
        }
    }

    @Test(
        "ends when the reader says anything else",
        arguments: [
            // Another content type; a field that is longer than the frame; none.
            control(1, [0, 0, 0, 1, 0, 0, 0, 1, 120]), control(1, [0, 0, 0, 1, 0, 0, 1, 0, 120]), control(1),
            // FINISH, START, a type that nobody knows; a data frame; lengths that no control frame has.
            control(5), control(2, field), control(99), [0, 0, 0, 1] + [UInt8](repeating: 9, count: 12),
            [0, 0, 0, 0, 0, 0, 0, 3] + [0, 0, 0, 0], [0, 0, 0, 0, 255, 255, 255, 255] + [0, 0, 0, 0],
        ])
    func refused(octets: [UInt8]) {
        var stream = FrameStream()
        #expect(stream.take(octets).isEmpty)
        #expect(stream.phase == .ended)
        #expect(stream.take(Self.control(1, Self.field)).isEmpty, "an ended stream stays so")
    }

    @Test("ends with FINISH after it has started")
    func finish() {
        var stream = FrameStream()
        _ = stream.take(Self.control(1, Self.field))
        #expect(stream.take(Self.control(5)).isEmpty && stream.phase == .ended)
    }
}
