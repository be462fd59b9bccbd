// resolv.conf files of containers: where one may be, and that nobody else's is ever touched.

import Attachment
import ControlAPI
import Foundation
import Synchronization
import SystemPackage
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A resolv.conf that a runtime asks for")
struct ResolverFilesTests {
    private static let ours = ResolverConfiguration(search: ["a.test"]).render()

    /// A directory of the test's own that the operator has named.
    private static func lend(_ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("icf-\(UUID().uuidString)")
            .resolvingSymlinksInPath().path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    @Test("is written where there is none, written anew where it is ours, and removed; its directories are made")
    func life() throws {
        try Self.lend { directory in
            let path = "\(directory)/web/etc/resolv.conf"
            let other = ResolverConfiguration(search: ["b.test"]).render()
            for text in [Self.ours, Self.ours, other] {
                let isWritten = try ResolverFiles.write(text, to: path, below: ["/nonexistent", directory])
                #expect(isWritten && Self.text(path) == text)
            }
            ResolverFiles.remove(path, below: ["/nonexistent"])
            #expect(Self.text(path) == other)
            ResolverFiles.remove(path, below: [directory])
            #expect(Self.text(path) == nil)
            ResolverFiles.remove(path, below: [directory])
        }
    }

    @Test("stays as it is where somebody else wrote it, or it is a link, a directory, or a file of two names")
    func foreign() throws {
        try Self.lend { directory in
            let files = FileManager.default
            let victim = "\(directory)/victim"
            try "secret".write(toFile: victim, atomically: false, encoding: .utf8)
            try "nameserver 10.0.0.1\n".write(toFile: "\(directory)/theirs", atomically: false, encoding: .utf8)
            try files.createSymbolicLink(atPath: "\(directory)/link", withDestinationPath: victim)
            try files.createDirectory(atPath: "\(directory)/folder", withIntermediateDirectories: true)
            try Self.ours.write(toFile: "\(directory)/one", atomically: false, encoding: .utf8)
            try files.linkItem(atPath: "\(directory)/one", toPath: "\(directory)/two")
            for name in ["theirs", "link", "folder", "two"] {
                let isWritten = try ResolverFiles.write(Self.ours, to: "\(directory)/\(name)", below: [directory])
                #expect(!isWritten, "\(name)")
                ResolverFiles.remove("\(directory)/\(name)", below: [directory])
                #expect(files.fileExists(atPath: "\(directory)/\(name)"), "\(name)")
            }
            #expect(Self.text(victim) == "secret" && Self.text("\(directory)/theirs") == "nameserver 10.0.0.1\n")
            // A directory on the way that leads elsewhere is none.
            try files.createSymbolicLink(atPath: "\(directory)/away", withDestinationPath: "\(directory)/folder")
            #expect(throws: LinuxError.self) {
                try ResolverFiles.write(Self.ours, to: "\(directory)/away/resolv.conf", below: [directory])
            }
            #expect(try files.contentsOfDirectory(atPath: "\(directory)/folder").isEmpty)
        }
    }

