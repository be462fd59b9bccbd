// Methods of records: added, removed, listed.

import ControlAPI
import DNSWire
import Logging
import Registry

extension AddRecord: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        var parameters = parameters
        if let text = parameters.network {
            // By its own name, whichever of its names was typed: that is kept.
            parameters.network = try plane.publisher.change { registry throws(RegistryError) in
                try registry.network(named: text).name
            }
        }
        guard try add(plane, parameters) else { return }
        plane.state.keep(Self.self, parameters)
        plane.logger.info(
            "record \(parameters.name) \(parameters.type) added", metadata: .about(network: parameters.network))
    }

    /// Adds a record, whose network may be missing.
    /// - Returns: false where nothing has changed.
    static func add(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) -> Bool {
        let ttl = try parameters.ttl.map { seconds throws(ControlError) in try UInt32(ofTTL: seconds) }
        return try plane.publisher.change { registry throws(RegistryError) in
            try registry.addRecord(
                RecordDefinition(
                    name: parameters.name, type: parameters.type, data: parameters.data, network: parameters.network,
                    ttl: ttl, source: .control))
        }
    }
}

extension RemoveRecord: ChangingMethod {
    static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
        let type = try parameters.type.map { text throws(ControlError) in try RecordType(ofParameter: text) }
        var parameters = parameters
        try plane.publisher.change { registry throws(RegistryError) in
            // A network that has gone may have records still.
            if let text = parameters.network, let network = try? registry.network(named: text) {
                parameters.network = network.name
            }
            try registry.removeRecords(named: parameters.name, type, on: parameters.network, by: .control)
        }
        plane.state.keep(Self.self, parameters)
        plane.logger.info("records of \(parameters.name) removed", metadata: .about(network: parameters.network))
    }
}

extension ListRecords: ListingMethod {
    static let field = "records"

    static func elements(_ plane: ControlPlane, _ parameters: Parameters, isPieced: Bool) -> ListElements {
        var next = 0
        return { [unowned plane] () throws(ControlError) in
            let records = plane.publisher.registry.records
            guard next < records.end else { return nil }
            defer { next += ControlSocketLimits.elements }
            return records.records(numbered: next..<next + ControlSocketLimits.elements).map {
                ListElement("\($0.name) \($0.type)", DeclaredRecord($0))
            }
        }
    }
}

extension DeclaredRecord {
    fileprivate init(_ record: RecordDefinition) {
        self.init(
            name: record.name.description, type: record.type.description, data: record.text,
            network: record.network?.description, ttl: record.ttl.map { Int($0) }, source: record.source.name)
    }
}

extension UInt32 {
    /// - Throws: `InvalidValue` for a number that is no TTL.
    init(ofTTL seconds: Int) throws(ControlError) {
        guard let valid = UInt32(exactly: seconds), valid <= Int32.max else {
            throw .invalidValue("\(seconds)", of: "ttl", reason: "expected 0 to 2147483647 seconds (RFC 2181 §8)")
        }
        self = valid
    }
}
