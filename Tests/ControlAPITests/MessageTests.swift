// All messages of refused calls, in one place.

import Testing

@testable import ControlAPI

@Suite("A refused call")
struct MessageTests {
    /// Each error, and its message.
    static let messages: [(ControlError, String)] = [
        (.noSuchNetwork("lab"), "no network lab; 'intercomctl network ls' shows those that exist"),
        (.noSuchContainer("web"), "no container web; 'intercomctl container ls' shows those that exist"),
        (
            .noSuchRecord("api.test A"),
            "no record api.test A; 'intercomctl record ls' shows those that exist, and the network of each"
        ),
        (
            .recordOfConfiguration("api.test A"),
            "record api.test A is of the configuration; remove it from that file, then 'intercomctl reload'"
        ),
        (
            .recordConflict("api.test", reason: "it has others"),
            "api.test cannot have this record: it has others; 'intercomctl record rm' removes the other"
        ),
        (
            .noSuchPolicy("gate"),
            "no policy gate; 'intercomctl policy ls' shows those that exist, 'intercomctl policy set' declares one"
        ),
        (
            .policyInUse("gate", by: ["container web", "network lab"]),
            "policy gate is in use by container web, network lab; give these another policy, or remove them"
        ),
        (
            .policyOfConfiguration("gate"),
            "policy gate is of the configuration; change it in that file, then 'intercomctl reload'"
        ),
        (.networkExists("lab"), "network lab exists already; remove it first or choose another name"),
        (.containerExists("web"), "container web exists already; replace it with --replace, or choose another name"),
        (
            .ambiguousName("web", choices: ["/run/netns/web", "/run/lxc/web"]),
            "several are called web; say which: /run/netns/web, /run/lxc/web"
        ),
        (
            .interfaceInUse("br0", by: "lab"),
            "interface br0 is that of network lab already; remove that one first"
        ),
        (
            .networkOfTheKernel("br0", interface: "br0"),
            "network br0 is not declared: it is interface br0 of the host; 'ip link del br0' removes it, 'exclude' in [discover] of the configuration leaves it alone"
        ),
        (
            .containerOfTheKernel("web", path: "/run/netns/web"),
            "container web is not declared: it is namespace /run/netns/web, with which its names go ('ip netns del'); 'exclude' in [discover] of the configuration leaves it alone"
        ),
        (
            .containerOfSource("web", source: "docker"),
            "container web is not declared, but source docker tells of it; stop it there, or 'intercomctl source rm docker' forgets all that it told"
        ),
        (
            .networkOfSource("lab", source: "docker"),
            "network lab is not declared, but source docker tells of it; remove it there, or 'intercomctl source rm docker' forgets all that it told"
        ),
        (
            .messageTooLong(limit: 2 << 20),
            "the call is longer than 2 MiB; send it in parts: part first, middle, last"
        ),
        (
            .networkInUse("lab", by: ["a", "b", "c", "d", "e", "f"]),
            "network lab is in use by a, b, c, d, e and others; disconnect or remove them first"
        ),
        (
            .alreadyConnected("web", to: "lab"),
            "container web is on network lab already; disconnect it first to change its endpoint"
        ),
        (
            .notConnected("web", to: "lab"),
            "container web is not on network lab; 'intercomctl container inspect web' shows where it is"
        ),
        (.invalidName("a b", reason: "a space"), "bad name 'a b': a space"),
        (
            .invalidAddress("ten", reason: "expected an IPv4 or IPv6 address"),
            "bad address 'ten': expected an IPv4 or IPv6 address"
        ),
        (
            .invalidSubnet("10.1.0.0", reason: "expected a prefix length, as 10.1.0.0/24"),
            "bad subnet '10.1.0.0': expected a prefix length, as 10.1.0.0/24"
        ),
        (
            .invalidUpstream("224.0.0.1", reason: "not the address of one server"),
            "bad upstream '224.0.0.1': not the address of one server"
        ),
        (
            .addressInUse("10.1.0.2", network: "lab", by: "web"),
            "address 10.1.0.2 on network lab is that of container web already; choose another"
        ),
        (
            .invalidValue("-1", of: "ttl", reason: "expected 0 to 2147483647 seconds"),
            "bad ttl '-1': expected 0 to 2147483647 seconds"
        ),
        (.tooMany("ports", count: 20_000, limit: 1024), "20000 ports are too many; at most 1024 can be declared"),
        (
            .notANetworkNamespace(path: "/etc/passwd", reason: "Invalid argument"),
            "/etc/passwd is no network namespace that can be entered: Invalid argument"
        ),
        (.noSuchProcess(pid: 4711), "no process 4711; give the pid of a process that runs in the container"),
        (
            .hostNamespace("pid 1"),
            "pid 1 is the host's own network namespace, which has its own resolver; to give the host a name, add a container without a namespace, with --network NETWORK,ip=ADDR"
        ),
        (
            .namespaceInUse("/run/netns/web", by: "web"),
            "/run/netns/web is the namespace of container web already; remove that one first, or give it further names by --alias"
        ),
        (
            .portInUse(namespace: "/run/netns/web", address: "127.0.0.11:53"),
            "127.0.0.11:53 in /run/netns/web is taken by another server; stop that server, bind it to another address, or add the container with --listen redirect, so that both serve"
        ),
        (
            .noNftables(namespace: "/run/netns/web", reason: "Operation not supported"),
            "port 53 of /run/netns/web cannot be redirected: Operation not supported; where nothing else has the port, --listen direct does without"
        ),
        (
            .notPermitted(user: "nobody"),
            "user nobody may not use the control socket; use root or a member of the group in [control] of the configuration"
        ),
        (
            .invalidConfiguration(errors: ["intercom.toml:1:1: no", "intercom.toml:2:1: no"]),
            "intercom.toml:1:1: no (and 1 more); the running configuration stays"
        ),
        (
            .replyTooLarge(ListContainers.self),
            "the reply of intercom.Control.ListContainers is too large for one message; call it with \"more\", and it comes in several"
        ),
        (.operationFailed(reason: "the opener does not answer"), "the opener does not answer"),
    ]

    @Test("has a row here for each error of the interface")
    func complete() {
        let shown = Set(Self.messages.map(\.0.member))
        let defined = ControlError.definitions.split(separator: "\n").filter { $0.hasPrefix("error ") }
            .map { String($0.dropFirst(6).prefix { $0 != " " }) }
        #expect(Set(defined) == shown)
    }

    @Test("says what failed, on what, and what to do", arguments: messages)
    func message(error: ControlError, expected: String) {
        #expect(error.message == expected)
    }
}
