// The buffer of questions that are watched: what it keeps, what it counts, and when it costs anything.

import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer

@Suite("An observer of questions")
struct QuestionObserverTests {
    private static let (web, db) = (ViewID(rawValue: 1), ViewID(rawValue: 2))

    private func question(_ view: ViewID, _ number: Int = 0) -> ObservedQuestion {
        ObservedQuestion(
            answered: Moment(nanoseconds: Int64(number)), view: view, transport: .datagram,
            asked: .init(name: "n\(number)", type: .a), responseCode: .noError, decision: "link",
            duration: Lapse(nanoseconds: 1500))
    }

    /// As a worker does it.
    private func observe(_ question: ObservedQuestion, by observer: inout QuestionObserver) {
        if observer.isActive, observer.wants(question.view) { observer.add(question) }
    }

    @Test(
        "keeps the questions of those containers that are watched",
        arguments: [
            (ObservedViews.none, false, [ViewID]()), (.some([]), true, []), (.some([web]), true, [web]),
            (.all, true, [web, db]),
        ])
    func filter(views: ObservedViews, isActive: Bool, kept: [ViewID]) {
        var observer = QuestionObserver(logs: false)
        observer.observe(views)
        #expect(observer.isActive == isActive)
        for view in [Self.web, Self.db] { observe(question(view), by: &observer) }
        let (taken, rest) = (observer.take(), observer.take())
        #expect(taken == ObservedQuestions(questions: kept.map { question($0) }))
        #expect(rest == ObservedQuestions(), "what was taken is gone")
    }

    @Test("is bounded, and counts by container what has no room")
    func bound() {
        var observer = QuestionObserver(logs: false)
        observer.observe(.all)
        for number in 0..<QuestionObserver.capacity + 5 { observe(question(Self.web, number), by: &observer) }
        for _ in 0..<2 { observe(question(Self.db), by: &observer) }
        let taken = observer.take()
        #expect(taken.questions == (0..<QuestionObserver.capacity).map { question(Self.web, $0) })
        #expect(taken.missed == [Self.web: 5, Self.db: 2])
        observe(question(Self.db, 7), by: &observer)
        let next = observer.take()
        #expect(next == ObservedQuestions(questions: [question(Self.db, 7)]), "there is room again")
    }

    @Test("forgets what it has kept when nobody watches any more")
    func end() {
        var observer = QuestionObserver(logs: false)
        observer.observe(.all)
        observe(question(Self.web), by: &observer)
        observer.observe(.none)
        let taken = observer.take()
        #expect(!observer.isActive && taken == ObservedQuestions())
    }

    @Test("keeps nothing for the log, which is written at once")
    func log() {
        var observer = QuestionObserver(logs: true)
        #expect(observer.isActive)
        for number in 0...QuestionObserver.capacity {
            let wants = observer.wants(Self.web)
            #expect(wants)
            observe(question(Self.web, number), by: &observer)
        }
        let taken = observer.take()
        #expect(taken == ObservedQuestions())
        observer.observe(.none)
        #expect(observer.isActive, "the log goes on")
    }

    @Test("describes a question in a line")
    func text() {
        #expect("\(question(Self.web, 3))" == "query n3 A from view 1 over UDP: NOERROR, link, 1 µs")
    }
}
