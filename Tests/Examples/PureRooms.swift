// The worked examples on the pages of the rooms without I/O. RepositoryTests holds the pages to this text.

import Attachment
import Clustering
import ControlAPI
import DNSWire
import Diagnosis
import EtcdWire
import Forwarding
import Registry
import RuntimeWire
import TOML
import Tables
import Testing
import Varlink

@Suite("The example of a pure room")
struct PureRoomExamples {
    @Test("Attachment takes a declared container from its declaration to `ready`")
    func attachment() {
        var room = Attachments()
        let number = room.declare(Declaration(name: "web", source: .path("/run/netns/web")))
        guard case .open(let errand, let source, _)? = room.takeEffects().first else { return }

        // The owner has the opener enter `source`. The result is the next event:
        let namespace = NamespaceKey(device: 4, inode: 4_026_532_000)
        let opened = Opened(namespace: namespace, listener: .made(.direct))
        room.handle(.opened(errand, .success(opened)), now: .now)

        let effects = room.takeEffects()  // enroll, watch, store, handOver, prove, settle, writeResolverFiles, release
        let proof = effects.compactMap { if case .prove(let errand, _) = $0 { errand } else { nil } }

        // The owner has a question sent from inside the namespace, and the listener has received it:
        for errand in proof { room.handle(.proved(errand, .heard), now: .now) }
        let state = room.state(of: namespace, isDraining: false)  // ready

        #expect(source == .path("/run/netns/web") && state == .ready && effects.count == 8)
        #expect(effects.contains(.settle(number, .attached(namespace))))
        #expect(effects.first == .enroll(namespace, errand, .declared(number)))
        #expect(effects.last == .release(errand))
    }

    @Test("ControlAPI encodes a call with the types of a method, and reads its reply with them")
    func controlAPI() throws {
        let call = VarlinkCall.encode(
            method: InspectNetwork.name, parameters: InspectNetwork.Parameters(name: "frontend"))
        // {"method":"intercom.Control.InspectNetwork","parameters":{"name":"frontend"}} and a NUL, to the control socket

        let octets = Array(#"{"error":"intercom.Control.NoSuchNetwork","parameters":{"name":"frontend"}}"#.utf8)
        let response = try VarlinkResponse(message: octets)
        let error = response.error  // intercom.Control.NoSuchNetwork
        let named = try response.parameters(Named.self).name  // frontend

        #expect(error == "intercom.Control.NoSuchNetwork" && named == "frontend")
        let text = #"{"method":"intercom.Control.InspectNetwork","parameters":{"name":"frontend"}}"#
        #expect(call == Array(text.utf8) + [0])
    }

    @Test("DNSWire reads a question in place")
    func dnsWire() throws {
        let packet: [UInt8] = [
            0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0,  // id 0x1234, RD, one question
            3, 0x57, 0x45, 0x42, 0, 0, 1, 0, 1,  // WEB A IN
        ]
        var name = FoldedName()
        let query = try Query(packet.span, name: &name)
        let id = query.header.id  // 0x1234
        let type = query.question.type  // A
        let labels = name.labelCount  // 1

        var web = FoldedName()
        web.set(try Name("web"))
        let isWeb = name.suffixEquals(web.span, fromLabel: 0)  // true: names are folded, so case does not matter

        #expect(id == 0x1234 && type == .a && labels == 1 && isWeb)
    }

    @Test("Forwarding sends a question upstream, and gives the client its answer")
    func forwarding() throws {
        let now = Moment(nanoseconds: 0)
        var forwarder = Forwarder(
            limits: ForwardingLimits(), policy: CachePolicy(capacity: 1 << 20), seed: 1,
            random: { octets in for index in octets.indices { octets[index] = .random(in: 0...255) } }, now: now)
        forwarder.setUpstreams(0, UpstreamList(servers: [try ServerAddress("192.0.2.53")]))

        // www.example A, as a client of namespace 1 sends it.
        let packet: [UInt8] =
            [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0] + (try Name("www.example").wire) + [0, 1, 0, 1]
        var name = FoldedName()
        let query = try Query(packet.span, name: &name)
        let verdict = forwarder.ask(
            packet.span, query, name, client: 7, namespace: 1, view: 1, group: 0, now: now)  // accepted
        guard case .openDatagram(let socket, let server, _, var message)? = forwarder.nextAction() else { return }

        // The owner connects a socket to `server`, sends `message`, and hands in what comes back: here NXDOMAIN.
        message[2] |= 0x80
        message[3] = 0x83
        forwarder.receivedDatagram(message.span, on: socket, now: now)
        var answers: [(Client, ResponseCode)] = []
        while let action = forwarder.nextAction() {
            if case .answer(let client, let answer) = action { answers.append((client, answer.responseCode)) }
        }

        #expect(verdict == .accepted && server.address == IPAddress("192.0.2.53"))
        #expect(answers.map(\.0) == [7] && answers.map(\.1) == [.nameError])
    }

    @Test("Registry compiles a container's names for a directory, which finds them for a view")
    func registry() throws {
        let domain = try Name("internal")
        var registry = Registry(domain: domain, ttl: 5)
        try registry.createNetwork(NetworkDefinition(name: "frontend", source: .control))
        for (name, address) in [("web", "10.1.0.2"), ("app", "10.1.0.3")] {
            var definition = ContainerDefinition(name: name, source: .control)
            let addresses = [IPAddress(address)].compactMap { $0 }
            definition.endpoints = [EndpointDefinition(network: "frontend", addresses: addresses)]
            definition.namesItsNetworks = true
            try registry.addContainer(definition)
        }

        var directory = Directory(domain: domain, seed: 42)
        for change in registry.takeChanges() { directory.apply(change) }

        var name = FoldedName()
        name.set(try Name("web.frontend"))
        let app = try registry.container(named: "app").id.view
        guard let match = directory.find(name, from: 0, view: app) else { return }
        let count = directory.records(match, .a).count  // 1: 10.1.0.2, compiled

        #expect(count == 1)
    }

    @Test("Tables finds elements by ticket, and numbers by hash")
    func tables() {
        var names = SlotTable<String>()
        let web = names.insert("web")
        let app = names.insert("app")
        names.remove(web)
        let late = names[web]  // nil: an event about web that arrives late finds nothing
        let found = names[app]  // app

        var index = HashIndex()
        for (number, hash) in [0xA1, 0xB2, 0xA1].enumerated() { index.insert(UInt32(hash), number) }
        var probe = index.probe(0xA1)
        var candidates: [Int] = []
        while let number = index.next(&probe) { candidates.append(number) }  // 0 and 2

        #expect(late == nil && found == "app" && candidates == [0, 2])
    }

    @Test("RuntimeWire reads Docker's networks from the octets of an HTTP response")
    func runtimeWire() throws {
        let request = DockerRequests.networks.octets  // GET /networks HTTP/1.1 and its header, to Docker's socket

        let body = #"[{"Name":"front","Id":"f1","Driver":"bridge"}]"#
        var reader = HTTPResponseReader()
        reader.receive(Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)[...])
        var received: [UInt8] = []
        while let part = try reader.next() {
            if case .body(let octets) = part { received += octets }
        }
        let networks = try DockerNetwork.list(received).compactMap { RuntimeNetwork($0) }
        let names = networks.map(\.name)  // front

        #expect(names == ["front"] && request.starts(with: Array("GET /networks HTTP/1.1\r\n".utf8)))
    }

