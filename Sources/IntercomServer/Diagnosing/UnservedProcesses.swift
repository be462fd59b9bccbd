// Containers of runtimes that nobody has told of: processes in namespaces that are no container here.

import Attachment
import DNSWire
import Diagnosis
import LinuxNet
import Registry

/// Looks for processes by the opener, which may see them.
struct UnservedProcesses {
    let plane: ControlPlane

    /// Pages of processes that are asked for: of 10,000 containers some thousand may be unserved.
    private static let maximumPages = 80
    /// The most that are given.
    private static let limit = 1000

    /// A process of this number.
    enum Standing {
        /// In the namespace of a container.
        case container(ContainerID)
        /// In a namespace that is served to nobody, or the host's.
        case absent(Absence)
    }

    /// Looks at one process.
    /// - Parameter done: is called once; with nil where there is no such process, or it cannot be looked at.
    func look(at pid: Int32, done: @escaping (Standing?) -> Void) {
        plane.requests.request { opener in
            (try? opener.findProcess(pid)) ?? nil
        } late: {
            done(nil)
        } done: { (process: FoundProcess?) in
            done(process.map { standing(of: $0) })
        }
    }

    private func standing(of process: FoundProcess) -> Standing {
        if process.namespace == NamespaceIdentity(ofFileAt: "/proc/thread-self/ns/net") {
            return .absent(.onHost(process.program))
        }
        let container = plane.publisher.registry.containers.first { container in
            plane.containers.namespaceOfContainer[container.id].map { NamespaceIdentity($0) } == process.namespace
        }
        return container.map { .container($0.id) } ?? .absent(.unserved(process.program))
    }

    /// Looks for all.
    /// - Parameter done: is called once, with the first process of each container of a runtime that is none here.
    func find(done: @escaping ([Program]) -> Void) {
        list { done($0.unserved) }
    }

    /// Looks for the container that a runtime calls so, or shows by this id.
    /// - Parameter done: is called once: with where it stands, nil where there is none; and with all that are unserved.
    func find(called name: String, done: @escaping (Standing?, [Program]) -> Void) {
        list { found in
            let called = found.all.first { process in
                process.program.container.map {
                    $0.name == name || name.count >= $0.name.count && name.hasPrefix($0.name)
                } ?? false
            }
            done(called.map { standing(of: $0) }, found.unserved)
        }
    }

    /// First processes of containers of runtimes.
    private struct Listed: Sendable {
        var all: [FoundProcess] = []
        /// Those whose namespaces are no containers here.
        var unserved: [Program] = []
    }

    private func list(done: @escaping (Listed) -> Void) {
        let known = Set(plane.containers.room.namespaces.map { NamespaceIdentity($0) })
            .union(plane.namespaces.leftOut())
        plane.requests.request { opener in
            let all = Self.pages(opener)
            return Listed(
                all: all, unserved: all.filter { !known.contains($0.namespace) }.prefix(Self.limit).map(\.program))
        } late: {
            done(Listed())
        } done: {
            done($0)
        }
    }

    private static func pages(_ opener: any Opener) -> [FoundProcess] {
        var all: [FoundProcess] = []
        var seen: Set<NamespaceIdentity> = []
        var last: Int32 = 0
        for _ in 0..<maximumPages {
            guard let page = try? opener.findContainerProcesses(after: last), let end = page.last else { break }
            all += page.filter { seen.insert($0.namespace).inserted }
            last = end.pid
            guard page.count == OpenerCalls.maximumProcesses else { break }
        }
        return all
    }
}

/// Looks for the programs that have port 53 of containers.
struct PortHolders {
    let plane: ControlPlane

    /// Server in a listener's place, as far as it is seen.
    struct Holder: Sendable {
        /// The program that has the port, or that answers.
        var program: Program?
        /// The address and port that address translation leads questions to.
        var leadsTo: String?
    }

    /// Facts of the opener about a namespace.
    private struct Seen: Sendable {
        var holders: [PortHolder] = []
        var translation: FoundTranslation?
    }

    /// Looks for what keeps questions of a container from its listener; finds nothing where nothing else is in their way.
    func look(at container: ContainerID, _ state: State, done: @escaping (Holder) -> Void) {
        let port: UInt16?
        var asked: IPAddress?
        switch state {
        case .noListener(let failure) where failure.kind == .portTaken: port = 53
        case .unheard(let unheard) where [.answeredByAnother, .refused, .noReply].contains(unheard.cause):
            port = nil
            asked = (try? ServerAddress(unheard.address))?.address
        default: return done(Holder())
        }
        guard let (identity, source) = plane.containers.namespace(of: container) else { return done(Holder()) }
        let own = plane.containers.attached(container)?.port
        plane.requests.request { [asked] opener in
            let namespace = try? source.openNamespace(identity, by: opener)
            switch namespace {
            case .some(let namespace):
                var seen = Seen()
                if let asked { seen.translation = (try? opener.findTranslation(of: asked, in: namespace)) ?? nil }
                if seen.translation == nil {
                    seen.holders = (try? opener.findHolders(ofPort: port, in: namespace)) ?? []
                }
                return seen
            case .none: return Seen()
            }
        } late: {
            done(Holder())
        } done: { (seen: Seen) in
            // Where any port counts, our own listener's is no other's.
            let others = port == nil ? seen.holders.filter { $0.port != own } : seen.holders
            let process = seen.translation.map(\.process) ?? others.lazy.compactMap(\.process).first
            var program = process?.program
            program?.isOutside = process.map { $0.namespace != identity } ?? false
            done(Holder(program: program, leadsTo: seen.translation?.destination))
        }
    }
}
