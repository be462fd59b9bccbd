// Calls of a CNI plugin (spec 0.4.0 to 1.1.0): environment and standard input in, an answer on standard output.

package import DNSWire
import FoundationEssentials

/// A call of the plugin by a runtime.
package struct CNICall: Equatable, Sendable {
    /// CNI_COMMAND.
    package enum Command: String, Sendable, CaseIterable {
        /// Attach a container to the network.
        case add = "ADD"
        /// Detach it; that it is gone already is no error.
        case delete = "DEL"
        /// Say whether it is as ADD has left it.
        case check = "CHECK"
        /// Say whether ADD could be carried out (spec 1.1.0).
        case status = "STATUS"
        /// Forget all but the containers that are named (spec 1.1.0).
        case collect = "GC"
        /// Say which versions of the specification are spoken.
        case version = "VERSION"
    }

    /// One link of one container: the object of ADD and DEL.
    package struct Attachment: Hashable, Sendable {
        /// CNI_CONTAINERID.
        package var container: String
        /// CNI_IFNAME.
        package var interface: String
    }

    /// The versions of the specification that are spoken.
    package static let versions = ["0.4.0", "1.0.0", "1.1.0"]
    /// The most octets of a configuration.
    package static let maximumLength = 1 << 20

    /// Operation to carry out (`CNI_COMMAND`).
    package let command: Command
    /// The version that the configuration, and so the answer, is in.
    package let version: String
    /// The network's name.
    package let network: String
    /// CNI_CONTAINERID; empty where the command is about none.
    package let container: String
    /// CNI_NETNS; nil where the namespace is gone already.
    package let namespacePath: String?
    /// The link of the plugin's predecessor.
    package let interface: String
    /// CNI_ARGS: names and values that the runtime adds, as K8S_POD_NAME.
    package let arguments: [String: String]
    /// Further names of the container on this network: the capability `aliases`, a list or one for each network.
    package let aliases: [String]
    /// The addresses that the plugins before have given the container.
    package let addresses: [IPAddress]
    /// Links on the host that the plugins before have made, the bridge of the network among them.
    package let hostInterfaces: [String]
    /// Attachments that GC is to keep: `cni.dev/valid-attachments`; nil where the call names none.
    package let validAttachments: [Attachment]?
    /// Control socket to use instead of the usual one: the configuration's `control`.
    package let control: String?
    /// Result of the plugins before this one in the chain, to be passed on unchanged.
    private let previous: JSONValue?

    /// Reads a call.
    /// - Throws: ``CNIFailure``, as it is to be answered.
    package init(environment: [String: String], configuration octets: [UInt8]) throws(CNIFailure) {
        guard let command = Command(rawValue: environment["CNI_COMMAND"] ?? "") else {
            throw CNIFailure(.badEnvironment, "CNI_COMMAND is '\(environment["CNI_COMMAND"] ?? "")'")
        }
        self.command = command
        container = environment["CNI_CONTAINERID"] ?? ""
        namespacePath = environment["CNI_NETNS"].flatMap { $0.isEmpty ? nil : $0 }
        interface = environment["CNI_IFNAME"] ?? ""
        arguments = Self.arguments(environment["CNI_ARGS"] ?? "")
        let configuration = try Self.configuration(octets)
        version = configuration["cniVersion"]?.text ?? ""
        network = configuration["name"]?.text ?? ""
        if command != .version, !Self.versions.contains(version) {
            throw CNIFailure(
                .incompatibleVersion, "cniVersion '\(version)' is none of \(Self.versions)", Self.versions.last)
        }
        previous = configuration["prevResult"]
        aliases =
            Self.aliases(configuration["runtimeConfig"]?["aliases"] ?? .null, on: network)
            + Self.aliases(configuration["args"]?["cni"]?["aliases"] ?? .null, on: network)
        let result = CNIResult(previous ?? .null)
        addresses = result.addresses
        hostInterfaces = result.hostInterfaces
        validAttachments = configuration["cni.dev/valid-attachments"]?.elements.map(Self.attachments)
        control = configuration["control"]?.text
        try check()
    }

    /// Checks that the call has all that its command needs.
    private func check() throws(CNIFailure) {
        guard [.add, .delete, .check].contains(command) else { return }
        guard Self.isContainerID(container) else {
            let reason = container.isEmpty ? "is missing" : "'\(container)' is no id"
            throw CNIFailure(.badEnvironment, "CNI_CONTAINERID \(reason)", version)
        }
        if network.isEmpty { throw CNIFailure(.badConfiguration, "the configuration has no name", version) }
        guard command == .add else { return }
        if namespacePath == nil { throw CNIFailure(.badEnvironment, "CNI_NETNS is missing", version) }
        if previous == nil {
            throw CNIFailure(
                .badConfiguration, "there is no prevResult: intercom stands behind a plugin that makes links", version)
        }
    }

    /// Standard output of a call that succeeded.
    package var answer: [UInt8] {
        switch command {
        case .add: previous.map(Self.written) ?? []
        case .version:
            Self.written(
                .object([
                    "cniVersion": .string(version.isEmpty ? Self.versions.last ?? "" : version),
                    "supportedVersions": .array(Self.versions.map { .string($0) }),
                ]))
        case .delete, .check, .status, .collect: []
        }
    }

    static func written(_ value: JSONValue) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ((try? encoder.encode(value)).map { Array($0) } ?? []) + [0x0A]
    }

    // MARK: - Parts of a configuration

    private static func configuration(_ octets: [UInt8]) throws(CNIFailure) -> JSONValue {
        guard octets.count <= maximumLength else {
            throw CNIFailure(.undecodable, "the configuration is longer than \(maximumLength) octets")
        }
        do throws(RuntimeWireError) {
            let value = try RuntimeWireError.read(JSONValue.self, from: octets, "the configuration")
            guard value.members != nil else { throw .badJSON(what: "the configuration", reason: "it is no object") }
            return value
        } catch {
            throw CNIFailure(.undecodable, error.description)
        }
    }

    /// `IgnoreUnknown=1;K8S_POD_NAME=web`.
    private static func arguments(_ text: String) -> [String: String] {
        var arguments: [String: String] = [:]
        for pair in text.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { arguments[String(parts[0])] = String(parts[1]) }
        }
        return arguments
    }

    /// `["web"]`, or `{"network": ["web"]}` (the conventions of CNI have the latter).
    private static func aliases(_ value: JSONValue, on network: String) -> [String] {
        (value.elements ?? value[network]?.elements ?? []).compactMap(\.text).filter { !$0.isEmpty }
    }

    private static func attachments(_ elements: [JSONValue]) -> [Attachment] {
        elements.compactMap { element in
            guard let container = element["containerID"]?.text, let interface = element["ifname"]?.text else {
                return nil
            }
            return Attachment(container: container, interface: interface)
        }
    }

    /// The most octets of an id; it is the name of a file, and a container's id in the daemon.
    private static let longestID = 200

    /// True for what the specification allows: a letter or digit, then also `_`, `.` and `-`.
    private static func isContainerID(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= longestID else { return false }
        func isAlphanumeric(_ octet: UInt8) -> Bool {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        return isAlphanumeric(first) && text.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
    }
}

