// The interface as Varlink describes it: what introspection shows, and what any Varlink client can call.

/// `intercom.Control`.
package enum ControlInterface {
    /// The interface's name on the wire.
    package static let name = "intercom.Control"

    /// All methods, in the order of the description. The daemon's table of handlers is made from it.
    package static let methods: [any ControlMethod.Type] = [
        CreateNetwork.self, RemoveNetwork.self, ListNetworks.self, InspectNetwork.self, Connect.self, Disconnect.self,
        AddContainer.self, RemoveContainer.self, DrainContainer.self, ReadyContainer.self, ListContainers.self,
        InspectContainer.self, AddRecord.self, RemoveRecord.self, ListRecords.self,
        SetPolicy.self, AllowNames.self, DenyNames.self, RemovePolicy.self, ListPolicies.self, InspectPolicy.self,
        LearnPolicy.self,
        Publish.self, Update.self,
        Forget.self, ListSources.self, ListHosts.self, Resolve.self, Explain.self, Doctor.self, Status.self,
        Metrics.self,
        FlushCache.self, ListCache.self, Monitor.self, Reload.self,
    ]

    /// The description in Varlink's interface definition language: of each type, each method and each error what is said
    /// where it is defined.
    package static let description = describe(heading, methods, ControlError.definitions)

    /// Describes an interface.
    /// - Parameters:
    ///   - heading: the line `interface NAME`, with a comment before it.
    ///   - methods: its methods; their types come before them, each once.
    ///   - errors: the definitions of its errors.
    static func describe(_ heading: String, _ methods: [any ControlMethod.Type], _ errors: String) -> String {
        var types: [String] = []
        for type in methods.flatMap({ $0.types }) where !types.contains(type.definition) {
            types.append(type.definition)
        }
        let pieces = [heading] + types + methods.map { $0.definition } + [errors]
        return pieces.map { $0 + "\n" }.joined(separator: "\n")
    }

    private static let heading = """
        # Names and networks of containers, as the daemon answers them at 127.0.0.11.
        # A change is in force when its call returns. Every error has a message for people.
        interface intercom.Control
        """
}