    @Test("Diagnosis finds the cause and the cure")
    func diagnosis() {
        let app = Member("app", at: .path("/run/netns/app"), on: ["front"])
        var facts = Facts(
            Facts.Question("db", "A", from: "app"), asker: .present(app, .ready),
            configurationPath: "/etc/intercom/intercom.toml")
        facts.outcome = AnswerFacts(.singleLabel, source: "no such name", code: "NXDOMAIN")
        let db = Member("db", at: .path("/run/netns/db"), on: ["back"])
        facts.holders = [Holder(db, on: "back", isVisible: false)]

        let finding = Explanation(facts).finding
        let cause = finding?.cause  // other-network
        let cure = finding?.cure  // intercomctl network connect back app

        #expect(cause == .otherNetwork && cure == "intercomctl network connect back app")
    }

    @Test("TOML gives each value with its place")
    func toml() throws {
        let document = try TOMLValue(parsing: "[server]\nttl = 5")
        guard case .table(let members) = document.content else { return }
        let key = members[0].key  // server
        let position = members[0].value.position  // line 1, column 1

        #expect(key == "server" && position == TextPosition(line: 1, column: 1))
    }

    @Test("Varlink frames a call, reads it, and encodes the reply")
    func varlink() throws {
        var framer = VarlinkFramer()
        let received = Array(#"{"method":"example.Add","parameters":{"a":1,"b":2}}"#.utf8) + [0]
        try framer.feed(received, received.count)
        var replies: [UInt8] = []
        while let message = framer.next() {
            let call = try VarlinkCall(message: message)  // example.Add
            let numbers = try call.parameters([String: Int].self)
            replies += VarlinkReply.encode(["sum": numbers.values.reduce(0, +)])
        }
        // replies: {"parameters":{"sum":3}} and a NUL, for the client

        #expect(replies == Array(#"{"parameters":{"sum":3}}"#.utf8) + [0])
    }

    @Test("EtcdWire frames a call, and reads its reply")
    func etcdWire() throws {
        let call = EtcdCall.range(RangeRequest(keys: KeyRange(prefix: Array("/intercom/".utf8)), limit: 1000))
        let request = GRPCFrame.octets(of: call.message)  // the body of a POST to call.path

        // etcd's reply: its revision is 9, and it has no keys.
        var framer = GRPCFramer(limit: 1 << 20)
        framer.feed([0, 0, 0, 0, 4, 0x0A, 0x02, 0x18, 0x09])
        var revision: Int64 = 0
        while let message = try framer.next() {
            if case .range(let reply) = try call.reply(from: message) { revision = reply.header.revision }
        }

        #expect(revision == 9 && request.count == 5 + call.message.count)
    }

    @Test("Clustering lists what etcd has, then watches it")
    func clustering() {
        var bridge = Bridge(settings: BridgeSettings(host: "node1"), identity: BridgeIdentity(instance: "x7"), seed: 1)
        bridge.handle(.tick, now: .zero)
        // Hosts and networks are listed first, then containers. The reply of each call is the next event:
        for _ in ["hosts", "containers"] {
            for case .call(let number, .range) in bridge.takeEffects() {
                let header = EtcdHeader(cluster: 1, revision: 9)
                bridge.handle(.reply(number, .range(RangeReply(header: header, pairs: [], more: false))), now: .zero)
            }
        }
        let effects = bridge.takeEffects()  // watch(from: 10)

        #expect(effects.contains { if case .watch(_, from: 10) = $0 { true } else { false } })
    }
}
