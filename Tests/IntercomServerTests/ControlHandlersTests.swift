// The table of handlers and the interface say the same.

import ControlAPI
import Testing

@testable import IntercomServer

@Suite("The table of handlers")
struct ControlHandlersTests {
    @Test("has each method of the interface, and no other")
    func complete() {
        #expect(Set(ControlPlane.handlers.keys) == Set(ControlInterface.methods.map { $0.name }))
        for (name, handler) in ControlPlane.handlers { #expect(handler.method.name == name) }
    }

    @Test("keeps over a restart what declares something, and nothing else")
    func persisted() {
        let persisted = ControlInterface.methods.filter { $0.isPersisted }.map { "\($0)" }
        #expect(
            persisted == [
                "CreateNetwork", "RemoveNetwork", "Connect", "Disconnect", "AddContainer", "RemoveContainer",
                "DrainContainer", "ReadyContainer",
            ])
    }
}
