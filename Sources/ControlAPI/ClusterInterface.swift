// The interface between the daemon and a cluster's bridge, as Varlink describes it.

/// `intercom.Cluster`, which has a socket of its own.
package enum ClusterInterface {
    /// The interface's name on the wire.
    package static let name = "intercom.Cluster"

    /// All methods, in the order of the description.
    package static let methods: [any ControlMethod.Type] = [
        Attach.self, Begin.self, Apply.self, Complete.self, Report.self,
    ]

    /// The description in Varlink's interface definition language.
    package static let description = ControlInterface.describe(
        """
        # Containers of other hosts: a bridge to a store that hosts share tells the daemon of them, and is told of those here.
        # One bridge at a time: the session that Attach gives is in all its other calls, which may come on other connections,
        # and ends with the connection of Attach. What was told stays when it ends.
        interface intercom.Cluster
        """, methods,
        """
        # Another bridge has attached since, or the connection of Attach has ended: attach again.
        error SessionEnded (message: string)
        # The configuration shares no network: [cluster] networks.
        error NoSharedNetwork (message: string)
        # More entries than one Apply may have.
        error TooMany (message: string, parameter: string, count: int, limit: int)
        error InvalidName (message: string, name: string, reason: string)
        error NotPermitted (message: string, user: string)
        error MessageTooLong (message: string, limit: int)
        error OperationFailed (message: string, reason: string)
        """)
}
