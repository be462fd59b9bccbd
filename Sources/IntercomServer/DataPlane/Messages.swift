// Messages between the control plane and a worker; each has a mailbox.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry
import Synchronization

/// Carries something that cannot be copied (sockets) through a mailbox: it is taken out once.
final class Handover<Cargo: ~Copyable>: Sendable {
    private let cargo: Mutex<Cargo?>

    init(_ cargo: consuming sending Cargo) {
        self.cargo = Mutex(consume cargo)
    }

    /// The cargo; nil when it was taken before.
    func take() -> sending Cargo? {
        cargo.withLock { $0.take() }
    }
}

/// Settings that all answers of a worker have in common; from the configuration.
struct ServerSettings: Sendable {
    /// The domain that is ours, `internal` by default.
    var domain: Name
    /// Names that the host has on each network.
    var hostNames: [Name] = []
    /// Seconds that negative and special answers of ours may be cached.
    var ttl: UInt32
    /// True when single-label names may go upstream.
    var forwardsSingleLabels: Bool
    /// True when names under `local` may go upstream.
    var forwardsLocal: Bool
    /// The answer to CHAOS `version.bind` and `version.server`; empty: refused.
    var version: String
    /// The answer to CHAOS `id.server` and `hostname.bind`; empty: refused.
    var identity: String
    /// True when names are sent to upstreams in a random spelling.
    var randomizesCase: Bool
    /// Rules of each worker's cache.
    var cache: CachePolicy
}

/// A small change or a question for one worker.
enum WorkerMessage: Sendable {
    case directory([DirectoryChange])
    case settings(ServerSettings)
    case upstreams(group: UInt32, UpstreamList?)
    /// The servers that a view had before us; none: it has none any more.
    case formerServers(ViewID, [ServerAddress])
    /// The gate of a view; nil: it has none.
    case gate(ViewID, GateState?)
    /// A connection to the opener's thread that lets addresses through gates.
    case admissions(Handover<Descriptor>)
    /// The tokens of the probes that tell loops, in place of those before.
    case probes([UInt64])
    /// An upstream that asks us: it is asked no more, until ``avoidNobody``.
    case avoid(UpstreamPlace)
    case avoidNobody
    /// A question with this token proves that the listener of a view is heard, if it arrives there.
    case expect(token: UInt128, ViewID)
    /// Nobody waits for that token any more.
    case forgetToken(UInt128)
    case listen(ViewID, Handover<ListenerSockets>)
    /// Closes both listeners of a view.
    case closeListener(ViewID)
    /// A further listener of a view, at ::1.
    case listenV6(ViewID, Handover<ListenerSockets>)
    case closeV6Listener(ViewID)
    /// A listener at an address of the host, with the view of sources that no container has.
    case listenAtGateway(Gateway, ViewID, Handover<ListenerSockets>)
    /// Changes what holds for such a listener.
    case gateway(Gateway)
    case closeGateway(UInt32)
    /// The first question of this view at a gateway comes back as ``WorkerReply/guestAsked(_:)``.
    case awaitGuest(ViewID)
    /// Sockets that ``WorkerReply/needsSockets(_:_:count:)`` asked for; none: they cannot be had.
    case sockets(ViewID, SocketKind, Handover<SocketBatch>)
    /// The answer that this view would get; comes back as ``WorkerReply/resolved(token:_:)``.
    case resolve(token: UInt64, view: ViewID, query: [UInt8])
    /// Everything sent before is in force once ``WorkerReply/reached(token:)`` comes back.
    case fence(token: UInt64)
    case counters(token: UInt64)
    /// Everything that is counted; comes back as ``WorkerReply/measured(token:_:)``.
    case measure(token: UInt64, perContainer: Bool)
    /// Addresses that containers may reach; the counts come back as ``WorkerReply/gates(token:_:)``.
    case countGates(token: UInt64)
    /// Questions of these containers are observed, and no others; with their answers on the wire or without.
    case observe(ObservedViews, withMessages: Bool)
    /// The questions that were observed; come back as ``WorkerReply/questions(token:_:)``.
    case takeQuestions(token: UInt64)
    /// Forgets kept answers; how many comes back as ``WorkerReply/flushed(token:_:)``.
    case flush(token: UInt64, CacheSelection)
    /// Describes kept answers, at most so many; they come back as ``WorkerReply/kept(token:_:)``.
    case listKept(token: UInt64, CacheSelection, limit: Int)
    case stop
}

