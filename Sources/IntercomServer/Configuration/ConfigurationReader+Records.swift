// Reads the operator's records, and checks that they may stand beside each other.

import Registry
import TOML

extension ConfigurationReader {
    /// Reads the tables `[[record]]`.
    mutating func readRecords(_ tables: [TableReader]) -> [RecordDefinition] {
        var records: [RecordDefinition] = []
        var together = OperatorRecords()
        var places = FirstPlaces<RecordDefinition>()
        for var table in tables {
            let name = table.require("name", .recordName)
            let type = table.require("type", .nonEmptyString)
            let data = table.require("data", .texts)
            let network = table.read("network", .networkName)
            let ttl = table.read("ttl", .seconds)
            if let name, let type, let data {
                do throws(RegistryError) {
                    let record = try RecordDefinition(
                        name: name, type: type, data: data, network: network, ttl: ttl, source: .configuration)
                    var bare = record
                    bare.ttl = nil
                    places.claim(bare, at: table.position, in: &table, "record '\(name)' \(type) with these data")
                    _ = try together.add(record)
                    records.append(record)
                } catch {
                    table.refuse(at: Self.place(of: error, in: table), "record '\(name)': \(error)")
                }
            }
            mistakes += table.finish()
        }
        return records
    }

    /// Place of the value that is refused.
    private static func place(of error: RegistryError, in table: TableReader) -> TextPosition {
        switch error {
        case .invalidValue(_, let what, _): table.place(of: what == "type" ? "type" : "data")
        default: table.position
        }
    }
}
