// Calls, replies, errors and introspection as JSON.

import Testing

@testable import Varlink

@Suite("A call")
struct CallTests {
    struct Inner: Codable, Equatable { var name: String; var numbers: [Int]? }
    struct Parameters: Codable, Equatable { var name: String; var count: Int?; var inner: [Inner]? }

    /// Types that may be known when a call is read: none, that of its method, that of another.
    static let knownTypes = [
        VarlinkParameterTypes(), VarlinkParameterTypes(["a.b.Do": Parameters.self, "a.B": Parameters.self]),
        VarlinkParameterTypes(["a.b.Do": Inner.self, "a.B": Inner.self]),
    ]

    private func call(
        _ json: String, _ types: VarlinkParameterTypes = VarlinkParameterTypes()
    ) throws(VarlinkCallError) -> VarlinkCall {
        try VarlinkCall(message: Array(json.utf8), reading: types)
    }

    @Test("has a method of an interface, flags and parameters, whatever type is known of them", arguments: knownTypes)
    func read(types: VarlinkParameterTypes) throws {
        let call = try call(
            #"{"method":"a.b.Do","parameters":{"name":"x","count":null,"inner":[{"name":"y"}],"more":[1]},"oneway":true}"#,
            types)
        #expect(call.method == "a.b.Do" && call.interface == "a.b" && call.oneway && !call.more && !call.upgrade)
        #expect(try call.parameters(Parameters.self) == Parameters(name: "x", count: nil, inner: [Inner(name: "y")]))
    }

