// Network namespaces need root.

import Foundation
import Testing

extension Trait where Self == ConditionTrait {
    /// Holds for who may make network namespaces; `make test` says so at once to who may not.
    static var needsRoot: Self { .enabled(if: geteuid() == 0, "network namespaces need root") }
}
