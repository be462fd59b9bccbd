// Containers of runtimes that nobody has told of: processes in namespaces that are no container here.

import Attachment
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
        let known = Set(plane.containers.room.namespaces.map { NamespaceIdentity($0) })
            .union(plane.namespaces.leftOut())
        plane.requests.request { opener in
            Self.pages(opener).filter { !known.contains($0.namespace) }.prefix(Self.limit).map(\.program)
        } late: {
            done([])
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

    /// Looks for the program because of which a container is not answered; nil where that is not the reason, or none is found.
    func look(at container: ContainerID, _ state: State, done: @escaping (Program?) -> Void) {
        let port: UInt16?
        switch state {
        case .noListener(let failure) where failure.kind == .portTaken: port = 53
        case .unheard(let unheard) where unheard.cause == .answeredByAnother: port = nil
        default: return done(nil)
        }
        guard let (identity, source) = plane.containers.namespace(of: container) else { return done(nil) }
        let own = plane.containers.attached(container)?.port
        plane.requests.request { opener in
            let namespace = try? source.openNamespace(identity, by: opener)
            switch namespace {
            case .some(let namespace): return (try? opener.findHolders(ofPort: port, in: namespace)) ?? []
            case .none: return []
            }
        } late: {
            done(nil)
        } done: { (holders: [PortHolder]) in
            // Where any port counts, our own listener's is no other's.
            let others = port == nil ? holders.filter { $0.port != own } : holders
            guard let process = others.lazy.compactMap(\.process).first else { return done(nil) }
            var program = process.program
            program.isOutside = process.namespace != identity
            done(program)
        }
    }
}