/// Why a call of the plugin is refused: the answer on standard output, beside an exit status that is not 0.
package struct CNIFailure: Error, Equatable, Sendable {
    /// Codes of the specification, "Error".
    package enum Code: Int, Sendable {
        /// A version of the specification that is not spoken.
        case incompatibleVersion = 1
        /// A field of the configuration that is not supported.
        case unsupportedField = 2
        /// A container that is not known.
        case unknownContainer = 3
        /// A variable of the environment that is missing or wrong.
        case badEnvironment = 4
        /// The configuration could not be read from standard input.
        case inputOutput = 5
        /// The configuration is no JSON of the right form.
        case undecodable = 6
        /// The configuration asks for what cannot be.
        case badConfiguration = 7
        /// It may succeed a little later.
        case tryAgain = 11
        /// The plugin's own: the daemon has refused it.
        case refused = 100
    }

    /// Class of the failure, for the runtime.
    package let code: Code
    /// Sentence for people: what failed, and why.
    package let message: String
    private let version: String

    /// - Parameters:
    ///   - code: class of the failure.
    ///   - message: what failed and why.
    ///   - version: that of the configuration, where it could be read.
    package init(_ code: Code, _ message: String, _ version: String? = nil) {
        self.code = code
        self.message = message
        self.version = version.flatMap { CNICall.versions.contains($0) ? $0 : nil } ?? CNICall.versions.last ?? ""
    }

    /// Standard output of a call that failed.
    package var answer: [UInt8] {
        CNICall.written(
            .object([
                "cniVersion": .string(version), "code": .integer(Int64(code.rawValue)), "msg": .string(message),
            ]))
    }
}
