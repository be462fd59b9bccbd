// Calls about records, as they are kept.

import ControlAPI
import DNSWire

extension Declarations.Subject {
    static let record = "record"

    /// One record; its type and data stand as they were typed, so that one that is typed in two ways is kept twice.
    static func record(_ parameters: AddRecord.Parameters) -> Self {
        Self(
            record, recordName(parameters.name), recordNetwork(parameters.network), recordType(parameters.type),
            Array(parameters.data.joined(separator: "\0").utf8))
    }

    static func recordName(_ text: String) -> [UInt8] { networkName(text) }
    static func recordNetwork(_ text: String?) -> [UInt8] { text.map(networkName) ?? [] }
    static func recordType(_ text: String) -> [UInt8] {
        Array((RecordType(text: text)?.description ?? text.uppercased()).utf8)
    }
}

extension AddRecord: PersistedMethod {
    static var turn: RestoreTurn { .networks }

    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        declarations.put(call, about: .record(parameters))
    }

    static func restore(_ parameters: Parameters, by plane: ControlPlane) throws(ControlError) {
        if try add(plane, parameters) { plane.state.keep(Self.self, parameters) }
    }

    static func words(for parameters: Parameters) -> String {
        (["record", parameters.name, parameters.type] + parameters.data).joined(separator: " ")
    }
}

extension RemoveRecord: PersistedMethod {
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        let network = Declarations.Subject.recordNetwork(parameters.network)
        let type = parameters.type.map(Declarations.Subject.recordType)
        let name = Declarations.Subject.recordName(parameters.name)
        for subject in declarations.subjects(Declarations.Subject.record, of: name)
        where subject.names.count > 2 && subject.names[1] == network && (type == nil || subject.names[2] == type) {
            declarations.remove(subject)
        }
    }
}
