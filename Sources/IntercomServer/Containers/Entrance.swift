// Entering a namespace: opened, checked, and given what it lacks, by the opener and on a thread of a request.

import Attachment
import ControlAPI
import LinuxNet
import SystemPackage

/// A namespace that was entered, and the descriptors that came of it.
struct Entrance: ~Copyable, Sendable {
    let identity: NamespaceIdentity
    /// The process by which it was reached, and when it began.
    var process: ProcessDescriptor?
    let processStart: UInt64?
    /// Nil where none was asked for, the service manager has kept one, or ``refusal`` says why there is none.
    var listener: ListenerSockets?
    var refusal: LinuxError?
    /// The socket by which its links are observed, with the numbers of both namespaces; nil: nobody entered.
    var opened: OpenedNamespace?
    let cookie: UInt64?
}

/// Why a namespace was not entered.
struct EntranceFailure: Error, Sendable {
    let kind: Failure.Kind
    let error: ControlError

    var failure: Failure { Failure(kind, error.message) }

    /// The opener has not answered in time.
    static func late(_ source: NamespaceSource) -> EntranceFailure {
        EntranceFailure(
            kind: .openerAway,
            error: .operationFailed(reason: "\(source) cannot be entered: the opener does not answer"))
    }
}

/// A request to enter a namespace. It is carried out on a thread of ``OpenerRequests``.
struct EntranceRequest: Sendable {
    let source: NamespaceSource
    /// The port of the listener that it is to get; nil: none.
    let port: PortChoice?
    /// Octets of notifications that may wait in its netlink socket; nil: that one only answers.
    let receiveBuffer: Int32?
    /// The host's namespace, which is never entered.
    let host: NamespaceIdentity?
    /// Inodes of namespaces whose listeners the service manager has kept: these need no opener.
    let kept: Set<UInt64>
    /// The namespace that a process had when its container was declared.
    let before: AttachedNamespace?

    /// Enters the namespace.
    func carryOut(by opener: any Opener) -> Result<Handover<Entrance>, EntranceFailure> {
        do throws(EntranceFailure) {
            return .success(Handover(try enter(by: opener)))
        } catch {
            return .failure(error)
        }
    }

    private func enter(by opener: any Opener) throws(EntranceFailure) -> Entrance {
        let process = try openProcess()
        if let known = knownEntrance(process) {
            return Entrance(
                identity: known, process: process, processStart: before?.processStart, listener: nil, refusal: nil,
                opened: nil, cookie: nil)
        }
        let namespace = try openNamespace(of: process, by: opener)
        let identity = namespace.namespace.identity
        let start = namespace.processStart
        // The daemon's own; and where that is a container itself, the machine's.
        if identity == host || identity == NamespaceIdentity.ofFirstProcess {
            throw EntranceFailure(kind: .forbidden, error: .hostNamespace(source.description))
        }
        if kept.contains(identity.inode) {
            return Entrance(
                identity: identity, process: process, processStart: start, listener: nil, refusal: nil, opened: nil,
                cookie: nil)
        }
        let address = Containers.listenerAddress
        let errand = NamespaceErrand(
            in: namespace.takeNamespace(), listener: port.map { $0 == .redirected ? address.withPort(0) : address },
            takesAnyPort: port == .automatic, receiveBuffer: receiveBuffer)
        opener.open([errand])
        do throws(LinuxError) {
            var opened = try errand.take()
            let listener = opened.listener.take()
            return Entrance(
                identity: identity, process: process, processStart: start, listener: listener,
                refusal: opened.refusal, opened: opened, cookie: nil)
        } catch {
            throw EntranceFailure(error, cannotEnter: source)
        }
    }

    /// The namespace of a process that was attached before, and whose listener is kept: no opener is needed to know it.
    private func knownEntrance(_ process: borrowing ProcessDescriptor?) -> NamespaceIdentity? {
        guard case .pid = source, let before, kept.contains(before.inode), let host,
            let start = try? process?.start(), start == before.processStart
        else { return nil }
        return NamespaceIdentity(device: host.device, inode: before.inode)
    }

    private func openProcess() throws(EntranceFailure) -> ProcessDescriptor? {
        guard let pid = source.process else { return nil }
        do throws(LinuxError) {
            return try ProcessDescriptor(pid: pid)
        } catch {
            throw error.kind == .noSuchProcess
                ? EntranceFailure(kind: .notThere, error: .noSuchProcess(pid: Int(pid)))
                : EntranceFailure(
                    kind: .refused, error: .operationFailed(reason: "\(source) cannot be watched: \(error)"))
        }
    }

    private func openNamespace(
        of process: borrowing ProcessDescriptor?, by opener: any Opener
    ) throws(EntranceFailure) -> SourceNamespace {
        do throws(LinuxError) {
            return try source.openNamespace(of: process, by: opener)
        } catch {
            switch (error.kind, source) {
            case (.noSuchProcess, .pid(let pid)):
                throw EntranceFailure(kind: .notThere, error: .noSuchProcess(pid: Int(pid)))
            case (.hostNamespace, _):
                throw EntranceFailure(kind: .forbidden, error: .hostNamespace(source.description))
            case (.notANetworkNamespace, _):
                let kind = NetworkNamespace.kindOfOtherFile(at: source.description) ?? "another file"
                throw EntranceFailure(
                    kind: .notThere,
                    error: .notANetworkNamespace(
                        path: source.description, reason: "it is \(kind); expected one, as /run/netns/web"))
            default:
                guard error.isOfWhatIsNotThere else { throw EntranceFailure(error, cannotEnter: source) }
                throw EntranceFailure(
                    kind: .notThere,
                    error: .notANetworkNamespace(path: source.description, reason: "\(error.errno)"))
            }
        }
    }
}

extension EntranceFailure {
    fileprivate init(_ error: LinuxError, cannotEnter source: NamespaceSource) {
        self.init(
            kind: error.kind == .openerAway ? .openerAway : .refused,
            error: .operationFailed(reason: "\(source) cannot be entered: \(error)"))
    }
}

extension LinuxError {
    /// True when a path leads nowhere; else what it leads to may be there.
    fileprivate var isOfWhatIsNotThere: Bool {
        [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .fileNameTooLong].contains(errno)
            && kind != .openerAway
    }
}

extension ControlError {
    /// Why a namespace has no listener.
    static func noListener(in source: NamespaceSource, _ refusal: LinuxError) -> ControlError {
        refusal.errno == .addressInUse
            ? .portInUse(namespace: source.description, address: Containers.listenerAddress.description)
            : .operationFailed(reason: "\(source) cannot be given a listener: \(refusal)")
    }
}

extension NamespaceKey {
    init(_ identity: NamespaceIdentity) { self.init(device: identity.device, inode: identity.inode) }
}

extension NamespaceIdentity {
    init(_ key: NamespaceKey) { self.init(device: key.device, inode: key.inode) }
}
