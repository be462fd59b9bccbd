// The description of intercom.Cluster and the types that are sent say the same.

import Testing

@testable import ControlAPI

@Suite("The description of the cluster interface")
struct ClusterInterfaceTests {
    static let place = Place(network: "n", addresses: ["a"], aliases: ["b"])
    static let entry = Entry(
        host: "h", key: "k", name: "n", hostname: "o", id: "i", ports: [InterfaceTests.port], draining: true,
        declared: true, places: [place])
    static let key = EntryKey(host: "h", key: "k")
    static let host = Host(host: "h", state: .lost, address: "a")
    static let refusal = Apply.Refusal(host: "h", key: "k", reason: "r")

    private func expect(
        _ value: some Encodable, isLike keyword: String, _ name: String, reply: Bool = false
    ) throws {
        let tests = InterfaceTests()
        var fields = try tests.fields(keyword, name, reply: reply, in: ClusterInterface.description)
        // Enumerations are sent as strings.
        for (field, type) in fields where ["State", "HostState"].contains(type) { fields[field] = "string" }
        try tests.expect(value, is: fields, name)
    }

    @Test("has every type as it is sent")
    func types() throws {
        try expect(Self.place, isLike: "type", "Place")
        try expect(Self.entry, isLike: "type", "Entry")
        try expect(Self.key, isLike: "type", "EntryKey")
        try expect(Self.host, isLike: "type", "Host")
        try expect(Self.refusal, isLike: "type", "Refusal")
    }

    @Test("has every method with its parameters and its reply")
    func methods() throws {
        try expect(Attach.Parameters(agent: "a", version: "v", host: "h"), isLike: "method", "Attach")
        try expect(
            Attach.Reply(
                session: 7, cursor: "c", entries: 7, shared: ["n"], put: [Self.entry], gone: ["k"], synced: true,
                ended: true), isLike: "method", "Attach", reply: true)
        try expect(Begin.Parameters(session: 7, expected: 7), isLike: "method", "Begin")
        try expect(
            Apply.Parameters(
                session: 7, hosts: [Self.host], put: [Self.entry], gone: [Self.key], goneHosts: ["h"], cursor: "c"),
            isLike: "method", "Apply")
        try expect(Apply.Reply(refused: [Self.refusal]), isLike: "method", "Apply", reply: true)
        try expect(Complete.Parameters(session: 7, cursor: "c", keep: ["h"]), isLike: "method", "Complete")
        try expect(Complete.Reply(removed: 7), isLike: "method", "Complete", reply: true)
        try expect(Report.Parameters(session: 7, state: .away, message: "m", lag: 7), isLike: "method", "Report")
    }

    @Test("has the interface's own name before each method's")
    func names() {
        #expect(
            ClusterInterface.methods.map { $0.name } == [
                "intercom.Cluster.Attach", "intercom.Cluster.Begin", "intercom.Cluster.Apply",
                "intercom.Cluster.Complete", "intercom.Cluster.Report",
            ])
    }
}
