// Refusals by the daemon as it is: what sources tell, namespaces that cannot be served, callers, the configuration.

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
