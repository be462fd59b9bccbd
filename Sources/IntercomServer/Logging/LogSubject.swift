// Subject of a log message: fields of the journal.

import Logging

/// Something that an operator may want to be alerted to. Its value is the MESSAGE_ID of the journal, by which the
/// catalog (`config/intercom.catalog`) explains it; it never changes.
enum LoggedEvent: String, CaseIterable {
    /// The daemon answers: everything that was there before is there again.
    case ready = "4ecb8596f81e410386c8ef4ce021ea2b"
    /// A container has no intercom, and should have.
    case notAttached = "2f1605feedaf4f63841e5761738d4806"
    /// A container has ended by itself.
    case ended = "626d77bd552d42a8bfc849e153b94b90"
    /// The configuration cannot be read; the one before stays.
    case configurationRefused = "0b19a36b17ea4c84b48e9abb73808e7f"
    /// Declarations cannot be saved for a restart.
    case stateNotKept = "8ea03fcef2e745c9a9753dc23854da7c"
    /// Some saved declarations cannot be read.
    case stateDamaged = "997dc333efd04263a253a69bb124888f"
    /// The opener cannot be reached: no container can be attached.
    case openerUnreachable = "ba4a840870274062a38dc7e55f225fd8"
    /// There is no DNS server to forward to.
    case noUpstreams = "3f7604e1046545d59300f598ca231b19"
    /// A bridge to other hosts has attached or gone, or is otherwise with its store.
    case clusterChanged = "c1f0f5a5d7a94e0e9a3b0c9a4b7e8d21"
}

/// Names of metadata, and the journal's fields that they become.
enum LogSubject {
    static let container = "container"
    static let network = "network"
    static let event = "event"
    static let policy = "policy"
    static let rule = "rule"
    /// Key of messages that ``RateLimitedLog`` counts together; no field.
    static let limit = "limit"

    static let fields = [
        container: "INTERCOM_CONTAINER", network: "INTERCOM_NETWORK", policy: "INTERCOM_POLICY", rule: "INTERCOM_RULE",
        event: "MESSAGE_ID",
    ]
}

extension Logger.Metadata {
    /// - Parameter limitedAs: messages that a container could cause without end carry what they are counted by.
    static func about(
        container: String? = nil, network: String? = nil, policy: String? = nil, rule: String? = nil,
        _ event: LoggedEvent? = nil, limitedAs limit: String? = nil
    ) -> Logger.Metadata {
        var metadata: Logger.Metadata = [:]
        if let container { metadata[LogSubject.container] = "\(container)" }
        if let network { metadata[LogSubject.network] = "\(network)" }
        if let policy { metadata[LogSubject.policy] = "\(policy)" }
        if let rule { metadata[LogSubject.rule] = "\(rule)" }
        if let event { metadata[LogSubject.event] = "\(event.rawValue)" }
        if let limit { metadata[LogSubject.limit] = "\(limit)" }
        return metadata
    }
}
