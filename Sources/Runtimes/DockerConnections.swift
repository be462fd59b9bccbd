// The connections to Docker's socket: they do what the watch wants done, and tell it what came.

import LinuxNet
import RuntimeWire

/// The stream of events and the requests that are under way.
final class DockerConnections {
    /// Docker's containers and networks, as far as they are known.
    private(set) var watch = DockerWatch()

    /// Time for a reply. Docker holds a container's lock while it starts or stops it, which takes seconds.
    private static let timeout = Duration.seconds(10)
    /// Time for a container to start, among many that do.
    private static let startTimeout = Duration.seconds(60)
    /// The most octets of a list.
    private static let listLimit = 32 << 20
    /// The most octets of one container: its labels and mounts may be many.
    private static let containerLimit = 4 << 20
    /// Octets of a refusal that are shown.
    private static let refusalLength = 200

    private let path: String
    private let poller: Poller
    private var exchanges: [UInt64: Running] = [:]
    /// Each connection has a number of its own: an event of one that was closed is nobody's.
    private var nextToken: UInt64

    /// A request that is under way.
    private final class Running {
        /// Nil: the stream of events.
        let question: DockerWatch.Question?
        let exchange: HTTPExchange
        /// Of the reply.
        var status: Int?
        var body: [UInt8] = []

        init(_ question: DockerWatch.Question?, _ exchange: HTTPExchange) {
            self.question = question
            self.exchange = exchange
        }
    }

    /// - Parameters:
    ///   - path: Docker's socket.
    ///   - poller: watches the connections.
    ///   - firstToken: numbers from here on are free.
    init(path: String, poller: Poller, firstToken: UInt64) {
        self.path = path
        self.poller = poller
        nextToken = firstToken
    }

    private var now: Duration { MonotonicTime.now.sinceStart }

    /// The time of the next ``advance()``.
    var deadline: MonotonicTime? {
        let replies = exchanges.values.compactMap { $0.exchange.deadline?.microseconds }
        let times = replies + [watch.deadline?.wholeMicroseconds].compactMap { $0.map { UInt64(clamping: $0) } }
        return times.min().map { MonotonicTime(microseconds: $0) }
    }

    /// Does what is due, and what the watch wants done.
    /// - Returns: what is to be published or logged.
    func advance() -> [DockerWatch.Effect] {
        let time = MonotonicTime.now.microseconds
        for (token, running) in exchanges {
            guard let deadline = running.exchange.deadline, deadline.microseconds <= time else { continue }
            fail(token, ExchangeFailure("\(path) does not answer"))
        }
        watch.advance(to: now)
        return carryOut()
    }

    /// Goes on with a connection that is ready.
    /// - Returns: what is to be published or logged.
    func proceed(_ token: UInt64) -> [DockerWatch.Effect] {
        guard let running = exchanges[token] else { return [] }
        do throws(ExchangeFailure) {
            if running.exchange.hasUnsent {
                try running.exchange.send()
                if !running.exchange.hasUnsent { try watchForReply(token, running.exchange) }
            }
            for part in try running.exchange.receive() { take(part, token) }
        } catch {
            fail(token, error)
        }
        return carryOut()
    }

    private func carryOut() -> [DockerWatch.Effect] {
        var others: [DockerWatch.Effect] = []
        while true {
            let effects = watch.takeEffects()
            if effects.isEmpty { return others }
            for effect in effects {
                switch effect {
                case .subscribe: start(nil, DockerRequests.events, limit: nil, Self.timeout)
                case .ask(let question): ask(question)
                case .closeAll: exchanges.removeAll()
                case .changed, .reread, .say: others.append(effect)
                }
            }
        }
    }

    private func ask(_ question: DockerWatch.Question) {
        let (limit, timeout) =
            switch question {
            case .networks, .containers: (Self.listLimit, Self.timeout)
            case .container: (Self.containerLimit, Self.timeout)
            case .starting: (Self.containerLimit, Self.startTimeout)
            }
        start(question, question.request, limit: limit, timeout)
    }

    private func start(
        _ question: DockerWatch.Question?, _ request: HTTPRequest, limit: Int?, _ timeout: Duration
    ) {
        do throws(ExchangeFailure) {
            let exchange = try HTTPExchange(request, to: path, limit: limit, timeout: timeout)
            let token = nextToken
            nextToken += 1
            do throws(LinuxError) {
                try poller.add(
                    exchange.descriptor, token: token,
                    interest: exchange.hasUnsent ? [.readable, .writable] : [.readable])
            } catch {
                throw ExchangeFailure("\(error)")
            }
            exchanges[token] = Running(question, exchange)
        } catch {
            tell(question, status: nil, error.description)
        }
    }

    private func watchForReply(_ token: UInt64, _ exchange: HTTPExchange) throws(ExchangeFailure) {
        do throws(LinuxError) {
            try poller.modify(exchange.descriptor, token: token, interest: [.readable])
        } catch {
            throw ExchangeFailure("\(error)")
        }
    }

    // MARK: - Responses

    private func take(_ part: HTTPResponseReader.Part, _ token: UInt64) {
        guard let running = exchanges[token] else { return }
        switch part {
        case .head(let head):
            running.status = head.status
            if running.question == nil, head.status == 200 {
                running.exchange.forgetDeadline()
                watch.subscribed(at: now)
            }
        case .body(let octets):
            if running.question == nil, running.status == 200 {
                watch.received(events: octets, at: now)
            } else {
                running.body += octets
            }
        case .end: end(token, running)
        }
    }

    private func end(_ token: UInt64, _ running: Running) {
        exchanges[token] = nil
        guard running.status == 200 else {
            let reason = DockerRefusal.text(running.body, atMost: Self.refusalLength)
            return tell(running.question, status: running.status, "Docker refused: \(running.status ?? 0) \(reason)")
        }
        if let question = running.question {
            watch.answered(question, running.body, at: now)
        } else {
            watch.failed("the stream of events has ended", at: now)
        }
    }

    private func fail(_ token: UInt64, _ failure: ExchangeFailure) {
        guard let running = exchanges.removeValue(forKey: token) else { return }
        tell(running.question, status: nil, failure.description)
    }

    private func tell(_ question: DockerWatch.Question?, status: Int?, _ reason: String) {
        if let question {
            watch.refused(question, status: status, reason: reason, at: now)
        } else {
            watch.failed(reason, at: now)
        }
    }
}
