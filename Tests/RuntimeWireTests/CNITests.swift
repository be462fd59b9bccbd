// Calls of the CNI plugin as runtimes make them, and its answers.

import DNSWire
import Testing

@testable import RuntimeWire

@Suite("A call of the CNI plugin")
struct CNITests {
    private static func environment(_ command: String) -> [String: String] {
        [
            "CNI_COMMAND": command, "CNI_CONTAINERID": "web", "CNI_NETNS": "/run/netns/web", "CNI_IFNAME": "eth0",
            "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAME=web;broken;x=a=b", "CNI_PATH": "/opt/cni/bin",
        ]
    }

    private static let previous = """
        {"cniVersion":"1.0.0","interfaces":[{"name":"br0","mac":"02:00:00:00:00:01"},{"name":"eth0","sandbox":"/run/netns/web"}],
        "ips":[{"address":"10.1.0.2/24","gateway":"10.1.0.1","interface":1},{"address":"10.1.0.1/24","interface":0},
        {"address":"fd00:1::2/64"},{"address":"x"}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{},"own":1.5,"yes":true,"no":null}
        """

    private func call(
        _ command: String, version: String = "1.0.0", runtime: String = "{}", previous: String? = CNITests.previous,
        environment: [String: String]? = nil
    ) throws(CNIFailure) -> CNICall {
        let result = previous.map { #","prevResult":\#($0)"# } ?? ""
        let text =
            #"{"cniVersion":"\#(version)","name":"front","type":"intercom","runtimeConfig":\#(runtime)\#(result)}"#
        return try CNICall(environment: environment ?? Self.environment(command), configuration: Array(text.utf8))
    }

    @Test("to add a container has its namespace, network and addresses, and passes the result on as it is")
    func add() throws {
        for version in CNICall.versions {
            let call = try call("ADD", version: version)
            #expect(call.command == .add && call.version == version && call.network == "front")
            #expect(call.container == "web" && call.namespacePath == "/run/netns/web" && call.interface == "eth0")
            #expect(call.arguments == ["IgnoreUnknown": "1", "K8S_POD_NAME": "web", "x": "a=b"])
            #expect(call.addresses.map(\.description) == ["10.1.0.2", "fd00:1::2"])
            let passed = try RuntimeWireError.read(JSONValue.self, from: call.answer, "the answer")
            #expect(
                passed == (try RuntimeWireError.read(JSONValue.self, from: Array(Self.previous.utf8), "the result")))
        }
    }

    @Test(
        "has aliases as a list and as a map",
        arguments: [
            (#"{"aliases":["site","api"]}"#, ["site", "api"]),
            (#"{"aliases":{"front":["site"],"back":["x"]}}"#, ["site"]),
            (#"{"aliases":["",1,null,"a"]}"#, ["a"]), (#"{"aliases":"x"}"#, []), ("{}", []), ("null", []),
            (#"{"aliases":["a"]},"args":{"cni":{"aliases":["b"]}}"#, ["a", "b"]),
            (#"{},"args":{"cni":{"aliases":{"front":["b"]}}}"#, ["b"]),
        ])
    func aliases(runtime: String, aliases: [String]) throws {
        #expect(try call("ADD", runtime: runtime).aliases == aliases)
    }

    @Test("knows the links on the host, its own control socket, and the attachments that GC keeps")
    func more() throws {
        let call = try call("ADD", runtime: #"{},"control":"/run/other/control.sock""#)
        #expect(call.hostInterfaces == ["br0"] && call.control == "/run/other/control.sock")
        #expect(call.validAttachments == nil)
        let valid = #"{},"cni.dev/valid-attachments":[{"containerID":"web","ifname":"eth0"},{"containerID":1},"x"]"#
        let collect = try self.call("GC", runtime: valid, previous: nil)
        #expect(collect.validAttachments == [CNICall.Attachment(container: "web", interface: "eth0")])
    }

    @Test(
        "has an id of letters, digits, '_', '.' and '-', for it becomes the name of a file",
        arguments: ["", "../web", "a/b", ".web", "a b", "a\u{0}", String(repeating: "a", count: 201), "wéb"])
    func badID(id: String) {
        for command in ["ADD", "DEL", "CHECK"] {
            var environment = Self.environment(command)
            environment["CNI_CONTAINERID"] = id
            #expect(throws: CNIFailure.self) { try call(command, environment: environment) }
        }
    }

    @Test("to delete needs neither namespace nor result; nor do STATUS and GC")
    func others() throws {
        var environment = Self.environment("DEL")
        environment["CNI_NETNS"] = ""
        let call = try call("DEL", previous: nil, environment: environment)
        #expect(call.namespacePath == nil && call.addresses == [] && call.answer == [])
        #expect(try self.call("CHECK").answer == [])
        for command in ["STATUS", "GC"] {
            #expect(try self.call(command, previous: nil, environment: ["CNI_COMMAND": command]).answer == [])
        }
    }

    @Test("for the version says which are spoken, whatever the configuration's is")
    func version() throws {
        let call = try CNICall(
            environment: ["CNI_COMMAND": "VERSION"], configuration: Array(#"{"cniVersion":"0.3.1"}"#.utf8))
        #expect(
            String(decoding: call.answer, as: UTF8.self)
                == #"{"cniVersion":"0.3.1","supportedVersions":["0.4.0","1.0.0","1.1.0"]}"# + "\n")
    }

    @Test("that cannot be carried out is answered with the specification's code")
    func refused() throws {
        func code(_ body: () throws(CNIFailure) -> CNICall) -> CNIFailure.Code? {
            do throws(CNIFailure) {
                _ = try body()
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code { () throws(CNIFailure) in try call("FLY") } == .badEnvironment)
        #expect(code { () throws(CNIFailure) in try call("ADD", version: "0.3.1") } == .incompatibleVersion)
        #expect(code { () throws(CNIFailure) in try call("ADD", version: "2.0.0") } == .incompatibleVersion)
        #expect(code { () throws(CNIFailure) in try call("ADD", previous: nil) } == .badConfiguration)
        #expect(
            code { () throws(CNIFailure) in try call("ADD", environment: ["CNI_COMMAND": "ADD"]) } == .badEnvironment)
        let host = ["CNI_COMMAND": "ADD", "CNI_CONTAINERID": "web"]
        #expect(code { () throws(CNIFailure) in try call("ADD", environment: host) } == .badEnvironment)
        for text in ["", "[]", "{", "null", #"{"cniVersion":"1.0.0"}"#] {
            let environment = Self.environment("ADD")
            #expect(
                code { () throws(CNIFailure) in try CNICall(environment: environment, configuration: Array(text.utf8)) }
                    != nil)
        }
        let long = [UInt8](repeating: 0x20, count: CNICall.maximumLength + 1)
        #expect(
            code { () throws(CNIFailure) in try CNICall(environment: Self.environment("ADD"), configuration: long) }
                == .undecodable)
        let failure = CNIFailure(.refused, "no network \"front\"", "0.4.0")
        #expect(
            String(decoding: failure.answer, as: UTF8.self)
                == #"{"cniVersion":"0.4.0","code":100,"msg":"no network \"front\""}"# + "\n")
    }
}
