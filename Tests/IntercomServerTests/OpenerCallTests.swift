// Calls to the opener over a socket, as the daemon makes them: the opener of this test has no more rights than the test.

import DNSWire
import Foundation
import Logging
import Registry
import Synchronization
import SystemPackage
import Testing
import Varlink

@testable import Attachment
@testable import IntercomServer
@testable import LinuxNet

@Suite("The opener, asked over its socket,")
struct OpenerCallTests {
    /// An opener whose namespace is this process's: it hands out nothing of that.
    private static func lend(_ body: (RemoteOpener, OpenerSocket) throws -> Void) throws {
        try OpenerSocket.lend(by: LocalOpener(), body)
    }

    /// The failure of a call; nil: it succeeds.
    private static func failure(_ call: () throws -> Void) -> LinuxError? {
        do {
            try call()
            return nil
        } catch {
            return error as? LinuxError
        }
    }

    // MARK: - The host's namespace

    private typealias Call = (RemoteOpener, borrowing NetworkNamespace) throws -> Void

    @Test("makes nothing in the host's namespace, looks for nothing there, and does not hand it out")
    func host() throws {
        let calls: [(String, Call)] = [
            ("open", { opener, _ in _ = try opener.openNamespace(of: ProcessDescriptor(pid: ProcessDescriptor.own)) }),
            ("sockets", { _ = try $0.openSockets(in: $1, Self.udp, count: 1, isMarked: false) }),
            ("marked sockets", { _ = try $0.openSockets(in: $1, Self.udp, count: 64, isMarked: true) }),
            ("servers", { _ = try $0.findServers(in: $1) }),
            ("listeners", { _ = try $0.findListeners(onPort: 80, in: $1) }),
            ("holders", { _ = try $0.findHolders(ofPort: nil, in: $1) }),
            ("translation", { _ = try $0.findTranslation(of: .v4(.intercom), in: $1) }),
            (
                "connections",
                { _ = try $0.findTranslation(ofConnectionsTo: SocketAddress(.v4(.intercom), port: 80), in: $1) }
            ),
            ("inhabitants", { _ = try $0.findProcesses(in: $1) }),
            ("rules", { _ = try $0.set(Lead(to: 5353), in: $1) }),
            ("lock", { _ = try $0.set(.lock, in: $1) }),
            (
                "resolv.conf",
                { _ = try $0.readResolverFile(of: ProcessDescriptor(pid: ProcessDescriptor.own), in: $1) }
            ),
            (
                "listener",
                { opener, _ in
                    let errand = NamespaceErrand(
                        in: try NetworkNamespace.current(), listener: Containers.listenerAddress, receiveBuffer: nil)
                    opener.open([errand])
                    _ = try errand.take()
                }
            ),
        ]
        try Self.lend { opener, _ in
            let namespace = try NetworkNamespace.current()
            for (name, call) in calls {
                let failure = Self.failure { try call(opener, namespace) }
                #expect(failure?.errno == .notPermitted && failure?.kind == .hostNamespace, "\(name)")
                #expect(failure?.subject == "the host's namespace", "\(name)")
            }
        }
    }

    private static let udp = SocketKind(isStream: false, isV6: false)

    @Test("refuses each of many namespaces by itself, in calls of as many as a message has room for")
    func many() throws {
        try Self.lend { opener, socket in
            let errands = try (0..<OpenerCalls.maximumNamespaces + 4).map { _ in
                NamespaceErrand(in: try NetworkNamespace.current(), listener: nil, receiveBuffer: 4096)
            }
            opener.open(errands)
            for errand in errands {
                #expect(Self.failure { _ = try errand.take() }?.kind == .hostNamespace)
            }
            #expect(socket.accepted.load(ordering: .relaxed) == 2)
        }
    }

    // MARK: - Values

