// Completions of a shell: names of networks and containers, from the daemon, while the line is typed.

import ArgumentParser
import ControlAPI

extension CompletionKind {
    /// Names of networks.
    static var networks: CompletionKind {
        .custom { words, _, _ in
            names(of: ListNetworks.self, Nothing(), words) { $0.networks.filter { $0.continued != true }.map(\.name) }
        }
    }

    /// Names of containers.
    static var containers: CompletionKind {
        .custom { words, _, _ in names(of: ListContainers.self, .init(), words) { $0.containers.map(\.name) } }
    }

    /// Names that have records.
    static var records: CompletionKind {
        .custom { words, _, _ in
            Set(names(of: ListRecords.self, Nothing(), words) { $0.records.map(\.name) }).sorted()
        }
    }

    /// Names of policies.
    static var policies: CompletionKind {
        .custom { words, _, _ in names(of: ListPolicies.self, Nothing(), words) { $0.policies.map(\.name) } }
    }

    /// Names of sources.
    static var sources: CompletionKind {
        .custom { words, _, _ in names(of: ListSources.self, Nothing(), words) { $0.sources.map(\.name) } }
    }

    /// None where there is no daemon: a shell shows no errors.
    private static func names<Method: ControlMethod>(
        of method: Method.Type, _ parameters: Method.Parameters, _ words: [String],
        _ take: (Method.Reply) -> [String]
    ) -> [String] {
        do throws(Failure) {
            let client = try ControlClient(socket: socket(in: words))
            return try client.allReplies(to: method, parameters).flatMap(take).sorted()
        } catch {
            return []
        }
    }

    /// The socket that the line names.
    private static func socket(in words: [String]) -> String {
        for (word, next) in zip(words, words.dropFirst()) where word == "--socket" { return next }
        return words.first { $0.hasPrefix("--socket=") }.map { String($0.dropFirst(9)) } ?? CommonOptions.defaultSocket
    }
}
