// All attachments of one container by CNI, put together from calls of which each is about one.

import DNSWire
import FoundationEssentials

/// A container as the calls so far have described it. It is kept in a file between calls, as JSON.
package struct CNIRecord: Equatable, Sendable {
    /// The most octets of a file.
    package static let maximumLength = 1 << 20

    /// One link of the container.
    private struct Link: Codable, Equatable, Sendable {
        var interface: String
        var network: String
        var addresses: [String]
        var aliases: [String]
    }

    /// CNI_CONTAINERID.
    package let container: String
    /// Name for people that the runtime gave; nil where it gave none.
    private var podName: String?
    private var namespacePath: String
    private var links: [Link]

    /// The record of a container's first attachment.
    package init(_ call: CNICall) {
        container = call.container
        namespacePath = ""
        links = []
        add(call)
    }

    /// Takes an ADD: the link is new, or replaces what the record had of it.
    package mutating func add(_ call: CNICall) {
        namespacePath = call.namespacePath ?? namespacePath
        podName = call.arguments["K8S_POD_NAME"] ?? podName
        links.removeAll { $0.interface == call.interface }
        links.append(
            Link(
                interface: call.interface, network: call.network, addresses: call.addresses.map(\.description),
                aliases: call.aliases))
    }

    /// Takes a DEL.
    package mutating func remove(interface: String) {
        links.removeAll { $0.interface == interface }
    }

    /// Removes the links on a network that GC does not name.
    /// - Parameters:
    ///   - network: the call's network; links on others stay.
    ///   - valid: attachments to keep.
    package mutating func keep(_ valid: Set<CNICall.Attachment>, on network: String) {
        links.removeAll {
            $0.network == network
                && !valid.contains(CNICall.Attachment(container: container, interface: $0.interface))
        }
    }

    /// True when no link is left.
    package var isEmpty: Bool { links.isEmpty }

    /// Networks of the container, in the order in which it was attached.
    package var networks: [String] { links.map(\.network) }

    /// The container to publish.
    package var published: RuntimeContainer {
        let (id, name) = Self.identity(container)
        var published = RuntimeContainer(name: podName.flatMap(RuntimeName.whole) ?? name, id: id)
        if let pid = NamespacePath.process(namespacePath) {
            published.pid = pid
        } else {
            published.namespacePath = namespacePath
        }
        published.endpoints = links.map { link in
            var endpoint = RuntimeContainer.Endpoint(network: link.network)
            endpoint.addresses = link.addresses.compactMap { IPAddress($0) }
            endpoint.aliases = link.aliases
            return endpoint
        }
        return published
    }

    /// The id that other sources know a container by, and its name: runtimes of containerd put its namespace before the id.
    ///
    /// `default-4c01…` (64 digits) has the id `4c01…`, under which nerdctl and the OCI hook know it; `default-web` is `web`.
    private static func identity(_ container: String) -> (id: String, name: String) {
        if RuntimeName.isGenerated(container) { return (container, RuntimeName.short(container)) }
        let parts = container.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, RuntimeName.isGenerated(parts[1]) {
            return (String(parts[1]), RuntimeName.short(String(parts[1])))
        }
        if parts.count == 2, parts[0] == "default", let name = RuntimeName.whole(String(parts[1])) {
            return (name, name)
        }
        return (container, RuntimeName.whole(container) ?? RuntimeName.short(container))
    }
}

extension CNIRecord: Codable {
    /// Reads a file.
    package init(_ octets: [UInt8]) throws(RuntimeWireError) {
        self = try RuntimeWireError.read(CNIRecord.self, from: octets, "the record of attachments")
    }

    /// The file's text.
    package var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings alone, which always can be encoded.
        return ((try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}") + "\n"
    }
}
