// Declarations over a restart: which are in force, and their file, whole and damaged.

import ControlAPI
import Testing

@testable import IntercomServer

@Suite("Declarations")
struct DeclarationsTests {
    private static let frontend = Declaration(CreateNetwork.self, .init(name: "frontend", subnets: ["10.1.0.0/24"]))
    private static let web = Declaration(
        AddContainer.self,
        .init(name: "web", netns: "/run/netns/web", networks: [.init(name: "frontend", addresses: ["10.1.0.2"])]))
    private static let attached = Declaration(
        Attach.self, .init(container: "web", inode: 4_026_532_201, cookie: 17, processStart: nil))

    private static func call<Method: PersistedMethod>(_ method: Method.Type, _ name: String) -> Declaration
    where Method.Parameters == Named { Declaration(method, Named(name: name)) }

    private static func folded(_ declarations: [Declaration]) -> [Declaration] {
        var result = Declarations()
        for declaration in declarations { result.apply(declaration) }
        return result.all
    }

    @Test("hold until they are taken back, in the order in which they came; names without regard to case")
    func folding() {
        let vm = Declaration(AddContainer.self, .init(name: "vm", networks: [.init(name: "frontend")]))
        #expect(Self.folded([Self.frontend, Self.web, Self.attached]) == [Self.frontend, Self.web, Self.attached])
        #expect(
            Self.folded([Self.frontend, Self.web, Self.attached, vm, Self.call(RemoveContainer.self, "WEB")]) == [
                Self.frontend, vm,
            ])
        #expect(Self.folded([Self.frontend, Self.call(RemoveNetwork.self, "Frontend")]) == [])
        #expect(
            Self.folded([Self.frontend, vm, Self.call(RemoveContainer.self, "vm"), vm]) == [Self.frontend, vm],
            "gone and come again")
        #expect(
            Self.folded([
                Self.call(RemoveContainer.self, "nobody"), Self.call(RemoveNetwork.self, "nothing"), Self.attached,
            ]) == [])
    }

    @Test("of a container take in the networks that it joins and leaves")
    func connecting() {
        let joined = Declaration(
            Connect.self, .init(network: "backend", container: "web", addresses: ["10.2.0.2"], aliases: ["db"]))
        let left = Declaration(Disconnect.self, .init(network: "FRONTEND", container: "Web"))
        #expect(
            Self.folded([Self.web, joined, left]) == [
                Declaration(
                    AddContainer.self,
                    .init(
                        name: "web", netns: "/run/netns/web",
                        networks: [.init(name: "backend", addresses: ["10.2.0.2"], aliases: ["db"])]))
            ])
    }

    @Test("of a container that names its networks take in those that it was connected to before")
    func connectedBefore() {
        let joined = Declaration(Connect.self, .init(network: "Frontend", container: "web", aliases: ["site"]))
        let other = Declaration(Connect.self, .init(network: "backend", container: "web"))
        let left = Declaration(Disconnect.self, .init(network: "lab", container: "web"))
        #expect(
            Self.folded([joined, left, other, Self.web]) == [
                Declaration(
                    AddContainer.self,
                    .init(
                        name: "web", netns: "/run/netns/web",
                        networks: [
                            .init(name: "frontend", addresses: ["10.1.0.2"], aliases: ["site"]), .init(name: "backend"),
                        ]))
            ])
    }

    @Test("of a container whose networks are known elsewhere are what was said last of each")
    func connectingOthers() {
        let joined = Declaration(Connect.self, .init(network: "backend", container: "found"))
        let other = Declaration(Connect.self, .init(network: "frontend", container: "found"))
        let left = Declaration(Disconnect.self, .init(network: "BACKEND", container: "Found"))
        #expect(Self.folded([joined, other]) == [joined, other])
        #expect(Self.folded([joined, other, left]) == [other, left])
        #expect(Self.folded([left, other, joined]) == [other, joined])
        #expect(Self.folded([joined, other, Self.call(RemoveContainer.self, "found")]) == [])
        let declared = Declaration(AddContainer.self, .init(name: "found", netns: "/run/netns/found"))
        #expect(Self.folded([declared, joined]) == [declared, joined], "its links say where it is")
        let alone = Declaration(AddContainer.self, .init(name: "found", networks: []))
        #expect(Self.folded([Self.frontend, alone, left]) == [Self.frontend, alone], "it is on none, and says so")
    }

    @Test("of who is draining hold until it is ready or gone")
    func draining() {
        let drain = Declaration(DrainContainer.self, Named(name: "web"))
        #expect(Self.folded([Self.web, drain, drain]) == [Self.web, drain])
        #expect(Self.folded([Self.web, drain, Self.call(ReadyContainer.self, "WEB")]) == [Self.web])
        #expect(Self.folded([Self.web, drain, Self.call(RemoveContainer.self, "web")]) == [])
    }

    @Test("have one place each: a method whose calls are kept says so to the interface, and says what they mean")
    func methods() {
        // What sources say is kept by lines for each network and container.
        let published = ["intercom.Control.Publish", "intercom.Control.Update", "intercom.Control.Forget"]
        let calls = ControlInterface.methods.filter { $0.isPersisted }.map { $0.name }
        let kept = Set(calls).subtracting(published).union([
            "intercom.State.Attach", "intercom.State.PublishNetwork", "intercom.State.PublishContainer",
            "intercom.State.Unpublish",
        ])
        #expect(Set(PersistedMethods.named.keys) == kept)
        #expect(Set(calls).isSuperset(of: published))
    }

    // MARK: - The file

    private static let boot = "7c6c8a3e-5b1c-4f0e-9d5a-0c5f1f4c1a11"
    private static var file: [UInt8] {
        DeclarationsText.header(boot: boot) + [frontend, web, attached].flatMap(DeclarationsText.line)
    }

    @Test("are lines that people can read, each with its checksum")
    func text() {
        #expect(
            String(decoding: Self.file, as: UTF8.self) == """
                intercom-declarations 1 7c6c8a3e-5b1c-4f0e-9d5a-0c5f1f4c1a11
                4fcc01a1 {"method":"intercom.Control.CreateNetwork","parameters":{"name":"frontend","subnets":["10.1.0.0/24"]}}
                12e562a2 {"method":"intercom.Control.AddContainer","parameters":{"name":"web","netns":"/run/netns/web","networks":[{"addresses":["10.1.0.2"],"name":"frontend"}]}}
                9d069c05 {"method":"intercom.State.Attach","parameters":{"container":"web","cookie":17,"inode":4026532201}}

                """)
        // The check value of the algorithm's catalogues.
        #expect(DeclarationsText.checksum(Array("123456789".utf8)[...]) == 0xCBF4_3926)
    }

    @Test("come back as they were kept, every kind of them")
    func roundTrip() {
        let all: [Declaration] = [
            Self.frontend, Self.call(RemoveNetwork.self, "frontend"), Self.web, Self.attached,
            Self.call(RemoveContainer.self, "web"),
            Declaration(Connect.self, .init(network: "n", container: "c\n\"ä")),
            Declaration(Disconnect.self, .init(network: "n", container: "c")),
            Self.call(DrainContainer.self, "c"), Self.call(ReadyContainer.self, "c"),
            Declaration(Attach.self, .init(container: "job", inode: .max, cookie: .max, processStart: .max)),
        ]
        let content = DeclarationsText.parse(
            DeclarationsText.header(boot: Self.boot) + all.flatMap(DeclarationsText.line))
        #expect(content.declarations == all)
        #expect(content.boot == Self.boot && content.problem == nil)
        #expect(DeclarationsText.parse([]).problem == nil, "an empty file is one that nothing was written to yet")
    }

    @Test("survive wherever the file was torn: all whole lines count")
    func torn() {
        let whole = DeclarationsText.parse(Self.file).declarations
        for length in 1..<Self.file.count {
            let content = DeclarationsText.parse(Array(Self.file[..<length]))
            #expect(content.declarations == Array(whole.prefix(content.declarations.count)))
            let isWhole = Self.file[length - 1] == UInt8(ascii: "\n")
            #expect((content.problem == nil) == isWhole, "\(length) octets")
        }
    }

    @Test("survive any octet that went bad: its line is left out, and said to be damaged")
    func damaged() {
        let lines = Self.file.split(separator: UInt8(ascii: "\n"))
        for index in (lines[0].count + 1)..<Self.file.count {
            var bytes = Self.file
            bytes[index] ^= 0x15
            let content = DeclarationsText.parse(bytes)
            #expect(content.problem != nil, "octet \(index)")
            #expect(content.declarations.count < 3)
        }
    }

    @Test("of a later version, in the same format, are left out, and the method is named")
    func laterMethod() {
        let message = Array(#"{"method":"intercom.Control.AddVolume","parameters":{"name":"www.test"}}"#.utf8)
        let sum = String(DeclarationsText.checksum(message[...]), radix: 16)
        let line = Array("\(String(repeating: "0", count: 8 - sum.count))\(sum) ".utf8) + message + [0x0A]
        let content = DeclarationsText.parse(
            DeclarationsText.header(boot: Self.boot) + DeclarationsText.line(Self.frontend) + line)
        #expect(content.declarations == [Self.frontend])
        #expect(
            content.problem == "line 3 keeps a call that this version does not know (intercom.Control.AddVolume)")
    }

    @Test(
        "of another program or a later version are not touched",
        arguments: [
            ("intercom-declarations 2 x\n00000000 {}\n", "its version is 2, and this program knows 1"),
            ("<html>\n", "it does not begin as such a file does"),
            ("\n", "it does not begin as such a file does"),
            ("intercom-declarations", "it does not begin as such a file does"),
        ])
    func foreign(text: String, problem: String) {
        let content = DeclarationsText.parse(Array(text.utf8))
        #expect(content.declarations.isEmpty && content.problem == problem)
    }
}
