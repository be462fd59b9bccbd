// Calls that the opener carries out, over its socket and past its checks: what arrives there, and what comes back.

import DNSWire
import Foundation
import Registry
import SystemPackage
import Testing

@testable import Attachment
@testable import IntercomServer
@testable import LinuxNet

@Suite("The opener, where it may do what it is asked,")
struct OpenerErrandTests {
    /// Lends an opener that is asked over its socket, the one that carries out its errands, and a container.
    private static func lend(_ body: (RemoteOpener, WillingOpener, ContainerProcess) throws -> Void) throws {
        let willing = WillingOpener(resolverFile: Self.resolverFile)
        try OpenerSocket.lend(by: willing) { opener, _ in try body(opener, willing, try ContainerProcess()) }
    }

    private static let resolverFile = ReadResolverFile(text: "nameserver 192.0.2.1\n", isHosts: true)

    private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    // MARK: - Namespaces

    @Test("hands over the namespace of a process, with when that began")
    func process() throws {
        try Self.lend { opener, _, container in
            let opened = try opener.openNamespace(of: try container.descriptor())
            #expect(opened.processStart == 7)
            let identity = try container.namespace().identity
            #expect(opened.namespace.identity == identity)
        }
    }

    @Test("opens one namespace or many, each with its listener, with why there is none, or without")
    func namespaces() throws {
        try Self.lend { opener, willing, container in
            let port = Containers.listenerAddress
            func errands() throws -> [NamespaceErrand] {
                [
                    NamespaceErrand(in: try container.namespace(), listener: nil, receiveBuffer: nil),
                    NamespaceErrand(
                        in: try container.namespace(), listener: port, takesAnyPort: true, receiveBuffer: 512),
                    NamespaceErrand(in: try container.namespace(), listener: port, receiveBuffer: nil),
                ]
            }
            func check(_ errands: [NamespaceErrand]) throws {
                var plain = try errands[0].take()
                let inode = try container.namespace().identity.inode
                #expect(plain.cookie == inode && plain.number.rawValue == 4 && plain.hostNumber == .notAssigned)
                #expect(plain.refusal == nil)
                let none = plain.listener.take()
                if case .some = none { Issue.record("a listener that nobody asked for") }
                var listening = try errands[1].take()
                let listener = listening.listener.take()
                switch listener {
                case .some(let listener):
                    #expect(try listener.udp.localAddress() == listener.tcp.localAddress())
                case .none: Issue.record("no listener")
                }
                #expect(try errands[2].take().refusal?.errno == .addressInUse)
            }
            let asked = [
                "open - any false room 0", "open 127.0.0.11:53 any true room 512",
                "open 127.0.0.11:53 any false room 0",
            ]
            let together = try errands()
            opener.open(together)
            try check(together)
            #expect(willing.takeAsked() == asked)
            let apart = try errands()
            for errand in apart { opener.open([errand]) }
            try check(apart)
            #expect(willing.takeAsked() == asked)
        }
    }

    @Test("subscribes to the links of all namespaces")
    func kernel() throws {
        try Self.lend { opener, willing, _ in
            let made = try opener.subscribeKernel(receiveBuffer: 4096)
            #expect(made.coversAll && made.hostNumber.rawValue == 5)
            #expect(made.netlink.descriptor.rawValue >= 0)
            #expect(willing.takeAsked() == ["subscribe 4096"])
        }
    }

    // MARK: - Listeners

    @Test("hands over the listeners of the host and of a gateway, UDP and TCP")
    func listeners() throws {
        try Self.lend { opener, willing, _ in
            let host = try opener.openHostListener()
            #expect(try host.udp.localAddress() == host.tcp.localAddress())
            let gateway = try opener.openGatewayListener(at: try Self.address("2001:db8::1"), on: 7)
            #expect(try gateway.udp.localAddress() == gateway.tcp.localAddress())
            #expect(willing.takeAsked() == ["host listener", "gateway listener 2001:db8::1 7"])
        }
    }

    // MARK: - Rules

