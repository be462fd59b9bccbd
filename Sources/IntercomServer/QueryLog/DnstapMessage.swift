// A question and its answer as dnstap has it: https://dnstap.info, dnstap.proto.

import DNSWire
import Forwarding
import LinuxNet

/// Encodes messages of the type CLIENT_RESPONSE: they have the time of the question, too, so one tells both.
struct DnstapMessage {
    /// Numbers of fields, by message.
    private enum Field {
        static let identity = 1
        static let version = 2
        static let extra = 3
        static let message = 14
        static let type = 15
    }
    private enum MessageField {
        static let type = 1
        static let family = 2
        static let transport = 3
        static let responseAddress = 5
        static let responsePort = 7
        static let querySeconds = 8
        static let queryNanoseconds = 9
        static let responseSeconds = 12
        static let responseNanoseconds = 13
        static let response = 14
    }
    /// `Dnstap.Type.MESSAGE`, `Message.Type.CLIENT_RESPONSE`, `SocketFamily.INET`.
    private static let (typeMessage, clientResponse, familyINET) = (1, 6, 1)
    /// `SocketProtocol.UDP` and `TCP`.
    private static let (udp, tcp) = (1, 2)
    private static let port = 53

    /// Name of this machine.
    var identity: String
    /// Name and version of the program.
    var version: String

    /// One message.
    /// - Parameters:
    ///   - question: with its answer on the wire; without it there are times alone.
    ///   - extra: its container and network.
    ///   - clock: gives the times of day.
    func encode(_ question: ObservedQuestion, extra: String, _ clock: WallClock) -> [UInt8] {
        let answered = clock.microseconds(at: question.answered.nanoseconds)
        let asked = answered - Int(question.duration.nanoseconds / 1000)
        var message = Protobuf()
        message.add(MessageField.type, Self.clientResponse)
        message.add(MessageField.family, Self.familyINET)
        message.add(MessageField.transport, question.transport == .datagram ? Self.udp : Self.tcp)
        message.add(MessageField.responseAddress, IPv4Address.intercom.octets)
        message.add(MessageField.responsePort, Self.port)
        message.add(MessageField.querySeconds, asked / 1_000_000)
        message.add(MessageField.queryNanoseconds, fixed: UInt32(truncatingIfNeeded: asked % 1_000_000 * 1000))
        message.add(MessageField.responseSeconds, answered / 1_000_000)
        message.add(MessageField.responseNanoseconds, fixed: UInt32(truncatingIfNeeded: answered % 1_000_000 * 1000))
        if !question.message.isEmpty { message.add(MessageField.response, question.message) }
        var dnstap = Protobuf()
        dnstap.add(Field.identity, Array(identity.utf8))
        dnstap.add(Field.version, Array(version.utf8))
        dnstap.add(Field.extra, Array(extra.utf8))
        dnstap.add(Field.message, message.octets)
        dnstap.add(Field.type, Self.typeMessage)
        return dnstap.octets
    }
}

/// Fields of a protocol buffer, one behind another: https://protobuf.dev/programming-guides/encoding/.
private struct Protobuf {
    private(set) var octets: [UInt8] = []

    /// An integer or an enumeration's value, from 0 on.
    mutating func add(_ field: Int, _ value: Int) {
        addVarint(field << 3)
        addVarint(value)
    }

    /// Octets, a text, or a message.
    mutating func add(_ field: Int, _ value: [UInt8]) {
        addVarint(field << 3 | 2)
        addVarint(value.count)
        octets += value
    }

    /// A word of four octets.
    mutating func add(_ field: Int, fixed value: UInt32) {
        addVarint(field << 3 | 5)
        octets += [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private mutating func addVarint(_ value: Int) {
        var left = UInt64(truncatingIfNeeded: value)
        while left > 0x7F {
            octets.append(UInt8(truncatingIfNeeded: left) | 0x80)
            left >>= 7
        }
        octets.append(UInt8(truncatingIfNeeded: left))
    }
}
