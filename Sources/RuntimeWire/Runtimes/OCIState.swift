// The state that an OCI runtime gives its hooks on standard input (runtime-spec, "State").

/// A container as runc and crun tell their hooks.
package struct OCIState: Decodable, Equatable, Sendable {
    /// The most octets that a hook reads.
    package static let maximumLength = 1 << 20

    /// Id in the runtime.
    package let id: String
    /// `creating`, `created`, `running`, `stopped`, or another of the runtime's own.
    package let status: String
    /// A process of it in the namespace of whoever is told; nil where there is none.
    package let pid: Int32?
    /// Directory of its root file system and its configuration.
    package let bundle: String
    /// Annotations that engines add.
    package let annotations: [String: String]

    /// True at the stage `poststop`: the daemon has seen the end, and forgets the container then.
    package var isStopped: Bool { status == "stopped" }

    private enum CodingKeys: String, CodingKey {
        case id, status, pid, bundle, annotations
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(String.self, forKey: .id)
        status = try values.decodeIfPresent(String.self, forKey: .status) ?? ""
        let number = try values.decodeIfPresent(Int.self, forKey: .pid) ?? 0
        pid = number > 0 ? Int32(exactly: number) : nil
        bundle = try values.decodeIfPresent(String.self, forKey: .bundle) ?? ""
        annotations = try values.decodeIfPresent([String: String].self, forKey: .annotations) ?? [:]
    }

    /// Reads what stands on a hook's standard input.
    package init(_ octets: [UInt8]) throws(RuntimeWireError) {
        guard octets.count <= Self.maximumLength else {
            throw .tooLong(what: "the state", limit: Self.maximumLength)
        }
        self = try RuntimeWireError.read(OCIState.self, from: octets, "the state")
        if id.isEmpty { throw .badValue(what: "id", value: "") }
    }
}
