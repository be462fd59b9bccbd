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

/// A request to enter a namespace. It is carried out on a thread of ``OpenerRequests``, with others where many wait.
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

    /// Enters namespaces, in one call of the opener.
    /// - Returns: what came of each request, in their order.
    static func carryOut(
        _ requests: [EntranceRequest], by opener: any Opener
    ) -> [Result<Handover<Entrance>, EntranceFailure>] {
        let begun = requests.map { request -> Result<Begun, EntranceFailure> in
            do throws(EntranceFailure) {
                return .success(try request.begin(by: opener))
            } catch {
                return .failure(error)
            }
        }
        let errands = begun.compactMap { (try? $0.get())?.errand }
        if !errands.isEmpty { opener.open(errands) }
        return zip(requests, begun).map { request, begun in
            do throws(EntranceFailure) {
                return .success(Handover(try request.end(try begun.get())))
            } catch {
                return .failure(error)
            }
        }
    }

    /// A namespace that is open, and its errand.
    private struct Begun {
        let identity: NamespaceIdentity
        let process: Handover<ProcessDescriptor>?
        let processStart: UInt64?
        /// Nil where no opener is needed.
        let errand: NamespaceErrand?
    }

    private func begin(by opener: any Opener) throws(EntranceFailure) -> Begun {
        let process = try openProcess()
        if let known = knownEntrance(process) {
            return Begun(
                identity: known, process: Self.handover(process), processStart: before?.processStart, errand: nil)
        }
        let namespace = try openNamespace(of: process, by: opener)
        let identity = namespace.namespace.identity
        let start = namespace.processStart
        // The daemon's own; and where that is a container itself, the machine's.
        if identity == host || identity == NamespaceIdentity.ofFirstProcess {
            throw EntranceFailure(kind: .forbidden, error: .hostNamespace(source.description))
        }
        if kept.contains(identity.inode) {
            return Begun(identity: identity, process: Self.handover(process), processStart: start, errand: nil)
        }
        let address = Containers.listenerAddress
        let errand = NamespaceErrand(
            in: namespace.takeNamespace(), listener: port.map { $0 == .redirected ? address.withPort(0) : address },
            takesAnyPort: port == .automatic, receiveBuffer: receiveBuffer)
        return Begun(identity: identity, process: Self.handover(process), processStart: start, errand: errand)
    }

    private static func handover(_ process: consuming ProcessDescriptor?) -> Handover<ProcessDescriptor>? {
        guard let process else { return nil }
        return Handover(process)
    }

    private func end(_ begun: Begun) throws(EntranceFailure) -> Entrance {
        let process = begun.process?.take()
        guard let errand = begun.errand else {
            return Entrance(
                identity: begun.identity, process: process, processStart: begun.processStart, listener: nil,
                refusal: nil, opened: nil, cookie: nil)
        }
        do throws(LinuxError) {
            var opened = try errand.take()
            let listener = opened.listener.take()
            return Entrance(
                identity: begun.identity, process: process, processStart: begun.processStart, listener: listener,
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
