// What the control socket has declared, over a restart: kept as it comes, and declared anew at the start.

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
    func keep(_ container: AddContainer.Parameters) {
        guard let id = (try? registry.container(named: container.name))?.id, let attachment = attachments[id] else {
            return state.keep(.addContainer(container))
        }
        state.keep(
            .addContainer(container),
            .attach(
                AttachedNamespace(
                    container: container.name, inode: attachment.identity.inode, cookie: attachment.cookie.rawValue,
                    processStart: attachment.processStart)))
    }

    // MARK: - Declared anew

    /// Makes the calls again that declared what is still there.
    /// - Throws: ``LinuxError`` where another daemon uses the state directory.
    func restoreDeclarations() throws(LinuxError) {
        let (before, isSameBoot) = try state.load()
        for network in before.networks {
            restore([.createNetwork(network)], "network \(network.name)") { () throws(ControlError) in
                try createNetwork(network)
            }
        }
        for container in before.containers { restore(container, isSameBoot: isSameBoot) }
        for declaration in before.others { restore(declaration) }
        do throws(LinuxError) {
            try state.write()
        } catch {
            logger.error("the state cannot be kept: \(error)", metadata: .about(.stateNotKept))
        }
    }

    private func restore(_ container: Declarations.DeclaredContainer, isSameBoot: Bool) {
        let parameters = container.parameters
        guard parameters.netns != nil || parameters.pid != nil else {
            restore([.addContainer(parameters)], "container \(parameters.name)") { () throws(ControlError) in
                try declare(parameters)
            }
            return
        }
        guard isSameBoot, let namespace = container.namespace else { return forget(parameters) }
        let declarations = [Declaration.addContainer(parameters), .attach(namespace)]
        restore(declarations, "container \(parameters.name)") { () throws(ControlError) in
            do throws(ControlError) {
                try declare(parameters)
            } catch  where error.isOfWhatHasEnded {
                return forget(parameters)
            }
            if let id = (try? registry.container(named: parameters.name))?.id, let now = attachments[id],
                !now.isSame(as: namespace)
            {
                remove(id)
                state.keep(.removeContainer(parameters.name))
                forget(parameters)
            }
        }
    }

    private func restore(_ declaration: Declaration) {
        switch declaration {
        case .connect(let connection):
            restore([declaration], "container \(connection.container) on network \(connection.network)") {
                () throws(ControlError) in try connect(connection)
            }
        case .disconnect(let connection):
            restore([declaration], "container \(connection.container) off network \(connection.network)") {
                () throws(ControlError) in try disconnect(connection)
            }
        case .drainContainer(let name):
            restore([declaration], "container \(name), draining") { () throws(ControlError) in
                try drain(Named(name: name))
            }
        default: break
        }
    }

    /// Makes one call again. One that is refused now is tried again at the next start.
    private func restore(_ declarations: [Declaration], _ subject: String, _ call: () throws(ControlError) -> Void) {
        do throws(ControlError) {
            try call()
        } catch {
            logger.error("\(subject), which was declared before: \(error.message)")
            for declaration in declarations { state.keep(declaration) }
        }
    }

    /// Leaves out a container that has ended while nobody watched.
    private func forget(_ container: AddContainer.Parameters) {
        logger.info(
            "container \(container.name) ended while the daemon was away",
            metadata: .about(container: container.name, .ended))
        for path in [container.netns.flatMap(ResolverFiles.path(forNamespaceAt:)), container.resolvConf] {
            if let path { removeResolverFile(path) }
        }
    }
}

extension Attachment {
    /// Whether it is what was attached before: neither the namespace nor the process is another of the same name.
    fileprivate func isSame(as before: AttachedNamespace) -> Bool {
        cookie.rawValue == before.cookie && processStart == before.processStart
    }
}

extension ControlError {
    /// Whether it says that the namespace or the process is not there.
    fileprivate var isOfWhatHasEnded: Bool { ["NotANetworkNamespace", "NoSuchProcess"].contains(member) }
}
