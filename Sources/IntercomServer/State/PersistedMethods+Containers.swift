// Calls about containers as they are kept, and where each was attached.

import ControlAPI

extension Declarations.Subject {
    static func container(_ name: String) -> Self { Self("container", containerName(name)) }
    static func namespace(of container: String) -> Self { Self("namespace", containerName(container)) }
    static func draining(_ container: String) -> Self { Self("draining", containerName(container)) }

    /// A container's name without regard to case (RFC 4343). It is taken as it is: no octet of it is an escape.
    static func containerName(_ text: String) -> [UInt8] {
        text.utf8.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
    }
}

extension Declarations {
    /// Endpoints of a container that are kept on their own.
    fileprivate func endpoints(of container: String) -> [Subject] {
        subjects(Subject.endpoint, of: Subject.containerName(container))
    }
}

extension AddContainer: PersistedMethod {
    static var turn: RestoreTurn { .containers }

    /// A container that names its networks takes in those that it was connected to while the kernel alone showed it.
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        let name = parameters.name
        let endpoints = declarations.endpoints(of: name)
        var call = call
        if var networks = parameters.networks, !endpoints.isEmpty {
            for subject in endpoints {
                if let connection = declarations[subject]?.parameters(of: Connect.self) { networks.join(connection) }
                declarations.remove(subject)
            }
            var joined = parameters
            joined.networks = networks
            call = Declaration(Self.self, joined)
        }
        declarations.remove(.namespace(of: name))
        declarations.put(call, about: .container(name))
    }

    static func words(for parameters: Parameters) -> String { "container \(parameters.name)" }
}

/// No call, but what follows ``AddContainer`` where the container has a namespace here.
enum Attach: PersistedMethod {
    typealias Parameters = AttachedNamespace

    static let name = "intercom.State.Attach"
    static var turn: RestoreTurn { .containers }

    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        guard declarations[.container(parameters.container)] != nil else { return }
        declarations.put(call, about: .namespace(of: parameters.container))
    }
}

/// Namespace in which a container was attached: enough to tell whether it is still there after a restart of the
/// daemon.
///
/// The numbers are those of one boot of the host.
struct AttachedNamespace: Codable, Equatable, Sendable {
    var container: String
    /// The namespace's inode, as in `net:[4026532201]`. It may be another's once this one has ended.
    var inode: UInt64
    /// The namespace's SO_NETNS_COOKIE, which is never another's.
    var cookie: UInt64
    /// Start of the process by which it came, in clock ticks since the host started (proc_pid_stat(5) starttime).
    var processStart: UInt64?
}

/// A call, or the container's end.
extension RemoveContainer: PersistedMethod {
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        let name = parameters.name
        for subject in declarations.endpoints(of: name) { declarations.remove(subject) }
        for subject in [Declarations.Subject.container(name), .namespace(of: name), .draining(name)] {
            declarations.remove(subject)
        }
    }
}

extension DrainContainer: PersistedMethod {
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        guard declarations[.draining(parameters.name)] == nil else { return }
        declarations.put(call, about: .draining(parameters.name))
    }

    static func restore(_ parameters: Parameters, by plane: ControlPlane) throws(ControlError) {
        try change(plane, parameters)
    }

    static func container(of parameters: Parameters) -> String? { parameters.name }
    static func words(for parameters: Parameters) -> String { "container \(parameters.name), draining" }
}

extension ReadyContainer: PersistedMethod {
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        declarations.remove(.draining(parameters.name))
    }
}
