// Calls about gates: the only ones but those for listeners that change anything in the host's namespace.

import DNSWire
import LinuxNet
import Registry

extension OpenerErrand {
    /// Sets a gate: of a container, on veths into other namespaces, with checked blocks.
    func setGate(_ call: OpenerCalls.SetGate) throws(LinuxError) {
        guard call.cookie != 0, call.devices.count <= AddressGate.maximumDevices,
            call.formerDevices.count <= AddressGate.maximumDevices
        else { throw Self.refusal("a gate of \(call.devices.count) interfaces") }
        var terms = GateTerms()
        terms.networks = try Self.blocks(call.networks)
        terms.blocks = try Self.blocks(call.blocks)
        guard call.sources.count <= AddressGate.maximumBlocks else {
            throw Self.refusal("a gate of \(call.sources.count) addresses")
        }
        for text in call.sources {
            guard let address = IPAddress(text) else { throw Self.refusal("address '\(text)'") }
            terms.sources.append(address)
        }
        try opener.set(
            GateOrder(cookie: call.cookie, devices: call.devices, formerDevices: call.formerDevices, terms: terms))
        try reply(to: OpenerCalls.SetGate.self, .init())
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
