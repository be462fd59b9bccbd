// Records of the operator in the control interface: added, removed, listed.

/// Adds a record.
package enum AddRecord: ControlMethod {
    package static let definition = """
        # Adds a record of the operator's own, for all containers or for those on one network. One that is there already
        # stays; a TTL that is given holds for all records of its name and type. A container's name comes first: shadowedBy has
        # some that are called so, as "web on front"; absent where there are none.
        method AddRecord(name: string, type: string, data: []string, network: ?string, ttl: ?int) -> (
          shadowedBy: ?[]string
        )
        """
    package static let isPersisted = true

    package struct Parameters: Codable, Equatable, Sendable {
        /// Owner, as `api.test`, or `*.app.test` for all names under `app.test`.
        package var name: String
        /// Type, as `A`, `CNAME`, `TXT` or `TYPE65280`.
        package var type: String
        /// Data as in a zone file, in one text or a text for each word; each text of TXT is one string.
        package var data: [String]
        /// Network whose containers see it; absent: all do.
        package var network: String?
        /// Seconds that it may be kept, 0...2147483647; absent: as the network says, else as configured.
        package var ttl: Int?

        package init(name: String, type: String, data: [String], network: String? = nil, ttl: Int? = nil) {
            self.name = name
            self.type = type
            self.data = data
            self.network = network
            self.ttl = ttl
        }
    }

    package struct Reply: Codable, Equatable, Sendable {
        /// Containers that answer in the record's place, as `web on front`; nil: none do.
        package var shadowedBy: [String]?

        package init(shadowedBy: [String]? = nil) {
            self.shadowedBy = shadowedBy
        }
    }
}

/// Removes records.
package enum RemoveRecord: ControlMethod {
    package static let definition = """
        # Removes the records of a name that were added here, of one type or of all. Those of the configuration stay.
        method RemoveRecord(name: string, type: ?string, network: ?string) -> ()
        """
    package static let isPersisted = true

    package struct Parameters: Codable, Equatable, Sendable {
        /// Owner, as it was added.
        package var name: String
        /// Type; absent: all.
        package var type: String?
        /// Network that they were added for; absent: those for all.
        package var network: String?

        package init(name: String, type: String? = nil, network: String? = nil) {
            self.name = name
            self.type = type
            self.network = network
        }
    }
    package typealias Reply = Nothing
}

/// All records of the operator.
package enum ListRecords: ControlMethod {
    package static let definition = """
        # All records of the operator. With "more": in several replies, the last without "continues".
        method ListRecords() -> (records: []DeclaredRecord)
        """
    package static let types: [any ControlType.Type] = [DeclaredRecord.self]

    package typealias Parameters = Nothing
    package struct Reply: Codable, Equatable, Sendable {
        /// Sorted by name, where they come in one reply.
        package var records: [DeclaredRecord]

        package init(records: [DeclaredRecord]) {
            self.records = records
        }
    }
}

/// A record as the daemon knows it.
package struct DeclaredRecord: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A record of the operator. data: as in a zone file; network: absent where all containers see it; ttl: seconds,
        # absent where it is as the network says or as configured; source: "configuration", "control" or
        # the path of a hosts file; shadowedBy: a container that answers in its place, as "web on front".
        type DeclaredRecord (
          name: string,
          type: string,
          data: string,
          network: ?string,
          ttl: ?int,
          source: string,
          shadowedBy: ?string
        )
        """

    /// Owner.
    package var name: String
    /// Type, as `A`.
    package var type: String
    /// Data as in a zone file.
    package var data: String
    /// Network whose containers see it; nil: all do.
    package var network: String?
    /// Seconds, as declared; nil: as the network says, else as configured.
    package var ttl: Int?
    /// `configuration`, `control` or the path of a hosts file.
    package var source: String
    /// A container that answers in its place, as `web on front`.
    package var shadowedBy: String?

    package init(
        name: String, type: String, data: String, network: String?, ttl: Int?, source: String,
        shadowedBy: String? = nil
    ) {
        self.name = name
        self.type = type
        self.data = data
        self.network = network
        self.ttl = ttl
        self.source = source
        self.shadowedBy = shadowedBy
    }
}
