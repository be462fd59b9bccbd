// Files of people: intercom.toml, resolv.conf, the state directory's.

import Registry

@testable import IntercomServer

/// TOML to a configuration, or mistakes that have a place in the text.
func fuzzConfiguration(_ octets: Span<UInt8>) {
    let text = String(decoding: Array(octets), as: UTF8.self)
    do throws(ConfigurationError) {
        let configuration = try Configuration.parse(text: text, file: "f")
        var registry = Registry(domain: configuration.server.domain, ttl: configuration.server.ttl)
        for network in configuration.networks { try? registry.createNetwork(network) }
        for container in configuration.containers {
            _ = try? registry.addContainer(container.definition, cookie: nil)
        }
        _ = registry.takeChanges()
        expect((try? Configuration.parse(text: text, file: "f")) == configuration, "read twice, it says something else")
    } catch {
        expect(!error.problems.isEmpty, "refused without a reason")
        let lines = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
        for problem in error.problems {
            expect(!problem.message.isEmpty, "a mistake without a message")
            expect((1...lines + 1).contains(problem.line ?? 1), "\(problem) is outside of the file")
        }
    }
}

/// A resolv.conf, and the one that is made of it for a container.
func fuzzResolverConfiguration(_ octets: Span<UInt8>) {
    let text = String(decoding: Array(octets), as: UTF8.self)
    let host = ResolverConfiguration(text)
    let written = host.render()
    expect(ResolverConfiguration.isOurs(written), "not known as ours: \(written)")
    let container = ResolverConfiguration(written)
    expect(container.nameservers.map(\.isIntercom) == [true], "other servers in \(written)")
    expect(container.search == host.search, "search list \(host.search) became \(container.search)")
    let carried = host.options.filter { $0 != "ndots" && !$0.hasPrefix("ndots:") }
    expect(container.options == ["ndots:0"] + carried, "options \(host.options) became \(container.options)")
}

/// The state file: whatever it says, what was understood is written and read again as it was. An odd first octet means
/// that the lines get the checksums that they lack.
func fuzzState(_ octets: Span<UInt8>) {
    var bytes = Array(octets)
    if bytes.first.map({ $0 & 1 == 1 }) == true {
        let lines = bytes.dropFirst().split(separator: UInt8(ascii: "\n"))
        bytes = DeclarationsText.header(boot: "b") + lines.flatMap { summed($0) }
    }
    let content = DeclarationsText.parse(bytes)
    let again = DeclarationsText.parse(
        DeclarationsText.header(boot: content.boot) + content.declarations.flatMap(DeclarationsText.line))
    expect(again.declarations == content.declarations, "\(content.declarations) became \(again.declarations)")
    expect(again.problem == nil && again.boot == content.boot, "what we write is not read: \(again)")

    var declarations = Declarations()
    for declaration in content.declarations { declarations.apply(declaration) }
    var anew = Declarations()
    for declaration in declarations.all { anew.apply(declaration) }
    expect(anew.all == declarations.all, "\(declarations.all) became \(anew.all)")
    expect(declarations.count <= declarations.all.count, "counted \(declarations.count)")
}

private func summed(_ message: ArraySlice<UInt8>) -> [UInt8] {
    let sum = String(DeclarationsText.checksum(message), radix: 16)
    return Array("\(String(repeating: "0", count: 8 - sum.count))\(sum) ".utf8) + message + [UInt8(ascii: "\n")]
}
