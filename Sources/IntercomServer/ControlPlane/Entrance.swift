// Entering namespaces: what has to be known before a container is attached, and what is made inside.

import ControlAPI
import LinuxNet
import Registry
import SystemPackage

/// A namespace that may be attached, and what of it was not there before.
struct Entrance: ~Copyable {
    let identity: NamespaceIdentity
    let cookie: NamespaceCookie
    /// The process by which it was reached, and when it began.
    var process: ProcessDescriptor?
    let processStart: UInt64?
    /// Nil where it is served already, or ``refusal`` says why it cannot be.
    var listener: ListenerSockets?
    /// Whether the service manager keeps it already.
    var isKept = false
    var refusal: LinuxError?
    /// What leads port 53 to the listener, and tells when it is removed.
    var redirection: NewRedirection?
    /// What listening to its links takes; nil where that is done already.
    var opened: OpenedNamespace?
}

/// A namespace that may be entered.
private struct Approach {
    let identity: NamespaceIdentity
    /// Whether its listener has another port than 53, which is led there.
    var isRedirected: Bool
    /// The process by which it was reached, and when it began.
    var process: Handover<ProcessDescriptor>?
    let processStart: UInt64?
    /// The cookie and the listener that are known.
    var cookie: NamespaceCookie?
    var listener: Handover<ListenerSockets>?
    /// Nil where there is nothing to do inside.
    var errand: NamespaceErrand?
}

extension ControlPlane {
    /// Enters a namespace and makes what it lacks.
    /// - Parameters:
    ///   - isRedirected: whether its listener is to have another port than 53, which is led there.
    ///   - container: who is attached there already, and lacks something.
    func enter(
        _ source: NamespaceSource, isRedirected: Bool, again container: ContainerID? = nil
    ) throws(ControlError) -> Entrance {
        guard let entrance = try enter([source], isRedirected: isRedirected, again: container).first?.get().take()
        else {
            throw .cannotEnter(source, nil)
        }
        return entrance
    }

    /// Enters many namespaces, one after another.
    /// - Returns: what came of each, in their order.
    func enter(
        _ sources: [NamespaceSource], isRedirected: Bool, again container: ContainerID? = nil
    ) -> [Result<Handover<Entrance>, ControlError>] {
        let approaches = sources.map { source in
            Result { () throws(ControlError) in
                try approach(source, isRedirected: isRedirected, again: container)
            }
        }
        opener.open(approaches.compactMap { (try? $0.get())?.errand })
        return zip(sources, approaches).map { source, approach in
            Result { () throws(ControlError) in Handover(try enter(try approach.get(), source)) }
        }
    }

    /// Finds out what a namespace lacks.
    private func approach(
        _ source: NamespaceSource, isRedirected: Bool, again known: ContainerID?
    ) throws(ControlError) -> Approach {
        let process = try openProcess(of: source)
        let opened = try openNamespace(at: source, process)
        let identity = opened.namespace.identity
        if identity == hostIdentity { throw .hostNamespace(source.description) }
        let container = containerOfNamespace[identity]
        if container != known, let declared = container.flatMap({ registry[$0]?.declared }) {
            throw .namespaceInUse(source.description, by: declared.name)
        }
        var approach = Approach(identity: identity, isRedirected: isRedirected, processStart: opened.processStart)
        if let process { approach.process = Handover(process) }
        let attachment = container.flatMap { attachments[$0] }
        approach.cookie = attachment?.cookie
        let address = isRedirected ? Self.listenerAddress.withPort(0) : Self.listenerAddress
        if attachment == nil, let kept = storedListeners.take(identity) {
            approach.cookie = NamespaceCookie(rawValue: kept.cookie)
            // It goes on as it was; what is wanted now is seen to once all is declared (``changeKeptListeners()``).
            approach.isRedirected = (try? kept.udp.localAddress()) != Self.listenerAddress
            approach.listener = Handover(kept)
        }
        let isServed =
            attachment.map { $0.refusal == nil && ($0.redirection != nil) == isRedirected }
            ?? (approach.listener != nil)
        if isServed, !isDiscovering || attachment?.number != nil { return approach }
        approach.errand = NamespaceErrand(
            in: opened.takeNamespace(), listener: isServed ? nil : address,
            receiveBuffer: kernel?.roomOfNamespace ?? nil)
        return approach
    }

