// What the control socket has declared, over a restart: kept as it comes, and declared anew at the start.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import Registry
import Varlink

extension ControlPlane {
    // MARK: - Kept

    /// Makes sure that what a call declares can be kept; where it cannot, the call is refused before it changes anything.
    func reserveState(for call: VarlinkCall) throws(ControlError) {
        do throws(LinuxError) {
            // The record is the call again, and a line that says where a container was attached.
            try state.reserve(call.size + 1024)
        } catch {
            throw .operationFailed(
                reason:
                    "it cannot be kept in \(state.path) (\(error)), so nothing was changed; make room there, or make it writable"
            )
        }
    }

    /// Keeps a container that was added.
    func keep(_ parameters: AddContainer.Parameters, _ container: ContainerID?) {
        logger.info(
            "container \(parameters.name) added\((parameters.netns ?? parameters.pid.map { "pid \($0)" }).map { ", attached to \($0)" } ?? "")",
            metadata: .about(container: parameters.name))
        guard let namespace = container.flatMap({ containers.namespaceOfContainer[$0] }),
            let attached = containers.attached[namespace]
        else { return state.keep(AddContainer.self, parameters) }
        let place = AttachedNamespace(
            container: parameters.name, inode: namespace.inode, cookie: attached.cookie.rawValue,
            processStart: attached.processStart)
        state.keep([Declaration(AddContainer.self, parameters), Declaration(Attach.self, place)])
    }

    // MARK: - Declared anew

    /// Makes the calls again that declared what is still there; those that go with containers wait for these.
    func restore(_ before: Declarations, isSameBoot: Bool) {
        for declaration in before.all {
            if let container = declaration.parameters(of: AddContainer.self) {
                let place = before[.namespace(of: container.name)]?.parameters(of: Attach.self)
                restore(container, at: isSameBoot ? place : nil)
            } else if declaration.method.turn == .others {
                start.declarations.append(declaration)
            } else {
                restore(declaration)
            }
        }
    }

    /// Writes what holds now, for the next start.
    func writeState() {
        do throws(LinuxError) {
            try state.write()
        } catch {
            logger.error("the state cannot be kept: \(error)", metadata: .about(.stateNotKept))
        }
    }

    /// - Parameters:
    ///   - parameters: the container.
    ///   - place: where it was attached; nil where it had no namespace here, or one of an earlier boot of the host.
    private func restore(_ parameters: AddContainer.Parameters, at place: AttachedNamespace?) {
        let call = Declaration(AddContainer.self, parameters)
        guard parameters.netns != nil || parameters.pid != nil else {
            return restore([call], call.words) { () throws(ControlError) in
                let definition = try ContainerDefinition(parameters)
                try changeRegistry { registry throws(RegistryError) in _ = try registry.addContainer(definition) }
                state.keep([call])
            }
        }
        guard let place else { return forget(parameters) }
        let calls = [call, Declaration(Attach.self, place)]
        restore(calls, call.words) { () throws(ControlError) in
            let definition = try ContainerDefinition(parameters)
            guard let source = try Self.source(of: parameters) else { return }
            // It holds, whatever comes of it now: it is tried again.
            state.keep(calls)
            declare(definition, at: source, parameters, place)
        }
    }

    private func declare(
        _ definition: ContainerDefinition, at source: NamespaceSource, _ parameters: AddContainer.Parameters,
        _ before: AttachedNamespace
    ) {
        var hasFailed = false
        containers.declare(
            definition, at: source, resolverFile: parameters.resolvConf, isStanding: true, before: before
        ) { [unowned self] outcome in
            switch outcome {
            case .attached(let container):
                guard let namespace = containers.namespaceOfContainer[container],
                    let attached = containers.attached[namespace], attached.isSame(as: before)
                else { return drop(parameters) }
                if start.hasEnded { restoreOthers() }
            case .failed(_, .notThere), .ended:
                drop(parameters)
            case .failed(let error, _):
                if !hasFailed {
                    logger.error("container \(parameters.name), which was declared before: \(error.message)")
                }
                hasFailed = true
            }
        }
    }

    /// Makes the calls again that go with containers, as far as these are there.
    func restoreOthers() {
        let declarations = start.declarations
        start.declarations = []
        for declaration in declarations {
            if let name = declaration.container, registry.declaredContainer(named: name) == nil,
                containers.waiting(named: name) != nil
            {
                start.declarations.append(declaration)
                state.keep([declaration])
            } else {
                restore(declaration)
            }
        }
    }

    /// Takes a container back that is not there any more.
    private func drop(_ parameters: AddContainer.Parameters) {
        let number = registry.declaredContainer(named: parameters.name).flatMap {
            containers.namespaceOfContainer[$0.id].flatMap { containers.room[$0]?.declaration }
        }
        if let number = number ?? containers.waiting(named: parameters.name) { containers.withdraw(number) }
        state.keep(RemoveContainer.self, Named(name: parameters.name))
        forget(parameters)
    }

    private func restore(_ declaration: Declaration) {
        restore([declaration], declaration.words) { () throws(ControlError) in try declaration.restore(by: self) }
    }

    /// Makes one call again. One that is refused now is tried again at the next start.
    private func restore(_ declarations: [Declaration], _ subject: String, _ call: () throws(ControlError) -> Void) {
        do throws(ControlError) {
            try call()
        } catch {
            logger.error("\(subject), which was declared before: \(error.message)")
            state.keep(declarations)
        }
    }

    /// Leaves out a container that has ended while nobody watched.
    private func forget(_ container: AddContainer.Parameters) {
        let why = "ended while the daemon was away"
        logger.info("container \(container.name) \(why)", metadata: .about(container: container.name, .ended))
        if let source = try? NamespaceSource.of(container) {
            containers.room.remember(
                .init(name: container.name, source: source, declarer: "control", why: "it \(why)", at: .now))
        }
        for path in [container.netns.flatMap(ResolverFiles.path(forNamespaceAt:)), container.resolvConf] {
            if let path { containers.removeResolverFile(path) }
        }
    }
}

extension Containers.Attached {
    /// True when it is what was attached before: neither the namespace nor the process is another of the same name.
    fileprivate func isSame(as before: AttachedNamespace) -> Bool {
        cookie.rawValue == before.cookie && processStart == before.processStart
    }
}
