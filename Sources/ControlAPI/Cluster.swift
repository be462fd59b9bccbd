// The calls of the Varlink interface `intercom.Cluster`: a bridge tells of containers on other hosts, and is told of those here.

/// A method of `intercom.Cluster`.
package protocol ClusterMethod: ControlMethod {}

extension ClusterMethod {
    package static var interface: String { ClusterInterface.name }
}

/// Takes the cluster over, and tells the bridge of this host's containers for as long as the connection lasts.
package enum Attach: ClusterMethod {
    package static let definition = """
        # Takes the cluster over; needs "more". host: the name of this host, whose entries no Apply may have. A bridge that
        # attached before gets {ended: true}, and its session ends. The first reply has session, entries (how many are held),
        # shared, and cursor, that of the last Apply or Complete (absent: tell everything, from Begin to Complete).
        # Then come all containers of this host on shared networks in put, then {synced: true}, then each change: put has
        # containers as they are now, gone has keys of those that are on no shared network any more. For a bridge that does not read, the newest
        # state of each container is kept: nothing is missed. shared: names for all hosts of the networks that are here, sorted; told anew
        # whenever they change.
        method Attach(agent: string, version: string, host: string) -> (
          session: ?int,
          cursor: ?string,
          entries: ?int,
          shared: ?[]string,
          put: ?[]Entry,
          gone: ?[]string,
          synced: ?bool,
          ended: ?bool
        )
        """
    package static let types: [any ControlType.Type] = [Port.self, Place.self, Entry.self]

    package struct Parameters: Codable, Equatable, Sendable {
        /// Name of the bridge's program, as `intercom-etcd`.
        package var agent: String
        /// Its version.
        package var version: String
        /// Name of this host among all hosts.
        package var host: String

        package init(agent: String, version: String, host: String) {
            self.agent = agent
            self.version = version
            self.host = host
        }
    }

    package struct Reply: Codable, Equatable, Sendable {
        /// Number that the other calls of this bridge have; in the first reply.
        package var session: Int?
        /// Cursor of the last call that had one; absent: everything is to be told.
        package var cursor: String?
        /// Number of entries that are held; in the first reply.
        package var entries: Int?
        /// Names for all hosts of the shared networks that are here, sorted; absent: as before.
        package var shared: [String]?
        /// Containers of this host, each whole.
        package var put: [Entry]?
        /// Keys of containers of this host that are on no shared network any more.
        package var gone: [String]?
        /// True once: all that was here at the time of the call has been told.
        package var synced: Bool?
        /// True in the last reply: another bridge has attached. When the daemon ends, the connection just closes.
        package var ended: Bool?

        package init(
            session: Int? = nil, cursor: String? = nil, entries: Int? = nil, shared: [String]? = nil,
            put: [Entry]? = nil, gone: [String]? = nil, synced: Bool? = nil, ended: Bool? = nil
        ) {
            self.session = session
            self.cursor = cursor
            self.entries = entries
            self.shared = shared
            self.put = put
            self.gone = gone
            self.synced = synced
            self.ended = ended
        }
    }
}

/// Begins to tell everything anew.
package enum Begin: ClusterMethod {
    package static let definition = """
        # Everything is told anew from now on, about so many entries: Complete removes what was not told since.
        method Begin(session: int, expected: ?int) -> ()
        """

    package struct Parameters: Codable, Equatable, Sendable {
        /// Number of the session that ``Attach`` gave.
        package var session: Int
        /// About how many entries there will be; absent: unknown.
        package var expected: Int?

        package init(session: Int, expected: Int? = nil) {
            self.session = session
            self.expected = expected
        }
    }
    package typealias Reply = Nothing
}

