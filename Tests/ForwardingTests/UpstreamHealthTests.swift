// Round trip times of upstreams, the time to try the next one, and back-off.

import Testing

@testable import Forwarding

@Suite("Measured upstreams")
struct UpstreamHealthTests {
    @Test("one who is late by its own measure is not waited for", arguments: hedging)
    func hedge(_ scenario: Scenario) throws {
        try scenario.run()
    }

    @Test("one who fails repeatedly rests, and is tried by the questions that come", arguments: resting)
    func rest(_ scenario: Scenario) throws {
        try scenario.run()
    }

    /// A question that upstream 1 answers after some milliseconds.
    private static func answered(_ number: Int, at time: Int, after: Int, from upstream: UInt8 = 1) -> [Step] {
        [
            .time(time), .ask(.numbered(number)), .opens("q", to: upstream), .time(time + after),
            .reply(on: "q", reply(1)), .answers(.address(1, from: upstream)), .closes("q"),
        ]
    }

    static let hedging: [Scenario] = [
        Scenario(
            "RFC 6298 §2.2: after the first reply: its time and twice as much again, R + 4 · R/2",
            answered(1, at: 0, after: 100),
            [.time(1000), .ask(), .opens("a", to: 1), .time(1299), .nothing, .time(1300), .opens("b", to: 2)]),
        Scenario(
            "at least 50 ms",
            answered(1, at: 0, after: 1),
            [.time(1000), .ask(), .opens("a", to: 1), .time(1049), .nothing, .time(1050), .opens("b", to: 2)]),
        Scenario(
            "at most 1 s",
            answered(1, at: 0, after: 390),
            [.time(1000), .ask(), .opens("a", to: 1), .time(1999), .nothing, .time(2000), .opens("b", to: 2)]),
        Scenario(
            "RFC 6298 §2.3: steady replies make it less patient: 100 + 4 · 37.5",
            answered(1, at: 0, after: 100), answered(2, at: 500, after: 100),
            [.time(1000), .ask(), .opens("a", to: 1), .time(1249), .nothing, .time(1250), .opens("b", to: 2)]),
        Scenario(
            "RFC 6298 §3: the reply to a question that was repeated measures nothing",
            upstreams: [1],
            [
                .ask(.numbered(1)), .opens("a", to: 1), .time(400), .repeats("a"), .time(401),
                .reply(on: "a", reply(1)), .answers(.address(1, from: 1)), .closes("a"),
                .upstreams([1, 2]), .time(1000), .ask(), .opens("b", to: 1),
                .time(1399), .nothing, .time(1400), .opens("c", to: 2),
            ]),
        Scenario(
            "a late reply is measured although another one has answered",
            [
                .ask(.numbered(1)), .opens("a", to: 1), .time(400), .opens("b", to: 2), .reply(on: "b", reply(2)),
                .answers(.address(2, from: 2)), .closes("b"), .time(600), .reply(on: "a", reply(1)), .closes("a"),
                .time(1000), .ask(), .opens("c", to: 1), .time(1999), .nothing, .time(2000), .opens("d", to: 2),
            ]),
        Scenario(
            "what is learned of a server holds for all groups that have it",
            answered(1, at: 0, after: 1),
            [
                .upstreams([1, 3], group: 5), .time(1000), .ask(group: 5), .opens("a", to: 1), .time(1050),
                .opens("b", to: 3),
            ]),
        Scenario(
            "a new list that has it still knows it",
            answered(1, at: 0, after: 1),
            [
                .upstreams([1, 3]), .time(1000), .ask(), .opens("a", to: 1), .time(1050), .opens("b", to: 3),
            ]),
    ]

    /// Upstream 1 has died: three questions find out.
    private static let dead: [Step] = (0..<3).flatMap { number -> [Step] in
        let start = number * 400
        return [
            .time(start), .ask(.numbered(number)), .opens("d\(number)".last ?? "d", to: 1), .time(start + 400),
            .opens("x", to: 2), .reply(on: "x", reply(2)), .answers(.address(2, from: 2)), .closes("x"),
        ]
    }

    /// A question that upstream 2 answers, without a word to upstream 1.
    private static func second(_ number: Int) -> [Step] {
        [
            .ask(.numbered(number)), .opens("y", to: 2), .nothing, .reply(on: "y", reply(2)),
            .answers(.address(2, from: 2)), .closes("y"),
        ]
    }

