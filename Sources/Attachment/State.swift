// The states of a container that users see, each with its reason and its cure.

/// State of a container's listener, as `container ls` and `explain` show it.
package enum State: Sendable, Equatable {
    /// Its programs are answered.
    case ready
    /// Answered, but left out of names that others serve, too.
    case draining
    /// No listener serves it.
    case noListener(Failure)
    /// A machine elsewhere, with fixed addresses: it has no namespace here that a listener could serve.
    case elsewhere
    /// It has a listener, but questions of its programs arrive elsewhere or nowhere.
    case unheard(Unheard)
    /// It has a listener, but questions to its resolver addresses cannot be led there.
    case notIntercepted(Failure)
    /// Its resolv.conf names other servers.
    case notAsked(OtherServers)
    /// The opener is at work on it.
    case starting
    /// It has a listener; the first proof that this is heard is under way.
    case proving
    /// It has a listener; whether that is heard cannot be tried.
    case untried(Failure)
    /// It is gone; shown for ten minutes.
    case ended(String)

    /// The word for it in tables and JSON.
    package var word: String {
        switch self {
        case .ready: "ready"
        case .draining: "draining"
        case .noListener, .elsewhere: "no listener"
        case .unheard, .notIntercepted: "unheard"
        case .notAsked: "not asked"
        case .starting, .proving, .untried: "starting"
        case .ended: "ended"
        }
    }

    /// Why it is not ready; nil where there is nothing to say.
    package var reason: String? {
        switch self {
        case .ready, .draining: nil
        case .starting: "its namespace is being entered"
        case .noListener(let failure): failure.description
        case .elsewhere: "it has no namespace on this machine"
        case .proving: "its first question is on its way to its listener"
        case .untried(let failure): "it is not known whether its questions reach its listener: \(failure)"
        case .unheard(let unheard): unheard.description
        case .notIntercepted(let failure): failure.description
        case .notAsked(let servers): servers.reason
        case .ended(let why): why
        }
    }

    /// Remedy, beside the attempts that go on by themselves; nil: there is nothing to do.
    package var cure: String? {
        switch self {
        case .ready, .draining, .starting, .proving, .elsewhere, .ended: nil
        case .noListener(let failure), .untried(let failure), .notIntercepted(let failure): failure.cure
        case .unheard(let unheard): unheard.cure
        case .notAsked(let servers): servers.cure
        }
    }
}

extension Failure {
    /// The command or change that mends it.
    package var cure: String? {
        switch kind {
        case .portTaken: "add it with --listen redirect, or end the program on port 53"
        case .openerAway: "start intercom-opener.socket"
        case .notThere: "nothing until its namespace appears"
        case .forbidden, .refused: nil
        }
    }
}