    /// Takes what was made inside.
    private func enter(_ approach: Approach, _ source: NamespaceSource) throws(ControlError) -> Entrance {
        var opened: OpenedNamespace?
        do throws(LinuxError) {
            opened = try approach.errand?.take()
        } catch {
            throw .cannotEnter(source, error)
        }
        guard let cookie = approach.cookie ?? (opened?.cookie).map({ NamespaceCookie(rawValue: $0) }) else {
            throw .cannotEnter(source, nil)
        }
        let listener = approach.listener?.take() ?? opened?.listener.take()
        var entrance = Entrance(
            identity: approach.identity, cookie: cookie, process: approach.process?.take(),
            processStart: approach.processStart, listener: listener, isKept: approach.listener != nil,
            refusal: opened?.refusal, opened: opened)
        if approach.isRedirected { entrance.redirection = try redirect(source, entrance) }
        return entrance
    }

    /// Leads port 53 of a namespace to the listener that was made there; nil where none was.
    private func redirect(
        _ source: NamespaceSource, _ entrance: borrowing Entrance
    ) throws(ControlError) -> NewRedirection? {
        do throws(LinuxError) {
            let port: UInt16
            switch entrance.listener {
            case .some(let listener): port = try listener.udp.localAddress().port
            case .none: return nil
            }
            let rules = PortRedirection.ofListener(at: port)
            let namespace = try source.openNamespace(of: entrance.process, by: opener).takeNamespace()
            guard namespace.identity == entrance.identity else {
                throw LinuxError(call: "open", errno: .noSuchFileOrDirectory, subject: source.description)
            }
            return NewRedirection(rules, try opener.set(rules, in: namespace), by: opener)
        } catch {
            throw error.kind == .noNftables
                ? .noNftables(namespace: source.description, reason: error.description)
                : .operationFailed(reason: "port 53 of \(source) cannot be redirected: \(error)")
        }
    }

    // MARK: - Ways in

    /// The process by which a container came; nil where it came by the path of a file.
    private func openProcess(of source: NamespaceSource) throws(ControlError) -> ProcessDescriptor? {
        guard let pid = source.process else { return nil }
        do throws(LinuxError) {
            return try ProcessDescriptor(pid: pid)
        } catch {
            throw error.kind == .noSuchProcess
                ? .noSuchProcess(pid: Int(pid)) : .operationFailed(reason: "\(source) cannot be watched: \(error)")
        }
    }

    private func openNamespace(
        at source: NamespaceSource, _ process: borrowing ProcessDescriptor?
    ) throws(ControlError) -> SourceNamespace {
        do throws(LinuxError) {
            return try source.openNamespace(of: process, by: opener)
        } catch {
            switch (error.kind, source) {
            case (.noSuchProcess, .pid(let pid)): throw .noSuchProcess(pid: Int(pid))
            case (.notANetworkNamespace, _):
                throw .notANetworkNamespace(path: source.description, reason: "it is something else")
            default:
                throw error.isOfWhatIsNotThere
                    ? .notANetworkNamespace(path: source.description, reason: "\(error.errno)")
                    : .cannotEnter(source, error)
            }
        }
    }
}

extension LinuxError {
    /// Whether a path leads nowhere; else what it leads to may be there.
    fileprivate var isOfWhatIsNotThere: Bool {
        [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .fileNameTooLong].contains(errno)
    }
}

extension ControlError {
    /// Why a namespace has no listener.
    static func noListener(in source: NamespaceSource, _ refusal: LinuxError) -> ControlError {
        refusal.errno == .addressInUse
            ? .portInUse(namespace: source.description, address: ControlPlane.listenerAddress.description)
            : .operationFailed(reason: "\(source) cannot be given a listener: \(refusal)")
    }

    fileprivate static func cannotEnter(_ source: NamespaceSource, _ error: LinuxError?) -> ControlError {
        .operationFailed(reason: "\(source) cannot be entered\(error.map { ": \($0)" } ?? "")")
    }
}
