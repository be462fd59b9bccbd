// Network namespaces need root.

import Foundation
import Testing

extension Trait where Self == ConditionTrait {
    /// Holds for who may make network namespaces; `make test` says so at once to who may not.
    static var needsRoot: Self { .enabled(if: geteuid() == 0, "network namespaces need root") }
}

extension Trait where Self == ConditionTrait {
    /// Holds in `make test-cluster`, which installs etcd and builds intercom-etcd.
    static var needsEtcd: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["INTERCOM_CLUSTER"] != nil,
            "a real etcd is run by make test-cluster alone")
    }
}
