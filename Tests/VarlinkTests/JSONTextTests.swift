// Documents by our own encoder beside those of Foundation's.

import Foundation
import Testing

@testable import Varlink

@Suite("A document")
struct JSONTextTests {
    enum Color: String, Codable { case red, blue }
    struct Nothing: Codable {}
    struct Inner: Codable {
        var zone: String
        var address: [String]
        var upper = 1

        enum CodingKeys: String, CodingKey {
            case zone, address
            case upper = "Upper"
        }
    }
    struct Everything: Codable {
        var name = "web"
        var absent: Int?
        var present: Int? = .min
        var large = UInt64.max
        var small: [Int8] = [-128, 0, 127]
        var isReady = true
        var others = [false, true]
        var color = Color.blue
        var nothing = Nothing()
        var lists: [[Inner]] = [[], [Inner(zone: "a", address: []), Inner(zone: "", address: ["::1", "10.0.0.1"])]]
        var table = ["b": 1, "a": 2, "résumé": 3, "a\"b": 4]
        var holes: [Int?] = [1, nil]
        var numbers = [0, 1, -2, 0.5, 1e300, 1e-7, 123456789.25]
        var rest: Float = 1.5
    }

    private static let texts =
        [
            "", "plain", "/run/netns/web", "quote \" and \\", "é ü 漢 👋🏽", "\u{7F}\u{85}\u{202E}", "\r\n",
            String(repeating: "a", count: 1000) + "\n",
        ] + (UInt8(0)..<0x20).map { String(UnicodeScalar($0)) }

    private func byFoundation(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func byUs(_ value: some Encodable) throws -> String {
        String(decoding: try JSONText.encode(value), as: UTF8.self)
    }

    struct Row: Encodable {
        struct Fields: Encodable {
            var absent: String?
            var count: Int
            var name: String?
        }
        var row: Fields
    }

    @Test("of members that are known beforehand has the octets that the encoder gives", arguments: texts)
    func record(text: String) {
        for (count, name) in [(0, text), (-7, nil), (.max, "web")] as [(Int, String?)] {
            var record = VarlinkRecord(named: "row")
            record.add("absent", nil)
            record.add("count", count)
            record.add("name", name)
            let expected = VarlinkReply.encode(Row(row: Row.Fields(count: count, name: name)), continues: true)
            #expect(record.message() == expected)
        }
    }

    @Test("has the octets that Foundation's encoder gives, keys in order")
    func octets() throws {
        #expect(try byUs(Everything()) == byFoundation(Everything()))
        #expect(try byUs([Everything(), Everything()]) == byFoundation([Everything(), Everything()]))
        #expect(try byUs(Nothing()) == "{}")
        #expect(try byUs([[String]]()) == "[]")
    }

    @Test("escapes in strings what RFC 8259 §7 asks for", arguments: texts)
    func strings(text: String) throws {
        #expect(try byUs([text]) == byFoundation([text]))
        #expect(try JSONDecoder().decode([String].self, from: Data(JSONText.encode([text]))) == [text])
    }

    struct Nested: Encodable {
        enum Key: CodingKey { case outer, inner }
        func encode(to encoder: any Encoder) throws {
            var outer = encoder.container(keyedBy: Key.self)
            var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .outer)
            try inner.encode(1, forKey: .inner)
        }
    }

    @Test("is refused for a number that is not finite, and for types that nest containers by hand")
    func refusals() {
        for value in [Double.nan, .infinity] { #expect(throws: (any Error).self) { try JSONText.encode([value]) } }
        #expect(throws: JSONText.Failure.self) { try JSONText.encode(Nested()) }
    }
}
