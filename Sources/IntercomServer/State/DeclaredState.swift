// Declarations of the control socket over a restart: kept as it comes, and declared anew at the start.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import Registry
import Varlink

/// Keeps declarations in the state directory, and makes the calls again that made those which still hold.
final class DeclaredState {
    private var directory: StateDirectory
    private let logger: Logger
    /// Declarations of the last daemon, until it is declared anew.
    private var before = Declarations()
    /// True when namespaces and processes are told apart as they were then.
    private var isSameBoot = false
    /// Declarations of before that go with containers which are not attached yet.
    private var others: [Declaration] = []
    /// True when ``restoreOthers(by:)`` was called once.
    private var hasRestored = false

    init(path: String, logger: Logger) {
        directory = StateDirectory(path: path, logger: logger)
        self.logger = logger
    }

    // MARK: - Keeping

    /// Octets of the line behind a call that says where its container was attached: names of at most 63 octets and
    /// four numbers, with room to spare.
    private static let roomForAttachment = 1024

    /// Makes sure that what a call declares can be kept.
    /// - Parameter size: octets of the call.
    /// - Throws: `OperationFailed`: the call is refused before it changes anything.
    func reserve(_ size: Int) throws(ControlError) {
        do throws(LinuxError) {
            try directory.reserve(size + Self.roomForAttachment)
        } catch {
            throw .operationFailed(
                reason:
                    "it cannot be kept in \(directory.path) (\(error)), so nothing was changed; make room there, or make it writable"
            )
        }
    }

    /// Keeps a call that was carried out.
    func keep<Method: PersistedMethod>(_ method: Method.Type, _ parameters: Method.Parameters) {
        directory.keep(method, parameters)
    }

    /// Keeps calls that belong together.
    func keep(_ declarations: [Declaration]) { directory.keep(declarations) }

    /// Has what was kept since the last time written to the disk, on another thread: after what is more urgent.
    func synchronize() { directory.synchronize() }

    /// True when an operator has a container of this name drained.
    func isDrained(_ name: String) -> Bool { directory.holds(.draining(name)) }

    // MARK: - Reading and writing

    /// Reads what was declared before.
    /// - Throws: ``LinuxError`` of kind `inUse` where another daemon uses the directory.
    func load() throws(LinuxError) { (before, isSameBoot) = try directory.load() }

    /// Writes what holds now, for the next start.
    func write() {
        do throws(LinuxError) {
            try directory.write()
        } catch {
            logger.error("the state cannot be kept: \(error)", metadata: .about(.stateNotKept))
        }
    }

    // MARK: - Declared anew

    /// Makes the calls again that declared what is still there; those that go with containers wait for these.
    func restore(by plane: ControlPlane) {
        for declaration in before.all {
            if let container = declaration.parameters(of: AddContainer.self) {
                let place = before[.namespace(of: container.name)]?.parameters(of: Attach.self)
                restore(container, at: isSameBoot ? place : nil, by: plane)
            } else if let kept = declaration.parameters(of: KeptContainer.self) {
                plane.sources.restore(kept, isSameBoot: isSameBoot)
            } else if declaration.method.turn == .others {
                others.append(declaration)
            } else {
                restore(declaration, by: plane)
            }
        }
        before = Declarations()
    }

    /// - Parameters:
    ///   - parameters: the container.
    ///   - place: where it was attached; nil where it had no namespace here, or one of an earlier boot of the host.
    ///   - plane: makes the call.
    private func restore(_ parameters: AddContainer.Parameters, at place: AttachedNamespace?, by plane: ControlPlane) {
        let call = Declaration(AddContainer.self, parameters)
        guard parameters.netns != nil || parameters.pid != nil else {
            return restore([call], call.words) { () throws(ControlError) in
                try AddContainer.addWithoutNamespace(plane, parameters)
            }
        }
        guard let place else { return forget(parameters, by: plane) }
        let calls = [call, Declaration(Attach.self, place)]
        restore(calls, call.words) { () throws(ControlError) in
            let definition = try ContainerDefinition(parameters)
            guard let source = try AddContainer.source(of: parameters) else { return }
            // It holds, whatever comes of it now: it is tried again.
            keep(calls)
            declare(definition, at: source, parameters, place, by: plane)
        }
    }

    private func declare(
        _ definition: ContainerDefinition, at source: NamespaceSource, _ parameters: AddContainer.Parameters,
        _ before: AttachedNamespace, by plane: ControlPlane
    ) {
        var hasFailed = false
        plane.containers.declare(
            definition, at: source, resolverFile: parameters.resolvConf, isStanding: true, before: before
        ) { [unowned self, unowned plane] outcome in
            switch outcome {
            case .attached(let container):
                guard plane.containers.attached(container)?.isSame(as: before) == true else {
                    return drop(parameters, by: plane)
                }
                if hasRestored { restoreOthers(by: plane) }
            case .failed(_, .notThere), .ended:
                drop(parameters, by: plane)
            case .failed(let error, _):
                if !hasFailed {
                    logger.error("container \(parameters.name), which was declared before: \(error.message)")
                }
                hasFailed = true
            }
        }
    }

    /// Takes a container back that is not there any more.
    private func drop(_ parameters: AddContainer.Parameters, by plane: ControlPlane) {
        let declared = plane.publisher.registry.declaredContainer(named: parameters.name)
        let number = declared.flatMap { plane.containers.declaration(of: $0.id) }
        if let number = number ?? plane.containers.waiting(named: parameters.name) {
            plane.containers.remove(number)
        }
        keep(RemoveContainer.self, Named(name: parameters.name))
        forget(parameters, by: plane)
    }

    /// Leaves out a container that has ended while nobody watched.
    private func forget(_ container: AddContainer.Parameters, by plane: ControlPlane) {
        let why = "ended while the daemon was away"
        logger.info("container \(container.name) \(why)", metadata: .about(container: container.name, .ended))
        if let source = try? NamespaceSource.of(container) {
            plane.containers.room.remember(
                .init(name: container.name, source: source, declarer: "control", why: "it \(why)", at: .now))
        }
        for path in [container.netns.flatMap(ResolverFiles.path(forNamespaceAt:)), container.resolvConf] {
            if let path { plane.containers.resolverFiles.remove(path) }
        }
    }

    // MARK: - Declarations that go with containers

    /// Makes the calls again that go with containers, as far as these are there. The others follow when theirs is attached.
    func restoreOthers(by plane: ControlPlane) {
        hasRestored = true
        let declarations = others
        others = []
        for declaration in declarations {
            if let name = declaration.container, plane.publisher.registry.declaredContainer(named: name) == nil,
                plane.containers.waiting(named: name) != nil
            {
                others.append(declaration)
                keep([declaration])
            } else {
                restore(declaration, by: plane)
            }
        }
    }

    private func restore(_ declaration: Declaration, by plane: ControlPlane) {
        restore([declaration], declaration.words) { () throws(ControlError) in try declaration.restore(by: plane) }
    }

    /// Makes one call again. One that is refused now is tried again at the next start.
    private func restore(_ declarations: [Declaration], _ subject: String, _ call: () throws(ControlError) -> Void) {
        do throws(ControlError) {
            try call()
        } catch {
            logger.error("\(subject), which was declared before: \(error.message)")
            keep(declarations)
        }
    }
}

extension Containers.Attached {
    /// True when it is what was attached before: neither the namespace nor the process is another of the same name.
    func isSame(as before: AttachedNamespace) -> Bool {
        cookie.rawValue == before.cookie && processStart == before.processStart
    }
}
