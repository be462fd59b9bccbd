// The readers of DNSWire with arrays in and copies out, as `#expect` can take neither spans nor what is not copyable.

@testable import DNSWire

/// Contents of a `FoldedName`.
struct Folded: Equatable {
    let wire: [UInt8]
    /// The offsets of the labels and of the root.
    let offsets: [Int]
    let address: IPAddress?
    /// The offset behind the name in its message.
    var end = 0

    init(_ name: borrowing FoldedName) {
        wire = (0..<name.length).map { name[$0] }
        offsets = (0...name.labelCount).map { name.labelOffset($0) }
        address = name.reverseAddress
    }

    init(_ bytes: [UInt8], at offset: Int) throws(WireError) {
        var name = FoldedName()
        let end = try name.read(bytes.span, at: offset)
        self.init(name)
        self.end = end
    }

    init(_ name: Name) {
        var folded = FoldedName()
        folded.set(name)
        self.init(folded)
    }
}

extension Name {
    init(_ bytes: [UInt8], at offset: Int) throws(WireError) {
        try self.init(bytes.span, at: offset)
    }

    init(wire: [UInt8]) throws(NameError) {
        try self.init(wire: wire.span)
    }
}

func skipName(_ bytes: [UInt8], at offset: Int) throws(WireError) -> Int {
    try LabelReader.skip(bytes.span, at: offset)
}

func query(_ bytes: [UInt8]) throws(WireError) -> Query {
    var name = FoldedName()
    return try Query(bytes.span, name: &name)
}

func reply(_ bytes: [UInt8]) throws(WireError) -> Reply {
    var name = FoldedName()
    return try Reply.parse(bytes.span, name: &name)
}

func records(_ bytes: [UInt8]) throws(WireError) -> [ResourceRecord] {
    var reader = try Message(bytes.span).records
    var records: [ResourceRecord] = []
    while let record = try reader.next() { records.append(record) }
    return records
}

func options(_ edns: EDNS, in bytes: [UInt8]) throws(WireError) -> [EDNS.Option] {
    var reader = edns.options
    var options: [EDNS.Option] = []
    while let option = try reader.next(bytes.span) { options.append(option) }
    return options
}

/// The first Extended DNS Error of a reply.
func extendedError(_ bytes: [UInt8]) throws(WireError) -> ExtendedError? {
    guard let edns = try reply(bytes).edns else { return nil }
    return try options(edns, in: bytes).first { $0.code == .extendedError }.map {
        ExtendedError(rawValue: bytes.span.word16($0.offset))
    }
}

func describe(_ bytes: [UInt8]) -> String {
    MessageText.describe(bytes.span)
}
