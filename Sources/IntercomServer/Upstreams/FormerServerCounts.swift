// Former servers of all containers, counted by what is known of them.

import DNSWire
import Forwarding

/// Number of containers whose former servers are in each condition.
struct FormerServerCounts: Equatable {
    /// Condition of one container's former servers.
    enum Condition: Equatable {
        /// One has answered, and has not failed since.
        case answering
        /// None has been asked yet.
        case untried
        /// There is none that can be asked, or each has failed since its last answer.
        case failing

        /// - Parameters:
        ///   - servers: those that workers may ask.
        ///   - reports: what workers have found out about them.
        init(_ servers: [ServerAddress], _ reports: [UpstreamReport]) {
            if servers.isEmpty {
                self = .failing
            } else if reports.contains(where: { $0.roundTrip != nil && $0.failures == 0 && !$0.isAvoided }) {
                self = .answering
            } else if Set(reports.filter { $0.failures > 0 || $0.isAvoided }.map(\.server)).isSuperset(of: servers) {
                self = .failing
            } else {
                self = .untried
            }
        }
    }

    private(set) var answering = 0
    private(set) var untried = 0
    private(set) var failing = 0

    /// Counts one container.
    mutating func add(_ condition: Condition) {
        switch condition {
        case .answering: answering += 1
        case .untried: untried += 1
        case .failing: failing += 1
        }
    }
}
