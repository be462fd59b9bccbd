// The table of methods: each method of the interface has a handler, and is carried out for those alone who may call it.

import ControlAPI
import Tables
import Testing

@testable import IntercomServer

@Suite("The table of methods")
struct MethodTableTests {
    @Test("A method that the interface lists has a handler")
    func complete() {
        #expect(Set(MethodTable.control.methods.keys) == Set(ControlInterface.methods.map { $0.name }))
    }

    @Test("What declares something is kept over a restart, and nothing else")
    func persisted() {
        let persisted = ControlInterface.methods.filter { $0.isPersisted }.map { "\($0)" }
        #expect(
            persisted == [
                "CreateNetwork", "RemoveNetwork", "Connect", "Disconnect", "AddContainer", "RemoveContainer",
                "DrainContainer", "ReadyContainer", "AddRecord", "RemoveRecord", "SetPolicy",
                "AllowNames", "DenyNames", "RemovePolicy", "Publish", "Update", "Forget",
            ])
    }

    // MARK: - Permissions

    /// A method of root's.
    private enum Erase: ControlMethod {
        static let definition = "method Erase() -> ()"
        static let permission = ControlPermission.root
        typealias Parameters = Nothing
        typealias Reply = Nothing
    }

    private static func refusal(of method: any ControlMethod.Type, to permission: ControlPermission) -> ControlError? {
        do throws(ControlError) {
            let caller = ControlSocket.Caller(client: Ticket(word: 1), permission: permission, user: "ann")
            try MethodTable.check(caller, for: method)
            return nil
        } catch {
            return error
        }
    }

    @Test("A method of root's is refused to members of the group, and says so")
    func rootMethod() {
        let refusal = Self.refusal(of: Erase.self, to: .group)
        #expect(refusal?.name == "intercom.Control.NotPermitted")
        #expect(
            refusal?.message
                == "user ann may not call intercom.Control.Erase; root may, and the user that the daemon runs as")
        #expect(Self.refusal(of: Erase.self, to: .root) == nil)
    }

    @Test(
        "Each other method may be called by root and by members of the group",
        arguments: [ControlPermission.group, .root])
    func groupMethods(permission: ControlPermission) {
        for method in ControlInterface.methods where method.permission == .group {
            #expect(Self.refusal(of: method, to: permission) == nil, "\(method)")
        }
    }
}
