// Refusals of declarations: networks, containers, records and policies, and values that these cannot have.

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
            "network \(network) is not declared: it is interface \(interface) of the host; 'ip link del \(interface)' removes it, 'exclude' in [discover] of the configuration leaves it alone"
        )
    }

    /// The container was found, not declared: there is no declaration to remove.
    package static func containerOfTheKernel(_ container: String, path: String) -> ControlError {
        ControlError(
            "NotDeclared", ["name": .string(container), "origin": .string(path)],
            "container \(container) is not declared: it is namespace \(path), with which its names go ('ip netns del'); 'exclude' in [discover] of the configuration leaves it alone"
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
