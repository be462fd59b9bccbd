// Calls about gates: the only ones but those for listeners that change anything in the host's namespace.

import DNSWire
import LinuxNet
import Registry

extension OpenerErrand {
    func setGate(_ call: OpenerCalls.SetGate) throws(LinuxError) {
        for case let failure? in opener.set([try Self.order(call)]) { throw failure }
        try reply(to: OpenerCalls.SetGate.self, .init())
    }

    func setGates(_ call: OpenerCalls.SetGates) throws(LinuxError) {
        guard call.gates.count <= OpenerCalls.maximumGatesAtOnce else {
            throw Self.refusal("\(call.gates.count) gates")
        }
        var orders: [GateOrder] = []
        for gate in call.gates { orders.append(try Self.order(gate)) }
        let outcomes = opener.set(orders).map { OpenerCalls.SetGates.Outcome(failure: $0.map { OpenerFailure($0) }) }
        try reply(to: OpenerCalls.SetGates.self, .init(outcomes: outcomes))
    }

    /// A gate: of a container, on veths into other namespaces, with checked blocks.
    private static func order(_ call: OpenerCalls.SetGate) throws(LinuxError) -> GateOrder {
        guard call.cookie != 0, call.devices.count <= AddressGate.maximumDevices,
            call.formerDevices.count <= AddressGate.maximumDevices
        else { throw refusal("a gate of \(call.devices.count) interfaces") }
        var terms = GateTerms()
        terms.networks = try blocks(call.networks)
        terms.blocks = try blocks(call.blocks)
        guard call.sources.count <= AddressGate.maximumBlocks else {
            throw refusal("a gate of \(call.sources.count) addresses")
        }
        for text in call.sources {
            guard let address = IPAddress(text) else { throw refusal("address '\(text)'") }
            terms.sources.append(address)
        }
        return GateOrder(
            cookie: call.cookie, devices: call.devices, formerDevices: call.formerDevices, terms: terms)
    }

    private static func blocks(_ texts: [String]) throws(LinuxError) -> [Subnet] {
        guard texts.count <= AddressGate.maximumBlocks else { throw refusal("a gate of \(texts.count) blocks") }
        var blocks: [Subnet] = []
        for text in texts {
            guard let block = Subnet(text) else { throw refusal("block '\(text)'") }
            blocks.append(block)
        }
        return blocks
    }

    func removeGates(_ call: OpenerCalls.RemoveGates) throws(LinuxError) {
        guard call.cookies.count <= OpenerCalls.maximumGates, call.devices.count <= OpenerCalls.maximumGates else {
            throw Self.refusal("\(call.cookies.count) gates")
        }
        if call.all == true {
            try opener.removeAllGates()
        } else {
            try opener.removeGates(AddressGates.Listing(cookies: call.cookies, devices: call.devices))
        }
        try reply(to: OpenerCalls.RemoveGates.self, .init())
    }

    func listGates(_ call: OpenerCalls.ListGates) throws(LinuxError) {
        let gates = try opener.listGates(after: call.after)
        try reply(to: OpenerCalls.ListGates.self, .init(cookies: gates.cookies, devices: gates.devices))
    }

    func monitorGates() throws(LinuxError) {
        let monitor = try opener.monitorGates()
        try reply(to: OpenerCalls.MonitorGates.self, .init(), passing: [monitor.descriptor.rawValue])
    }

    func openAdmissions() throws(LinuxError) {
        let connection = try opener.openAdmissions()
        try reply(to: OpenerCalls.OpenAdmissions.self, .init(), passing: [connection.rawValue])
    }
}
