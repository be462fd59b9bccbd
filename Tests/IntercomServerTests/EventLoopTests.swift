// The event loop of the control thread: tasks, deadlines and descriptors.

import LinuxNet
import Tables
import Testing

@testable import IntercomServer

@Suite("The event loop")
struct EventLoopTests {
    @Test("A task is due once, not before its time, and a second request for it changes nothing")
    func tasks() throws {
        let loop = try EventLoop(signals: [])
        loop.schedule(.subscribe, after: .milliseconds(20))
        loop.schedule(.subscribe, after: .zero)
        loop.schedule(.lookForAbsent, after: .zero)
        #expect(loop.takeDueTasks() == [.lookForAbsent])
        let start = ContinuousClock.now
        while try loop.wait(until: []).isEmpty, start.duration(to: .now) < .milliseconds(20) {}
        #expect(loop.takeDueTasks() == [.subscribe])
        #expect(loop.takeDueTasks() == [])
    }

    @Test("Waiting ends at the earliest deadline")
    func deadlines() throws {
        let loop = try EventLoop(signals: [])
        let start = ContinuousClock.now
        #expect(try loop.wait(until: [nil, start + .seconds(60), start + .milliseconds(10)]).isEmpty)
        #expect((.milliseconds(10)..<Duration.seconds(30)).contains(start.duration(to: .now)))
        #expect(loop.isAnythingDue)
        #expect(try loop.wait(until: [start]).isEmpty)
        #expect(loop.isAnythingDue)
    }

    @Test("Nothing is due while deadlines and tasks are to come")
    func nothingDue() throws {
        let loop = try EventLoop(signals: [])
        let event = try EventFD()
        try loop.watch(event.descriptor, as: .mailbox)
        event.signal()
        #expect(!loop.isAnythingDue)
        #expect(try loop.wait(until: [nil]).count == 1)
        #expect(!loop.isAnythingDue)
        loop.schedule(.catchUp, after: .seconds(60))
        #expect(try loop.wait(until: [.now + .seconds(60)]).count == 1)
        #expect(!loop.isAnythingDue)
        loop.schedule(.subscribe, after: .zero)
        #expect(loop.isAnythingDue)
        #expect(loop.takeDueTasks() == [.subscribe])
        #expect(!loop.isAnythingDue)
    }

    @Test("A descriptor that is ready comes with its token, until it is watched no more")
    func descriptors() throws {
        let loop = try EventLoop(signals: [])
        let event = try EventFD()
        try loop.watch(event.descriptor, as: .mailbox)
        event.signal()
        let tokens = try loop.wait(until: [])
        #expect(tokens.map(\.word) == [ControlToken.mailbox.word])
        try loop.unwatch(event.descriptor)
        #expect(try loop.wait(until: [.now]).isEmpty)
    }

    @Test(
        "A token comes back from its word",
        arguments: [
            ControlToken.signals, .mailbox, .requests, .control, .inotify, .mounts, .resolver, .heartbeat, .namespaces,
            .process(Ticket(word: 7 << 32 | 5)), .redirection(Ticket(word: 1)), .netlink(Ticket(word: 9 << 32)),
        ])
    func tokens(token: ControlToken) {
        #expect(ControlToken(word: token.word)?.word == token.word)
    }
}
