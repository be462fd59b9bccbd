// Publications of sources: messages in parts, and the lines that keep it over a restart.

import ControlAPI
import Registry
import Tables
import Testing
import Varlink

import enum Attachment.NamespaceSource

@testable import IntercomServer

@Suite("A publication in parts")
struct PublicationPartTests {
    private typealias Message = (part: Publish.Part?, source: String, ids: [String])

    private static func parameters(_ message: Message) -> Publish.Parameters {
        Publish.Parameters(
            source: message.source, containers: message.ids.map { PublishedContainer(id: $0) }, part: message.part)
    }

    @Test("is whole with its last part, whatever other clients send meanwhile")
    func whole() throws {
        var parts = PartialPublications()
        let (one, other) = (Ticket(slot: 1, generation: 0), Ticket(slot: 2, generation: 0))
        func take(_ message: Message, _ client: Ticket) throws -> Publication? {
            try parts.take(Self.parameters(message), from: client, octets: 100)
        }
        #expect(try take((.first, "docker", ["a"]), one) == nil)
        #expect(try take((nil, "oci", ["x"]), other)?.containers.keys.sorted() == ["x"])
        #expect(try take((.first, "podman", ["y"]), other) == nil)
        #expect(try take((.middle, "docker", ["b"]), one) == nil)
        let publication = try #require(try take((.last, "docker", ["c"]), one))
        #expect(publication.containers.keys.sorted() == ["a", "b", "c"] && publication.octets == 300)
        parts.drop(other)
        #expect(throws: ControlError.self) { try take((.last, "podman", ["z"]), other) }
        #expect(try take((.first, "docker", ["a"]), one) == nil)
        #expect(try take((.first, "docker", ["b"]), one) == nil, "it begins anew")
        #expect(try take((.last, "docker", []), one)?.containers.keys.sorted() == ["b"])
    }

    @Test("is refused whole where an id comes twice, the source is another one, or parts take too much memory")
    func refused() throws {
        let client = Ticket(slot: 1, generation: 0)
        for second in [(Publish.Part.last, "docker", ["a"]), (.last, "podman", ["b"])] {
            var parts = PartialPublications()
            _ = try parts.take(Self.parameters((.first, "docker", ["a"])), from: client, octets: 1)
            #expect(throws: ControlError.self) { try parts.take(Self.parameters(second), from: client, octets: 1) }
            #expect(throws: ControlError.self, "what came before is dropped") {
                try parts.take(Self.parameters((.last, "docker", ["c"])), from: client, octets: 1)
            }
        }
        var parts = PartialPublications()
        let most = PartialPublications.limit
        _ = try parts.take(Self.parameters((.first, "docker", ["a"])), from: client, octets: most)
        let other = Ticket(slot: 2, generation: 0)
        #expect(throws: ControlError.self) {
            try parts.take(Self.parameters((.first, "docker", ["a"])), from: other, octets: 1)
        }
        parts.drop(client)
        #expect(try parts.take(Self.parameters((.first, "docker", ["a"])), from: other, octets: 1) == nil)
    }

    @Test("leaves out what cannot be, with the reason, and keeps the rest")
    func leftOut() throws {
        var publication = Publication(source: "docker")
        try publication.add(
            [PublishedNetwork(name: "front"), PublishedNetwork(name: "odd", subnets: ["10.0.0.0"])],
            [
                PublishedContainer(id: "a"), PublishedContainer(id: ""),
                PublishedContainer(id: "b", name: "bad", networks: [.init(name: "front", addresses: ["127.0.0.1"])]),
                PublishedContainer(id: "c", pid: 0), PublishedContainer(id: "d", netns: "relative"),
                PublishedContainer(id: "e", ports: [Port(port: 0)]),
                PublishedContainer(id: "f", upstreams: ["nonsense"]), PublishedContainer(id: "g", intercept: ["x"]),
                PublishedContainer(id: "h", name: "odd name", hostname: "localhost"),
            ])
        #expect(publication.containers.keys.sorted() == ["a", "h"], "a name that cannot be is no reason")
        #expect(publication.networks.keys.sorted() == ["front"])
        #expect(publication.leftOut.count == 8)
        #expect(publication.leftOut["container bad"]?.contains("127.0.0.1") == true)
        #expect(publication.leftOut["network odd"] == "bad subnet '10.0.0.0': expected a prefix length, as 10.0.0.0/24")
    }

    @Test("a container is reached by its process before its path, and by none where it shares a namespace")
    func way() throws {
        func way(_ container: PublishedContainer) throws -> NamespaceSource? {
            try PublishedItem(container, of: "docker").way
        }
        #expect(try way(.init(id: "a", netns: "/run/netns/x", pid: 7)) == .pid(7))
        #expect(try way(.init(id: "a", netns: "/run/netns/x")) == .path("/run/netns/x"))
        #expect(try way(.init(id: "a", pid: 7, namespaceOf: "b")) == nil)
        #expect(try way(.init(id: "a")) == nil)
        let nameless = try PublishedItem(.init(id: "0123456789abcdef"), of: "docker").definition
        #expect(nameless.name == "0123456789ab" && nameless.intercept == .resolverFile)
    }
}

