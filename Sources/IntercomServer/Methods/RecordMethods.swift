// Methods of records: added, removed, listed.

import ControlAPI
import DNSWire
import Logging
import Registry

extension AddRecord: CarriedOutMethod {
    /// The most containers that are named beside a record.
    private static let namedHolders = 3

    static func carryOut(_ call: MethodCall<Self>, by plane: ControlPlane) {
        do throws(ControlError) {
            try change(plane, call.parameters)
        } catch {
            return call.refuse(error)
        }
        plane.publisher.whenInForce { [unowned plane] in
            let record = try? definition(call.parameters)
            let holders = record.map { plane.publisher.shadows(of: $0, limit: namedHolders) } ?? []
            call.reply(Reply(shadowedBy: holders.isEmpty ? nil : holders))
        }
    }

    private static func change(_ plane: ControlPlane, _ parameters: Parameters) throws(ControlError) {
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
            var record = try definition(parameters)
            record.ttl = ttl
            return try registry.addRecord(record)
        }
    }

    private static func definition(_ parameters: Parameters) throws(RegistryError) -> RecordDefinition {
        try RecordDefinition(
            name: parameters.name, type: parameters.type, data: parameters.data, network: parameters.network,
            source: .control)
    }
}

extension Publisher {
    /// Containers that answer in a record's place, as `web on front`.
    fileprivate func shadows(of record: RecordDefinition, limit: Int) -> [String] {
        registry.holders(shadowing: record, limit: limit).compactMap { holder in
            guard let container = registry[holder.container], let network = holder.network.flatMap({ registry[$0] })
            else { return nil }
            return "\(container.name) on \(network.name)"
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
    /// The most networks that each record of a list is looked up on: there may be 100,000 records.
    private static let searchedNetworks = 64

    static func elements(_ plane: ControlPlane, _ parameters: Parameters, isPieced: Bool) -> ListElements {
        var next = 0
        return { [unowned plane] () throws(ControlError) in
            let records = plane.publisher.registry.records
            guard next < records.end else { return nil }
            defer { next += ControlSocketLimits.elements }
            let looks = plane.publisher.registry.networkCount <= searchedNetworks
            return records.records(numbered: next..<next + ControlSocketLimits.elements).map {
                let holder = looks ? plane.publisher.shadows(of: $0, limit: 1).first : nil
                return ListElement("\($0.name) \($0.type)", DeclaredRecord($0, shadowedBy: holder))
            }
        }
    }
}

extension DeclaredRecord {
    fileprivate init(_ record: RecordDefinition, shadowedBy holder: String?) {
        self.init(
            name: record.name.description, type: record.type.description, data: record.text,
            network: record.network?.description, ttl: record.ttl.map { Int($0) }, source: record.source.name,
            shadowedBy: holder)
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
