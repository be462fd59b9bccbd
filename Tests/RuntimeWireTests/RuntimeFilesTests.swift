// Standard input of hooks, and the files of netavark for aardvark-dns.

import DNSWire
import Testing

@testable import RuntimeWire

private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite("The state of an OCI container")
struct OCIStateTests {
    @Test("has id, process, bundle and annotations")
    func whole() throws {
        let state = try OCIState(
            octets(
                """
                {"ociVersion":"1.0.2","id":"web","status":"created","pid":4711,"bundle":"/run/web",
                "annotations":{"nerdctl/name":"web"},"more":[1]}
                """))
        #expect(state.id == "web" && state.status == "created" && state.pid == 4711 && state.bundle == "/run/web")
        #expect(state.annotations == ["nerdctl/name": "web"])
    }

    @Test("of which little is told is read all the same; without an id it is refused")
    func bare() throws {
        let state = try OCIState(octets(#"{"id":"a","pid":0,"annotations":null}"#))
        #expect(state.pid == nil && state.annotations == [:] && state.bundle == "")
        for text in ["", "{}", #"{"id":""}"#, #"{"id":1}"#, "null", #"{"id":"a","annotations":{"a":1}}"#] {
            #expect(throws: RuntimeWireError.self, "\(text)") { try OCIState(octets(text)) }
        }
        let long = [UInt8](repeating: 0x20, count: OCIState.maximumLength + 1)
        #expect(throws: RuntimeWireError.tooLong(what: "the state", limit: OCIState.maximumLength)) {
            try OCIState(long)
        }
    }
}

@Suite("A file of aardvark-dns")
struct AardvarkNetworkTests {
    @Test("has the network, the gateways, and a line for each container")
    func whole() throws {
        let text = """
            10.89.0.1,fd00:89::1 192.0.2.53
            4c01db0b 10.89.0.2 fd00:89::2 web,site,4c01db0b339c
            5d02 10.89.0.3,10.89.0.4  db 192.0.2.53

            """
        let network = try #require(try AardvarkNetwork(file: "front", octets(text)))
        #expect(network.name == "front" && !network.isInternal && network.passedOver == 0)
        #expect(network.servers.map(\.description) == ["10.89.0.1", "fd00:89::1"])
        #expect(network.members.map(\.id) == ["4c01db0b", "5d02"])
        #expect(
            network.members.map { $0.addresses.map(\.description) } == [
                ["10.89.0.2", "fd00:89::2"], ["10.89.0.3", "10.89.0.4"],
            ])
        #expect(network.members.map(\.names) == [["web", "site", "4c01db0b339c"], ["db"]])
    }

    @Test("of an internal network says so by its name; that of the process is no network")
    func names() throws {
        let network = try #require(try AardvarkNetwork(file: "back%int", octets("10.89.1.1\n")))
        #expect(network.name == "back" && network.isInternal && network.members.isEmpty)
        #expect(try AardvarkNetwork(file: "aardvark.pid", octets("4711")) == nil)
        #expect(try AardvarkNetwork(file: ".front.swp", octets("")) == nil)
    }

    @Test(
        "that is torn or odd gives what can be read, and counts the rest",
        arguments: [
            ("", 0, 0), ("10.89.0.1", 0, 0), ("10.89.0.1\nid 10.89.0.2  web\nid2 10.8", 1, 1),
            ("\n\n\nid 10.89.0.2  web", 1, 0),
            ("10.89.0.1\nid 10.89.0.x  web", 0, 1), ("10.89.0.1\nid 10.89.0.2  \n 10.89.0.2  web", 0, 2),
            ("\u{0}\u{FF}\n\u{0} \u{0} \u{0} \u{0}", 0, 1),
        ])
    func torn(text: String, members: Int, passedOver: Int) throws {
        let network = try #require(try AardvarkNetwork(file: "n", octets(text)))
        #expect(network.members.count == members && network.passedOver == passedOver)
    }

    @Test("that is too long is refused")
    func long() {
        let octets = [UInt8](repeating: 0x0A, count: AardvarkNetwork.maximumLength + 1)
        #expect(throws: RuntimeWireError.self) { try AardvarkNetwork(file: "n", octets) }
    }
}