@Suite("Kept publications")
struct KeptPublicationTests {
    private let place = AttachedNamespace(container: "a", inode: 1, cookie: 2, processStart: 3)

    private func kept(
        _ id: String, _ name: String, pid: Int? = 7, _ place: AttachedNamespace? = nil, of source: String = "docker"
    ) -> Declaration {
        Declaration(
            KeptContainer.self,
            .init(source: source, container: PublishedContainer(id: id, name: name, pid: pid), place: place))
    }

    private func left(_ declarations: [Declaration]) -> [String] {
        var all = Declarations()
        for declaration in declarations { all.apply(declaration) }
        return all.all.map { declaration in
            guard let kept = declaration.parameters(of: KeptContainer.self) else { return declaration.words }
            return "\(kept.source) \(kept.container.id) \(kept.container.name ?? "") at \(kept.place?.cookie ?? 0)"
        }
    }

    @Test("hold the last word of each container, with its place while it is reached in the same way")
    func apply() {
        #expect(left([kept("a", "x"), kept("a", "x", place), kept("a", "y")]) == ["docker a y at 2"])
        #expect(left([kept("a", "x", place), kept("a", "x", pid: 8)]) == ["docker a x at 0"])
        #expect(left([kept("a", "x"), kept("a", "x", of: "oci")]) == ["docker a x at 0", "oci a x at 0"])
        let gone = Declaration(
            DroppedPublications.self, .init(source: "docker", networks: ["FRONT"], containers: ["a", "nobody"]))
        let network = Declaration(KeptNetwork.self, .init(source: "docker", network: PublishedNetwork(name: "front")))
        #expect(left([kept("a", "x"), network]) == ["network front of source docker", "docker a x at 0"])
        #expect(left([kept("a", "x"), kept("b", "y"), network, gone]) == ["docker b y at 0"])
    }

    @Test("are lines of the file that are read as they were written; one with fields of a later version, too")
    func lines() throws {
        let text = DeclarationsText.header(boot: "b") + DeclarationsText.line(kept("a", "x", place))
        let content = DeclarationsText.parse(text)
        #expect(content.problem == nil && content.declarations == [kept("a", "x", place)])
        let later =
            #"{"method":"intercom.State.PublishContainer","parameters":{"source":"s","container":{"id":"a","new":1},"x":2}}"#
        #expect(try Declaration(message: Array(later.utf8)).parameters(of: KeptContainer.self)?.container.id == "a")
    }

    /// Containers with all members, with few, and with texts that need escapes.
    private static let written: [KeptContainer.Parameters] = {
        var all = PublishedContainer(
            id: "a\"1", name: "db.1", hostname: "höst\u{7F}\\", netns: "/run/netns/a", pid: 7, namespaceOf: "b",
            networks: [
                .init(name: "front", addresses: ["10.1.0.2", "fd00::2"], aliases: ["x", "*.y"]), .init(name: "back"),
                .init(name: "empty", addresses: [], aliases: []),
            ],
            links: [Link(container: "b", name: "n\n")],
            ports: [Port(port: 80), Port(port: 53, protocol: "udp", service: "dns")],
            upstreams: ["10.0.0.1"], draining: true, intercept: [], policy: "p",
            hosts: [ExtraHost(name: "h", address: "host-gateway")])
        let place = AttachedNamespace(container: "a", inode: .max, cookie: 2, processStart: 3)
        let few = AttachedNamespace(container: "a", inode: 1, cookie: 2, processStart: nil)
        let whole = KeptContainer.Parameters(source: "docker", container: all, place: place)
        all.draining = false
        return [
            whole, .init(source: "docker", container: all, place: few),
            .init(source: "oci", container: PublishedContainer(id: "a")),
        ]
    }()

    @Test(
        "are written by hand with the octets that the encoder gives, each member of a container among them",
        arguments: written)
    func octets(parameters: KeptContainer.Parameters) {
        let expected = VarlinkCall.encode(method: KeptContainer.name, parameters: parameters)
        #expect(KeptContainer.encode(parameters) == expected)
    }

    @Test("are tried with a container that leaves out no member: a new one has to be written, too")
    func members() throws {
        let whole = try #require(Self.written.first)
        for value in [Mirror(reflecting: whole), Mirror(reflecting: whole.container)] {
            for (name, member) in value.children {
                #expect(
                    Mirror(reflecting: member).displayStyle != .optional
                        || !Mirror(reflecting: member).children.isEmpty, "\(name ?? "") is nil")
            }
        }
    }
}
