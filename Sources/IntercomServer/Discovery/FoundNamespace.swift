// A path of `discover.namespaces`, and what came of it.

import LinuxNet
import Registry

/// A file where namespaces are looked for.
struct FoundNamespace {
    /// That of the file, of whatever kind it is.
    let identity: NamespaceIdentity
    /// The container that is called by this path; nil while there is none.
    var container: ContainerID?
    /// Why there is none, or why it has no listener.
    var problem: String?
    /// Whether that was logged.
    var isSaid = false
    /// Whether it may pass by itself, so that it is tried again.
    var mayPass = false

    init(_ identity: NamespaceIdentity) {
        self.identity = identity
    }
}