    @Test("leads questions to a listener, and says which addresses are led and whether one at ::1 was made for them")
    func rules() throws {
        try Self.lend { opener, willing, container in
            let v4 = Lead(to: 5353, from: [try Self.address("192.0.2.1")], isLocked: true)
            var made = try opener.set(v4, in: try container.namespace())
            #expect(made.lead == v4)
            let none = made.v6Listener.take()
            if case .some = none { Issue.record("a listener at ::1 that nothing needs") }
            let both = Lead(to: 5353, from: [try Self.address("2001:db8::1")])
            made = try opener.set(both, in: try container.namespace())
            #expect(made.lead.addresses == both.addresses && made.lead.v6Port == 5354)
            let listener = made.v6Listener.take()
            if case .none = listener { Issue.record("no listener at ::1") }
            made = try opener.set(.lock, in: try container.namespace())
            #expect(made.lead == .lock)
            #expect(made.takeMonitor().writer.descriptor.rawValue >= 0)
            #expect(
                willing.takeAsked() == [
                    "lead [127.0.0.11, 192.0.2.1] to 5353 locked true",
                    "lead [127.0.0.11, 2001:db8::1] to 5353 locked false", "lead [] to 53 locked true",
                ])
        }
    }

    // MARK: - What is in a namespace

    @Test("tells what is in a container: its resolv.conf, its servers, programs that listen, translations, processes")
    func contents() throws {
        try Self.lend { opener, _, container in
            let namespace = try container.namespace()
            let intercom = try Self.address("127.0.0.11")
            #expect(
                try opener.readResolverFile(of: try container.descriptor(), in: namespace)
                    == Self.resolverFile)
            #expect(try opener.findServers(in: namespace) == BoundPorts(datagram: [53, 41_000], stream: [53]))
            #expect(try opener.findListeners(onPort: 80, in: namespace) == [intercom, try Self.address("::1")])
            #expect(try opener.findListeners(onPort: 81, in: namespace).isEmpty)
            #expect(try opener.findHolders(ofPort: 8053, in: namespace) == [PortHolder(port: 8053, process: nil)])
            #expect(try opener.findHolders(ofPort: nil, in: namespace) == [PortHolder(port: 53, process: nil)])
            #expect(try opener.findTranslation(of: intercom, in: namespace)?.destination == "of 127.0.0.11")
            let server = SocketAddress(intercom, port: 80)
            #expect(
                try opener.findTranslation(ofConnectionsTo: server, in: namespace)?.destination == "to 127.0.0.11:80")
            #expect(try opener.findProcesses(in: namespace).map(\.pid) == [ProcessDescriptor.own])
        }
    }

    @Test("lists processes of runtimes and those without a file of their own, after the last that was told")
    func processes() throws {
        try Self.lend { opener, willing, _ throws in
            #expect(try opener.findContainerProcesses(after: 11).isEmpty)
            #expect(try opener.findProcessesWithoutFile(after: 12).isEmpty)
            #expect(willing.takeAsked() == ["containers 11", "without file 12"])
        }
    }

    @Test("makes as many sockets of a kind as a message has room for")
    func sockets() throws {
        try Self.lend { opener, willing, container in
            for (kind, isMarked) in [
                (SocketKind(isStream: false, isV6: true), true), (SocketKind(isStream: true, isV6: false), false),
            ] {
                let batch = try opener.openSockets(
                    in: try container.namespace(), kind, count: OpenerCalls.maximumSockets + 1, isMarked: isMarked)
                #expect(batch.count(of: kind) == OpenerCalls.maximumSockets)
            }
            #expect(
                willing.takeAsked() == [
                    "sockets 64 stream false v6 true marked true", "sockets 64 stream true v6 false marked false",
                ])
        }
    }

    // MARK: - Files

    @Test("removes the resolv.conf of a namespace, and writes none where there is no namespace of that name")
    func files() throws {
        try Self.lend { opener, willing, _ in
            try opener.removeResolverFile(ofNamespace: "web")
            #expect(willing.takeAsked() == ["remove file web"])
            #expect(throws: LinuxError.self) {
                try opener.writeResolverFile(ofNamespace: "no-such-namespace", ResolverConfiguration())
            }
            #expect(willing.takeAsked() == [])
        }
    }

    // MARK: - Gates

    @Test("sets gates, one or many, and tells the failure of each; lists and removes them")
    func gates() throws {
        try Self.lend { opener, willing, _ in
            var terms = GateTerms()
            terms.blocks = [try #require(Subnet("198.51.100.0/24"))]
            terms.sources = [try Self.address("10.0.0.2")]
            let orders = [1, 2].map { GateOrder(cookie: $0, devices: [8], terms: terms) }
            let failures = opener.set(orders)
            #expect(failures.map { $0?.subject } == [nil, "two"])
            #expect(
                willing.takeAsked() == [1, 2].map { "gate \($0) [8] [198.51.100.0/24] [10.0.0.2]" })
            #expect(opener.set([orders[0]]).map { $0?.subject } == [nil])
            #expect(opener.set([orders[1]]).map { $0?.subject } == ["two"])
            _ = willing.takeAsked()
            let listed = try opener.listGates(after: 4)
            #expect(listed.cookies == [5] && listed.devices == [9])
            try opener.removeGates(listed)
            try opener.removeAllGates()
            #expect(willing.takeAsked() == ["remove gates [5] [9]", "remove all gates"])
        }
    }

    @Test("hands over what tells of changed gates, and a connection for addresses that answers tell")
    func connections() throws {
        try Self.lend { opener, _, _ throws in
            #expect(try opener.monitorGates().descriptor.rawValue >= 0)
            #expect(try opener.openAdmissions().rawValue >= 0)
        }
    }
}
