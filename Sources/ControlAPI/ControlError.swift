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

    private init(_ member: String, _ parameters: [String: Value], _ message: String) {
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

// MARK: - Networks and containers

extension ControlError {
    /// No network is called so.
    package static func noSuchNetwork(_ network: String) -> ControlError {
        ControlError(
            "NoSuchNetwork", ["network": .string(network)],
            "no network \(network); 'intercomctl network ls' shows those that exist")
    }

    /// No container is called so.
    package static func noSuchContainer(_ container: String) -> ControlError {
        ControlError(
            "NoSuchContainer", ["container": .string(container)],
            "no container \(container); 'intercomctl container ls' shows those that exist")
    }

    /// The operator has no such record.
    package static func noSuchRecord(_ record: String) -> ControlError {
        ControlError(
            "NoSuchRecord", ["record": .string(record)],
            "no record \(record); 'intercomctl record ls' shows those that exist, and the network of each")
    }

    /// Nobody declared the record here: the configuration has it.
    package static func recordOfConfiguration(_ record: String) -> ControlError {
        ControlError(
            "NotDeclared", ["name": .string(record), "origin": .string("configuration")],
            "record \(record) is of the configuration; remove it from that file, then 'intercomctl reload'")
    }

    /// No policy is called so.
    package static func noSuchPolicy(_ policy: String) -> ControlError {
        ControlError(
            "NoSuchPolicy", ["policy": .string(policy)],
            "no policy \(policy); 'intercomctl policy ls' shows those that exist, 'intercomctl policy set' declares one"
        )
    }

    /// A policy that is to go holds for containers or networks.
    package static func policyInUse(_ policy: String, by users: [String]) -> ControlError {
        ControlError(
            "PolicyInUse", ["policy": .string(policy), "users": .strings(users)],
            "policy \(policy) is in use by \(users.joined(separator: ", ")); give these another policy, or remove them")
    }

    /// Nobody declared the policy here: the configuration has it.
    package static func policyOfConfiguration(_ policy: String) -> ControlError {
        ControlError(
            "NotDeclared", ["name": .string(policy), "origin": .string("configuration")],
            "policy \(policy) is of the configuration; change it in that file, then 'intercomctl reload'")
    }

    /// The record cannot stand beside those that its name has.
    package static func recordConflict(_ name: String, reason: String) -> ControlError {
        ControlError(
            "RecordConflict", ["record": .string(name), "reason": .string(reason)],
            "\(name) cannot have this record: \(reason); 'intercomctl record rm' removes the other")
    }

    /// A network is called so already.
    package static func networkExists(_ network: String) -> ControlError {
        ControlError(
            "NetworkExists", ["network": .string(network)],
            "network \(network) exists already; remove it first or choose another name")
    }

    /// A container is called so already.
    package static func containerExists(_ container: String) -> ControlError {
        ControlError(
            "ContainerExists", ["container": .string(container)],
            "container \(container) exists already; replace it with --replace, or choose another name")
    }

    /// Several are called so; the choices tell them apart.
    package static func ambiguousName(_ name: String, choices: [String]) -> ControlError {
        ControlError(
            "AmbiguousName", ["name": .string(name), "choices": .strings(choices)],
            "several are called \(name); say which: \(choices.joined(separator: ", "))")
    }

    /// The interface is that of another network.
    package static func interfaceInUse(_ interface: String, by network: String) -> ControlError {
        ControlError(
            "InterfaceInUse", ["interface": .string(interface), "network": .string(network)],
            "interface \(interface) is that of network \(network) already; remove that one first")
    }

    /// The network was found, not declared: there is no declaration to remove.
    package static func networkOfTheKernel(_ network: String, interface: String) -> ControlError {
        ControlError(
            "NotDeclared", ["name": .string(network), "origin": .string(interface)],
            "network \(network) is not declared, but interface \(interface) of the host; 'ip link del \(interface)' removes it, 'exclude' in [discover] of the configuration leaves it alone"
        )
    }

    /// The container was found, not declared: there is no declaration to remove.
    package static func containerOfTheKernel(_ container: String, path: String) -> ControlError {
        ControlError(
            "NotDeclared", ["name": .string(container), "origin": .string(path)],
            "container \(container) is not declared, but the namespace \(path); its names go with it ('ip netns del'), 'exclude' in [discover] of the configuration leaves it alone"
        )
    }

    /// A network that is to go has containers on it.
    package static func networkInUse(_ network: String, by containers: [String]) -> ControlError {
        let some = containers.prefix(5).joined(separator: ", ") + (containers.count > 5 ? " and others" : "")
        return ControlError(
            "NetworkInUse", ["network": .string(network), "containers": .strings(containers)],
            "network \(network) is in use by \(some); disconnect or remove them first")
    }

    /// The container is on the network already.
    package static func alreadyConnected(_ container: String, to network: String) -> ControlError {
        ControlError(
            "AlreadyConnected", ["container": .string(container), "network": .string(network)],
            "container \(container) is on network \(network) already; disconnect it first to change its endpoint")
    }

    /// The container is not on the network.
    package static func notConnected(_ container: String, to network: String) -> ControlError {
        ControlError(
            "NotConnected", ["container": .string(container), "network": .string(network)],
            "container \(container) is not on network \(network); 'intercomctl container inspect \(container)' shows where it is"
        )
    }
}

// MARK: - Values

extension ControlError {
    /// It cannot be a name.
    package static func invalidName(_ name: String, reason: String) -> ControlError {
        ControlError(
            "InvalidName", ["name": .string(name), "reason": .string(reason)], "bad name '\(name)': \(reason)")
    }

    /// It is no address, or none that this network can have.
    package static func invalidAddress(_ address: String, reason: String) -> ControlError {
        ControlError(
            "InvalidAddress", ["address": .string(address), "reason": .string(reason)],
            "bad address '\(address)': \(reason)")
    }

    /// Another container has the address on this network.
    package static func addressInUse(_ address: String, network: String, by container: String) -> ControlError {
        ControlError(
            "AddressInUse",
            ["address": .string(address), "network": .string(network), "container": .string(container)],
            "address \(address) on network \(network) is that of container \(container) already; choose another")
    }

    /// More than one call may declare.
    package static func tooMany(_ what: String, count: Int, limit: Int) -> ControlError {
        ControlError(
            "TooMany", ["parameter": .string(what), "count": .int(count), "limit": .int(limit)],
            "\(count) \(what) are too many; at most \(limit) can be declared")
    }

    /// It is no subnet.
    package static func invalidSubnet(_ subnet: String, reason: String) -> ControlError {
        ControlError(
            "InvalidAddress", ["address": .string(subnet), "reason": .string(reason)],
            "bad subnet '\(subnet)': \(reason)")
    }

    /// It is no DNS server that can be asked.
    package static func invalidUpstream(_ upstream: String, reason: String) -> ControlError {
        ControlError(
            "InvalidAddress", ["address": .string(upstream), "reason": .string(reason)],
            "bad upstream '\(upstream)': \(reason)")
    }

    /// Another parameter cannot be what it is.
    package static func invalidValue(_ value: String, of parameter: String, reason: String) -> ControlError {
        ControlError(
            "InvalidValue",
            ["parameter": .string(parameter), "value": .string(value), "reason": .string(reason)],
            "bad \(parameter) '\(value)': \(reason)")
    }
}

// MARK: - Sources

extension ControlError {
    /// The call is longer than a message may be.
    package static func messageTooLong(limit: Int) -> ControlError {
        ControlError(
            "MessageTooLong", ["limit": .int(limit)],
            "the call is longer than \(limit >> 20) MiB; send it in parts: part first, middle, last")
    }

    /// Nobody declared the container: a source tells of it.
    package static func containerOfSource(_ container: String, source: String) -> ControlError {
        ControlError(
            "NotDeclared", ["name": .string(container), "origin": .string(source)],
            "container \(container) is not declared, but source \(source) tells of it; stop it there, or 'intercomctl source rm \(source)' forgets all that it told"
        )
    }

    /// Nobody declared the network: a source tells of it.
    package static func networkOfSource(_ network: String, source: String) -> ControlError {
        ControlError(
            "NotDeclared", ["name": .string(network), "origin": .string(source)],
            "network \(network) is not declared, but source \(source) tells of it; remove it there, or 'intercomctl source rm \(source)' forgets all that it told"
        )
    }
}

// MARK: - Namespaces

extension ControlError {
    /// The path is none of a network namespace, or cannot be entered.
    package static func notANetworkNamespace(path: String, reason: String) -> ControlError {
        ControlError(
            "NotANetworkNamespace", ["path": .string(path), "reason": .string(reason)],
            "\(path) is no network namespace that can be entered: \(reason)")
    }

    /// The process has ended, or never was.
    package static func noSuchProcess(pid: Int) -> ControlError {
        ControlError(
            "NoSuchProcess", ["pid": .int(pid)],
            "no process \(pid); give the pid of a process that runs in the container")
    }

    /// It is the namespace of the host.
    package static func hostNamespace(_ namespace: String) -> ControlError {
        ControlError(
            "HostNamespace", ["namespace": .string(namespace)],
            "\(namespace) is the host's own network namespace, which has its own resolver; to give the host a name, add a container without a namespace, with --network NETWORK,ip=ADDR"
        )
    }

    /// The namespace is that of another container.
    package static func namespaceInUse(_ namespace: String, by container: String) -> ControlError {
        ControlError(
            "NamespaceInUse", ["namespace": .string(namespace), "container": .string(container)],
            "\(namespace) is the namespace of container \(container) already; remove that one first, or give it further names by --alias"
        )
    }

    /// Another program in the namespace has port 53.
    package static func portInUse(namespace: String, address: String) -> ControlError {
        ControlError(
            "PortInUse", ["namespace": .string(namespace), "address": .string(address)],
            "\(address) in \(namespace) is taken by another server; stop that server, bind it to another address, or add the container with --listen redirect, so that both serve"
        )
    }

    /// Port 53 cannot be redirected there.
    package static func noNftables(namespace: String, reason: String) -> ControlError {
        ControlError(
            "NoNftables", ["namespace": .string(namespace), "reason": .string(reason)],
            "port 53 of \(namespace) cannot be redirected: \(reason); where nothing else has the port, --listen direct does without"
        )
    }
}

// MARK: - The daemon

extension ControlError {
    /// The caller is neither root nor of the group.
    /// - Parameters:
    ///   - user: the caller's user.
    ///   - socket: the socket: the section of the configuration is called as it is.
    package static func notPermitted(user: String, socket: String = "control") -> ControlError {
        ControlError(
            "NotPermitted", ["user": .string(user)],
            "user \(user) may not use the \(socket) socket; use root or a member of the group in [\(socket)] of the configuration"
        )
    }

    /// The session of a bridge is over.
    package static func sessionEnded(_ session: Int) -> ControlError {
        ControlError(
            "SessionEnded", [:],
            "session \(session) is over: another bridge has attached, or its connection has ended; attach again")
    }

    /// No network is shared with other hosts.
    package static func noSharedNetwork() -> ControlError {
        ControlError(
            "NoSharedNetwork", [:],
            "no network is shared with other hosts; name some in [cluster] networks of the configuration, then 'intercomctl reload'"
        )
    }

    /// The caller may use the socket, but the method is root's.
    package static func notPermitted(user: String, method: any ControlMethod.Type) -> ControlError {
        ControlError(
            "NotPermitted", ["user": .string(user)],
            "user \(user) may not call \(method.name); root may, and the user that the daemon runs as")
    }

    /// The file has mistakes, each with its place; at least one.
    package static func invalidConfiguration(errors: [String]) -> ControlError {
        ControlError(
            "InvalidConfiguration", ["errors": .strings(errors)],
            "\(errors.first ?? "the configuration cannot be read")\(errors.count > 1 ? " (and \(errors.count - 1) more)" : ""); the running configuration stays"
        )
    }

    /// The reply would be too long for one message.
    package static func replyTooLarge(_ method: any ControlMethod.Type) -> ControlError {
        ControlError(
            "ReplyTooLarge", ["method": .string(method.name)],
            "the reply of \(method.name) is too large for one message; call it with \"more\", and it comes in several")
    }

    /// Another failure; the reason is the whole message.
    package static func operationFailed(reason: String) -> ControlError {
        ControlError("OperationFailed", ["reason": .string(reason)], reason)
    }
}
