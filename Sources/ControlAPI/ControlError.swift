// Refusals of the daemon: a name and named parameters for programs, a sentence for people.

/// An error of `intercom.Control`.
package struct ControlError: Error, Equatable, Sendable {
    /// A parameter's value.
    package enum Value: Equatable, Sendable {
        /// Varlink's `string`.
        case string(String)
        /// Varlink's `int`.
        case int(Int)
        /// Varlink's `[]string`.
        case strings([String])
    }

    /// The error's name within the interface, as `NoSuchNetwork`.
    package let member: String
    /// Sentence for people: the failure, its subject, the remedy.
    package let message: String
    /// Subjects of the error, beside ``message``.
    package let parameters: [String: Value]

    /// - Parameters:
    ///   - member: the error's name within the interface.
    ///   - parameters: the subjects of the error.
    ///   - message: the sentence for people.
    init(_ member: String, _ parameters: [String: Value], _ message: String) {
        self.member = member
        self.parameters = parameters
        self.message = message
    }

    /// The error's full name on the wire.
    package var name: String { "\(ControlInterface.name).\(member)" }
}

/// Form on the wire: the parameters with `message` among them.
extension ControlError: Encodable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(message, forKey: Key(stringValue: "message"))
        for (name, value) in parameters {
            switch value {
            case .string(let value): try container.encode(value, forKey: Key(stringValue: name))
            case .int(let value): try container.encode(value, forKey: Key(stringValue: name))
            case .strings(let value): try container.encode(value, forKey: Key(stringValue: name))
            }
        }
    }
}

extension ControlError {
    /// All errors and their parameters in Varlink's interface definition language.
    static let definitions = """
        error NoSuchNetwork (message: string, network: string)
        error NoSuchContainer (message: string, container: string)
        error NoSuchRecord (message: string, record: string)
        error NoSuchPolicy (message: string, policy: string)
        # Users: some of the containers and networks that it holds for, in words.
        error PolicyInUse (message: string, policy: string, users: []string)
        # The record cannot stand beside those that its name has.
        error RecordConflict (message: string, record: string, reason: string)
        error NetworkExists (message: string, network: string)
        error ContainerExists (message: string, container: string)
        # Several networks, or containers, have this name: choices are what each is found by alone.
        error AmbiguousName (message: string, name: string, choices: []string)
        error InterfaceInUse (message: string, interface: string, network: string)
        # Nobody declared it: the kernel shows it, as this interface or at this path.
        error NotDeclared (message: string, name: string, origin: string)
        error NetworkInUse (message: string, network: string, containers: []string)
        error AlreadyConnected (message: string, container: string, network: string)
        error NotConnected (message: string, container: string, network: string)
        error InvalidName (message: string, name: string, reason: string)
        error InvalidAddress (message: string, address: string, reason: string)
        error AddressInUse (message: string, address: string, network: string, container: string)
        error InvalidValue (message: string, parameter: string, value: string, reason: string)
        # More than one call may declare of something.
        error TooMany (message: string, parameter: string, count: int, limit: int)
        error NotANetworkNamespace (message: string, path: string, reason: string)
        error NoSuchProcess (message: string, pid: int)
        error HostNamespace (message: string, namespace: string)
        error NamespaceInUse (message: string, namespace: string, container: string)
        error PortInUse (message: string, namespace: string, address: string)
        error NoNftables (message: string, namespace: string, reason: string)
        error NotPermitted (message: string, user: string)
        error InvalidConfiguration (message: string, errors: []string)
        # The call has more octets than one message may have: publish in parts.
        error MessageTooLong (message: string, limit: int)
        # The reply to this method would be too long for one message: call it with "more".
        error ReplyTooLarge (message: string, method: string)
        error OperationFailed (message: string, reason: string)
        """
}
