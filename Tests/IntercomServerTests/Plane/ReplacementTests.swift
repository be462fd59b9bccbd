// `container add --replace`, of containers without a namespace here.

import ControlAPI
import Testing

@testable import IntercomServer

@Suite("A container that takes the place of another")
struct ReplacementTests {
    private func machine(_ network: String, _ address: String, replaces: Bool? = nil) -> AddContainer.Parameters {
        .init(name: "vm", networks: [.init(name: network, addresses: [address])], replace: replaces)
    }

    private func lend(_ text: String = "", _ body: (Plane) throws -> Void) throws {
        try Plane.lend(text) { plane in
            for network in ["front", "back"] { _ = try plane.call(CreateNetwork.self, .init(name: network)) }
            let asker = AddContainer.Parameters(name: "app", networks: [.init(name: "front", addresses: ["10.1.0.9"])])
            _ = try plane.call(AddContainer.self, asker)
            try body(plane)
        }
    }

    @Test("is refused without replace, which the message names; with it nothing is left of the one before")
    func replaced() throws {
        try lend { plane in
            _ = try plane.call(AddContainer.self, machine("front", "10.1.0.2"))
            _ = try plane.call(Connect.self, .init(network: "back", container: "vm", addresses: ["10.2.0.2"]))
            let refusal = try plane.refusal(AddContainer.self, machine("front", "10.1.0.3"))
            #expect(refusal == "container vm exists already; replace it with --replace, or choose another name")
            _ = try plane.call(AddContainer.self, machine("front", "10.1.0.3", replaces: true))
            #expect(try plane.resolve("vm", from: "app") == ["10.1.0.3"])
            #expect(try plane.container("vm").networks.map(\.network) == ["front"])
        }
    }

    @Test("need not find one there")
    func new() throws {
        try lend { plane in
            _ = try plane.call(AddContainer.self, machine("front", "10.1.0.2", replaces: true))
            #expect(try plane.resolve("vm", from: "app") == ["10.1.0.2"])
        }
    }

    @Test("leaves the one before as it was, where it cannot be had", arguments: ["nowhere", "front"])
    func refused(network: String) throws {
        try lend { plane in
            _ = try plane.call(AddContainer.self, machine("front", "10.1.0.2"))
            _ = try plane.call(Connect.self, .init(network: "back", container: "vm", addresses: ["10.2.0.2"]))
            _ = try plane.call(DrainContainer.self, Named(name: "vm"))
            // An address that another container has, or a network that is not there.
            #expect(try plane.refusal(AddContainer.self, machine(network, "10.1.0.9", replaces: true)) != nil)
            #expect(try plane.resolve("vm", from: "app") == ["10.1.0.2"])
            let vm = try plane.container("vm")
            #expect(vm.networks.map(\.network).sorted() == ["back", "front"] && vm.draining)
        }
    }

    @Test("is there after a restart, without what was declared of the one before")
    func restarted() throws {
        try lend { plane in
            _ = try plane.call(AddContainer.self, machine("front", "10.1.0.2"))
            _ = try plane.call(Connect.self, .init(network: "back", container: "vm", addresses: ["10.2.0.2"]))
            _ = try plane.call(AddContainer.self, machine("front", "10.1.0.3", replaces: true))
            plane.stop()
            try plane.start()
            #expect(try plane.resolve("vm", from: "app") == ["10.1.0.3"])
            #expect(try plane.container("vm").networks.map(\.network) == ["front"])
        }
    }

    @Test("does not take that of one in the configuration")
    func configured() throws {
        try lend(
            "[[network]]\nname = 'n'\n[[container]]\nname = 'vm'\nnetworks = [{ name = 'n', ip = ['10.3.0.2'] }]\n"
        ) { plane in
            let refusal = try plane.refusal(AddContainer.self, machine("front", "10.1.0.3", replaces: true))
            #expect(refusal?.contains("is declared in the configuration; change it there") == true, "\(refusal ?? "")")
        }
    }
}
