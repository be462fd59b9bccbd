// Limits of a process, and the errors beyond them.

import SystemPackage
import Testing

@testable import LinuxNet

@Suite("A limit that was met")
struct LimitTests {
    @Test(
        "is named as administrators know it",
        arguments: [
            ("socket", Errno.tooManyOpenFiles, "the limit of open files (LimitNOFILE= of the unit, or ulimit -n)"),
            ("accept4", .tooManyOpenFilesInSystem, "sysctl fs.file-max"),
            (
                "inotify_init1", .tooManyOpenFiles,
                "sysctl fs.inotify.max_user_instances, or the limit of open files (LimitNOFILE=)"
            ),
            ("inotify_add_watch", .noSpace, "sysctl fs.inotify.max_user_watches"),
        ])
    func remedy(call: String, errno: Errno, expected: String) {
        let error = LinuxError(call: call, errno: errno, subject: "it")
        #expect(error.description == "\(call) it: \(errno); raise \(expected)")
    }

    @Test("is not blamed for other failures")
    func others() {
        #expect(LinuxError(call: "open", errno: .noSpace).description == "open: \(Errno.noSpace)")
    }

    @Test("of open descriptors is as high as it may be, once it was raised")
    func openFiles() {
        let raised = Limits.raiseOpenFiles()
        #expect(raised >= 256 && Limits.raiseOpenFiles() == raised)
    }
}