    @Test(
        "is refused outside of the operator's directories, with one answer whether something is there or not",
        arguments: [
            "/etc/passwd", "/nonexistent/x", "relative", "", "DIR", "DIR/", "DIR/../x", "DIR/./x", "DIR//x",
            "DIRECTORY/x",
            "DIR/x\0y",
        ])
    func refused(path: String) throws {
        try Self.lend { directory in
            let path = path.replacing("DIRECTORY", with: directory + "x").replacing("DIR", with: directory)
            var failure: LinuxError?
            do throws(LinuxError) {
                _ = try ResolverFiles.write(Self.ours, to: path, below: [directory, ResolverFiles.namespacesDirectory])
            } catch {
                failure = error
            }
            #expect(failure?.errno == .notPermitted)
            #expect(
                failure?.call
                    == "\(path): a resolv.conf may be below \(directory) ([server] resolv-conf-directories), or be /etc/netns/NAME/resolv.conf"
            )
        }
    }

    @Test(
        "of a namespace goes by the namespace's name",
        arguments: [
            ("/run/netns/web", "/etc/netns/web/resolv.conf"), ("/var/run/netns/web", "/etc/netns/web/resolv.conf"),
            ("/run/netns/", nil), ("/run/netns/a/b", nil), ("/run/netns/..", nil), ("/run/docker/netns/x", nil),
        ] as [(String, String?)])
    func names(namespace: String, file: String?) {
        #expect(ResolverFiles.path(forNamespaceAt: namespace) == file)
        if let file { #expect(ResolverFiles.namespace(ofFileAt: file) == "web") }
    }

    @Test(
        "is no namespace's where its path is another",
        arguments: ["/etc/netns/web", "/etc/netns/a/b/resolv.conf", "/x"])
    func otherFiles(path: String) { #expect(ResolverFiles.namespace(ofFileAt: path) == nil) }
}

@Suite("The resolv.conf files of containers")
struct ContainerResolverFilesTests {
    /// Record of what an opener was asked for.
    private final class Calls: Sendable {
        private let state = Mutex<[String]>([])
        private let outcome: Result<Bool, LinuxError>

        init(_ outcome: Result<Bool, LinuxError>) { self.outcome = outcome }

        var lines: [String] { state.withLock(\.self) }

        func write(_ name: String, _ configuration: ResolverConfiguration) throws(LinuxError) -> Bool {
            state.withLock { $0.append("write \(name) \(configuration.search.joined(separator: ","))") }
            return try outcome.get()
        }

        func remove(_ name: String) { state.withLock { $0.append("remove \(name)") } }
    }

    private static let web = NamespaceKey(device: 4, inode: 1)

    private static func lend(
        _ outcome: Result<Bool, LinuxError> = .success(true), _ text: String = "",
        _ body: (ContainerResolverFiles, OpenerParts, Calls) throws -> Void
    ) throws {
        let calls = Calls(outcome)
        let parts = try OpenerParts(
            StandInOpener(
                writeFile: { name, configuration throws(LinuxError) in try calls.write(name, configuration) },
                removeFile: { calls.remove($0) }))
        defer { parts.workers.stop() }
        let files = ContainerResolverFiles(
            try Configuration.parse(text: text, file: "x.toml"), ResolverConfiguration(search: ["host.test"]),
            requests: parts.requests, logger: parts.log.logger)
        try body(files, parts, calls)
    }

    @Test("are written by the opener, anew when the host's search list is another, and removed with the container")
    func life() throws {
        try Self.lend { files, parts, calls in
            files.write(for: Self.web, at: "/run/netns/web", called: "web")
            try parts.wait { parts.requests.isIdle }
            #expect(calls.lines == ["write web host.test"])
            #expect(files.file(of: Self.web)?.path == "/etc/netns/web/resolv.conf")
            #expect(files.file(of: Self.web)?.isOurs == true)
            #expect(files.namedFiles(of: Self.web) == ["/etc/netns/web/resolv.conf"])
            files.rewrite(for: ResolverConfiguration(search: ["new.test"]))
            files.search = { _ in ["own.test"] }
            files.rewrite(of: Self.web)
            try parts.wait { parts.requests.isIdle }
            #expect(calls.lines.dropFirst() == ["write web new.test", "write web own.test"])
            files.removeAll(of: Self.web)
            try parts.wait { parts.requests.isIdle }
            #expect(calls.lines.last == "remove web" && files.file(of: Self.web) == nil)
            // A path that no program of iproute2's goes by has none.
            files.write(for: Self.web, at: "/run/docker/netns/x", called: "web")
            try parts.wait { parts.requests.isIdle }
            #expect(calls.lines.count == 4)
        }
    }

    @Test("of a container that was found are there while it is on a network")
    func found() throws {
        try Self.lend { files, parts, calls in
            for wantsFile in [false, true, true, false, false] {
                files.update(Self.web, at: "/run/netns/web", called: "web", wantsFile: wantsFile)
                try parts.wait { parts.requests.isIdle }
            }
            #expect(calls.lines == ["write web host.test", "remove web"])
        }
    }

    @Test("are removed where their container has gone while they were written")
    func overtaken() throws {
        try Self.lend { files, parts, calls in
            files.write(for: Self.web, at: "/run/netns/web", called: "web")
            files.removeAll(of: Self.web)
            try parts.wait { parts.requests.isIdle }
            #expect(
                calls.lines.first == "write web host.test" && calls.lines.dropFirst().allSatisfy { $0 == "remove web" })
            #expect(calls.lines.count > 1 && files.namedFiles(of: Self.web).isEmpty)
        }
    }

    @Test("that somebody else wrote stay, and are shown as theirs; a failure is logged")
    func foreign() throws {
        try Self.lend(.success(false)) { files, parts, _ in
            files.write(for: Self.web, at: "/run/netns/web", called: "web")
            try parts.wait { parts.requests.isIdle }
            #expect(files.file(of: Self.web)?.isOurs == false)
            #expect(
                parts.log.messages == [
                    "info: container web: /etc/netns/web/resolv.conf was not written by intercom; leaving it unchanged"
                ])
            files.removeAll(of: Self.web)
        }
        let error = LinuxError(call: "write", errno: .noSpace, subject: "/etc/netns/web/resolv.conf")
        try Self.lend(.failure(error)) { files, parts, _ in
            files.write(for: Self.web, at: "/run/netns/web", called: "web")
            try parts.wait { parts.requests.isIdle }
            #expect(files.file(of: Self.web) == nil)
            #expect(parts.log.messages == ["warning: container web: \(error)"])
        }
    }

    @Test("are not written by name where the configuration says so; one that was asked for is, here")
    func wanted() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("icf-\(UUID().uuidString)")
            .resolvingSymlinksInPath().path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let text = "[server]\nresolv-conf-directories = ['\(directory)']\n[discover]\nresolv-conf = false\n"
        try Self.lend(.success(true), text) { files, parts, calls in
            files.write(for: Self.web, at: "/run/netns/web", called: "web")
            let path = "\(directory)/web/resolv.conf"
            try files.writeWanted(path, of: Self.web, called: "web")
            #expect(files.wanted(of: Self.web) == path && files.file(of: Self.web)?.path == path)
            let written = try String(contentsOfFile: path, encoding: .utf8)
            #expect(ResolverConfiguration.isOurs(written) && written.contains("host.test"))
            files.rewrite(for: ResolverConfiguration(search: ["new.test"]))
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains("new.test"))
            #expect(files.namedFiles(of: Self.web).isEmpty)
            files.removeAll(of: Self.web)
            #expect(!FileManager.default.fileExists(atPath: path))
            for (path, reason) in [("/etc/passwd", "may be below"), ("\(directory)/../x", "may be below")] {
                do throws(ControlError) {
                    try files.writeWanted(path, of: Self.web, called: "web")
                    Issue.record("\(path) was written")
                } catch {
                    #expect(error.message.contains(reason), "\(error.message)")
                }
            }
            try "theirs".write(toFile: "\(directory)/taken", atomically: false, encoding: .utf8)
            do throws(ControlError) {
                try files.writeWanted("\(directory)/taken", of: Self.web, called: "web")
                Issue.record("it was written")
            } catch {
                #expect(error.message.hasSuffix("name another file, or remove it"))
            }
            try parts.wait { parts.requests.isIdle }
            #expect(calls.lines.isEmpty)
        }
    }
}
