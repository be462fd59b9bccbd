// Token questions: their names, where a worker takes them, and callers that wait for what comes of them.

import Attachment
import DNSWire
import Registry
import Testing

@testable import IntercomServer

@Suite("A question that proves that a listener is heard")
struct HearingTests {
    private func token(_ text: String) throws -> UInt128? {
        var name = FoldedName()
        name.set(try Name(text))
        return TokenName.hearing.token(in: name)
    }

    @Test("says its token of 128 bits, in any spelling", arguments: [0, 1, 0xDEAD_BEEF, UInt128.max])
    func tokens(_ number: UInt128) throws {
        let name = try TokenName.hearing.name(of: number)
        #expect(name.labels.first?.count == 32 && name.labelCount == 3)
        #expect(try token(name.description) == number)
        #expect(try token(name.description.uppercased()) == number)
    }

    @Test(
        "is no other name",
        arguments: [
            ".", "invalid", "intercom.invalid", "0123456789abcdef.intercom.invalid",
            "0123456789abcdef0123456789abcdeg.intercom.invalid", "0123456789abcdef0123456789abcdef.intercom.example",
            "x.0123456789abcdef0123456789abcdef.intercom.invalid",
            "0123456789abcdef0123456789abcdef.intercom.invalid.org",
        ])
    func others(_ text: String) throws {
        #expect(try token(text) == nil)
    }

    private static let token: UInt128 = 0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF

    /// The responder's outcome for a question with a token from a view; `heard`, `answered`, or something else.
    private func outcome(_ responder: inout Responder, token: UInt128, from view: UInt32) throws -> String {
        let query = OwnQuery.octets(of: try TokenName.hearing.name(of: token), .a, id: 7)
        var buffer = [UInt8](repeating: 0, count: Transport.maximumMessage)
        switch responder.respond(to: query.span, view: ViewID(rawValue: view), into: &buffer) {
        case .heard(let length):
            #expect(try Reply.code(of: buffer[..<length]) == .nameError, "an answer goes back, so that nothing hangs")
            return "heard"
        case .answered(let length, let source):
            #expect(try Reply.code(of: buffer[..<length]) == .nameError && source == .deniedSpecialUse)
            return "answered"
        default: return "something else"
        }
    }

    @Test("is taken where it is expected alone: at that view, with that token, until it is forgotten; never forwarded")
    func expected() throws {
        var responder = Responder(settings: ServerSettings(Configuration(), workers: 1), seed: 7)
        #expect(try outcome(&responder, token: Self.token, from: 3) == "answered", "nobody waits for it")
        responder.expected.expect(Self.token, at: ViewID(rawValue: 3))
        #expect(try outcome(&responder, token: Self.token, from: 4) == "answered", "it came to another listener")
        #expect(try outcome(&responder, token: Self.token ^ 1, from: 3) == "answered", "somebody guesses")
        #expect(try outcome(&responder, token: Self.token, from: 3) == "heard")
        #expect(responder.arrived == Self.token)
        responder.expected.forget(Self.token)
        #expect(try outcome(&responder, token: Self.token, from: 3) == "answered", "once")
        #expect(responder.expected.isEmpty)
    }

    @Test("has callers that wait for a bounded time, each called once")
    func waiters() {
        var waiters = VerdictWaiters()
        var called: [String] = []
        let start = ContinuousClock.now
        let (web, app) = (NamespaceKey(device: 4, inode: 1), NamespaceKey(device: 4, inode: 2))
        #expect(waiters.nextDeadline == nil)
        waiters.add(web, now: start) { called.append("first") }
        waiters.add(app, now: start + .milliseconds(10)) { called.append("app") }
        waiters.add(web, now: start + .milliseconds(20)) { called.append("second") }
        for done in waiters.takeDue(now: start + VerdictWaiters.patience - .milliseconds(1)) { done() }
        #expect(called == [])
        for done in waiters.takeDue(now: start + VerdictWaiters.patience) { done() }
        #expect(called == ["first"])
        for done in waiters.take(web) { done() }
        #expect(called == ["first", "second"] && waiters.take(web).isEmpty)
        for done in waiters.takeDue(now: start + .seconds(3)) { done() }
        #expect(called == ["first", "second", "app"])
        #expect(waiters.nextDeadline == nil, "nothing wakes an idle daemon")
    }
}

extension Reply {
    fileprivate static func code(of message: ArraySlice<UInt8>) throws -> ResponseCode {
        let octets = Array(message)
        var name = FoldedName()
        return try Reply.parse(octets.span, name: &name).responseCode
    }
}
