// The log of questions: which of them are logged, and where to.

import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry

/// Writes questions of containers to the log or to a reader of dnstap, as the configuration says it for their networks.
final class QueryLog {
    private let logger: Logger
    private var settings = Configuration.Log()
    private var sink: DnstapSink?
    private let message = DnstapMessage(identity: QueryLog.hostName, version: Release.text)
    /// Number of questions that are missing in the log.
    private(set) var dropped = 0

    init(logger: Logger) {
        self.logger = logger
    }

    /// The host's name (uname(2)); empty where /proc is not mounted.
    private static var hostName: String {
        let text = try? Files.readText("/proc/sys/kernel/hostname", limit: 256)
        return (text ?? nil)?.split(separator: "\n").first.map(String.init) ?? ""
    }

    /// True when any question is logged.
    var isOn: Bool { settings.uses(.journal) || settings.uses(.dnstap) }

    /// True when answers have to be kept as they are on the wire.
    var needsMessages: Bool { settings.uses(.dnstap) }

    func configure(_ new: Configuration.Log) {
        settings = new
        guard new.uses(.dnstap) else {
            end()
            return
        }
        if sink?.path != new.dnstap {
            end()
            sink = DnstapSink(path: new.dnstap, logger: logger)
        }
    }

    /// Ends the stream of a reader.
    func end() {
        guard let sink else { return }
        sink.turn()
        sink.end()
        dropped += sink.dropped
        self.sink = nil
    }

    /// The questions that no reader got, those of the present one included.
    var droppedInAll: Int { dropped + (sink?.dropped ?? 0) }

    /// Logs what has been observed since the last turn.
    func write(_ observed: [ObservedQuestions], of registry: Registry, _ clock: WallClock) {
        sink?.turn()
        for questions in observed {
            for question in questions.questions { write(question, of: registry, clock) }
            for (view, count) in questions.missed where way(of: registry[ContainerID(of: view)], registry) != .off {
                dropped += count
            }
        }
        sink?.turn()
    }

    private func write(_ question: ObservedQuestion, of registry: Registry, _ clock: WallClock) {
        let container = registry[ContainerID(of: question.view)]
        let network = container?.endpoints.first.flatMap { registry[$0.network]?.name }
        switch way(of: container, registry) {
        case .off: return
        case .journal:
            let line = Monitor.Question(question, of: container?.name, clock)
            let asked = [line.name ?? "-", line.type ?? "-"].joined(separator: " ")
            logger.info(
                "\(container?.name ?? "-") asked \(asked) over \(line.transport): \(line.rcode), \(line.microseconds) µs, \(line.decidedBy)",
                metadata: .about(container: container?.name, network: network))
        case .dnstap:
            var extra: [String] = []
            if let container { extra.append("container=\(container.name)") }
            if let network { extra.append("network=\(network)") }
            sink?.send(message.encode(question, extra: extra.joined(separator: " "), clock))
        }
    }

    /// The way of a container's questions: that of its first network that has one of its own.
    private func way(of container: Registry.Container?, _ registry: Registry) -> QueryLogWay {
        guard !settings.networks.isEmpty, let container else { return settings.queries }
        for endpoint in container.endpoints {
            if let name = registry[endpoint.network]?.name, let way = settings.networks[name] { return way }
        }
        return settings.queries
    }
}

extension Configuration.Log {
    /// True where questions of any network are logged in a way.
    func uses(_ way: QueryLogWay) -> Bool { queries == way || networks.values.contains(way) }
}
