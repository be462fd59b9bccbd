// Names and addresses: on the wire, folded, and as people write them.

@testable import DNSWire

/// A name in a message, at the offset that the first octet says; 255: a name or an address as text.
func fuzzNames(_ octets: Span<UInt8>) {
    guard octets.count > 0 else { return }
    guard octets[0] == 255 else { return readWire(octets.extracting(droppingFirst: 1), at: Int(octets[0])) }
    let text = String(decoding: Array(octets.extracting(droppingFirst: 1)), as: UTF8.self)
    if let name = try? Name(text) { check(name) }
    readAddress(text)
}

/// All readers of names agree on what is one, where it ends, and what it is.
private func readWire(_ message: Span<UInt8>, at offset: Int) {
    var folded = FoldedName()
    let end = try? folded.read(message, at: offset)
    // A reader that skips a name does not look at the targets of pointers.
    let skipped = try? LabelReader.skip(message, at: offset)
    expect(end == nil || end == skipped, "to skip it ends elsewhere")
    guard let name = try? Name(message, at: offset) else {
        expect(end == nil && folded.length == 1 && folded.labelCount == 0, "a name for one reader alone")
        return
    }
    expect(end != nil, "no name for one reader alone")
    expect(wire(folded) == name.folded && folded.labelCount == name.labelCount, "\(name) was folded to \(wire(folded))")
    var set = FoldedName()
    set.set(name)
    expect(wire(set) == wire(folded), "\(name) was set to \(wire(set))")
    for label in 0...folded.labelCount { expect(folded.labelOffset(label) == set.labelOffset(label), "label \(label)") }
    if let address = folded.reverseAddress {
        expect(address.reverseName == name, "\(name) is no name of \(address)")
    }
    check(name)
}

private func wire(_ name: borrowing FoldedName) -> [UInt8] { Array(name.span) }

/// A name has at most 255 octets, and its text is read as itself.
private func check(_ name: Name) {
    expect((1...Name.maximumLength).contains(name.wire.count), "\(name.wire.count) octets")
    expect(name.labels.count == name.labelCount && name.labelCount < 128, "\(name.labelCount) labels")
    expect((try? Name(name.description))?.wire == name.wire, "\(name) is not read as itself")
    expect((try? Name(labels: name.labels))?.wire == name.wire, "\(name) is not its labels")
    expect(name.isSubdomain(of: name) && name.isSubdomain(of: .root) && !(name < name), "\(name) is not under itself")
    if let longer = try? name.appending(name) {
        expect(longer.isSubdomain(of: name) && longer.labelCount == 2 * name.labelCount, "\(longer)")
    }
}

private func readAddress(_ text: String) {
    if let address = IPAddress(text) {
        expect(IPAddress(address.description) == address, "\(address) is not read as itself")
        var name = FoldedName()
        name.set(address.reverseName)
        expect(name.reverseAddress == address, "\(address) has the name \(address.reverseName)")
    }
    if let server = try? ServerAddress(text) {
        expect((try? ServerAddress(server.description)) == server, "\(server) is not read as itself")
    }
}
