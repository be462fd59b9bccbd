// Files below the root of a process that is hostile: what is read, and what is never opened.

import Foundation
import Testing

@testable import LinuxNet

@Suite("The root of a process", .needsRoot)
struct ContainerRootTests {
    /// A directory that is a process's root, and a file outside of it that nobody may see.
    private final class Root {
        let directory: String
        let process: Process
        private let base: String

        /// - Parameter make: commands that make the files, run in the root's directory by sh; `$OUTSIDE` is the file.
        init(_ make: String) throws {
            base = FileManager.default.temporaryDirectory.appendingPathComponent("icr-\(UUID().uuidString)").path
            directory = "\(base)/root"
            try FileManager.default.createDirectory(atPath: "\(directory)/etc", withIntermediateDirectories: true)
            try "nameserver 203.0.113.66\n".write(toFile: "\(base)/outside", atomically: true, encoding: .utf8)
            process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [
                "OUTSIDE=\(base)/outside", "unshare", "--mount", "sh", "-euc",
                "cd \"$1\"; \(make)\nexec python3 -uc \"$2\" \"$1\"", "sh", directory,
                "import os, sys; os.chroot(sys.argv[1]); os.chdir('/'); print('in'); sys.stdin.read()",
            ]
            // It ends with this.
            process.standardInput = Pipe()
            let output = Pipe()
            process.standardOutput = output
            try Scratch.start(process)
            // The newline may come apart.
            guard String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("in") else {
                throw CocoaError(.fileNoSuchFile)
            }
        }

        func end() {
            Glibc.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            try? FileManager.default.removeItem(atPath: base)
        }
    }

    private func read(_ make: String, limit: Int = 4096) throws -> Result<[UInt8]?, LinuxError> {
        let root = try Root(make)
        defer { root.end() }
        let opened = try ContainerRoot(of: try ProcessDescriptor(pid: root.process.processIdentifier))
        do throws(LinuxError) {
            return .success(try opened.bytes(of: "/etc/resolv.conf", limit: limit))
        } catch {
            return .failure(error)
        }
    }

    @Test(
        "is where a path and its links begin and end",
        arguments: [
            ("echo here >etc/resolv.conf", "here\n"),
            ("mkdir -p run/x; echo here >run/x/r; ln -s /run/x/r etc/resolv.conf", "here\n"),
            ("mkdir -p run/x; echo here >run/x/r; ln -s ../run/x/r etc/resolv.conf", "here\n"),
            ("mkdir -p run/x; echo here >run/x/r; ln -s ../../../../../run/./x//r etc/resolv.conf", "here\n"),
            ("mkdir -p a/b; echo here >a/r; ln -s /a/b etc/d; ln -s d/../r etc/resolv.conf", "here\n"),
            ("echo here >r; ln -s r l1; ln -s /l1 l2; ln -s ../l2 etc/resolv.conf", "here\n"),
            ("", nil),
            ("ln -s /nowhere etc/resolv.conf", nil),
            ("echo here >etc/f; ln -s f/below etc/resolv.conf", nil),
            ("rmdir etc; echo here >etc", nil),
            // Outside there is such a file.
            ("ln -s \"$OUTSIDE\" etc/resolv.conf", nil),
            ("ln -s ../../outside etc/resolv.conf", nil),
            ("rmdir etc; mkdir -p x/etc; echo x >x/etc/resolv.conf; ln -s ../x/etc etc", "x\n"),
        ] as [(String, String?)])
    func resolves(_ make: String, _ expected: String?) throws {
        #expect(try read(make).get().map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test(
        "has files that are refused: what is no regular file, or too long, or leads in circles",
        arguments: [
            ("mkfifo etc/resolv.conf", "not a regular file"),
            ("mknod etc/resolv.conf c 1 5", "not a regular file"),
            ("mkdir dev; mknod dev/zero c 1 5; ln -s /dev/zero etc/resolv.conf", "not a regular file"),
            ("mkdir etc/resolv.conf", "directory"),
            ("ln -s resolv.conf etc/resolv.conf", "Too many levels"),
            ("ln -s a etc/resolv.conf; ln -s resolv.conf etc/a", "Too many levels"),
            ("truncate -s 10M etc/resolv.conf", "too large"),
            ("mkdir proc; mount -t proc proc proc; ln -s /proc/1/environ etc/resolv.conf", "a file of /proc"),
            ("python3 -c 'import socket; socket.socket(1).bind(\"etc/resolv.conf\")'", "not a regular file"),
        ])
    func refuses(_ make: String, _ expected: String) throws {
        let result = try read(make)
        guard case .failure(let error) = result else {
            Issue.record("\(result)")
            return
        }
        #expect("\(error)".localizedCaseInsensitiveContains(expected), "\(error)")
    }

    @Test("is known by a magic link of /proc to nobody: such links are text like others")
    func magicLinks() throws {
        // The link's text is the path of the outside, which is none of the root's.
        let make = "mkdir proc; mount -t proc proc proc; exec 7<\"$OUTSIDE\"; ln -s /proc/self/fd/7 etc/resolv.conf"
        #expect(try read(make).get() == nil)
    }

    @Test("of a process that has ended is not opened")
    func ended() throws {
        let root = try Root("")
        let process = try ProcessDescriptor(pid: root.process.processIdentifier)
        root.end()
        #expect(throws: LinuxError.self) { _ = try ContainerRoot(of: process) }
    }
}
