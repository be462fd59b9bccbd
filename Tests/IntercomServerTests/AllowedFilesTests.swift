// Files that the daemon opens when it has the host's root.

import Testing

@testable import IntercomServer

@Suite("Files that the daemon opens")
struct AllowedFilesTests {
    @Test(
        "Reading is allowed below each directory of the root but those with files of others")
    func reading() {
        var settings = Configuration()
        settings.discover.namespaces = ["/run/netns/*", "/var/lib/ns/*/net", "/*/netns", "/srv/ns"]
        let allowed = AllowedFiles(
            rootEntries: ["var", "usr", "etc", "tmp", "run"], settings: settings, stateDirectory: "/var/lib/intercom")
        #expect(allowed.reading == ["/etc", "/run", "/usr", "/run/netns", "/var/lib/ns", "/srv", "/run/docker/netns"])
    }

    @Test("Writing is allowed where declarations and resolv.conf files are kept")
    func writing() {
        var settings = Configuration()
        settings.server.resolverDirectories = ["/run/intercom", "/srv/resolv"]
        let allowed = AllowedFiles(rootEntries: [], settings: settings, stateDirectory: "/state")
        #expect(allowed.writing == ["/state", "/run/intercom", "/srv/resolv"])
    }
}
