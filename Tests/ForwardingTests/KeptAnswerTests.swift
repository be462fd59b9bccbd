// Kept answers as people see them: what is shown, how old it is, and for how long it holds.

import DNSWire
import Forwarding
import Testing

@Suite("A kept answer that is shown")
struct KeptAnswerTests {
    @Test("has its name, type, code and group, its age, and the seconds that are left of its life")
    func facts() throws {
        var worker = try CacheAnswerTests.worker { reply()($0) }
        var kept = worker.forwarder.keptAnswers(in: .everything, limit: 9, now: worker.now)
        let first = try #require(kept.answers.first)
        #expect(kept.answers.count == 1 && kept.further == 0)
        #expect(first.name == (try Name("www.example.com")) && first.type == .a && first.responseCode == .noError)
        #expect(first.group == 7 && first.view == nil && first.isPlain && first.octets > 50)
        #expect(first.age == 0 && first.left > 0)
        let life = first.left
        kept = worker.forwarder.keptAnswers(in: .everything, limit: 9, now: worker.now + .seconds(12))
        #expect(kept.answers.first?.age == 12 && kept.answers.first?.left == life - 12)
        #expect(worker.forwarder.cacheCounters.hits == 0, "to be shown is not to be asked for")
        _ = worker.forwarder.flush(.everything)
        #expect(worker.forwarder.keptAnswers(in: .everything, limit: 9, now: worker.now) == KeptAnswers())
    }

    @Test("has no time left past its life, and is not shown where it may not serve any more")
    func stale() throws {
        for (servesStale, isShown) in [(true, true), (false, false)] {
            var worker = try CacheAnswerTests.worker { reply()($0) }
            var policy = CachePolicy.plain()
            policy.servesStale = servesStale
            worker.forwarder.setPolicy(policy)
            let kept = worker.forwarder.keptAnswers(in: .everything, limit: 9, now: worker.now + .seconds(4000))
            #expect(kept.answers.map(\.left) == (isShown ? [0] : []))
        }
    }

    @Test("is among those of its name and of its suffixes alone, and further ones are counted")
    func selection() throws {
        let worker = try CacheAnswerTests.worker { reply()($0) }
        func count(_ selection: CacheSelection, limit: Int = 9) -> [Int] {
            let kept = worker.forwarder.keptAnswers(in: selection, limit: limit, now: worker.now)
            return [kept.answers.count, kept.further]
        }
        #expect(count(.name(try Name("WWW.Example.COM"))) == [1, 0])
        #expect(count(.name(try Name("example.com"))) == [0, 0])
        #expect(count(.suffix(try Name("example.com"))) == [1, 0])
        #expect(count(.suffix(try Name("ample.com"))) == [0, 0])
        #expect(count(.everything, limit: 0) == [0, 1])
    }
}