    @Test("refuses what its daemon never asks for, before anything is done")
    func values() throws {
        let long = GateOrder(
            cookie: 1, devices: Array(repeating: 1, count: AddressGate.maximumDevices + 1), terms: .init())
        let calls: [(String, (RemoteOpener) throws -> Void)] = [
            ("a buffer of -1 octets", { _ = try $0.subscribeKernel(receiveBuffer: -1) }),
            (
                "a buffer of \(OpenerCalls.maximumReceiveBuffer + 1) octets",
                { _ = try $0.subscribeKernel(receiveBuffer: OpenerCalls.maximumReceiveBuffer + 1) }
            ),
            (
                "address '127.0.0.1' on interface 1",
                { _ = try $0.openGatewayListener(at: .v4(.init(bits: 0x7F00_0001)), on: 1) }
            ),
            ("address '0.0.0.0' on interface 1", { _ = try $0.openGatewayListener(at: .v4(.init(bits: 0)), on: 1) }),
            ("address '::1' on interface 1", { _ = try $0.openGatewayListener(at: .v6(.init(bits: 1)), on: 1) }),
            (
                "address '224.0.0.251' on interface 1",
                { _ = try $0.openGatewayListener(at: .v4(.init(bits: 0xE000_00FB)), on: 1) }
            ),
            (
                "address '192.0.2.1' on interface 0",
                { _ = try $0.openGatewayListener(at: .v4(.init(bits: 0xC000_0201)), on: 0) }
            ),
            (
                "'a b' in a resolv.conf",
                { _ = try $0.writeResolverFile(ofNamespace: "x", ResolverConfiguration(search: ["a b"], options: [])) }
            ),
            (
                "'' in a resolv.conf",
                { _ = try $0.writeResolverFile(ofNamespace: "x", ResolverConfiguration(search: [], options: [""])) }
            ),
            (
                "/etc/netns/../shadow",
                { _ = try $0.writeResolverFile(ofNamespace: "../shadow", ResolverConfiguration()) }
            ),
            ("/etc/netns/..", { try $0.removeResolverFile(ofNamespace: "..") }),
            ("a gate of 0 interfaces", { try Self.set([GateOrder(cookie: 0, devices: [], terms: .init())], by: $0) }),
            ("a gate of \(AddressGate.maximumDevices + 1) interfaces", { try Self.set([long], by: $0) }),
            (
                "65 gates",
                { try Self.set(Array(repeating: GateOrder(cookie: 0, devices: [], terms: .init()), count: 65), by: $0) }
            ),
            (
                "1025 gates",
                { try $0.removeGates(AddressGates.Listing(cookies: (0..<1025).map { UInt64($0) }, devices: [])) }
            ),
        ]
        try Self.lend { opener, _ in
            for (subject, call) in calls {
                let failure = Self.failure { try call(opener) }
                #expect(failure?.subject == subject)
                #expect(failure?.errno == .notPermitted || failure?.errno == .invalidArgument, "\(subject)")
            }
        }
    }

    private static func set(_ gates: [GateOrder], by opener: RemoteOpener) throws {
        let failures = opener.set(gates)
        #expect(failures.count == gates.count)
        for case let failure? in failures { throw failure }
    }

