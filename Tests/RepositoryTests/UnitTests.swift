// The units that are shipped.

import Testing

@Suite("Each unit that is shipped")
struct UnitTests {
    @Test(
        "bounds the memory of its service, may gain no privileges, and says which capabilities it may have",
        arguments: Repository.files(below: ["config"], extension: "service"))
    func bounds(unit: String) throws {
        let settings = try Repository.text(of: unit).split(separator: "\n")
        for setting in ["MemoryMax=", "NoNewPrivileges=yes", "CapabilityBoundingSet="] {
            #expect(settings.contains { $0.hasPrefix(setting) }, "\(setting)")
        }
    }
}
