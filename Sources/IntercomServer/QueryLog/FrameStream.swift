// Frame Streams over a socket, as dnstap uses it: https://farsightsec.github.io/fstrm/ (control frames, data frames).

/// The sender's side of a bidirectional Frame Stream: READY, the reader's ACCEPT, START, frames, STOP. A value: octets in,
/// octets out.
struct FrameStream: Equatable {
    enum Phase: Equatable {
        /// READY was sent.
        case waiting
        /// Frames may be sent.
        case started
        /// The reader has ended, or speaks something else.
        case ended
    }

    /// Types of control frames.
    private enum Control: UInt32 {
        case accept = 1
        case start, stop, ready, finish
    }

    /// The content of the frames: https://dnstap.info.
    static let contentType = Array("protobuf:dnstap.Dnstap".utf8)
    /// Number of the one field that control frames have.
    private static let contentTypeField: UInt32 = 1
    /// Octets of a control frame at most (`FSTRM_CONTROL_FRAME_LENGTH_MAX`).
    private static let maximumControl = 512
    /// Octets before a control frame: an escape of four zeros, its length, its type.
    private static let controlHeader = 12

    private(set) var phase = Phase.waiting
    private var received: [UInt8] = []

    /// Octets with which the sender begins.
    static var ready: [UInt8] { control(.ready, withType: true) }
    /// Octets with which it ends.
    static var stop: [UInt8] { control(.stop, withType: false) }

    /// A frame with content.
    static func frame(_ content: [UInt8]) -> [UInt8] {
        bigEndian(UInt32(truncatingIfNeeded: content.count)) + content
    }

    /// Takes what the reader says.
    /// - Returns: what is to be sent before anything else.
    mutating func take(_ octets: some Sequence<UInt8>) -> [UInt8] {
        guard phase != .ended else { return [] }
        received += octets
        var reply: [UInt8] = []
        while phase != .ended, received.count >= Self.controlHeader {
            let length = Int(word(4))
            // A reader sends control frames alone.
            guard word(0) == 0, 4...Self.maximumControl ~= length else {
                phase = .ended
                break
            }
            guard received.count >= 8 + length else { break }
            if phase == .waiting, word(8) == Control.accept.rawValue, accepts(received[12..<8 + length]) {
                phase = .started
                reply += Self.control(.start, withType: true)
            } else {
                phase = .ended
            }
            received.removeFirst(8 + length)
        }
        return reply
    }

    /// True where our content type is among the fields of ACCEPT.
    private func accepts(_ fields: ArraySlice<UInt8>) -> Bool {
        var fields = fields
        while fields.count >= 8 {
            let (kind, length) = (Self.word(fields), Int(Self.word(fields.dropFirst(4))))
            guard length <= fields.count - 8 else { return false }
            let value = fields.dropFirst(8).prefix(length)
            if kind == Self.contentTypeField, value.elementsEqual(Self.contentType) { return true }
            fields = fields.dropFirst(8 + length)
        }
        return false
    }

    private func word(_ offset: Int) -> UInt32 { Self.word(received.dropFirst(offset)) }

    private static func word(_ octets: ArraySlice<UInt8>) -> UInt32 {
        octets.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func control(_ type: Control, withType: Bool) -> [UInt8] {
        let field =
            withType ? bigEndian(contentTypeField) + bigEndian(UInt32(contentType.count)) + contentType : []
        return bigEndian(0) + bigEndian(UInt32(4 + field.count)) + bigEndian(type.rawValue) + field
    }

    private static func bigEndian(_ word: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
    }
}
