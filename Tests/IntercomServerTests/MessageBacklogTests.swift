// Messages to a worker are carried out in their order, and no turn of its loop takes more than its share of changes.

import DNSWire
import Registry
import Testing

@testable import IntercomServer

@Suite("A worker's messages")
struct MessageBacklogTests {
    private static let limit = MessageBacklog.changesInTurn

    private static func changes(_ count: Int) -> WorkerMessage {
        .directory((0..<count).map { .view(ViewID(rawValue: UInt32($0)), nil) })
    }

    /// Steps of each turn: numbers of changes, and `-` for any other message.
    private static func turns(_ backlog: inout MessageBacklog) -> [[String]] {
        var turns: [[String]] = []
        while !backlog.isEmpty, turns.count < 100 {
            backlog.beginTurn()
            var steps: [String] = []
            while let step = backlog.next() {
                switch step {
                case .changes(let changes): steps.append("\(changes.count)")
                case .message: steps.append("-")
                }
            }
            turns.append(steps)
        }
        return turns
    }

    @Test(
        "are carried out in turns of at most 256 changes; what few changes one message has, nobody sees by halves",
        arguments: [
            ([], []),
            ([0], [["0"]]),
            ([1, -1, 2], [["1", "-", "2"]]),
            ([limit], [["256"]]),
            ([limit - 1, 2, -1], [["255"], ["2", "-"]]),
            ([limit, 1], [["256"], ["1"]]),
            ([600, -1], [["256"], ["256"], ["88", "-"]]),
            ([200, 600], [["200", "56"], ["256"], ["256"], ["32"]]),
            ([600, 200], [["256"], ["256"], ["88"], ["200"]]),
            ([512, -1], [["256"], ["256", "-"]]),
            ([-1, -1], [["-", "-"]]),
        ] as [([Int], [[String]])])
    func inTurns(_ messages: [Int], _ expected: [[String]]) {
        var backlog = MessageBacklog()
        backlog.add(messages.map { $0 < 0 ? .avoidNobody : Self.changes($0) })
        #expect(Self.turns(&backlog) == expected)
        #expect(backlog.isEmpty)
    }

    @Test("are all carried out once, in their order, also those that come in the midst of many changes")
    func order() {
        var backlog = MessageBacklog()
        backlog.add([Self.changes(1000)])
        backlog.beginTurn()
        var seen: [UInt32] = []
        var fences: [Int] = []
        func take(_ backlog: inout MessageBacklog) {
            while let step = backlog.next() {
                switch step {
                case .changes(let changes):
                    for case .view(let view, _) in changes { seen.append(view.rawValue) }
                case .message: fences.append(seen.count)
                }
            }
        }
        take(&backlog)
        backlog.add([.avoidNobody, Self.changes(3), .avoidNobody])
        while !backlog.isEmpty {
            backlog.beginTurn()
            take(&backlog)
        }
        #expect(seen == Array(0..<1000) + [0, 1, 2])
        #expect(fences == [1000, 1003])
    }
}
