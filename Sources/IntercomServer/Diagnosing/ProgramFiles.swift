// The resolv.conf files that programs in a namespace read: the one that the host keeps for it, and those that they have.

import Attachment
import DNSWire
import Diagnosis
import LinuxNet

/// The resolv.conf of a container, and those of its programs.
struct ProgramFiles: Sendable {
    /// Octets of a hosts file that are read: lists of blocked names have millions, and are not read whole.
    private static let maximumHosts = 1 << 20
    /// Octets of an nsswitch.conf that are read: it has some twenty lines.
    private static let maximumSwitch = 1 << 16

    /// The file of the container.
    var file: ReadResolverFile
    /// The hosts file that programs of `ip netns exec` read: the namespace's own, else the host's; nil: a process has its own.
    var hosts: (path: String, text: String)?
    /// The nsswitch.conf(5) that they read, likewise.
    var nameServices: NameServices?
    /// Programs in a namespace that has a path, each with the file that it reads. `ip netns exec` mounts the host's for a
    /// program that it starts, if it is there then.
    var ofPrograms: [(program: Program, text: String)] = []

    /// Reads them, on a thread of a request.
    /// - Throws: ``LinuxError`` when the file of the container cannot be read.
    static func read(
        _ identity: NamespaceIdentity, _ source: NamespaceSource, by opener: any Opener
    ) throws(LinuxError) -> ProgramFiles {
        // For a namespace without a process, the file that we wrote is shown, too.
        guard source.process == nil else {
            return ProgramFiles(file: try source.readResolverFile(identity, by: opener))
        }
        var files = ProgramFiles(file: ReadResolverFile(text: try source.hostsResolverText()))
        files.hosts = source.programFile("hosts", limit: maximumHosts)
        files.nameServices = source.programFile("nsswitch.conf", limit: maximumSwitch)
            .flatMap { NameServices($0.path, text: $0.text) }
        files.ofPrograms = (try? others(identity, source, by: opener)) ?? []
        return files
    }

    /// Servers and search domains that are looked at: the file may be a hostile container's. glibc before 2.26 took six
    /// search domains (resolv.conf(5)).
    private static let lineLimit = 8

    /// The resolv.conf for explanations; nil: there is none.
    /// - Parameters:
    ///   - source: the way into the namespace.
    ///   - intercepted: other addresses than 127.0.0.11 whose questions come to the listener.
    func resolver(of source: NamespaceSource, intercepted: [IPAddress]) -> ResolverFile? {
        guard let text = file.text else { return nil }
        let configuration = ResolverConfiguration(text)
        let servers = configuration.nameservers.map(\.address)
        func leadsHere(_ servers: [IPAddress]) -> Bool {
            servers.contains { $0 == .v4(.intercom) || intercepted.contains($0) }
        }
        var path = "/etc/resolv.conf"
        var isOnHost = false
        if source.process == nil, case .path(let namespace) = source,
            let named = ResolverFiles.path(forNamespaceAt: namespace)
        {
            (path, isOnHost) = (named, true)
        }
        var resolver = ResolverFile(
            path, isOnHost: isOnHost, isOurs: ResolverConfiguration.isOurs(text),
            writer: ResolverConfiguration.writer(of: text),
            servers: servers.prefix(Self.lineLimit).map(\.description), leadsHere: leadsHere(servers),
            search: Array(configuration.search.prefix(Self.lineLimit)), dots: configuration.dots)
        let others = ofPrograms.map { ($0.program, ResolverConfiguration($0.text).nameservers.map(\.address)) }
        let lost = others.filter { !leadsHere($0.1) }
        // Where one program asks here, the others may have another resolv.conf on purpose.
        if let (program, servers) = lost.first, lost.count == others.count {
            resolver.elsewhere = .init(program, servers: servers.prefix(Self.lineLimit).map(\.description))
        }
        return resolver
    }

    private static func others(
        _ identity: NamespaceIdentity, _ source: NamespaceSource, by opener: any Opener
    ) throws(LinuxError) -> [(program: Program, text: String)] {
        let namespace = try source.openNamespace(identity, by: opener)
        var files: [(program: Program, text: String)] = []
        for found in try opener.findProcesses(in: namespace) {
            guard let process = try? ProcessDescriptor(pid: found.pid),
                let text = (try? opener.readResolverFile(of: process, in: namespace))?.text
            else { continue }
            files.append((found.program, text))
        }
        return files
    }
}

extension NamespaceSource {
    /// A file of /etc that `ip netns exec` gives programs in a named namespace (ip-netns(8)), with its text: the namespace's own, else
    /// the host's.
    fileprivate func programFile(_ name: String, limit: Int) -> (path: String, text: String)? {
        guard case .path(let namespace) = self, let resolver = ResolverFiles.path(forNamespaceAt: namespace) else {
            return nil
        }
        let own = String(resolver.dropLast("resolv.conf".count)) + name
        for path in [own, "/etc/\(name)"] {
            if let text = (try? Files.readText(path, limit: limit)) ?? nil { return (path, text) }
        }
        return nil
    }
}