    @Test("refuses messages that no daemon of ours sends, each with its reason")
    func messages() throws {
        func call<Call: OpenerCall>(_ call: Call) -> [UInt8] {
            VarlinkCall.encode(method: Call.method, parameters: call)
        }
        let gate = OpenerCalls.SetGate(
            cookie: 1, devices: [], formerDevices: [], networks: [], blocks: [], sources: [])
        func gateCall(_ change: (inout OpenerCalls.SetGate) -> Void) -> [UInt8] {
            var changed = gate
            change(&changed)
            return call(changed)
        }
        let namespace = OpenerCalls.OpenNamespace(port: nil, orAnyPort: nil, receiveBuffer: nil)
        let lead = OpenerCalls.SetRedirection(port: 1, v6Port: nil, addresses: nil, lock: nil)
        let rows: [(message: [UInt8], subject: String)] = [
            (Array("no JSON\0".utf8), "no call"),
            (VarlinkCall.encode(method: "intercom.Opener.Reboot", parameters: gate), "intercom.Opener.Reboot"),
            (
                VarlinkCall.encode(method: OpenerCalls.OpenProcess.method, parameters: lead),
                "intercom.Opener.OpenProcess: pid"
            ),
            (call(namespace), "no namespace"),
            (call(OpenerCalls.OpenNamespace(port: 80, orAnyPort: nil, receiveBuffer: nil)), "port 80"),
            (call(OpenerCalls.OpenNamespaces(calls: [])), "0 namespaces"),
            (call(OpenerCalls.OpenNamespaces(calls: Array(repeating: namespace, count: 17))), "17 namespaces"),
            (call(OpenerCalls.OpenSockets(stream: false, v6: false, count: 0)), "0 sockets"),
            (call(OpenerCalls.OpenSockets(stream: true, v6: true, count: 65)), "65 sockets"),
            (call(OpenerCalls.FindTranslation(address: "8.8.8")), "address '8.8.8'"),
            (call(OpenerCalls.FindTranslation(address: "10.0.0.1", port: 0)), "address '10.0.0.1'"),
            (call(lead), "no namespace"),
            (
                call(OpenerCalls.SetRedirection(port: 1, v6Port: nil, addresses: ["x"], lock: nil)), "address 'x'"
            ),
            (
                call(
                    OpenerCalls.SetRedirection(
                        port: 1, v6Port: nil, addresses: Array(repeating: "10.0.0.1", count: 10), lock: .beside)),
                "10 addresses"
            ),
            (
                call(OpenerCalls.RepairRedirection(port: 1, v6Port: nil, addresses: nil, lock: .only)), "no socket"
            ),
            (call(OpenerCalls.RemoveRedirection(port: 1, v6Port: nil, addresses: nil, lock: nil)), "no socket"),
            (gateCall { $0.networks = ["10.0.0.0/33"] }, "block '10.0.0.0/33'"),
            (gateCall { $0.blocks = Array(repeating: "10.0.0.0/8", count: 4097) }, "a gate of 4097 blocks"),
            (gateCall { $0.sources = ["10.0.0"] }, "address '10.0.0'"),
            (gateCall { $0.sources = Array(repeating: "10.0.0.1", count: 4097) }, "a gate of 4097 addresses"),
        ]
        try Self.lend { _, socket in
            for (message, subject) in rows {
                let response = try Self.exchange(message, at: socket.path)
                let failure = try #require(try? response.parameters(OpenerFailure.self), "\(subject)")
                #expect(response.error == OpenerFailure.name)
                #expect(failure.subject == subject && failure.errno == Errno.notPermitted.rawValue)
            }
        }
    }

    @Test("takes no file for a namespace, and no other socket for one of nftables")
    func descriptors() throws {
        try Self.lend { _, socket in
            let null = try UnixSocket.pairForMessages()
            let file = null.first.rawValue
            for (message, errno) in [
                (
                    VarlinkCall.encode(
                        method: OpenerCalls.FindServers.method, parameters: OpenerCalls.FindServers()),
                    Errno.invalidArgument
                ),
                (
                    VarlinkCall.encode(
                        method: OpenerCalls.RepairRedirection.method,
                        parameters: OpenerCalls.RepairRedirection(port: 1, v6Port: nil, addresses: nil, lock: nil)),
                    Errno.invalidArgument
                ),
            ] {
                let response = try Self.exchange(message, [file], at: socket.path)
                let failure = try response.parameters(OpenerFailure.self)
                #expect(failure.errno == errno.rawValue || failure.kind == .notANetworkNamespace, "\(failure)")
            }
        }
    }

    private static func exchange(
        _ message: [UInt8], _ descriptors: [Int32] = [], at path: String
    ) throws -> VarlinkResponse {
        let connection = try UnixSocket.connectForMessages(path: path, timeout: .seconds(5))
        _ = try connection.send(message.span, passing: descriptors)
        var buffer = [UInt8](repeating: 0, count: OpenerCalls.maximumReply)
        let received = try #require(try connection.receivePassed(into: &buffer)?.count)
        return try VarlinkResponse(message: Array(buffer[..<received].prefix { $0 != 0 }))
    }

    // MARK: - What needs no rights

