// One change of what is declared, as the state directory keeps it: the call of the control socket that made it.

import ControlAPI
import Varlink

/// Where a container was attached: enough to tell whether it is still there after a restart of the daemon.
///
/// The numbers are those of one boot of the host.
struct AttachedNamespace: Codable, Equatable, Sendable {
    var container: String
    /// The namespace's inode, as in `net:[4026532201]`. It may be another's once this one has ended.
    var inode: UInt64
    /// The namespace's SO_NETNS_COOKIE, which is never another's.
    var cookie: UInt64
    /// When the process began by which it came, in clock ticks since the host started (proc_pid_stat(5) starttime).
    var processStart: UInt64?
}

/// A change that holds until another takes it back.
enum Declaration: Equatable, Sendable {
    case createNetwork(CreateNetwork.Parameters)
    case removeNetwork(String)
    case addContainer(AddContainer.Parameters)
    /// Follows ``addContainer(_:)`` where the container has a namespace here.
    case attach(AttachedNamespace)
    /// By a call, or because it has ended.
    case removeContainer(String)
    case connect(Connect.Parameters)
    case disconnect(Disconnect.Parameters)
    case drainContainer(String)
    case readyContainer(String)

    /// The method of ``attach(_:)``: it is no call, and stands among calls.
    private static let attachMethod = "intercom.State.Attach"

    /// A Varlink message without its NUL: one line of JSON.
    var message: [UInt8] {
        switch self {
        case .createNetwork(let parameters): Self.encode(CreateNetwork.name, parameters)
        case .removeNetwork(let name): Self.encode(RemoveNetwork.name, Named(name: name))
        case .addContainer(let parameters): Self.encode(AddContainer.name, parameters)
        case .attach(let namespace): Self.encode(Self.attachMethod, namespace)
        case .removeContainer(let name): Self.encode(RemoveContainer.name, Named(name: name))
        case .connect(let parameters): Self.encode(Connect.name, parameters)
        case .disconnect(let parameters): Self.encode(Disconnect.name, parameters)
        case .drainContainer(let name): Self.encode(DrainContainer.name, Named(name: name))
        case .readyContainer(let name): Self.encode(ReadyContainer.name, Named(name: name))
        }
    }

    /// Nil where the message is no declaration that this version knows.
    init?(message: [UInt8]) {
        guard let call = try? VarlinkCall(message: message) else { return nil }
        do throws(InvalidParameter) {
            switch call.method {
            case CreateNetwork.name: self = .createNetwork(try call.parameters(CreateNetwork.Parameters.self))
            case RemoveNetwork.name: self = .removeNetwork(try call.parameters(Named.self).name)
            case AddContainer.name: self = .addContainer(try call.parameters(AddContainer.Parameters.self))
            case Self.attachMethod: self = .attach(try call.parameters(AttachedNamespace.self))
            case RemoveContainer.name: self = .removeContainer(try call.parameters(Named.self).name)
            case Connect.name: self = .connect(try call.parameters(Connect.Parameters.self))
            case Disconnect.name: self = .disconnect(try call.parameters(Disconnect.Parameters.self))
            case DrainContainer.name: self = .drainContainer(try call.parameters(Named.self).name)
            case ReadyContainer.name: self = .readyContainer(try call.parameters(Named.self).name)
            default: return nil
            }
        } catch {
            return nil
        }
    }

    private static func encode(_ method: String, _ parameters: some Encodable) -> [UInt8] {
        VarlinkCall.encode(method: method, parameters: parameters).dropLast()
    }
}
