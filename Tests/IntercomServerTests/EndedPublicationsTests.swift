// Containers of sources that have ended: shown for ten minutes, then dropped.

import Attachment
import ControlAPI
import Foundation
import Registry
import Testing

@testable import IntercomServer

@Suite("A container of a source whose process has ended")
struct EndedPublicationsTests {
    private func key(_ id: String) -> PublicationKey { PublicationKey(source: "docker", id: id) }

    @Test("is dropped after ten minutes, unless it is there again or its source has taken it back")
    func dropped() {
        var ended = EndedPublications()
        let start = ContinuousClock.now
        #expect(ended.nextDeadline == nil)
        ended.add(key("a"), now: start)
        ended.add(key("a"), now: start + .seconds(60))
        ended.add(key("b"), now: start + .seconds(1))
        ended.add(key("c"), now: start + .seconds(2))
        #expect(ended.nextDeadline == start + .seconds(600), "it ended once")
        ended.remove(key("b"))
        #expect(ended.takeDue(now: start + .seconds(599)) == [])
        #expect(ended.takeDue(now: start + .seconds(600)) == [key("a")])
        ended.remove(key("c"))
        ended.add(key("c"), now: start + .seconds(601))
        #expect(ended.takeDue(now: start + .seconds(700)) == [], "it was there again")
        #expect(ended.takeDue(now: start + .seconds(1201)) == [key("c")])
        #expect(ended.nextDeadline == nil, "nothing wakes an idle daemon")
    }

    @Test("is shown as ended, and counted as such, not as waiting; a path that is not there yet is waited for")
    func shown() throws {
        try Plane.lend { plane in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/true")
            try process.run()
            process.waitUntilExit()
            _ = try plane.call(
                Publish.self,
                .init(
                    source: "docker",
                    containers: [
                        PublishedContainer(id: "aaa", name: "job", pid: Int(process.processIdentifier)),
                        PublishedContainer(id: "bbb", name: "web", netns: "/run/netns/none-\(UUID().uuidString)"),
                    ]))
            func source() throws -> ListSources.Source? { try plane.call(ListSources.self, Nothing()).sources.first }
            #expect(try eventually { try source()?.ended == 1 })
            let shown = try source()
            #expect(shown?.containers == 2 && shown?.ended == 1 && shown?.waiting == 1, "\(String(describing: shown))")
            let job = try plane.container("job")
            #expect(job.state == "ended" && job.reason == "its process has exited" && job.source == "docker")
            #expect(try plane.container("web").state == "no listener")
        }
    }
}