    @Test("describes processes, and subscribes to the kernel's links")
    func answers() throws {
        try Self.lend { opener, _ in
            let own = ProcessDescriptor.own
            #expect(try opener.findProcess(own)?.pid == own)
            #expect(try opener.findProcess(Int32.max) == nil)
            #expect(try opener.findContainerProcesses(after: Int32.max - 1).isEmpty)
            let subscription = try opener.subscribeKernel(receiveBuffer: 1 << 16)
            #expect(subscription.netlink.descriptor.rawValue >= 0)
        }
    }

    // MARK: - An opener that fails

    @Test("is away where nobody listens, and where it ends twice over a call")
    func away() throws {
        let nobody = RemoteOpener(path: "/nonexistent/opener.sock", logger: OpenerSocket.logger)
        #expect(Self.failure { _ = try nobody.findProcess(1) }?.kind == .openerAway)
        try OpenerSocket.lend({ _, _, connection in _ = consume connection }) { opener, socket in
            let failure = Self.failure { _ = try opener.findProcess(1) }
            #expect(failure?.kind == .openerAway && failure?.errno == .connectionReset)
            #expect(socket.accepted.load(ordering: .relaxed) == 2)
        }
    }

    @Test("is asked once more where it ends over a call, as when it is started anew")
    func again() throws {
        let count = Atomic<Int>(0)
        try OpenerSocket.lend({ _, _, connection in
            guard count.add(1, ordering: .relaxed).newValue > 1 else { return }
            let reply = VarlinkReply.encode(OpenerCalls.FindProcesses.Reply(processes: []))
            _ = try connection.send(reply.span, passing: [])
        }) { opener, socket in
            let found = try opener.findProcess(1)
            #expect(found == nil)
            #expect(socket.accepted.load(ordering: .relaxed) == 2)
        }
    }

    @Test("is not believed where its reply is none, or brings fewer descriptors than it says")
    func wrongReplies() throws {
        func lend(_ reply: [UInt8], _ body: (RemoteOpener) -> LinuxError?) throws -> LinuxError? {
            var failure: LinuxError?
            try OpenerSocket.lend({ _, _, connection in _ = try connection.send(reply.span, passing: []) }) {
                opener, _ in
                failure = body(opener)
            }
            return failure
        }
        let find = { (opener: RemoteOpener) in Self.failure { _ = try opener.findProcess(1) } }
        #expect(try lend(Array("no JSON\0".utf8), find)?.errno == .badMessage)
        #expect(try lend(VarlinkReply.encode(OpenerCalls.RemoveGates.Reply()), find)?.errno == .badMessage)
        #expect(
            try lend(VarlinkReply.encode(error: OpenerFailure.name, OpenerCalls.RemoveGates.Reply()), find)?.errno
                == .badMessage)
        let empty = try lend(VarlinkReply.encode(OpenerCalls.OpenHostListener.Reply(cookie: 1))) { opener in
            Self.failure { _ = try opener.openHostListener() }
        }
        #expect(empty?.errno == .badMessage && empty?.subject == "the opener")
        let fewer = try lend(VarlinkReply.encode(OpenerCalls.SetGates.Reply(outcomes: []))) { opener in
            let failures = opener.set(
                [GateOrder(cookie: 1, devices: [], terms: .init()), GateOrder(cookie: 2, devices: [], terms: .init())])
            #expect(failures.count == 2)
            return failures[1]
        }
        #expect(fewer?.errno == .badMessage)
        let errands = try (0..<2).map { _ in
            NamespaceErrand(in: try NetworkNamespace.current(), listener: nil, receiveBuffer: nil)
        }
        let one = OpenerCalls.OpenNamespaces.Opened(
            reply: nil, failure: OpenerFailure(LinuxError(call: "setns", errno: .canceled)))
        _ = try lend(VarlinkReply.encode(OpenerCalls.OpenNamespaces.Reply(namespaces: [one]))) { opener in
            opener.open(errands)
            return nil
        }
        #expect(Self.failure { _ = try errands[0].take() }?.errno == .canceled)
        #expect(Self.failure { _ = try errands[1].take() }?.errno == .badMessage)
    }
}
