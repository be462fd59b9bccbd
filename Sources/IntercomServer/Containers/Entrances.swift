// Requests to enter namespaces: each is carried out on a thread of its own, and one that was slow stands behind others.

import Attachment
import LinuxNet

/// Has the opener enter namespaces.
final class Entrances {
    /// Result of a request.
    typealias Result = Swift.Result<Handover<Entrance>, EntranceFailure>

    let requests: OpenerRequests
    /// Listeners that the last daemon left with the service manager.
    var storedListeners: StoredListeners
    /// The namespace that the daemon is in; no container is there.
    private let host: NamespaceIdentity?
    private let gathering = GatheredRequests<EntranceRequest, Result>(atMost: OpenerCalls.maximumNamespaces) {
        EntranceRequest.carryOut($0, by: $1)
    }
    /// Ways in that were slow the last time.
    private var slow: Set<NamespaceSource> = []

    /// - Parameters:
    ///   - requests: carries out calls of the opener.
    ///   - storedListeners: listeners that the last daemon left with the service manager.
    init(by requests: OpenerRequests, _ storedListeners: consuming StoredListeners) {
        self.requests = requests
        self.storedListeners = storedListeners
        host = try? NetworkNamespace.current().identity
    }

    /// Enters a namespace.
    /// - Parameters:
    ///   - source: the way in.
    ///   - port: the port of the listener that it is to get; nil: none.
    ///   - receiveBuffer: octets of notifications that may wait in its netlink socket; nil: that one only answers.
    ///   - kept: inodes of namespaces whose listeners the service manager has kept.
    ///   - before: the namespace that a process had when its container was declared.
    ///   - done: is told what came of it, once.
    func enter(
        _ source: NamespaceSource, port: PortChoice?, receiveBuffer: Int32?, kept: Set<UInt64>,
        before: AttachedNamespace?, done: @escaping (Result) -> Void
    ) {
        let request = EntranceRequest(
            source: source, port: port, receiveBuffer: receiveBuffer, host: host, kept: port == nil ? [] : kept,
            before: before)
        let late = { [self] in
            slow.insert(source)
            done(.failure(.late(source)))
        }
        let ended = { [self] (result: Result) in
            note(result, of: source)
            done(result)
        }
        if slow.contains(source) {
            requests.request(
                isSlow: true, { EntranceRequest.carryOut([request], by: $0)[0] }, late: late, done: ended)
        } else {
            requests.request(request, together: gathering, late: late, done: ended)
        }
    }

    /// One that the opener has not answered may have held up others that were asked with it: it is asked alone the next time,
    /// and so are they.
    private func note(_ result: Result, of source: NamespaceSource) {
        if case .failure(let failure) = result, failure.kind == .openerAway {
            slow.insert(source)
        } else if !slow.isEmpty {
            slow.remove(source)
        }
    }
}