/// Adds, replaces and removes hosts and entries of other hosts.
package enum Apply: ClusterMethod {
    package static let definition = """
        # Adds, replaces and removes what is known of other hosts; in force in all workers when it returns. Of 256 entries at
        # most a call, so that no turn of the daemon is long; a message has 1 MiB. Order: hosts, gone, put, goneHosts. An entry of a
        # host that was not told is refused, and so is one past [cluster] max-entries. A lost host
        # without an address keeps its last one. hosts may have this host itself: while all hosts are lost, this one among them,
        # none is left out of any name. refused: entries that cannot be, with the reason; what was held of them is removed.
        method Apply(
          session: int,
          hosts: ?[]Host,
          put: ?[]Entry,
          gone: ?[]Key,
          goneHosts: ?[]string,
          cursor: ?string
        ) -> (refused: []Refusal)
        """
    package static let types: [any ControlType.Type] = [
        Port.self, Place.self, Entry.self, Host.self, EntryKey.self, Refusal.self,
    ]

    package struct Parameters: Codable, Equatable, Sendable {
        /// Number of the session that ``Attach`` gave.
        package var session: Int
        /// Hosts that are new or different.
        package var hosts: [Host]?
        /// Entries that are new or different, each whole.
        package var put: [Entry]?
        /// Entries that are gone; those that are not known are passed over.
        package var gone: [EntryKey]?
        /// Hosts that are gone, with all their entries; those that are not known are passed over.
        package var goneHosts: [String]?
        /// The bridge's place in its store: kept, and given back by ``Attach``.
        package var cursor: String?

        package init(
            session: Int, hosts: [Host]? = nil, put: [Entry]? = nil, gone: [EntryKey]? = nil,
            goneHosts: [String]? = nil, cursor: String? = nil
        ) {
            self.session = session
            self.hosts = hosts
            self.put = put
            self.gone = gone
            self.goneHosts = goneHosts
            self.cursor = cursor
        }
    }

    /// The most entries of one call: some milliseconds' work, during which nobody else is served.
    package static let entryLimit = 256

    package struct Reply: Codable, Equatable, Sendable {
        /// Entries and hosts that cannot be.
        package var refused: [Refusal]

        package init(refused: [Refusal]) {
            self.refused = refused
        }
    }

    /// An entry that cannot be.
    package struct Refusal: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # An entry, or a host (with an empty key), that cannot be.
            type Refusal (host: string, key: string, reason: string)
            """

        /// The host that it is of.
        package var host: String
        /// Its key; empty for the host itself.
        package var key: String
        /// Sentence for people.
        package var reason: String

        package init(host: String, key: String, reason: String) {
            self.host = host
            self.key = key
            self.reason = reason
        }
    }
}

/// Ends what ``Begin`` began: everything has been told.
package enum Complete: ClusterMethod {
    package static let definition = """
        # Everything has been told since Begin: hosts and entries that were not are removed, and unknown names on shared
        # networks are denied from now on. keep: hosts whose former entries stay although they were not told, as those have not
        # told everything themselves. Without a Begin before it nothing is removed.
        method Complete(session: int, cursor: ?string, keep: ?[]string) -> (removed: int)
        """

    package struct Parameters: Codable, Equatable, Sendable {
        /// Number of the session that ``Attach`` gave.
        package var session: Int
        /// The bridge's place in its store: kept, and given back by ``Attach``.
        package var cursor: String?
        /// Hosts whose former entries stay.
        package var keep: [String]?

        package init(session: Int, cursor: String? = nil, keep: [String]? = nil) {
            self.session = session
            self.cursor = cursor
            self.keep = keep
        }
    }

    package struct Reply: Codable, Equatable, Sendable {
        /// Number of entries that were removed.
        package var removed: Int

        package init(removed: Int) {
            self.removed = removed
        }
    }
}

/// Tells people how the bridge is.
package enum Report: ClusterMethod {
    package static let definition = """
        # How the bridge is with its store, for people: status and doctor show it.
        method Report(session: int, state: State, message: ?string, lag: ?int) -> ()
        """
    package static let types: [any ControlType.Type] = [State.self]

    /// State of a bridge towards its store.
    package enum State: String, ControlType, Codable, Sendable {
        package static let definition = """
            # How a bridge is with its store: away means that it was connected before.
            type State (connecting, connected, away)
            """

        /// It has not been connected since its start.
        case connecting
        /// It is connected, and tells what is new.
        case connected
        /// It was connected, and tries to be again.
        case away
    }

    package struct Parameters: Codable, Equatable, Sendable {
        /// Number of the session that ``Attach`` gave.
        package var session: Int
        /// State of the bridge towards its store.
        package var state: State
        /// Sentence for people, as why it is away; absent: nothing to say.
        package var message: String?
        /// Milliseconds from the receipt of the last change to its coming into force; absent: not known.
        package var lag: Int?

        package init(session: Int, state: State, message: String? = nil, lag: Int? = nil) {
            self.session = session
            self.state = state
            self.message = message
            self.lag = lag
        }
    }
    package typealias Reply = Nothing
}
