// The description of systemd-resolved's hook and the types that are sent say the same.

import Testing

@testable import ControlAPI

@Suite("The description of the hook of systemd-resolved")
struct ResolveHookInterfaceTests {
    static let key = ResolveRecord.Key(class: 7, type: 28, name: "n")
    static let question = ResolveRecord.Question(key: key)
    static let answer = ResolveRecord.Answer(raw: "r")

    private func expect(
        _ value: some Encodable, isLike keyword: String, _ name: String, reply: Bool = false
    ) throws {
        let tests = InterfaceTests()
        try tests.expect(
            value, is: tests.fields(keyword, name, reply: reply, in: ResolveHookInterface.description), name)
    }

    @Test("has every type and every method as they are sent")
    func types() throws {
        try expect(Self.key, isLike: "type", "ResourceKey")
        try expect(Self.question, isLike: "type", "Question")
        try expect(Self.answer, isLike: "type", "Answer")
        try expect(
            QueryFilter.Reply(filterDomains: ["d"], filterLabelsMin: 7, filterLabelsMax: 7), isLike: "method",
            "QueryFilter", reply: true)
        try expect(ResolveRecord.Parameters(question: [Self.question]), isLike: "method", "ResolveRecord")
        try expect(ResolveRecord.Reply(rcode: 7, answer: [Self.answer]), isLike: "method", "ResolveRecord", reply: true)
    }

    @Test("has the names that systemd has")
    func names() {
        #expect(
            ResolveHookInterface.methods.map { $0.name } == [
                "io.systemd.Resolve.Hook.QueryFilter", "io.systemd.Resolve.Hook.ResolveRecord",
            ])
    }
}