/// A message of a worker to the control plane.
enum WorkerReply: Sendable {
    case reached(token: UInt64)
    case resolved(token: UInt64, Resolution)
    case counters(token: UInt64, WorkerCounters)
    case measured(token: UInt64, WorkerMeasures)
    case gates(token: UInt64, [ViewID: GateCounters])
    case questions(token: UInt64, ObservedQuestions)
    case flushed(token: UInt64, Int)
    case kept(token: UInt64, KeptAnswers)
    /// Not asked for: upstreams are to be asked from a container's namespace, and there are no sockets.
    case needsSockets(ViewID, SocketKind, count: Int)
    /// Not asked for: no upstream had an answer to a question. The servers are those that the view has asked from its own
    /// namespace; it is nil where the question was no container's.
    case unanswered(ViewID?, [ServerAddress])
    /// Not asked for: none of the former servers of a view can be reached where it is thought to be.
    case formerServersLost(ViewID)
    /// Not asked for: the question of a probe has come to a listener of ours.
    case looped(token: UInt64)
    /// Not asked for: a question with a token that is expected has come to the listener where it is.
    case heard(token: UInt128)
    /// Not asked for: a socket of the listener was destroyed in its namespace (`ss -K`), and serves again.
    case listenerRepaired(ViewID)
    /// Not asked for: the listener cannot serve any more and is closed; it has to be made anew.
    case listenerFailed(ViewID, LinuxError)
    /// Not asked for: a gateway's listener cannot serve any more and is closed; it has to be made anew.
    case gatewayFailed(UInt32, LinuxError)
    /// A guest that is waited for has asked its first question.
    case guestAsked(ViewID)
    /// Not asked for: questions that policies have denied, and the number of further ones.
    case denied([PolicyNote], leftOut: Int)
    /// Not asked for: an address could not be let through the gate of a view.
    case gateFailed(ViewID, errno: Int32)
    /// Not asked for: addresses of a view have made room for others.
    case gateMadeRoom(ViewID)
    /// Not asked for: the connection of ``WorkerMessage/admissions(_:)`` is lost.
    case admissionsLost(worker: Int)
    /// Not asked for: something to be logged.
    case log(LogEvent, LogBacklog)
    /// Not asked for, and the last that is said: the worker's thread ends, because it cannot wait for events.
    case ended(worker: Int, LinuxError)

    /// Of the question that this answers; nil where nobody asked.
    var token: UInt64? {
        switch self {
        case .reached(let token), .resolved(let token, _), .counters(let token, _), .measured(let token, _),
            .gates(let token, _), .questions(let token, _), .flushed(let token, _), .kept(let token, _):
            token
        case .needsSockets, .unanswered, .formerServersLost, .looped, .heard, .listenerRepaired, .listenerFailed,
            .gatewayFailed, .guestAsked, .denied, .gateFailed, .gateMadeRoom, .admissionsLost, .log, .ended:
            nil
        }
    }
}

/// The data plane's decision on a question of the control plane's.
enum Decision: Sendable, Equatable {
    /// A rule answered.
    case answered(AnswerSource)
    /// Upstreams of this group have answered, now or before.
    case forwarded(group: UInt32)
    /// It is dropped: nobody gets an answer.
    case dropped
}

/// An answer and who gave it.
struct Resolution: Sendable {
    var message: [UInt8]
    var source: String
    /// The rule, or the group of upstreams.
    var decision: Decision

    /// True for a kept answer, in its life or past it.
    let isFromCache: Bool

    /// - Parameters:
    ///   - message: the answer.
    ///   - source: who gave it, in words.
    ///   - decision: the same as a value.
    ///   - route: the domain of the route that the question takes.
    init(message: [UInt8], source: String, _ decision: Decision, route: Name? = nil) {
        self.message = message
        isFromCache = source.hasPrefix("cache")
        self.source = route.map { "route \($0) → \(source)" } ?? source
        self.decision = decision
    }
}