    @Test(
        "is no call without a method in an object",
        arguments: ["", "x", "[]", "{}", "\"a\"", #"{"method":1}"#, #"{"method":"a""#, "\u{FFFD}"])
    func malformed(json: String) {
        #expect(throws: VarlinkCallError.malformed) { try call(json) }
    }

    @Test("of brackets 100,000 deep is refused, not followed")
    func deep() {
        #expect(throws: VarlinkCallError.malformed) { try call(String(repeating: "[", count: 100_000)) }
        #expect(throws: VarlinkCallError.malformed) {
            try call(#"{"method":"a.B","parameters":"# + String(repeating: "[", count: 100_000))
        }
    }

    @Test(
        "with a parameter that is missing or of the wrong type names it",
        arguments: [
            (#"{"method":"a.B"}"#, "name"), (#"{"method":"a.B","parameters":null}"#, "name"),
            (#"{"method":"a.B","parameters":{}}"#, "name"), (#"{"method":"a.B","parameters":{"name":7}}"#, "name"),
            (#"{"method":"a.B","parameters":{"name":null}}"#, "name"),
            (#"{"method":"a.B","parameters":[]}"#, "parameters"),
            (#"{"method":"a.B","parameters":{"name":"x","count":"7"}}"#, "count"),
            // The decoder does not say where a number is that does not fit.
            (#"{"method":"a.B","parameters":{"name":"x","count":1.5}}"#, "parameters"),
            (#"{"method":"a.B","parameters":{"name":"x","inner":[{"name":"y"},{}]}}"#, "inner[1].name"),
            (
                #"{"method":"a.B","parameters":{"name":"x","inner":[{"name":"y","numbers":[1,"2"]}]}}"#,
                "inner[0].numbers[1]"
            ),
        ])
    func wrongParameters(json: String, parameter: String) throws {
        for types in Self.knownTypes {
            let call = try call(json, types)
            #expect(call.method == "a.B")
            #expect(throws: InvalidParameter(parameter: parameter)) { try call.parameters(Parameters.self) }
        }
    }

    @Test("and its reply are read back as they were written")
    func roundTrip() throws {
        let parameters = Parameters(name: "a\0b\"\u{1F6AA}", count: -3, inner: [Inner(name: "", numbers: [])])
        let message = VarlinkCall.encode(method: "a.b.Do", parameters: parameters)
        #expect(message.last == 0 && !message.dropLast().contains(0))
        #expect(try VarlinkCall(message: message.dropLast()).parameters(Parameters.self) == parameters)
        let reply = try VarlinkResponse(message: VarlinkReply.encode(parameters).dropLast())
        #expect(try reply.error == nil && reply.parameters(Parameters.self) == parameters)
        let failure = try VarlinkResponse(message: VarlinkReply.encode(error: "a.b.Wrong", parameters).dropLast())
        #expect(try failure.error == "a.b.Wrong" && failure.parameters(Parameters.self) == parameters)
    }

    /// Text that a container or a file has chosen, and the octets that stand for it on the socket.
    private static let hostile: [(text: String, octets: String)] = [
        ("web", "web"), ("gr\u{F6}\u{DF}e", #"gr\u00f6\u00dfe"#), ("\u{6F22}\u{1F6AA}", #"\u6f22\ud83d\udeaa"#),
        ("a\0b\u{1B}[2J", #"a\u0000b\u001b[2J"#), ("a\u{7F}", #"a\u007f"#), ("a\u{9B}2J", #"a\u009b2J"#),
        ("\u{202E}gpj.exe", #"\u202egpj.exe"#), ("w\u{200B}\u{2066}b\u{E0041}", #"w\u200b\u2066b\udb40\udc41"#),
        ("\u{2028}\u{FEFF}\u{FFFF}", #"\u2028\ufeff\uffff"#),
    ]

    @Test("and its reply are printable ASCII, whatever names are in them, and mean the same")
    func printable() throws {
        for (text, octets) in Self.hostile {
            let parameters = Parameters(name: text, count: nil, inner: [Inner(name: text)])
            let messages = [
                VarlinkCall.encode(method: "a.b.Do", parameters: parameters), VarlinkReply.encode(parameters),
                VarlinkReply.encode(error: "a.b.Wrong", parameters),
                VarlinkReply.encode(list: "list", [VarlinkReply.element(parameters)], continues: false),
            ]
            for message in messages {
                let json = message.dropLast()
                #expect(json.allSatisfy { 0x20...0x7E ~= $0 } && message.last == 0)
                #expect(String(decoding: json, as: UTF8.self).contains(#""name":"\#(octets)""#), "\(octets)")
            }
            #expect(try VarlinkResponse(message: messages[1].dropLast()).parameters(Parameters.self) == parameters)
        }
    }

    @Test("that takes many replies says so, and each but the last says that more follow")
    func stream() throws {
        let message = VarlinkCall.encode(method: "a.b.Watch", parameters: [String: Int](), more: true)
        #expect(try VarlinkCall(message: message.dropLast()).more)
        for continues in [true, false] {
            let reply = VarlinkReply.encode(["n": 1], continues: continues)
            #expect(try VarlinkResponse(message: reply.dropLast()).continues == continues)
        }
        #expect(VarlinkParameters.line(["b": 1, "a": 2]) == #"{"a":2,"b":1}"#)
        let refused = try VarlinkResponse(message: VarlinkService.expectedMore().dropLast())
        #expect(refused.error == "org.varlink.service.ExpectedMore")
    }

    @Test(
        "of introspection is answered by the service itself",
        arguments: [
            (#"{"method":"org.varlink.service.GetInfo"}"#, #""interfaces":["org.varlink.service","a.b"]"#),
            (
                #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"a.b"}}"#,
                #""description":"interface a.b""#
            ),
            (
                #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"org.varlink.service"}}"#,
                "method GetInfo()"
            ),
            (
                #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"no.pe"}}"#,
                #""error":"org.varlink.service.InterfaceNotFound""#
            ),
            (
                #"{"method":"org.varlink.service.GetInterfaceDescription"}"#,
                #""error":"org.varlink.service.InvalidParameter""#
            ),
            (#"{"method":"org.varlink.service.Nope"}"#, #""error":"org.varlink.service.MethodNotFound""#),
            (#"{"method":"no.pe.Nope"}"#, #""parameters":{"interface":"no.pe"}"#),
            (#"{"method":"nodots"}"#, #""error":"org.varlink.service.InterfaceNotFound""#),
        ])
    func introspection(json: String, expected: String) throws {
        let service = VarlinkService(
            vendor: "v", product: "p", version: "1", url: "u", interfaces: [("a.b", "interface a.b")])
        let answer = try #require(service.answer(try call(json)))
        #expect(String(decoding: answer, as: UTF8.self).contains(expected))
        #expect(service.answer(try call(#"{"method":"a.b.Anything"}"#)) == nil)
    }
}