    static let resting: [Scenario] = [
        Scenario("the fourth question after its death does not feel it any more", dead, second(4), second(5)),
        Scenario(
            "after 1 s a question goes to it beside the other, and is not delayed by that",
            dead, [.time(2199)], second(4), [.time(2200), .ask(.numbered(5)), .opens("y", to: 2), .opens("z", to: 1)],
            [.nothing, .reply(on: "y", reply(2)), .answers(.address(2, from: 2)), .closes("y")], second(6)),
        Scenario(
            "if it answers it is the first again",
            dead,
            [
                .time(2200), .ask(.numbered(5)), .opens("y", to: 2), .opens("z", to: 1), .reply(on: "y", reply(2)),
                .answers(.address(2, from: 2)), .closes("y"), .reply(on: "z", reply(1)), .closes("z"),
                .ask(.numbered(6)), .opens("w", to: 1), .reply(on: "w", reply(1)), .answers(.address(1, from: 1)),
                .closes("w"),
            ]),
        Scenario(
            "and its answer counts where it is the first one",
            dead,
            [
                .time(2200), .ask(.numbered(5)), .opens("y", to: 2), .opens("z", to: 1), .reply(on: "z", reply(1)),
                .answers(.address(1, from: 1)), .closes("z"), .reply(on: "y", reply(2)), .closes("y"),
            ]),
        Scenario(
            "if it does not, it rests twice as long: one question in 2 s",
            dead,
            [
                .time(2200), .ask(.numbered(5)), .opens("y", to: 2), .opens("z", to: 1), .reply(on: "y", reply(2)),
                .answers(.address(2, from: 2)), .closes("y"), .time(4199),
            ], second(6),
            [.time(4200), .ask(.numbered(7)), .opens("y", to: 2), .opens("z", to: 1)]),
        Scenario(
            "refused sockets count as silence: three of them",
            [
                .ask(.numbered(1)), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .opens("b", to: 2),
                .reply(on: "b", reply(2)), .answers(.address(2, from: 2)), .closes("b"),
                .ask(.numbered(2)), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .opens("b", to: 2),
                .reply(on: "b", reply(2)), .answers(.address(2, from: 2)), .closes("b"),
                .ask(.numbered(3)), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .opens("b", to: 2),
                .reply(on: "b", reply(2)), .answers(.address(2, from: 2)), .closes("b"),
            ], second(4)),
        Scenario(
            "SERVFAIL is a word, and no silence",
            (0..<5).flatMap { number -> [Step] in
                [
                    .ask(.numbered(number)), .opens("a", to: 1), .reply(on: "a", reply(code: 2)), .closes("a"),
                    .opens("b", to: 2), .reply(on: "b", reply(2)), .answers(.address(2, from: 2)), .closes("b"),
                ]
            }),
        Scenario(
            "all rest: all are asked at once, and the first one that answers wins",
            (1...3).flatMap { number -> [Step] in
                [
                    .ask(.numbered(number)), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .opens("b", to: 2),
                    .failure(on: "b"), .closes("b"), .connects("t", to: 1), .failure(on: "t"), .closes("t"),
                    .connects("u", to: 2), .failure(on: "u"), .closes("u"), .answers(.failure(22)),
                ]
            },
            [
                .ask(.numbered(9)), .opens("a", to: 1), .opens("b", to: 2), .nothing,
                .reply(on: "b", reply(2)), .answers(.address(2, from: 2)), .closes("b"),
            ], second(10)),
        Scenario(
            "the others have failed: one who rests is better than nobody",
            dead,
            [
                .ask(.numbered(5)), .opens("y", to: 2), .reply(on: "y", reply(code: 2)), .closes("y"),
                .opens("z", to: 1), .reply(on: "z", reply(1)), .answers(.address(1, from: 1)), .closes("z"),
            ]),
    ]

    @Test("rests grow from 1 s to 64 s, and one reply ends them")
    func restTimes() {
        var health = Health()
        var now = Moment(nanoseconds: 0)
        for _ in 0..<3 { health.failed(sent: now, now) }
        for seconds in [1, 2, 4, 8, 16, 32, 64, 64, 64] {
            #expect(!health.isDue(now + .milliseconds(seconds * 1000 - 1)))
            now += .seconds(seconds)
            #expect(health.isResting && health.isDue(now), "\(seconds) s")
            health.beginTrial(now)
        }
        health.replied(now)
        #expect(!health.isResting && health.failures == 0)
    }

    @Test("one that has said anything since is slow with one question, and not silent")
    func slow() {
        var health = Health()
        let start = Moment(nanoseconds: 0)
        health.replied(start + .milliseconds(10))
        for _ in 0..<5 { health.failed(sent: start, start + .milliseconds(50)) }
        #expect(!health.isResting && health.failures == 0)
        for _ in 0..<3 { health.failed(sent: start + .milliseconds(11), start + .milliseconds(61)) }
        #expect(health.isResting && health.failures == 3)
    }

    @Test("are reported: round trip, failures, whether they rest")
    func reports() throws {
        var worker = Worker(upstreams: [1, 2])
        for step in Self.dead { try worker.perform(step, "") }
        var reports = worker.forwarder.upstreamReports.sorted { $0.failures > $1.failures }
        try #require(reports.count == 2)
        let (failed, replied) = (try #require(reports[0].lastFailure), try #require(reports[1].lastReply))
        #expect(failed > Moment(nanoseconds: 401_000_000) && replied > Moment(nanoseconds: 0))
        #expect(reports[0].lastReply == nil && reports[1].lastFailure == nil)
        (reports[0].lastFailure, reports[1].lastReply) = (nil, nil)
        #expect(
            reports == [
                UpstreamReport(
                    server: server(1), vantage: .host, roundTrip: nil, failures: 3, trouble: .silent,
                    failingSince: Moment(nanoseconds: 401_000_000), isResting: true),
                UpstreamReport(server: server(2), vantage: .host, roundTrip: 0, failures: 0, isResting: false),
            ])
    }
}
