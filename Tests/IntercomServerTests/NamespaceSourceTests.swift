// Sources of a namespace: a path, or a process.

import Attachment
import Testing

@testable import IntercomServer

@Suite("A namespace's source")
struct NamespaceSourceTests {
    @Test("is told as people give it")
    func text() {
        #expect("\(NamespaceSource.path("/run/netns/web"))" == "/run/netns/web")
        #expect("\(NamespaceSource.pid(4711))" == "pid 4711")
    }

    @Test("below /proc is that of the process, which is watched in place of the path")
    func process() {
        #expect(NamespaceSource.pid(4711).process == 4711)
        #expect(NamespaceSource.path("/proc/4711/ns/net").process == 4711)
        #expect(NamespaceSource.path("/nowhere/netns/web").process == nil)
        #expect(NamespaceSource.pid(4711).paths.isEmpty)
        #expect(NamespaceSource.path("/nowhere/netns/web").paths.contains("/nowhere/netns/web"))
        #expect(NamespaceSource.path("/proc/4711/ns/net").paths.isEmpty)
    }
}
